import { expect, it } from 'vitest'
import { judgeCopies, StallClock } from './judge.ts'

const copy = (number: number, key = 'a') => ({ key, number })

it('counts what is missing, what is there again, and what comes too late', () => {
  expect(judgeCopies(3, [copy(0), copy(1), copy(2)])).toEqual({
    ...{ records: 3, missing: 0, duplicated: 0, outOfOrder: 0 },
  })
  expect(judgeCopies(4, [copy(0), copy(2), copy(1), copy(1), copy(1)])).toEqual({
    ...{ records: 4, missing: 1, duplicated: 2, outOfOrder: 1 },
  })
})

it('keys have no order among each other, and what runs again from an earlier place is no disorder', () => {
  const copies = [copy(1, 'b'), copy(0), copy(2), copy(0), copy(2), copy(3)]
  expect(judgeCopies(4, copies)).toMatchObject({ missing: 0, duplicated: 2, outOfOrder: 0 })
})

it('standing still is only what nobody had reason to', () => {
  const clock = new StallClock(0)
  clock.looked(1_000, 1, true)
  // Nothing is left to be done: that is no standing still.
  clock.looked(9_000, 0, false)
  clock.looked(12_000, 0, true)
  expect(clock.standingMs(12_000)).toBe(3_000)
  clock.looked(12_500, 2, true)
  expect(clock.longestMs).toBe(3_500)
  expect(clock.standingMs(12_500)).toBe(0)
})

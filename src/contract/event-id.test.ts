import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { createEventIds } from './index.ts'

/** Bytes that differ from call to call, and are the same in every run. */
function bytesBySeed() {
  let call = 0
  return {
    bytes: (length: number) => {
      const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, block) =>
        createHash('sha256').update(`${call}-${block}`).digest(),
      )
      call++
      return Buffer.concat(blocks).subarray(0, length)
    },
  }
}

it('are UUIDs of version 7 that begin with the time', () => {
  const nextId = createEventIds({ now: () => 0x018f_1234_5678 }, bytesBySeed())
  for (let count = 0; count < 100; count++) {
    expect(nextId()).toMatch(/^018f1234-5678-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
})

it('only ever grow, whatever the clock does, and none is made twice', () => {
  const start = 1_732_219_200_000
  const times = [0, 0, 1, 1, -5_000, -1, 0, 2, 1, 86_400_000, 3]
  let step = 0
  const nextId = createEventIds(
    { now: () => start + (times[Math.floor(step++ / 3_000)] as number) },
    bytesBySeed(),
  )
  let last = ''
  const randomParts = new Set<string>()
  for (let count = 0; count < 33_000; count++) {
    const id = nextId()
    if (id <= last) expect.fail(`${id} after ${last}`)
    last = id
    randomParts.add(id.slice(19))
  }
  expect(randomParts.size).toBe(33_000)
})

it('run ahead of the clock by no more than it takes', () => {
  const nextId = createEventIds({ now: () => 1_000_000 }, bytesBySeed())
  let id = ''
  for (let count = 0; count < 4_096 * 3; count++) id = nextId()
  // A millisecond has room for 2,048 ids at least.
  const aheadMs = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) - 1_000_000
  expect(aheadMs).toBeGreaterThanOrEqual(2)
  expect(aheadMs).toBeLessThanOrEqual(6)
})

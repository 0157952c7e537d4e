import { describe, expect, it } from 'vitest'
import { LatestTime } from './latest-time.ts'

/** A clock that is a millisecond further each time it is asked. */
function countingClock() {
  let asked = 0
  return {
    get asked() {
      return asked
    },
    elapsedMs: () => ++asked,
    now: () => 1_700_000_000_000 + asked,
  }
}

describe('the time that was heard last', () => {
  it('is when the next handler begins, of records that are taken in a row', () => {
    const clock = countingClock()
    const time = new LatestTime(clock)
    time.setInRow(true)
    const endedMs = time.ask()
    const { asked } = clock
    expect(time.begin()).toBe(endedMs)
    expect(clock.asked).toBe(asked)
  })

  it('is asked for anew behind what takes time', () => {
    const time = new LatestTime(countingClock())
    time.setInRow(true)
    const endedMs = time.ask()
    time.passes()
    expect(time.begin()).toBeGreaterThan(endedMs)
  })

  it('is asked for anew where records do not follow each other at once', () => {
    const time = new LatestTime(countingClock())
    const endedMs = time.ask()
    expect(time.begin()).toBeGreaterThan(endedMs)
  })

  it('is forgotten with the row: what comes in another call begins later', () => {
    const time = new LatestTime(countingClock())
    time.setInRow(true)
    const endedMs = time.ask()
    time.setInRow(false)
    time.setInRow(true)
    expect(time.begin()).toBeGreaterThan(endedMs)
  })
})

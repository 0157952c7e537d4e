import { describe, expect, it } from 'vitest'
import { TaskTime } from './task-time.ts'

const options = { idleAfterMs: 100, horizonMs: 1_000 }
const clock = { now: 1_000_000, wanted: 0 }

describe('the time of a task', () => {
  it('waits for every partition that an input was written again from', () => {
    const time = new TaskTime({ ...options, sourceCounts: [1, 2] })
    time.saw(0, 0, 900)
    time.saw(1, 0, 800)
    // The second partition may have what is far behind: nothing was heard of it.
    expect(time.joinTime).toBe(-1)
    time.saw(1, 1, 300)
    expect(time.joinTime).toBe(300)
    time.saw(1, 0, 1_000)
    expect(time.joinTime).toBe(300)
  })

  it('goes on where a partition has nothing for this task, as far as that has come', () => {
    const time = new TaskTime({ ...options, sourceCounts: [1, 2] })
    time.saw(0, 0, 900)
    time.saw(1, 0, 800)
    expect(time.timeByClock({ ...clock, elapsedMs: 0 })).toBeUndefined()
    time.told(1, 1, 700)
    expect(time.timeByClock({ ...clock, elapsedMs: 0 })).toBe(700)
    // By records alone it moves the same way again: what was told is none.
    time.saw(1, 0, 850)
    expect(time.joinTime).toBe(-1)
  })

  it('is held back no more by a partition that has been read to its end for long enough', () => {
    const time = new TaskTime({ ...options, sourceCounts: [1, 2] })
    time.saw(0, 0, 900)
    time.saw(1, 0, 800)
    const isSecondRead = (source: number) => source === 1
    time.setAtEnd(1, isSecondRead, 0)
    expect(time.timeByClock({ ...clock, elapsedMs: 99 })).toBeUndefined()
    expect(time.timeByClock({ ...clock, elapsedMs: 100 })).toBe(800)
    // There is more to come of it after all.
    time.setAtEnd(1, () => false, 100)
    expect(time.timeByClock({ ...clock, elapsedMs: 200 })).toBeUndefined()
  })

  it('is what it was when it begins anew, of each partition', () => {
    const before = new TaskTime({ ...options, sourceCounts: [1, 2] })
    before.saw(0, 0, 900)
    before.saw(1, 0, 800)
    before.saw(1, 1, 300)
    // The topic has got a third one since.
    const time = new TaskTime({ ...options, sourceCounts: [1, 3] }, before.facts)
    expect(time.joinTime).toBe(300)
    time.saw(1, 1, 850)
    expect(time.joinTime).toBe(300)
    time.saw(1, 2, 820)
    expect(time.joinTime).toBe(800)
  })
})

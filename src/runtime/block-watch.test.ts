import { describe, expect, it } from 'vitest'
import type { LogFields } from '../observe/index.ts'
import type { Clock } from '../platform/index.ts'
import { BlockWatch } from './block-watch.ts'
import { deliveryOf } from './fixture/delivery.ts'

/** A clock whose one timer is called when the test says so. */
function stoppedClock() {
  let nowMs = 0
  let callback: () => void = () => undefined
  const clock = {
    elapsedMs: () => nowMs,
    setTimer: (_delayMs: number, then: () => void) => {
      callback = then
      return { cancel: () => (callback = () => undefined) }
    },
  } as unknown as Clock
  return {
    clock,
    pass: (ms: number) => {
      nowMs += ms
    },
    fire: () => {
      callback()
    },
  }
}

describe('a watch for a blocked thread', () => {
  it('names the record that was begun last, and how long nothing else ran', () => {
    const { clock, pass, fire } = stoppedClock()
    const said: LogFields[] = []
    const log = (_level: string, _message: string, fields: LogFields = {}) => said.push(fields)
    const watch = new BlockWatch({ clock, log, longestMs: 3_000 })
    watch.called = deliveryOf(undefined, { topic: 'orders', partition: 2, offset: 41 })
    pass(750)
    fire()
    pass(750 + 2_999)
    expect(watch.blockedMs).toBe(0)
    fire()
    expect(said).toEqual([])
    pass(750 + 4_000)
    expect(watch.blockedMs).toBe(4_000)
    fire()
    expect(watch.blockedMs).toBe(0)
    expect(said).toEqual([
      { blockedMs: 4_000, longestMs: 3_000, topic: 'orders', partition: 2, offset: 41 },
    ])
    watch.end()
    pass(60_000)
    fire()
    expect(said).toHaveLength(1)
  })
})

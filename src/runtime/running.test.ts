import { describe, expect, it } from 'vitest'
import type { Clock } from '../platform/index.ts'
import { Delivery } from './delivery.ts'
import { LatestTime } from './latest-time.ts'
import { Running } from './running.ts'

/** Time that is moved by hand, and the timers that wait in it. */
function handClock() {
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>()
  let nowMs = 0
  const clock = {
    now: () => nowMs,
    elapsedMs: () => nowMs,
    setTimer(delayMs: number, callback: () => void) {
      const timer = { atMs: nowMs + delayMs, callback }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
  } as Clock
  const advance = (toMs: number) => {
    nowMs = toMs
    for (const timer of [...timers]) {
      if (timer.atMs <= nowMs && timers.delete(timer)) timer.callback()
    }
  }
  return { clock, timers, advance }
}

function timedOut() {
  const { clock, timers, advance } = handClock()
  const stuck: Delivery[] = []
  const running = new Running({
    clock,
    time: new LatestTime(clock),
    timeoutMs: 100,
    stuck: (each) => stuck.push(each),
  })
  const delivery = new Delivery('orders', 0, { offset: 7 } as never)
  running.started(delivery)
  advance(100)
  expect(delivery.signal.aborted).toBe(true)
  return { running, delivery, stuck, timers, advance }
}

describe('an attempt whose time is over', () => {
  it('has failed, and is stuck when it does not settle', () => {
    const { running, delivery, stuck, advance } = timedOut()
    expect(running.hasTimedOut(delivery)).toBe(true)
    advance(30_100)
    expect(stuck).toEqual([delivery])
  })

  it('leaves no timer behind when it settles', () => {
    const { running, delivery, timers } = timedOut()
    running.settled(delivery)
    expect(running.takeTimeout(delivery)?.code).toBe('MILLRACE_RUNTIME_HANDLER_TIMEOUT')
    expect(timers.size).toBe(0)
  })

  it('leaves no timer behind when its consumer has ended', () => {
    const { running, timers } = timedOut()
    running.end()
    expect(timers.size).toBe(0)
  })
})

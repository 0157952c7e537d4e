import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../../../platform/index.ts'
import type { Clock } from '../../../platform/index.ts'
import { ControlledClock } from '../../../testing/index.ts'
import { startBench, until } from './fixture/member-bench.ts'
import { HeartbeatTimer } from './heartbeat-timer.ts'
import { SilenceWatch } from './silence-watch.ts'

/** A clock that stands still but when it is moved, and whose timers may come late. */
class StoppedClock implements Clock {
  nowMs = 0
  #timers: { readonly atMs: number; readonly callback: () => void }[] = []

  now(): number {
    return this.nowMs
  }

  elapsedMs(): number {
    return this.nowMs
  }

  setTimer(delayMs: number, callback: () => void): { cancel(): void } {
    const timer = { atMs: this.nowMs + delayMs, callback }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      },
    }
  }

  sleep(): Promise<void> {
    throw new Error('nobody sleeps here')
  }

  defer(callback: () => void): void {
    callback()
  }

  /** Time passes, and nothing runs before it is over. */
  async block(ms: number): Promise<void> {
    this.nowMs += ms
    const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs)
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs)
    for (const { callback } of due) callback()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('a heartbeat timer', () => {
  it('beats in intervals from beat to beat, sooner when asked, and tells how late it is', async () => {
    const clock = new StoppedClock()
    const beats: number[] = []
    const late: number[] = []
    const timer = new HeartbeatTimer({
      clock,
      intervalMs: () => 100,
      beat: () => {
        beats.push(clock.nowMs)
        return Promise.resolve()
      },
      late: (lateMs) => late.push(lateMs),
    })
    timer.start()
    timer.start()
    await clock.block(100)
    await clock.block(450)
    timer.beatWithin(10)
    timer.beatWithin(500)
    await clock.block(10)
    timer.stop()
    timer.beatWithin(0)
    await clock.block(1_000)
    expect(beats).toEqual([100, 550, 560])
    expect(late).toEqual([0, 350, 0])
  })

  it('started again while a beat was under way, beats one at a time', async () => {
    const clock = new StoppedClock()
    const beats: (() => void)[] = []
    const timer = new HeartbeatTimer({
      clock,
      intervalMs: () => 100,
      beat: () => new Promise((resolve) => beats.push(resolve)),
      late: () => undefined,
    })
    timer.start()
    await clock.block(100)
    timer.stop()
    timer.start()
    timer.beatWithin(0)
    await clock.block(0)
    expect(beats).toHaveLength(2)
    timer.beatWithin(0)
    beats[0]?.()
    await clock.block(1_000)
    expect(beats).toHaveLength(2)
    beats[1]?.()
    await clock.block(0)
    await clock.block(0)
    expect(beats).toHaveLength(3)
  })

  it('does not beat while it beats', async () => {
    const clock = new StoppedClock()
    let beats = 0
    let end = (): void => undefined
    const timer = new HeartbeatTimer({
      clock,
      intervalMs: () => 100,
      beat: () => {
        beats += 1
        return new Promise((resolve) => (end = resolve))
      },
      late: () => undefined,
    })
    timer.start()
    await clock.block(100)
    timer.beatWithin(5)
    await clock.block(500)
    expect(beats).toBe(1)
    end()
    await clock.block(0)
    await clock.block(5)
    expect(beats).toBe(2)
    timer.stop()
  })
})

describe('a watch for silence', () => {
  it('calls once, so long after the last that was heard', async () => {
    const clock = new ControlledClock(createNodePlatform().clock)
    let calls = 0
    const watch = new SilenceWatch(clock, 60_000, () => (calls += 1))
    watch.heard(clock.elapsedMs())
    await clock.advance(50_000)
    watch.heard(clock.elapsedMs())
    // What is told late is not newer than what is known.
    watch.heard(clock.elapsedMs() - 40_000)
    await clock.advance(59_000)
    expect(calls).toBe(0)
    await clock.advance(1_100)
    expect(calls).toBe(1)
    await clock.advance(600_000)
    expect(calls).toBe(1)
    watch.heard(clock.elapsedMs())
    watch.stop()
    await clock.advance(600_000)
    expect(calls).toBe(1)
  })

  it('notices by itself when its timer has not come to it', async () => {
    const clock = new StoppedClock()
    let calls = 0
    const watch = new SilenceWatch(clock, 100, () => (calls += 1))
    watch.heard(0)
    clock.nowMs = 99
    watch.check()
    expect(calls).toBe(0)
    clock.nowMs = 100
    watch.check()
    watch.check()
    await clock.block(0)
    expect(calls).toBe(1)
  })
})

describe('a thread that is blocked', () => {
  it.each(['classic', 'consumer'] as const)('is named in the log (%s)', async (groupProtocol) => {
    await using bench = await startBench({
      properties: {
        'group.consumer.heartbeat.interval.ms': '50',
        'group.consumer.min.heartbeat.interval.ms': '50',
      },
    })
    const one = bench.member('one', { groupProtocol, sessionTimeoutMs: 6_000 })
    one.subscribe('t')
    await until(() => one.held !== '', 'assigned')
    const { memberId } = one
    const inner = one.clock.elapsedMs.bind(one.clock)
    let beats = 0
    bench.kafka.intercept(undefined, (request, proceed) => {
      if (request.apiName.endsWith('Heartbeat')) beats += 1
      return proceed()
    })
    // As if the thread had not run for some seconds: the next timer fires, and it is much later.
    await until(() => beats > 2, 'beating')
    await new Promise((resolve) => setTimeout(resolve, 20))
    one.clock.elapsedMs = () => inner() + 3_500
    await until(() => bench.logged.some(({ message }) => message.includes('blocked')), 'said')
    const { fields } = bench.logged.find(({ message }) => message.includes('blocked')) ?? {}
    expect(fields).toMatchObject({ group: 'group', member: memberId, sessionTimeoutMs: 6_000 })
    expect(one.held).not.toBe('')
  })
})

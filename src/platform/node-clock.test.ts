import { afterEach, describe, expect, it, vi } from 'vitest'
import { nodeClock } from './node-clock.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('the clock of this machine', () => {
  it('tells whole milliseconds of the epoch and a time that never steps back', () => {
    expect(Number.isSafeInteger(nodeClock.now())).toBe(true)
    const first = nodeClock.elapsedMs()
    expect(nodeClock.elapsedMs()).toBeGreaterThanOrEqual(first)
  })

  it('calls a timer once and a cancelled one never', async () => {
    const calls: string[] = []
    const cancelled = nodeClock.setTimer(1, () => calls.push('cancelled'))
    cancelled.cancel()
    cancelled.cancel()
    const fired = await new Promise<{ cancel(): void }>((resolve) => {
      const timer = nodeClock.setTimer(5, () => {
        calls.push('fired')
        resolve(timer)
      })
    })
    fired.cancel()
    expect(calls).toEqual(['fired'])
  })

  it('counts delays that are longer than Node can count at once', () => {
    vi.useFakeTimers()
    const calls: string[] = []
    const fortyDaysMs = 40 * 24 * 60 * 60 * 1000
    nodeClock.setTimer(fortyDaysMs, () => calls.push('late'))
    const cancelled = nodeClock.setTimer(fortyDaysMs, () => calls.push('cancelled'))
    vi.advanceTimersByTime(fortyDaysMs - 1)
    cancelled.cancel()
    expect(calls).toEqual([])
    vi.advanceTimersByTime(1)
    expect(calls).toEqual(['late'])
  })

  it('rejects a sleep with the reason of its signal, before and while it sleeps', async () => {
    const reason = new Error('enough')
    await expect(nodeClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason)
    const controller = new AbortController()
    const sleeping = nodeClock.sleep(60_000, controller.signal)
    controller.abort(reason)
    await expect(sleeping).rejects.toBe(reason)
    await nodeClock.sleep(1, new AbortController().signal)
  })

  it('defers behind everything that is already promised and before any timer', async () => {
    const order: string[] = []
    await new Promise<void>((resolve) => {
      nodeClock.setTimer(20, () => {
        order.push('timer')
        resolve()
      })
      nodeClock.defer(() => order.push('deferred'))
      void Promise.resolve().then(() => order.push('promised'))
    })
    expect(order).toEqual(['promised', 'deferred', 'timer'])
  })
})

import type { Clock, Timer } from '../platform/index.ts'

interface PendingTimer {
  readonly dueMs: number
  readonly sequence: number
  readonly callback: () => void
  inner: Timer | undefined
}

/**
 * A clock that runs as another one does and can be moved ahead: what is due by then happens at once,
 * in order. It lets a test pass a session timeout or a week of retention without waiting for it.
 */
export class ControlledClock implements Clock {
  readonly #inner: Clock
  readonly #pending = new Set<PendingTimer>()
  #aheadMs = 0
  #sequence = 0

  constructor(inner: Clock) {
    this.#inner = inner
  }

  /** Whole milliseconds, as brokers store them; rounded up, so that `advance(ms)` is never seen as less. */
  now(): number {
    return Math.ceil(this.#inner.now() + this.#aheadMs)
  }

  elapsedMs(): number {
    return this.#inner.elapsedMs() + this.#aheadMs
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.#sequence += 1
    const timer: PendingTimer = {
      dueMs: this.elapsedMs() + Math.max(0, delayMs),
      sequence: this.#sequence,
      callback,
      inner: undefined,
    }
    this.#pending.add(timer)
    this.#arm(timer)
    return { cancel: () => this.#forget(timer) }
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const aborted = () => {
        timer.cancel()
        reject(signal?.reason as Error)
      }
      const timer = this.setTimer(delayMs, () => {
        signal?.removeEventListener('abort', aborted)
        resolve()
      })
      signal?.addEventListener('abort', aborted, { once: true })
    })
  }

  defer(callback: () => void): void {
    this.#inner.defer(callback)
  }

  /**
   * Moves the clock ahead by `ms`. Timers that become due are called in order, each at its own time;
   * between two of them the continuations of the first get to run.
   */
  async advance(ms: number): Promise<void> {
    const targetMs = this.elapsedMs() + ms
    for (;;) {
      const next = this.#nextDue(targetMs)
      if (next === undefined) break
      this.#aheadMs += Math.max(0, next.dueMs - this.elapsedMs())
      this.#fire(next)
      await new Promise<void>((resolve) => this.#inner.defer(resolve))
    }
    this.#aheadMs += Math.max(0, targetMs - this.elapsedMs())
    for (const timer of this.#pending) this.#arm(timer)
  }

  #nextDue(targetMs: number): PendingTimer | undefined {
    let next: PendingTimer | undefined
    for (const timer of this.#pending) {
      if (timer.dueMs > targetMs) continue
      const earlier = next === undefined || timer.dueMs < next.dueMs
      if (earlier || (timer.dueMs === next?.dueMs && timer.sequence < next.sequence)) next = timer
    }
    return next
  }

  /** The timer of the inner clock follows what is left of the wait. */
  #arm(timer: PendingTimer): void {
    timer.inner?.cancel()
    const leftMs = Math.max(0, timer.dueMs - this.elapsedMs())
    timer.inner = this.#inner.setTimer(leftMs, () => this.#fire(timer))
  }

  #fire(timer: PendingTimer): void {
    if (!this.#pending.has(timer)) return
    this.#forget(timer)
    timer.callback()
  }

  #forget(timer: PendingTimer): void {
    timer.inner?.cancel()
    this.#pending.delete(timer)
  }
}

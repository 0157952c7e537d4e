import { MillraceError } from '../errors.ts'
import type { Clock, Timer } from '../platform/index.ts'
import { Bag } from './bag.ts'
import type { Placed } from './bag.ts'
import type { Delivery, WaitWatch } from './delivery.ts'
import type { LatestTime } from './latest-time.ts'

export interface RunningParts {
  readonly clock: Clock
  readonly time: LatestTime
  /** How long an attempt may take; undefined for as long as it likes. */
  readonly timeoutMs: number | undefined
  /** A handler ignores its signal long after its time was over: the process is to be ended. */
  readonly stuck: (delivery: Delivery) => void
}

/** An attempt that runs. */
export class RunningAttempt implements Placed {
  readonly delivery: Delivery
  /** Undefined while its handler has not started: it has all the time that it needs. */
  beganMs: number | undefined
  place = 0

  constructor(delivery: Delivery) {
    this.delivery = delivery
  }
}

interface TimedOut {
  readonly beganMs: number
  readonly error: MillraceError
  /** Until it is stuck. */
  readonly timer: Timer
}

/** So long after its time was over a handler should have settled. */
const settleMs = 30_000

/**
 * The attempts that run. Each is told by its signal when its time is over; it has failed then, whatever its handler
 * still answers, and its key stays closed until the handler settles.
 */
export class Running implements WaitWatch {
  readonly #clock: Clock
  readonly #time: LatestTime
  readonly #timeoutMs: number
  readonly #stuck: (delivery: Delivery) => void
  readonly #attempts = new Bag<RunningAttempt>()
  readonly #timedOut = new Map<Delivery, TimedOut>()
  readonly #watched = new Map<Delivery, () => void>()
  #timer: Timer | undefined

  constructor({ clock, time, timeoutMs, stuck }: RunningParts) {
    this.#clock = clock
    this.#time = time
    this.#timeoutMs = timeoutMs ?? Infinity
    this.#stuck = stuck
  }

  get size(): number {
    return this.#attempts.size + this.#timedOut.size
  }

  /** Since when the oldest of each topic runs. Only for who asks now and then: it looks at all of them. */
  get oldest(): ReadonlyMap<string, number> {
    const oldest = new Map<string, number>()
    const note = ({ sourceTopic }: Delivery, beganMs: number) => {
      oldest.set(sourceTopic, Math.min(oldest.get(sourceTopic) ?? Infinity, beganMs))
    }
    for (const { delivery, beganMs } of this.#attempts) {
      if (beganMs !== undefined) note(delivery, beganMs)
    }
    for (const [delivery, { beganMs }] of this.#timedOut) note(delivery, beganMs)
    return oldest
  }

  has(delivery: Delivery): boolean {
    return delivery.running !== undefined || this.#timedOut.has(delivery)
  }

  hasTimedOut(delivery: Delivery): boolean {
    return this.#timedOut.has(delivery)
  }

  started(delivery: Delivery): void {
    delivery.watchWaits(this)
    const attempt = new RunningAttempt(delivery)
    delivery.running = attempt
    this.#attempts.add(attempt)
    // The clock was asked when the handler was called, just now.
    if (!delivery.isWaiting) this.#begin(attempt, this.#time.latestMs)
  }

  waits({ running }: Delivery): void {
    if (running !== undefined) running.beganMs = undefined
  }

  goesOn({ running }: Delivery): void {
    if (running !== undefined) this.#begin(running, this.#time.ask())
  }

  #begin(attempt: RunningAttempt, beganMs: number): void {
    attempt.beganMs = beganMs
    if (this.#timeoutMs !== Infinity) this.#timer ??= this.#arm(this.#timeoutMs)
  }

  settled(delivery: Delivery): void {
    this.#leave(delivery)
    if (this.#watched.size === 0) return
    this.#watched.get(delivery)?.()
    this.#watched.delete(delivery)
  }

  /** Calls back when the attempt that runs has come to its end. */
  whenSettled(delivery: Delivery, callback: () => void): void {
    this.#watched.set(delivery, callback)
  }

  /** Why an attempt that has settled failed all the same: its time was over. Asked once. */
  takeTimeout(delivery: Delivery): MillraceError | undefined {
    if (this.#timedOut.size === 0) return undefined
    const timedOut = this.#timedOut.get(delivery)
    timedOut?.timer.cancel()
    this.#timedOut.delete(delivery)
    return timedOut?.error
  }

  end(): void {
    this.#timer?.cancel()
    for (const { timer } of this.#timedOut.values()) timer.cancel()
  }

  #leave(delivery: Delivery): void {
    if (delivery.running === undefined) return
    this.#attempts.delete(delivery.running)
    delivery.running = undefined
  }

  /** One timer, for the one that began first. */
  #arm(delayMs: number): Timer {
    return this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined
      const now = this.#clock.elapsedMs()
      let nextMs = Infinity
      for (const { delivery, beganMs } of this.#attempts) {
        if (beganMs === undefined) continue
        const leftMs = beganMs + this.#timeoutMs - now
        if (leftMs > 0) nextMs = Math.min(nextMs, leftMs)
        else this.#expire(delivery, beganMs)
      }
      if (nextMs !== Infinity) this.#timer ??= this.#arm(nextMs)
    })
  }

  #expire(delivery: Delivery, beganMs: number): void {
    this.#leave(delivery)
    const error = new MillraceError(
      'MILLRACE_RUNTIME_HANDLER_TIMEOUT',
      `the handler of ${delivery.toString()} took longer than handlerTimeoutMs (${this.#timeoutMs})`,
    )
    const timer = this.#clock.setTimer(settleMs, () => this.#stuck(delivery))
    this.#timedOut.set(delivery, { beganMs, error, timer })
    delivery.abort(error)
  }
}

import type { Clock } from '../../platform/index.ts'
import type { Scheduler } from './scheduler.ts'

/** How long the real world is left alone before it is asked again. */
const restMsMax = 1

/**
 * How fast virtual time goes. Free: it jumps from event to event. Held, while somebody waits for the real world: it goes
 * as real time does, from where it was. What is due at the present moment happens in both.
 */
export class Pace {
  readonly #scheduler: Scheduler
  readonly #real: Pick<Clock, 'elapsedMs'>
  readonly #isHeld: () => boolean
  #since: { readonly realMs: number; readonly virtualMs: number } | undefined
  #restingSinceMs: number | undefined
  #restedMs = 0

  constructor(scheduler: Scheduler, real: Pick<Clock, 'elapsedMs'>, isHeld: () => boolean) {
    this.#scheduler = scheduler
    this.#real = real
    this.#isHeld = isHeld
  }

  /** Real milliseconds in which nothing happened here because the real world was waited for. */
  get restedMs(): number {
    return this.#restedMs
  }

  /** Whether somebody waits for the real world. */
  get isHeld(): boolean {
    return this.#isHeld()
  }

  /** How long, in real milliseconds, the next event has to wait; 0 when it may happen. */
  get waitMs(): number {
    this.#countRest()
    if (!this.#isHeld()) {
      this.#since = undefined
      return 0
    }
    const realMs = this.#real.elapsedMs()
    this.#since ??= { realMs, virtualMs: this.#scheduler.nowMs }
    const reachedMs = this.#since.virtualMs + (realMs - this.#since.realMs)
    const nextMs = this.#scheduler.nextTimeMs() ?? Infinity
    if (nextMs <= Math.max(reachedMs, this.#scheduler.nowMs)) return 0
    this.#scheduler.advanceTo(reachedMs)
    this.#restingSinceMs = realMs
    return Math.min(restMsMax, nextMs - reachedMs)
  }

  /** Nobody runs the world: real time that passes now is none of its time. */
  rest(): void {
    this.#since = undefined
    this.#restingSinceMs = undefined
  }

  #countRest(): void {
    if (this.#restingSinceMs === undefined) return
    this.#restedMs += this.#real.elapsedMs() - this.#restingSinceMs
    this.#restingSinceMs = undefined
  }
}

import type { Clock } from '../platform/index.ts'

/** So often at most it is taken on trust that somebody else has asked the clock. */
const trustedMax = 16
/** How old what was heard of the time of day may be. */
const dayMsMax = 10

/**
 * What the clock said last. To ask it costs more than most of what is done for a record, and it is asked when a handler begins
 * and when it has ended: whoever wants to know right then takes what it said.
 */
export class LatestTime {
  readonly #clock: Pick<Clock, 'now' | 'elapsedMs'>
  #elapsedMs: number
  /** How often the answer was used since it was given. */
  #trusted = 0
  /** The time of day, and what the clock said when it was heard. */
  #nowMs: number
  #nowHeardMs: number

  constructor(clock: Pick<Clock, 'now' | 'elapsedMs'>) {
    this.#clock = clock
    this.#elapsedMs = clock.elapsedMs()
    this.#nowMs = clock.now()
    this.#nowHeardMs = this.#elapsedMs
  }

  /** Asks the clock, for all. */
  ask(): number {
    this.#trusted = 0
    return (this.#elapsedMs = this.#clock.elapsedMs())
  }

  /** What the clock said when it was asked last. */
  get latestMs(): number {
    return this.#elapsedMs
  }

  /** Whether the clock is past that, as far as anybody has heard; it is asked now and then, if nobody else does. */
  isPast(elapsedMs: number): boolean {
    if (++this.#trusted > trustedMax) this.ask()
    return this.#elapsedMs > elapsedMs
  }

  /** Milliseconds since the epoch, when the clock was asked last. A step of the clock shows a moment later. */
  get nowMs(): number {
    const sinceMs = this.#elapsedMs - this.#nowHeardMs
    if (sinceMs < dayMsMax) return this.#nowMs + sinceMs
    this.#nowHeardMs = this.#elapsedMs
    return (this.#nowMs = this.#clock.now())
  }
}

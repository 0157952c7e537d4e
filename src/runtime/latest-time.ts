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
  /** Records are taken one after another, in one call. */
  #isInRow = false
  /** Nothing that takes time was done since the clock was asked in that call. */
  #isNear = false
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
    this.#isNear = this.#isInRow
    return (this.#elapsedMs = this.#clock.elapsedMs())
  }

  /**
   * When a handler begins. Of records that are taken in a row, each as the one before it has ended, that is when that one
   * ended: what lies between is less than the clock can tell.
   */
  begin(): number {
    return this.#isNear ? this.#elapsedMs : this.ask()
  }

  /** Something was done that takes time: a batch was opened, a record was read by its contract. */
  passes(): void {
    this.#isNear = false
  }

  /** Records are taken in a row from here on, or no longer. */
  setInRow(isInRow: boolean): void {
    this.#isInRow = isInRow
    this.#isNear = false
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

import type { Clock } from '../platform/index.ts'

/** So often at most it is taken on trust that somebody else has asked the clock. */
const trustedMax = 16
/** How old what was heard of the time of day may be. */
const dayMsMax = 10

/** A handler that takes less is quick: many of them fit below the lowest end of a bucket of durations. */
const quickMs = 0.05
/** After so many quick ones in a row one of `quickShare` is timed. */
const quickMin = 64
const quickShare = 8

/** Is told what handlers of one kind take. */
export interface Observer {
  observe(seconds: number): void
}

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
  /** The handler that runs began when the one before it had ended. */
  #isNext = false
  /** Whose handlers they are; how many were quick, one after another, and how many have ended since the clock was asked. */
  #observer: Observer | undefined
  #quick = 0
  #untimed = 0
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
    const elapsedMs = this.#clock.elapsedMs()
    if (this.#untimed > 0) this.#took(elapsedMs - this.#elapsedMs)
    this.#untimed = 0
    this.#trusted = 0
    this.#isNear = this.#isInRow
    return (this.#elapsedMs = elapsedMs)
  }

  /**
   * When a handler begins. Of records that are taken in a row, each as the one before it has ended, that is when that one
   * ended: what lies between is less than the clock can tell.
   */
  begin(observer: Observer): number {
    if (observer !== this.#observer) {
      this.settle()
      this.#observer = observer
      this.#quick = 0
    }
    this.#isNext = this.#isNear
    return this.#isNext ? this.#elapsedMs : this.ask()
  }

  /**
   * A handler that began then has answered. Of a row of quick ones of one kind one in eight is timed, and is said to have taken
   * what all eight did: as one of them takes nothing that a bucket of durations shows, buckets and sum are what they would
   * be. One that is not quick counts for itself or for the next that is timed, and from then on each is timed again.
   */
  ended(beganMs: number, observer: Observer): void {
    if (observer !== this.#observer) {
      // Others were run by it.
      observer.observe((this.ask() - beganMs) / 1_000)
      return
    }
    if (this.#untimed > 0) observer.observe(0)
    this.#untimed++
    const isTrusted = this.#isNext && this.#elapsedMs === beganMs && this.#quick >= quickMin
    if (isTrusted && this.#untimed < quickShare) return
    if (this.#elapsedMs === beganMs) {
      this.ask()
      return
    }
    // Somebody has asked while it ran.
    this.#untimed = 0
    this.#took(this.ask() - beganMs)
  }

  /** A handler that began then goes on for longer. Answers from when on its time is its own. */
  goesOn(beganMs: number): number {
    this.#quick = 0
    return this.#untimed > 0 ? this.ask() : beganMs
  }

  /** Whoever has ended and was not timed is, before something else takes time. */
  settle(): void {
    if (this.#untimed > 0) this.ask()
  }

  /** Something was done that takes time: a batch was opened, a record was read by its contract. */
  passes(): void {
    this.#isNear = false
  }

  /** Records are taken in a row from here on, or no longer. */
  setInRow(isInRow: boolean): void {
    this.settle()
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

  #took(tookMs: number): void {
    this.#observer?.observe(tookMs / 1_000)
    this.#quick = tookMs < quickMs ? this.#quick + 1 : 0
  }
}

import type { Clock, Timer } from '../../../platform/index.ts'

/**
 * Notices when nothing was heard of somebody for too long: of an application that asks for nothing, of a
 * coordinator that does not answer. It is **stopped** or **watching**; it calls once, and stops.
 */
export class SilenceWatch {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #silent: () => void
  #heardMs = 0
  #timer: Timer | undefined

  constructor(clock: Clock, timeoutMs: number, silent: () => void) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#silent = silent
  }

  /** For how long nothing was heard. */
  get silentMs(): number {
    return this.#clock.elapsedMs() - this.#heardMs
  }

  /** Something was heard then, or is known to have been true then. */
  heard(atMs: number): void {
    this.#heardMs = Math.max(this.#heardMs, atMs)
    this.#timer ??= this.#arm(this.#leftMs())
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** Calls now, if the time is over and the timer has not come to it yet. */
  check(): void {
    if (this.#timer === undefined || this.#leftMs() > 0) return
    this.stop()
    this.#silent()
  }

  #leftMs(): number {
    return this.#heardMs + this.#timeoutMs - this.#clock.elapsedMs()
  }

  /** The timer is not moved each time: when it fires it looks how much is left. */
  #arm(delayMs: number): Timer {
    return this.#clock.setTimer(Math.max(0, delayMs), () => {
      this.#timer = undefined
      const leftMs = this.#leftMs()
      if (leftMs > 0) this.#timer = this.#arm(leftMs)
      else this.#silent()
    })
  }
}

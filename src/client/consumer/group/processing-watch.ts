import type { Clock, Timer } from '../../../platform/index.ts'

/** Notices when an application has asked for nothing for too long. */
export class ProcessingWatch {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #stalled: () => void
  #polledMs = 0
  #timer: Timer | undefined

  constructor(clock: Clock, timeoutMs: number, stalled: () => void) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#stalled = stalled
  }

  polled(): void {
    this.#polledMs = this.#clock.elapsedMs()
  }

  /** Counts from now on. */
  start(): void {
    this.polled()
    if (this.#timer === undefined) this.#arm(this.#timeoutMs)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined
      const leftMs = this.#polledMs + this.#timeoutMs - this.#clock.elapsedMs()
      if (leftMs > 0) this.#arm(leftMs)
      else this.#stalled()
    })
  }
}

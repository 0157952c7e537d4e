import type { Clock } from '../platform/index.ts'

/** For the last commit, for leaving groups and for closing what writes, after what ran has ended. */
export const goodbyeMs = 5_000

/** When something has to be over, whoever does not answer. */
export class Deadline {
  readonly #clock: Clock
  readonly #atMs: number
  #wasMissed = false

  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock
    this.#atMs = clock.elapsedMs() + delayMs
  }

  get leftMs(): number {
    return Math.max(0, this.#atMs - this.#clock.elapsedMs())
  }

  /** Whether something was left alone that had not ended. */
  get wasMissed(): boolean {
    return this.#wasMissed
  }

  /** Waits until something has ended, however it did; when the time is over it is left alone. */
  async within(work: Promise<unknown> | undefined): Promise<void> {
    if (work === undefined) return
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(this.leftMs, () => {
        this.#wasMissed = true
        resolve()
      })
      const end = () => {
        timer.cancel()
        resolve()
      }
      work.then(end, end)
    })
  }
}

import type { Clock } from '../../platform/index.ts'

/** The longest time between two looks that counts. */
const gapMsMax = 1_000

/**
 * Time that passes while somebody looks what there is to be read. A process that stood still has not seen that nothing came: what
 * came meanwhile it has still to read, and no input was idle because of that.
 */
export class WatchedTime {
  readonly #clock: Pick<Clock, 'elapsedMs'>
  #lookedAtMs: number
  #watchedMs = 0

  constructor(clock: Pick<Clock, 'elapsedMs'>) {
    this.#clock = clock
    this.#lookedAtMs = clock.elapsedMs()
  }

  /** As of the last look. */
  get elapsedMs(): number {
    return this.#watchedMs
  }

  look(): void {
    const nowMs = this.#clock.elapsedMs()
    this.#watchedMs += Math.min(nowMs - this.#lookedAtMs, gapMsMax)
    this.#lookedAtMs = nowMs
  }
}

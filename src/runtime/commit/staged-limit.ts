import type { Turns } from '../lanes/turns.ts'
import type { StagedBytes } from './partition-outputs.ts'

/**
 * Bounds what waits to be written with commits: nothing new starts while it is more than so many bytes, and a commit is made
 * at once.
 */
export class StagedLimit implements StagedBytes {
  readonly #bytesMax: number
  readonly #turns: Pick<Turns, 'hold' | 'letGo'>
  readonly #commitNow: () => void
  #bytes = 0
  #isHeld = false

  constructor(bytesMax: number, turns: Pick<Turns, 'hold' | 'letGo'>, commitNow: () => void) {
    this.#bytesMax = bytesMax
    this.#turns = turns
    this.#commitNow = commitNow
  }

  add(bytes: number): void {
    this.#bytes += bytes
    const isFull = this.#bytes > this.#bytesMax
    if (isFull) this.#commitNow()
    if (isFull === this.#isHeld) return
    this.#isHeld = isFull
    if (isFull) this.#turns.hold()
    else this.#turns.letGo()
  }
}

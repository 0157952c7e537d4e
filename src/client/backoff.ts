import type { Random } from '../platform/index.ts'

/** How far a pause is drawn from its middle, so that many clients do not come back at once. */
const jitter = 0.2

/** The pauses between attempts: each twice as long as the one before, up to a limit, with jitter. */
export class Backoff {
  readonly #random: Random
  readonly #firstMs: number
  readonly #limitMs: number
  #failures = 0

  constructor(random: Random, options: { readonly firstMs: number; readonly limitMs: number }) {
    this.#random = random
    this.#firstMs = options.firstMs
    this.#limitMs = options.limitMs
  }

  /** How long to wait after one more failure. */
  nextMs(): number {
    const middle = Math.min(this.#firstMs * 2 ** this.#failures, this.#limitMs)
    if (middle < this.#limitMs) this.#failures += 1
    return middle * (1 - jitter + 2 * jitter * this.#random.fraction())
  }

  /** An attempt succeeded. */
  reset(): void {
    this.#failures = 0
  }
}

import { fingerprintOf } from '../../runtime/index.ts'

/** Of as many keys as were announced, one in twenty is taken for one that was seen. */
const bitsPerKey = 16
const bitsMax = 2 ** 28

/** Tells of keys that they were not seen before. Of some it cannot: two may have the same bit. */
export class SeenKeys {
  readonly #bits: Uint32Array
  readonly #bitCount: number

  /** So many keys come at most. */
  constructor(keyCount: number) {
    this.#bitCount = Math.min(bitsMax, Math.max(1, keyCount) * bitsPerKey)
    this.#bits = new Uint32Array(Math.ceil(this.#bitCount / 32))
  }

  /** Answers false for a key that certainly was not seen before. */
  add(key: Uint8Array): boolean {
    const bit = fingerprintOf(key) % this.#bitCount
    const word = bit >>> 5
    const mask = 1 << (bit & 31)
    const before = this.#bits[word] as number
    this.#bits[word] = before | mask
    return (before & mask) !== 0
  }
}

import type { Random } from '../../platform/index.ts'

/**
 * A stream of numbers that depends on nothing but its seed: sfc32 (Chris Doty-Humphrey's small fast
 * counting generator, 128 bits of state). Each draw takes the same number of steps whatever its
 * bound, so that a length that differs does not shift the draws that follow.
 */
export class SeededRandom implements Random {
  readonly #seed: readonly [number, number]
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number, label = '') {
    this.#seed = [hashText(label, seed >>> 0), hashText(label, Math.floor(seed / 2 ** 32) + 1)]
    this.#a = 0
    this.#b = this.#seed[0]
    this.#c = this.#seed[1]
    for (let step = 0; step < 12; step += 1) this.word()
  }

  /** A stream of its own for `label`. It takes nothing from this one. */
  split(label: string): SeededRandom {
    const [low, high] = this.#seed
    return new SeededRandom(low + (high % 2 ** 20) * 2 ** 32, label)
  }

  /** 32 bits. */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  fraction(): number {
    return ((this.word() >>> 5) * 2 ** 26 + (this.word() >>> 6)) / 2 ** 53
  }

  integer(bound: number): number {
    return Math.floor(this.fraction() * bound)
  }

  bytes(length: number): Uint8Array {
    const bytes = Buffer.alloc(length)
    for (let index = 0; index < length; index += 1) bytes[index] = this.word() >>> 24
    return bytes
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** A number within the range, every one as likely. */
  within({ min, max }: Range): number {
    return min + this.fraction() * (max - min)
  }

  /** One of these, every one as likely. Undefined when there are none. */
  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.integer(items.length)]
  }
}

/** From `min` up to, not including, `max`; both may be the same. */
export interface Range {
  readonly min: number
  readonly max: number
}

/** 32 bits that depend on every character of `text` (FNV-1a with a final mix). */
export function hashText(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return mix32(hash)
}

/** Spreads the bits of a word over the whole of it. */
export function mix32(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

import { hashText, mix32 } from './seeded-random.ts'

/** What can be traced: decoded values, never bytes that depend on the version of a library. */
export type TraceValue = string | number | boolean | null | undefined

/**
 * A running hash over everything that happens, 64 bits as two words. Two runs that differ anywhere
 * end with different hashes. It is no cryptographic hash, and need not be one.
 */
export class Trace {
  #low = 0x9e3779b9
  #high = 0x85ebca77
  readonly #words = new Map<string, number>()
  readonly #double = new Float64Array(1)
  readonly #halves = new Uint32Array(this.#double.buffer)

  word(word: number): void {
    this.#low = Math.imul((this.#low ^ word) + 0x27d4eb2f, 0x9e3779b1)
    this.#low = (this.#low << 15) | (this.#low >>> 17)
    this.#high = Math.imul((this.#high + word) ^ (this.#low >>> 3), 0xc2b2ae3d)
    this.#high = (this.#high << 13) | (this.#high >>> 19)
  }

  number(value: number): void {
    this.#double[0] = value
    this.word(this.#halves[0] ?? 0)
    this.word(this.#halves[1] ?? 0)
  }

  text(text: string): void {
    this.word(hashText(text, text.length))
  }

  /** For text that comes again and again, such as the kind of an event. */
  name(name: string): void {
    let word = this.#words.get(name)
    if (word === undefined) {
      word = hashText(name, name.length)
      this.#words.set(name, word)
    }
    this.word(word)
  }

  value(value: TraceValue): void {
    this.name(typeof value)
    if (typeof value === 'number') this.number(value)
    else if (typeof value === 'string') this.text(value)
    else if (typeof value === 'boolean') this.word(value ? 1 : 0)
    else this.word(value === null ? 2 : 3)
  }

  /** Sixteen hexadecimal digits. */
  digest(): string {
    return hexadecimal(mix32(this.#high)) + hexadecimal(mix32(this.#low))
  }
}

function hexadecimal(word: number): string {
  return word.toString(16).padStart(8, '0')
}

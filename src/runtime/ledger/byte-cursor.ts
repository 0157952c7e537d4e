/** Writes the small numbers and texts of commit metadata, growing as needed. */
export class ByteSink {
  readonly #bytes: number[] = []

  get length(): number {
    return this.#bytes.length
  }

  byte(value: number): void {
    this.#bytes.push(value)
  }

  /** A number from 0 to 2^53 - 1: seven bits a byte, the lowest first; all but the last have the high bit. */
  number(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${value} cannot be written`)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes.push((rest % 0x80) + 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes.push(rest)
  }

  bytes(value: Uint8Array): void {
    for (const byte of value) this.#bytes.push(byte)
  }

  text(value: string): void {
    const bytes = Buffer.from(value, 'utf8')
    this.number(bytes.length)
    this.bytes(bytes)
  }

  take(): Buffer {
    return Buffer.from(this.#bytes)
  }
}

/** How many bytes `ByteSink.number` takes for it. */
export function numberLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1
  return length
}

/**
 * Reads what a `ByteSink` wrote. It never throws: from the first thing on that is not there, is too large or
 * is not written in the shortest way, it has failed and answers zeros and nothing.
 */
export class ByteSource {
  readonly #bytes: Uint8Array
  #position = 0
  #hasFailed = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** Whether all was read, and nothing failed. */
  get isDone(): boolean {
    return !this.#hasFailed && this.#position === this.#bytes.length
  }

  /** A number that must not be above `max`. */
  number(max: number): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte >= 0x80) continue
      if (byte === 0 && factor > 1) break
      return value <= max && !this.#hasFailed ? value : this.#fail()
    }
    return this.#fail()
  }

  byte(): number {
    const byte = this.#bytes[this.#position]
    if (byte === undefined) return this.#fail()
    this.#position += 1
    return byte
  }

  bytes(length: number): Uint8Array {
    if (this.#hasFailed || length > this.#bytes.length - this.#position) {
      this.#fail()
      return new Uint8Array(0)
    }
    this.#position += length
    return this.#bytes.subarray(this.#position - length, this.#position)
  }

  text(bytesMax: number): string {
    return Buffer.from(this.bytes(this.number(bytesMax))).toString('utf8')
  }

  /** What was read cannot be. */
  refuse(): void {
    this.#fail()
  }

  #fail(): number {
    this.#hasFailed = true
    return 0
  }
}

/**
 * One bit for each of the next offsets of a partition, in a ring: the bit of an offset has its place by the
 * offset modulo the capacity, so that moving on costs nothing. Two offsets that are a capacity or more apart
 * share a bit: who uses the ring says from where to where its offsets reach, and clears what falls behind.
 */
export class OffsetRing {
  /** How many offsets have a place, a power of two. */
  readonly capacity: number
  readonly #bytes: Uint8Array
  readonly #mask: number
  readonly #byteMask: number

  /** @param least at least so many offsets have a place */
  constructor(least: number) {
    let capacity = 64
    while (capacity < least) capacity *= 2
    this.capacity = capacity
    this.#bytes = new Uint8Array(capacity / 8)
    this.#mask = capacity - 1
    this.#byteMask = capacity / 8 - 1
  }

  // A bitwise operation takes an operand modulo 2^32, exactly, for every safe integer. The capacity divides
  // 2^32, so the mask finds the place of offsets far above it too.

  has(offset: number): boolean {
    const place = offset & this.#mask
    return (((this.#bytes[place >>> 3] as number) >>> (place & 7)) & 1) === 1
  }

  set(offset: number): void {
    const place = offset & this.#mask
    const index = place >>> 3
    this.#bytes[index] = (this.#bytes[index] as number) | (1 << (place & 7))
  }

  /** Sets all from `from` up to, not including, `to`: at most a capacity of them. */
  setRange(from: number, to: number): void {
    this.#eachByte(from, to, (index, bits) => {
      this.#bytes[index] = (this.#bytes[index] as number) | bits
    })
  }

  clearRange(from: number, to: number): void {
    this.#eachByte(from, to, (index, bits) => {
      this.#bytes[index] = (this.#bytes[index] as number) & ~bits
    })
  }

  /** How many are set from `from` up to, not including, `to`. */
  count(from: number, to: number): number {
    let count = 0
    this.#eachByte(from, to, (index, bits) => {
      for (let left = (this.#bytes[index] as number) & bits; left !== 0; left &= left - 1)
        count += 1
    })
    return count
  }

  /** Clears from `from` on what is set without a break, at most up to `to`; answers where it ends. */
  clearRun(from: number, to: number): number {
    let offset = from
    while (offset < to) {
      const index = (offset & this.#mask) >>> 3
      const isWholeByte = (offset & 7) === 0 && to - offset >= 8
      if (isWholeByte && this.#bytes[index] === 0xff) {
        this.#bytes[index] = 0
        offset += 8
        continue
      }
      const bit = 1 << (offset & 7)
      const byte = this.#bytes[index] as number
      if ((byte & bit) === 0) break
      this.#bytes[index] = byte & ~bit
      offset += 1
    }
    return offset
  }

  /** The bits from `from` up to, not including, `to`: that of `from` is the lowest of the first byte. */
  copy(from: number, to: number): Uint8Array {
    const count = to - from
    const bytes = new Uint8Array(Math.ceil(count / 8))
    const shift = from & 7
    let index = (from & this.#mask) >>> 3
    for (let position = 0; position < bytes.length; position += 1) {
      const next = (index + 1) & this.#byteMask
      const both = (this.#bytes[index] as number) | ((this.#bytes[next] as number) << 8)
      bytes[position] = both >>> shift
      index = next
    }
    const unused = bytes.length * 8 - count
    if (unused > 0)
      bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) & (0xff >>> unused)
    return bytes
  }

  #eachByte(from: number, to: number, visit: (index: number, bits: number) => void): void {
    let offset = from
    while (offset < to) {
      const low = offset & 7
      const taken = Math.min(8 - low, to - offset)
      visit((offset & this.#mask) >>> 3, ((1 << taken) - 1) << low)
      offset += taken
    }
  }
}

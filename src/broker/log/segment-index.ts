/** How far apart the entries of an index are, in bytes of batches. */
export const indexStepBytes = 8192

const numbersPerEntry = 3

/**
 * Where batches start, for one batch in about every 8 KiB: its offset, its position, and the
 * greatest timestamp from it up to the next entry.
 */
export class SegmentIndex {
  #numbers: Float64Array
  #count = 0

  constructor(numbers?: Float64Array) {
    this.#numbers = numbers ?? new Float64Array(2 * numbersPerEntry)
    if (numbers !== undefined) this.#count = numbers.length / numbersPerEntry
  }

  get count(): number {
    return this.#count
  }

  /** What a copy is made from. */
  get numbers(): Float64Array {
    return this.#numbers.subarray(0, this.#count * numbersPerEntry)
  }

  /** Takes note of the next batch of the segment. */
  add(baseOffset: number, position: number, maxTimestamp: number): void {
    const last = this.#count - 1
    if (last >= 0 && position - this.position(last) < indexStepBytes) {
      const slot = last * numbersPerEntry + 2
      if (maxTimestamp > (this.#numbers[slot] as number)) this.#numbers[slot] = maxTimestamp
      return
    }
    const start = this.#count * numbersPerEntry
    if (start === this.#numbers.length) this.#grow()
    this.#numbers[start] = baseOffset
    this.#numbers[start + 1] = position
    this.#numbers[start + 2] = maxTimestamp
    this.#count += 1
  }

  baseOffset(entry: number): number {
    return this.#numbers[entry * numbersPerEntry] as number
  }

  position(entry: number): number {
    return this.#numbers[entry * numbersPerEntry + 1] as number
  }

  /** The greatest timestamp from this entry's batch up to the next entry's. */
  maxTimestamp(entry: number): number {
    return this.#numbers[entry * numbersPerEntry + 2] as number
  }

  /** The greatest timestamp of the segment, -1 when it is empty. */
  maxTimestampOfAll(): number {
    let greatest = -1
    for (let entry = 0; entry < this.#count; entry++) {
      greatest = Math.max(greatest, this.maxTimestamp(entry))
    }
    return greatest
  }

  /** The last entry at or below `offset`; the first one when there is none, -1 without entries. */
  floor(offset: number): number {
    let low = 0
    let high = this.#count - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.baseOffset(middle) <= offset) low = middle
      else high = middle - 1
    }
    return high
  }

  /** The last entry that is at or below a position and an offset; -1 when there is none. */
  lastWithin(position: number, offset: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      const isWithin = this.position(middle) <= position && this.baseOffset(middle) <= offset
      if (isWithin) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** Forgets the room for entries that a sealed segment will not need. */
  trim(): void {
    this.#numbers = this.numbers.slice()
  }

  #grow(): void {
    const grown = new Float64Array(Math.max(2 * numbersPerEntry, this.#numbers.length * 2))
    grown.set(this.#numbers)
    this.#numbers = grown
  }
}

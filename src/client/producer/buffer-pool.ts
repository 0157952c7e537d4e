/** Smaller ones come from Node's own pool. */
const bytesMin = 4 * 1024
const bytesMax = 1024 * 1024

/**
 * Buffers of batches that were written, to be written again. A fresh buffer of a batch's size costs page
 * faults and, freed, a round of garbage collection now and then: together a third of a producer's time.
 *
 * Only buffers that nobody can look at any more may be given: of a batch that was sent once, and
 * acknowledged.
 */
export class BufferPool {
  readonly #bytesMax: number
  readonly #free = new Map<number, Buffer[]>()
  #freeBytes = 0

  /** `bytesMax` is what it keeps at most. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** A buffer of about `bytes` or more, and of no more than `limit`. */
  take(bytes: number, limit: number): Buffer {
    const size = 2 ** Math.ceil(Math.log2(bytes))
    if (size < bytesMin || size > bytesMax || size > limit) {
      return Buffer.allocUnsafe(Math.min(bytes, limit))
    }
    const found = this.#free.get(size)?.pop()
    if (found === undefined) return Buffer.allocUnsafeSlow(size)
    this.#freeBytes -= size
    return found
  }

  give(buffer: Buffer): void {
    const { length } = buffer
    const isOneOfOurs = length >= bytesMin && length <= bytesMax && (length & (length - 1)) === 0
    if (!isOneOfOurs || this.#freeBytes + length > this.#bytesMax) return
    const free = this.#free.get(length)
    if (free === undefined) this.#free.set(length, [buffer])
    else free.push(buffer)
    this.#freeBytes += length
  }
}

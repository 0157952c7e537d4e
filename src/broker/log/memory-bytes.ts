import type { SegmentBytes } from './segment-bytes.ts'

/** A stretch of batches that lie side by side in one buffer. */
interface Extent {
  readonly position: number
  readonly buffer: Buffer
  readonly start: number
  end: number
}

const arenaBytesMin = 512
const arenaBytesMax = 131_072

/** A batch of at least this size is kept by itself. */
const ownBytesMin = arenaBytesMax / 8

/** A buffer is kept without copying while it is at most this much bigger than what is kept of it. */
const pinnedFactor = 1.5

/** Whether a batch is not copied into a buffer with others, where it is in memory. */
export function isKeptByItself(batch: Buffer): boolean {
  return batch.length >= ownBytesMin
}

/**
 * A segment in memory. Small batches are copied into shared arenas, because a buffer object for
 * each would cost more than the batch; and because a small slice of a socket's chunk would keep all
 * of the chunk alive. Arenas grow with the segment, so that a partition with one record stays small.
 */
export class MemoryBytes implements SegmentBytes {
  readonly path = 'a segment in memory'
  readonly #extents: Extent[] = []
  #arena: Buffer | undefined
  #arenaUsed = 0
  #arenaBytes = arenaBytesMin
  #size = 0

  get size(): number {
    return this.#size
  }

  append(batch: Buffer, keptTogetherBytes = batch.length): void {
    if (isKeptByItself(batch)) this.#keep(batch, keptTogetherBytes)
    else this.#copy(batch)
    this.#size += batch.length
  }

  chunkAt(position: number): Buffer {
    const extent = this.#extentAt(position)
    if (extent === undefined) return Buffer.alloc(0)
    return extent.buffer.subarray(extent.start + position - extent.position, extent.end)
  }

  #keep(batch: Buffer, keptTogetherBytes: number): void {
    const pinsMuch = batch.buffer.byteLength > keptTogetherBytes * pinnedFactor
    const kept = pinsMuch ? copyOf(batch) : batch
    this.#extents.push({ position: this.#size, buffer: kept, start: 0, end: kept.length })
  }

  #copy(batch: Buffer): void {
    let arena = this.#arena
    if (arena === undefined || arena.length - this.#arenaUsed < batch.length) {
      arena = Buffer.allocUnsafeSlow(Math.max(this.#arenaBytes, batch.length))
      this.#arenaBytes = Math.min(this.#arenaBytes * 2, arenaBytesMax)
      this.#arena = arena
      this.#arenaUsed = 0
    }
    const start = this.#arenaUsed
    batch.copy(arena, start)
    this.#arenaUsed = start + batch.length
    const last = this.#extents.at(-1)
    if (last?.buffer === arena && last.end === start) last.end = this.#arenaUsed
    else {
      this.#extents.push({ position: this.#size, buffer: arena, start, end: this.#arenaUsed })
    }
  }

  #extentAt(position: number): Extent | undefined {
    if (position >= this.#size) return undefined
    let low = 0
    let high = this.#extents.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#extents[middle] as Extent).position <= position) low = middle
      else high = middle - 1
    }
    return this.#extents[low]
  }
}

function copyOf(batch: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(batch.length)
  batch.copy(copy)
  return copy
}

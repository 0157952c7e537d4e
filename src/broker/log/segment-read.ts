import { baseOffsetAt, batchBytesAt, headerBytes, lastOffsetAt } from './batch-header.ts'
import { damaged } from './damaged.ts'
import type { SegmentBytes } from './segment-bytes.ts'
import { indexStepBytes } from './segment-index.ts'

/** What is wanted of a segment: whole batches, from the one that holds `offset` on. */
export interface SegmentReadOptions {
  readonly offset: number
  /** Batches from this offset on are not visible. */
  readonly endOffset: number
  readonly bytesMax: number
  /** Whether the first batch is wanted even if it is bigger than `bytesMax`. */
  readonly atLeastOneBatch: boolean
}

/** Gathers the batches that are wanted of one segment. */
export class SegmentRead {
  readonly chunks: Buffer[] = []
  bytes = 0
  /** The offset after the last record, or the one asked for when there is nothing. */
  nextOffset: number
  readonly #options: SegmentReadOptions
  #complete = false

  constructor(options: SegmentReadOptions) {
    this.#options = options
    this.nextOffset = options.offset
  }

  /** Whether it found what it could not take: there is nothing to look for behind it. */
  get isComplete(): boolean {
    return this.#complete
  }

  /**
   * Reads from `position` on, where a batch starts: the one that is wanted, or one less than an
   * index step before it. From a file it is one read into one buffer, unless the first batch is
   * bigger than that; from memory it is slices of what is there.
   */
  run(segment: SegmentBytes, position: number): void {
    let wanted = this.#options.bytesMax + indexStepBytes
    while (position < segment.size) {
      const chunk = segment.chunkAt(position, wanted)
      const walked = this.#walk(chunk, position)
      if (this.#complete || (this.bytes > 0 && walked < chunk.length)) return
      if (walked === 0) {
        const needed = chunk.length < headerBytes ? headerBytes : batchBytesAt(chunk, 0)
        if (needed <= wanted) throw damagedAt(position)
        wanted = needed
      }
      position += walked
    }
  }

  /** Takes what it can of a chunk; answers how many bytes of it need not be looked at again. */
  #walk(chunk: Buffer, position: number): number {
    const { offset, endOffset, bytesMax, atLeastOneBatch } = this.#options
    let at = 0
    let start = -1
    while (at + headerBytes <= chunk.length) {
      const batchBytes = batchBytesAt(chunk, at)
      if (batchBytes < headerBytes) throw damagedAt(position + at)
      const lastOffset = lastOffsetAt(chunk, at)
      if (lastOffset >= offset) {
        const tooMuch = this.bytes + batchBytes > bytesMax && (this.bytes > 0 || !atLeastOneBatch)
        if (tooMuch || baseOffsetAt(chunk, at) >= endOffset) {
          this.#complete = true
          break
        }
        if (at + batchBytes > chunk.length) break
        if (start < 0) start = at
        this.bytes += batchBytes
        this.nextOffset = lastOffset + 1
      }
      at += batchBytes
    }
    if (start >= 0) this.chunks.push(chunk.subarray(start, at))
    return at
  }
}

function damagedAt(position: number): Error {
  return damaged(`no batch starts at byte ${position} of a segment, where one must`)
}

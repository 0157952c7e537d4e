import { baseOffsetAt, batchBytesAt, headerBytes, lastOffsetAt } from './batch-header.ts'
import { damaged } from './damaged.ts'
import type { SegmentBytes } from './segment-bytes.ts'
import { indexStepBytes } from './segment-index.ts'
import type { SegmentIndex } from './segment-index.ts'

/** What is wanted of a segment: whole batches, from the one that holds `offset` on. */
export interface SegmentReadOptions {
  readonly offset: number
  /** Batches from this offset on are not visible; one starts there, or the log ends. */
  readonly endOffset: number
  readonly bytesMax: number
  /** Whether the first batch is wanted even if it is bigger than `bytesMax`. */
  readonly atLeastOneBatch: boolean
}

/**
 * Gathers the batches that are wanted of one segment. It looks at the headers around the first and
 * around the last of them; what lies between them it knows from the index.
 */
export class SegmentRead {
  readonly chunks: Buffer[] = []
  bytes = 0
  /** Where to read on: nothing lies between the last record and it. */
  nextOffset: number
  /** Whether there was a batch that was not to be taken: there is nothing to look for behind it. */
  isComplete = false
  readonly #options: SegmentReadOptions
  #window: Buffer = Buffer.alloc(0)
  #windowStart = 0

  constructor(options: SegmentReadOptions) {
    this.#options = options
    this.nextOffset = options.offset
  }

  /**
   * Reads from `position` on, where a batch starts: the one that is wanted, or one less than an
   * index step before it. From a file it is one read into one buffer, unless the first batch is
   * bigger than that; from memory it is slices of what is there.
   */
  run(segment: SegmentBytes, index: SegmentIndex, position: number): void {
    this.#moveWindow(segment, position, this.#options.bytesMax + indexStepBytes)
    const start = this.#findStart(segment, position)
    if (start === undefined) return
    const end = this.#findEnd(segment, index, start)
    this.bytes = end - start
    this.#gather(segment, start, end)
  }

  /** The position of the first batch that is wanted, undefined when there is none to be taken. */
  #findStart(segment: SegmentBytes, from: number): number | undefined {
    const { offset, endOffset, bytesMax, atLeastOneBatch } = this.#options
    for (let position = from; position < segment.size;) {
      const at = this.#header(segment, position)
      const batchBytes = batchBytesAt(this.#window, at)
      if (lastOffsetAt(this.#window, at) >= offset) {
        const isTooBig = batchBytes > bytesMax && !atLeastOneBatch
        this.isComplete = isTooBig || this.#isHidden(at, endOffset)
        return this.isComplete ? undefined : position
      }
      position += batchBytes
    }
    return undefined
  }

  /** The position behind the last batch that is wanted; the first one is. */
  #findEnd(segment: SegmentBytes, index: SegmentIndex, start: number): number {
    const { endOffset, bytesMax } = this.#options
    let end = start
    const entry = index.lastWithin(start + bytesMax, endOffset)
    if (entry >= 0 && index.position(entry) > start) {
      end = index.position(entry)
      this.nextOffset = index.baseOffset(entry)
    }
    while (end < segment.size) {
      const room = start + bytesMax - end
      this.isComplete = end > start && room < headerBytes
      if (this.isComplete) break
      const at = this.#header(segment, end)
      const batchBytes = batchBytesAt(this.#window, at)
      this.isComplete = (end > start && batchBytes > room) || this.#isHidden(at, endOffset)
      if (this.isComplete) break
      this.nextOffset = lastOffsetAt(this.#window, at) + 1
      end += batchBytes
    }
    return end
  }

  #isHidden(at: number, endOffset: number): boolean {
    return baseOffsetAt(this.#window, at) >= endOffset
  }

  #gather(segment: SegmentBytes, start: number, end: number): void {
    for (let position = start; position < end;) {
      let at = position - this.#windowStart
      if (at < 0 || at >= this.#window.length) {
        this.#moveWindow(segment, position, end - position)
        at = 0
      }
      const chunk = this.#window.subarray(at, at + end - position)
      this.chunks.push(chunk)
      position += chunk.length
    }
  }

  /** Where the header of the batch at `position` is in the window, which is moved if it has to be. */
  #header(segment: SegmentBytes, position: number): number {
    let at = position - this.#windowStart
    if (at < 0 || at + headerBytes > this.#window.length) {
      this.#moveWindow(segment, position, indexStepBytes)
      at = 0
    }
    const isThere = at + headerBytes <= this.#window.length
    const batchBytes = isThere ? batchBytesAt(this.#window, at) : 0
    if (batchBytes < headerBytes || position + batchBytes > segment.size) {
      throw damaged(`no batch starts at byte ${position} of a segment, where one must`)
    }
    return at
  }

  #moveWindow(segment: SegmentBytes, position: number, wanted: number): void {
    this.#window = segment.chunkAt(position, wanted)
    this.#windowStart = position
  }
}

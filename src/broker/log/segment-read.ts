import type { MillraceError } from '../../errors.ts'
import { baseOffsetAt, batchBytesAt, headerBytes, lastOffsetAt } from './batch-header.ts'
import { damaged } from './damaged.ts'
import type { ReadBuffers, SegmentBytes } from './segment-bytes.ts'
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
  /** What is read from a disk is read into. Absent: new buffers. */
  readonly buffers?: ReadBuffers | undefined
}

/** The segment that is read. */
export interface ReadSource {
  readonly bytes: SegmentBytes
  readonly index: SegmentIndex
  readonly endOffset: number
  readonly mayHaveGaps: boolean
}

/**
 * Gathers the batches that are wanted of one segment. It looks at the headers around the first and
 * around the last of them; what lies between them it knows from the index.
 *
 * Nothing says that the headers are still what was checked: a disk can change bytes after years. So
 * each must fit the one before and the segment. One that did not would end the read early, or
 * lead past records, and the reader would never know of them.
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
  // What the header says that was looked at last.
  #baseOffset = 0
  #lastOffset = 0
  #batchBytes = 0

  constructor(options: SegmentReadOptions) {
    this.#options = options
    this.nextOffset = options.offset
  }

  /**
   * Reads from `position` on, where the batch with `baseOffset` starts: the one that is wanted, or one
   * less than an index step before it. From a file it is one read into one buffer, unless the first
   * batch is bigger than that; from memory it is slices of what is there.
   */
  run(source: ReadSource, position: number, baseOffset: number): void {
    this.#moveWindow(source.bytes, position, this.#options.bytesMax + indexStepBytes)
    const start = this.#findStart(source, position, baseOffset)
    if (start === undefined) return
    const end = this.#findEnd(source, start)
    this.bytes = end - start
    this.#gather(source.bytes, start, end)
  }

  /** The position of the first batch that is wanted, undefined when there is none to be taken. */
  #findStart(source: ReadSource, from: number, fromOffset: number): number | undefined {
    const { offset, endOffset, bytesMax, atLeastOneBatch } = this.#options
    let reached = fromOffset
    for (let position = from; position < source.bytes.size;) {
      this.#readHeader(source, position, reached)
      if (this.#lastOffset >= offset) {
        const isTooBig = this.#batchBytes > bytesMax && !atLeastOneBatch
        this.isComplete = isTooBig || this.#baseOffset >= endOffset
        return this.isComplete ? undefined : position
      }
      reached = this.#lastOffset + 1
      position += this.#batchBytes
    }
    if (!source.mayHaveGaps && reached !== source.endOffset)
      throw noBatch(source, source.bytes.size)
    return undefined
  }

  /** The position behind the last batch that is wanted; the first one is. */
  #findEnd(source: ReadSource, start: number): number {
    const { endOffset, bytesMax } = this.#options
    const { index } = source
    let end = start
    let reached = this.#baseOffset
    const entry = index.lastWithin(start + bytesMax, endOffset)
    if (entry >= 0 && index.position(entry) > start) {
      end = index.position(entry)
      reached = index.baseOffset(entry)
      this.nextOffset = reached
    }
    while (end < source.bytes.size) {
      const room = start + bytesMax - end
      this.isComplete = end > start && room < headerBytes
      if (this.isComplete) break
      this.#readHeader(source, end, reached)
      this.isComplete = (end > start && this.#batchBytes > room) || this.#baseOffset >= endOffset
      if (this.isComplete) break
      reached = this.#lastOffset + 1
      this.nextOffset = reached
      end += this.#batchBytes
    }
    return end
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

  /** Looks at the header of the batch at `position`, before which the offset `reached` was reached. */
  #readHeader(source: ReadSource, position: number, reached: number): void {
    const { bytes, endOffset, mayHaveGaps } = source
    let at = position - this.#windowStart
    if (at < 0 || at + headerBytes > this.#window.length) {
      this.#moveWindow(bytes, position, indexStepBytes)
      at = 0
    }
    if (at + headerBytes > this.#window.length) throw noBatch(source, position)
    this.#baseOffset = baseOffsetAt(this.#window, at)
    this.#lastOffset = lastOffsetAt(this.#window, at)
    this.#batchBytes = batchBytesAt(this.#window, at)
    const fits =
      this.#batchBytes >= headerBytes &&
      position + this.#batchBytes <= bytes.size &&
      (mayHaveGaps ? this.#baseOffset >= reached : this.#baseOffset === reached) &&
      this.#lastOffset >= this.#baseOffset &&
      this.#lastOffset < endOffset
    if (!fits) throw noBatch(source, position)
  }

  #moveWindow(segment: SegmentBytes, position: number, wanted: number): void {
    this.#window = segment.chunkAt(position, wanted, this.#options.buffers)
    this.#windowStart = position
  }
}

function noBatch({ bytes }: ReadSource, position: number): MillraceError {
  return damaged(`${bytes.path}: at byte ${position} there is not the batch that must be there`)
}

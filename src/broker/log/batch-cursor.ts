import type { MillraceError } from '../../errors.ts'
import {
  baseOffsetAt,
  batchBytesAt,
  headerBytes,
  lastOffsetAt,
  maxTimestampAt,
} from './batch-header.ts'
import { damaged } from './damaged.ts'
import type { SegmentBytes } from './segment-bytes.ts'

/**
 * Walks over the batches of a segment, in order:
 *
 *     const cursor = new BatchCursor(bytes, position)
 *     while (cursor.next()) cursor.baseOffset
 *
 * It looks at what was checked before, so a batch that does not fit is damage and throws.
 */
export class BatchCursor {
  readonly #bytes: SegmentBytes
  readonly #end: number
  readonly #windowBytes: number
  #window: Buffer = Buffer.alloc(0)
  #at = 0
  /** The offset behind the last batch: the next one has no offset below it. */
  #reached = 0
  /** Where the current batch starts in the segment. */
  position: number
  /** The bytes of the current batch; 0 before the first call of `next`. */
  batchBytes = 0

  constructor(bytes: SegmentBytes, position: number, windowBytes = 8192) {
    this.#bytes = bytes
    this.#end = bytes.size
    this.#windowBytes = windowBytes
    this.position = position
  }

  get baseOffset(): number {
    return baseOffsetAt(this.#window, this.#at)
  }

  get lastOffset(): number {
    return lastOffsetAt(this.#window, this.#at)
  }

  get maxTimestamp(): number {
    return maxTimestampAt(this.#window, this.#at)
  }

  /** Moves to the next batch; answers false at the end of the segment. */
  next(): boolean {
    this.position += this.batchBytes
    this.#at += this.batchBytes
    if (this.position >= this.#end) return false
    if (this.#at + headerBytes > this.#window.length) this.#moveWindow(this.#windowBytes)
    this.batchBytes = batchBytesAt(this.#window, this.#at)
    if (this.batchBytes < headerBytes || this.position + this.batchBytes > this.#end) {
      throw this.#damaged(`has ${this.batchBytes} bytes`)
    }
    const { baseOffset, lastOffset } = this
    if (baseOffset < this.#reached || lastOffset < baseOffset) {
      throw this.#damaged(`has the offsets ${baseOffset} to ${lastOffset}`)
    }
    this.#reached = lastOffset + 1
    return true
  }

  /** All bytes of the current batch. They belong to the log: nobody may write to them. */
  batch(): Buffer {
    if (this.#at + this.batchBytes > this.#window.length) {
      this.#moveWindow(Math.max(this.batchBytes, this.#windowBytes))
    }
    return this.#window.subarray(this.#at, this.#at + this.batchBytes)
  }

  #moveWindow(bytes: number): void {
    this.#window = this.#bytes.chunkAt(this.position, bytes)
    this.#at = 0
    if (this.#window.length < headerBytes) throw this.#damaged('has no whole header')
  }

  #damaged(problem: string): MillraceError {
    return damaged(`${this.#bytes.path}: the batch at byte ${this.position} ${problem}`)
  }
}

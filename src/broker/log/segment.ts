import { BatchCursor } from './batch-cursor.ts'
import { baseOffsetAt, headerBytes, lastOffsetAt, maxTimestampAt } from './batch-header.ts'
import type { SegmentBytes } from './segment-bytes.ts'
import { SegmentIndex } from './segment-index.ts'
import { SegmentRead } from './segment-read.ts'
import type { SegmentReadOptions } from './segment-read.ts'

export interface SegmentOptions {
  readonly baseOffset: number
  readonly endOffset: number
  readonly bytes: SegmentBytes
  readonly createdMs: number
  /**
   * Whether offsets are missing between its batches, as compaction leaves it.
   * @defaultValue false
   */
  readonly mayHaveGaps?: boolean
  /** Makes the index when it is first needed. Absent: the segment is read for it. */
  readonly loadIndex?: () => SegmentIndex | undefined
}

/** How many of the latest batches a segment knows the position of. */
const latestCount = 16

/**
 * A stretch of the log: the batches from `baseOffset` up to `endOffset`.
 *
 * States: active (the last segment of its log, takes appends) → sealed (never changes again) →
 * gone (removed by retention, or replaced by compaction). The log knows which is which; a segment
 * knows its batches.
 */
export class Segment {
  readonly baseOffset: number
  readonly bytes: SegmentBytes
  /** When it was made or opened; its age when its batches have no timestamps. */
  readonly createdMs: number
  readonly mayHaveGaps: boolean
  /** The offset after its last record. A sealed segment that compaction left may end before. */
  endOffset: number
  readonly #loadIndex: (() => SegmentIndex | undefined) | undefined
  #index: SegmentIndex | undefined
  #maxTimestamp: number | undefined
  #firstTimestamp: number | undefined
  /** Offset and position of the latest batches: most readers are at the end. */
  #latest: Float64Array | undefined
  #latestNext = 0

  constructor(options: SegmentOptions) {
    this.baseOffset = options.baseOffset
    this.endOffset = options.endOffset
    this.bytes = options.bytes
    this.createdMs = options.createdMs
    this.mayHaveGaps = options.mayHaveGaps ?? false
    this.#loadIndex = options.loadIndex
  }

  get index(): SegmentIndex {
    this.#index ??= this.#loadIndex?.() ?? indexOf(this.bytes)
    return this.#index
  }

  /** The greatest timestamp, -1 when the segment is empty. */
  get maxTimestamp(): number {
    this.#maxTimestamp ??= this.index.maxTimestampOfAll()
    return this.#maxTimestamp
  }

  /** The greatest timestamp of the first batch, undefined when there is none. */
  get firstTimestamp(): number | undefined {
    if (this.#firstTimestamp === undefined && this.bytes.size > 0) {
      this.#firstTimestamp = maxTimestampAt(this.bytes.chunkAt(0, headerBytes), 0)
    }
    return this.#firstTimestamp
  }

  append(batch: Buffer, keptTogetherBytes?: number): void {
    const { index, maxTimestamp } = this
    const position = this.bytes.size
    this.bytes.append(batch, keptTogetherBytes)
    const baseOffset = baseOffsetAt(batch, 0)
    const timestamp = maxTimestampAt(batch, 0)
    index.add(baseOffset, position, timestamp)
    if (timestamp > maxTimestamp) this.#maxTimestamp = timestamp
    this.#remember(baseOffset, position)
    this.endOffset = lastOffsetAt(batch, 0) + 1
  }

  /** No more appends will come: gives back what was only there for them. */
  seal(): void {
    this.#index?.trim()
    this.#latest = undefined
  }

  /** The position of the batch that holds `offset`, or of the first one after it. */
  positionOf(offset: number): number {
    if (offset >= this.endOffset) return this.bytes.size
    const latest = this.#latestPosition(offset)
    if (latest >= 0) return latest
    const cursor = this.cursorNear(offset)
    while (cursor.next()) {
      if (cursor.lastOffset >= offset) return cursor.position
    }
    return this.bytes.size
  }

  /** A cursor that starts at the batch that holds `offset`, or less than an index step before it. */
  cursorNear(offset: number, windowBytes?: number): BatchCursor {
    return this.cursorAt(this.#positionNear(offset), windowBytes)
  }

  /** A cursor that starts at a position where a batch starts. */
  cursorAt(position: number, windowBytes?: number): BatchCursor {
    return new BatchCursor(this.bytes, position, windowBytes)
  }

  read(options: SegmentReadOptions): SegmentRead {
    const { offset } = options
    const result = new SegmentRead(options)
    const latest = this.#latestPosition(offset)
    const entry = latest < 0 ? this.index.floor(offset) : -1
    if (latest >= 0) result.run(this, latest, offset)
    else if (entry >= 0) result.run(this, this.index.position(entry), this.index.baseOffset(entry))
    return result
  }

  #positionNear(offset: number): number {
    const latest = this.#latestPosition(offset)
    if (latest >= 0) return latest
    const entry = this.index.floor(offset)
    return entry < 0 ? 0 : this.index.position(entry)
  }

  #remember(baseOffset: number, position: number): void {
    this.#latest ??= new Float64Array(2 * latestCount).fill(-1)
    this.#latest[this.#latestNext] = baseOffset
    this.#latest[this.#latestNext + 1] = position
    this.#latestNext = (this.#latestNext + 2) % this.#latest.length
  }

  /** The position of a latest batch that starts at `offset`, -1 when it is not one of them. */
  #latestPosition(offset: number): number {
    if (this.#latest === undefined) return -1
    for (let slot = 0; slot < this.#latest.length; slot += 2) {
      if (this.#latest[slot] === offset) return this.#latest[slot + 1] as number
    }
    return -1
  }
}

function indexOf(bytes: SegmentBytes): SegmentIndex {
  const index = new SegmentIndex()
  addToIndex(index, bytes, 0)
  return index
}

/** Adds the batches from `position` on, which must be where the index ends. */
export function addToIndex(index: SegmentIndex, bytes: SegmentBytes, position: number): void {
  const cursor = new BatchCursor(bytes, position, 262_144)
  while (cursor.next()) index.add(cursor.baseOffset, cursor.position, cursor.maxTimestamp)
}

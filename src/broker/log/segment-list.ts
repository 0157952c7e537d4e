import { RecordBatch } from '../../protocol/records/index.ts'
import { damaged } from './damaged.ts'
import { Segment } from './segment.ts'
import { SegmentRead } from './segment-read.ts'
import type { SegmentReadOptions } from './segment-read.ts'
import type { LogStorage } from './storage.ts'

/** How much is read at once by those who read everything. */
const scanBytes = 1_048_576

/**
 * The segments of a log, by offset: sealed ones, and the active one at the end, which is the only
 * one that grows. There is always an active one.
 */
export class SegmentList {
  readonly #storage: LogStorage
  #segments: readonly Segment[]
  #sealedBytes: number

  constructor(storage: LogStorage, segments: readonly Segment[]) {
    this.#storage = storage
    this.#segments = segments
    this.#sealedBytes = bytesOf(this.sealed)
  }

  get all(): readonly Segment[] {
    return this.#segments
  }

  get sealed(): readonly Segment[] {
    return this.#segments.slice(0, -1)
  }

  get active(): Segment {
    return this.#segments[this.#segments.length - 1] as Segment
  }

  get baseOffset(): number {
    return (this.#segments[0] as Segment).baseOffset
  }

  get endOffset(): number {
    return this.active.endOffset
  }

  get sizeBytes(): number {
    return this.#sealedBytes + this.active.bytes.size
  }

  /**
   * Reads whole batches from the segment that holds `offset`, or, where compaction left nothing of
   * it, from the first one after it that has something. A read does not go on into another segment:
   * the next one does.
   */
  read(options: SegmentReadOptions): SegmentRead {
    const { offset, endOffset } = options
    for (let index = this.#indexOf(offset); index < this.#segments.length; index++) {
      const segment = this.#segments[index] as Segment
      if (segment.baseOffset >= endOffset) return new SegmentRead(options)
      const result = segment.read(options)
      if (result.bytes > 0 || result.isComplete) return result
    }
    if (offset >= endOffset) return new SegmentRead(options)
    // Nobody cuts or compacts the active segment: its last batch ends where the log does.
    throw damaged(`${this.#storage.path}: no batch holds offset ${offset}`)
  }

  /** How many bytes of batches lie from `offset` up to `endOffset`; stops to count at `bytesMax`. */
  bytesBetween(offset: number, endOffset: number, bytesMax: number): number {
    let bytes = 0
    for (let index = this.#indexOf(offset); index < this.#segments.length; index++) {
      const segment = this.#segments[index] as Segment
      if (segment.baseOffset >= endOffset) break
      bytes += segment.positionOf(endOffset) - segment.positionOf(offset)
      if (bytes >= bytesMax) return bytesMax
    }
    return bytes
  }

  /**
   * All batches with records from `startOffset` on, for those who rebuild a state of them: a batch
   * that is not what was written must not become a part of it.
   */
  *batches(startOffset: number): Generator<RecordBatch, undefined> {
    for (const segment of this.#segments) {
      const cursor = segment.cursorAt(0, scanBytes)
      while (cursor.next()) {
        if (cursor.lastOffset < startOffset) continue
        const batch = RecordBatch.at(cursor.batch())
        if (!batch.isCrcValid()) {
          throw damaged(
            `${segment.bytes.path}: the batch at offset ${batch.baseOffset} has a wrong CRC`,
          )
        }
        yield batch
      }
    }
  }

  /** Seals the active segment and starts another one. */
  roll(nowMs: number, made?: 'made'): void {
    const sealed = this.active
    const baseOffset = sealed.endOffset
    const bytes = this.#storage.createSegment(baseOffset, made)
    const active = new Segment({ baseOffset, endOffset: baseOffset, bytes, createdMs: nowMs })
    this.#storage.saveIndex(sealed.bytes, sealed.index)
    sealed.seal()
    this.#segments = [...this.#segments, active]
    this.#sealedBytes += sealed.bytes.size
  }

  /** Saves the index of the active segment, so that what it covers need not be read at start. */
  saveActiveIndex(): void {
    this.#storage.saveIndex(this.active.bytes, this.active.index)
  }

  /** Removes the oldest segments; the active one must stay. They go one by one, oldest first. */
  removeFirst(count: number): void {
    for (let removed = 0; removed < count; removed++) {
      const [first, ...rest] = this.#segments
      this.#storage.removeSegment((first as Segment).bytes)
      this.#segments = rest
      this.#sealedBytes -= (first as Segment).bytes.size
    }
  }

  /** Puts one segment in the place of sealed ones that lie side by side. */
  async replace(replaced: readonly Segment[], segment: Segment): Promise<void> {
    const start = this.#segments.indexOf(replaced[0] as Segment)
    const next = this.#segments[start + replaced.length] as Segment
    await this.#storage.replace({
      bytes: segment.bytes,
      replaced: replaced.map(({ bytes }) => bytes),
      baseOffset: segment.baseOffset,
      endOffset: next.baseOffset,
      swap: () => {
        this.#segments = this.#segments.toSpliced(start, replaced.length, segment)
        this.#sealedBytes = bytesOf(this.sealed)
      },
    })
    this.#storage.saveIndex(segment.bytes, segment.index)
  }

  /** The index of the segment that holds `offset`, or would. */
  #indexOf(offset: number): number {
    let low = 0
    let high = this.#segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#segments[middle] as Segment).baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}

function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.bytes.size, 0)
}

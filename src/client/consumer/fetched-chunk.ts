import { MillraceError, ProtocolError } from '../../errors.ts'
import { RecordBatches } from '../../protocol/records/index.ts'
import type { RecordBatch } from '../../protocol/records/index.ts'
import { AbortedTransactions } from './aborted-transactions.ts'
import type { AbortedTransaction } from './aborted-transactions.ts'
import { BatchContent } from './batch-content.ts'
import type { BatchPart } from './fetched-batch.ts'
import type { Position } from './position.ts'

export interface FetchedChunkOptions {
  /** What the broker answered for the partition; the last record batch may be cut off. */
  readonly records: Buffer
  /** What was asked for: earlier records of the first batch are passed over. */
  readonly position: Position
  /** The aborted transactions in it; empty for a reader of uncommitted records. */
  readonly aborted: readonly AbortedTransaction[]
  readonly highWatermark: number
  readonly checkCrc: boolean
  readonly decompressedBytesMax: number
}

/** What was taken from a chunk to be handed out. */
export interface TakenRecords {
  readonly parts: readonly BatchPart[]
  readonly recordCount: number
}

/**
 * What one fetch brought of one partition, handed out from its front. `position` runs ahead of the
 * records: past control batches, aborted transactions, and offsets that compaction has emptied. So it
 * is where reading goes on once what was taken has been dealt with.
 */
export class FetchedChunk {
  readonly highWatermark: number
  readonly #batches: RecordBatches
  readonly #aborted: AbortedTransactions
  readonly #options: FetchedChunkOptions
  /** The record batch that is next, and how many of its records have been taken or passed over. */
  #current: BatchContent | undefined
  #taken = 0
  #position: Position
  #error: Error | undefined

  constructor(options: FetchedChunkOptions) {
    this.#options = options
    this.highWatermark = options.highWatermark
    this.#batches = new RecordBatches(options.records)
    this.#aborted = new AbortedTransactions(options.aborted)
    this.#position = options.position
  }

  get sizeInBytes(): number {
    return this.#options.records.length
  }

  get position(): Position {
    return this.#position
  }

  /** Whether nothing can be taken from it any more. */
  get isEmpty(): boolean {
    return this.#current === undefined && this.#error === undefined
  }

  /**
   * The end of the last whole record batch, where the next fetch goes on; undefined when there is none.
   * Only headers are looked at: what is wrong with a batch is told when it is taken.
   */
  static end(records: Buffer): Position | undefined {
    let last: RecordBatch | undefined
    try {
      for (const batch of new RecordBatches(records)) last = batch
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
    }
    return last && { offset: last.nextOffset, leaderEpoch: last.partitionLeaderEpoch }
  }

  /** Takes up to `recordsMax` records, at least one; throws for records that cannot be read. */
  take(recordsMax: number): TakenRecords {
    const parts: BatchPart[] = []
    let left = recordsMax
    this.#advance()
    while (this.#current !== undefined && left > 0) {
      const part = this.#takePart(this.#current, left)
      if (part === undefined) break
      parts.push(part)
      left -= part.count
      this.#advance()
    }
    if (parts.length === 0 && this.#error !== undefined) throw this.#error
    return { parts, recordCount: recordsMax - left }
  }

  #takePart(content: BatchContent, countMax: number): BatchPart | undefined {
    const { batch } = content
    const from = this.#taken
    const count = Math.min(batch.recordCount - from, countMax)
    const taken = from + count
    try {
      const isLast = taken === batch.recordCount
      this.#moveTo(isLast ? batch.nextOffset : content.offsetAt(taken), batch)
      this.#taken = taken
      if (isLast) this.#current = undefined
      return { content, from, count }
    } catch (error) {
      // The offset behind the cut had to be looked up in records that cannot be read.
      this.#current = undefined
      this.#error = error as Error
      return undefined
    }
  }

  /**
   * Goes on to the next batch that has records to hand out. What cannot be read is kept to be told when
   * all before it has been taken.
   */
  #advance(): void {
    while (this.#current === undefined && this.#error === undefined) {
      try {
        const batch = this.#batches.next()
        if (batch === undefined) return
        this.#open(batch)
      } catch (error) {
        this.#error = error as Error
      }
    }
  }

  #open(batch: RecordBatch): void {
    const { offset } = this.#position
    if (batch.nextOffset <= offset) return
    if (this.#options.checkCrc && !batch.isCrcValid()) {
      throw new ProtocolError(`record batch: the one at offset ${batch.baseOffset} has a wrong CRC`)
    }
    if (batch.isControl) this.#aborted.passControlBatch(batch)
    else if (!this.#aborted.isAborted(batch)) {
      const content = new BatchContent(batch, this.#options.decompressedBytesMax)
      const first = content.indexOf(offset)
      if (first < batch.recordCount) {
        this.#current = content
        this.#taken = first
        return
      }
    }
    this.#moveTo(batch.nextOffset, batch)
  }

  #moveTo(offset: number, { partitionLeaderEpoch }: RecordBatch): void {
    this.#position = { offset, leaderEpoch: partitionLeaderEpoch }
  }
}

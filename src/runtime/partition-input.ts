import type { SourceBatch, SourceRecord } from '../driver/index.ts'
import { Queue } from './lanes/queue.ts'

export interface InputReader {
  /** A batch is begun: what is in it was written under this leader epoch. */
  begun(batch: SourceBatch): void
  /** All records of the batch have been taken. */
  ended(batch: SourceBatch): void
}

/** When a record was written. */
interface WrittenAt {
  readonly offset: number
  readonly timestamp: number
}

/** One record of each batch is enough to tell how old things are. */
const timesMax = 1_000

/**
 * The records of one partition that were read and are not in lanes yet: batches, the first of which is being taken. Records
 * are made when they are looked at, so that what waits here costs its bytes alone.
 */
export class PartitionInput {
  readonly #reader: InputReader
  readonly #batches = new Queue<SourceBatch>()
  #batch: SourceBatch | undefined
  #records: Iterator<SourceRecord, undefined> | undefined
  #next: SourceRecord | undefined
  #logEnd = -1
  /** When first records of batches were written; the first is of the batch where the frontier is. */
  readonly #times: WrittenAt[] = []

  constructor(reader: InputReader) {
    this.#reader = reader
  }

  /** The end of the partition as it was heard of last; -1 before. */
  get logEnd(): number {
    return this.#logEnd
  }

  /** The record that was looked at and not taken. */
  get waiting(): SourceRecord | undefined {
    return this.#next
  }

  /** Whether more waits behind the batch that is being taken. */
  get hasMore(): boolean {
    return this.#batches.size > 0
  }

  push(batch: SourceBatch): void {
    this.#batches.push(batch)
    this.#logEnd = Math.max(this.#logEnd, batch.highWatermark)
  }

  /** The next record; undefined when all have been taken. Throws where records are malformed. */
  peek(): SourceRecord | undefined {
    while (this.#next === undefined) {
      if (this.#records === undefined) {
        if (!this.#open()) return undefined
        continue
      }
      const { value, done } = this.#records.next()
      if (done !== true) {
        this.#next = value
        return value
      }
      this.#reader.ended(this.#batch as SourceBatch)
      this.#records = undefined
    }
    return this.#next
  }

  /** The record that was looked at is in its lane. */
  taken(): void {
    this.#next = undefined
  }

  clear(): void {
    this.#batches.clear()
    this.#records = undefined
    this.#next = undefined
  }

  /** When the record at an offset was written, or one before it in its batch. */
  timeAt(offset: number): number | undefined {
    while (this.#times.length > 1 && (this.#times[1] as WrittenAt).offset <= offset) {
      this.#times.shift()
    }
    return this.#times[0]?.timestamp
  }

  #open(): boolean {
    this.#batch = this.#batches.shift()
    if (this.#batch === undefined) return false
    this.#records = this.#batch[Symbol.iterator]() as Iterator<SourceRecord, undefined>
    this.#reader.begun(this.#batch)
    const { value: first } = this.#records.next()
    this.#next = first
    if (first === undefined) return true
    this.#times.push({ offset: first.offset, timestamp: first.timestamp })
    if (this.#times.length > timesMax) this.#times.splice(1, 1)
    return true
  }
}

import { isMillraceError } from '../../errors.ts'
import type { Compression } from '../../protocol/compression/index.ts'
import type { Record, RecordReader } from '../../protocol/records/index.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { BatchContent } from './batch-content.ts'
import { PartitionError } from './partition-error.ts'

/** Some records of a record batch, next to each other. */
export interface BatchPart {
  readonly content: BatchContent
  /** The index of the first record in the record batch. */
  readonly from: number
  /** How many records; at least one. */
  readonly count: number
}

export interface FetchedBatchContent extends TopicPartition {
  /** At least one. */
  readonly parts: readonly BatchPart[]
  readonly recordCount: number
  readonly nextOffset: number
  readonly leaderEpoch: number
  readonly highWatermark: number
}

/**
 * Records of one partition, in the order of their offsets. They lie where the fetch has put them and
 * are read when they are iterated over, as often as one likes; each iteration makes new views. A batch
 * and its records keep the whole fetch in memory: copy what is kept for long.
 *
 * Iterating throws a `PartitionError` where records are malformed or decompress to more than is allowed.
 */
export class FetchedBatch implements TopicPartition, Iterable<Record> {
  readonly topic: string
  readonly partition: number
  readonly recordCount: number
  /** Where reading goes on behind the batch, past what was compacted away, aborted, or is no data. */
  readonly nextOffset: number
  /** The leader epoch of what is before `nextOffset`, to be committed with it. */
  readonly leaderEpoch: number
  /** The end of the partition when the records were fetched. */
  readonly highWatermark: number
  readonly #parts: readonly BatchPart[]

  constructor(content: FetchedBatchContent) {
    this.topic = content.topic
    this.partition = content.partition
    this.recordCount = content.recordCount
    this.nextOffset = content.nextOffset
    this.leaderEpoch = content.leaderEpoch
    this.highWatermark = content.highWatermark
    this.#parts = content.parts
  }

  /** The offset of the first record. */
  get firstOffset(): number {
    const { content, from } = this.#parts[0] as BatchPart
    return this.#reading(content, () => content.offsetAt(from))
  }

  /** The offset of the last record. */
  get lastOffset(): number {
    const { content, from, count } = this.#parts.at(-1) as BatchPart
    return this.#reading(content, () => content.offsetAt(from + count - 1))
  }

  /** How the records were compressed where they lie: from which offset on each codec. */
  get compressions(): readonly { readonly offset: number; readonly compression: Compression }[] {
    const found: { readonly offset: number; readonly compression: Compression }[] = []
    for (const { content } of this.#parts) {
      const compression = codecOf(content)
      if (compression === undefined || found.at(-1)?.compression === compression) continue
      found.push({ offset: content.batch.baseOffset, compression })
    }
    return found
  }

  [Symbol.iterator](): Iterator<Record, undefined> {
    return new RecordIterator(this, this.#parts)
  }

  #reading<Result>(content: BatchContent, read: () => Result): Result {
    try {
      return read()
    } catch (error) {
      throw unreadable(this, content, error)
    }
  }
}

/** An iterator of its own: a generator would cost more than reading a record does. */
class RecordIterator implements Iterator<Record, undefined> {
  readonly #partition: TopicPartition
  readonly #parts: readonly BatchPart[]
  #nextPart = 0
  #part: BatchPart | undefined
  #reader: RecordReader | undefined
  #left = 0

  constructor(partition: TopicPartition, parts: readonly BatchPart[]) {
    this.#partition = partition
    this.#parts = parts
  }

  next(): IteratorResult<Record, undefined> {
    try {
      if (this.#left === 0 && !this.#openNextPart()) return { done: true, value: undefined }
      this.#left--
      return { done: false, value: (this.#reader as RecordReader).next() as Record }
    } catch (error) {
      throw unreadable(this.#partition, (this.#part as BatchPart).content, error)
    }
  }

  #openNextPart(): boolean {
    const part = this.#part
    if (part !== undefined && this.#reader !== undefined) {
      part.content.keepCut(part.from + part.count, this.#reader)
    }
    this.#part = this.#parts[this.#nextPart++]
    if (this.#part === undefined) {
      this.#reader = undefined
      return false
    }
    this.#reader = this.#part.content.readerAt(this.#part.from)
    this.#left = this.#part.count
    return true
  }
}

/** Undefined for one that nobody knows: that is told when its records are read. */
function codecOf({ batch }: BatchContent): Compression | undefined {
  try {
    return batch.compression
  } catch {
    return undefined
  }
}

/** Says where the record batch is that could not be read. */
export function unreadable(
  partition: TopicPartition,
  { batch }: BatchContent,
  cause: unknown,
): unknown {
  if (!isMillraceError(cause)) return cause
  const problem = `the batch at offset ${batch.baseOffset} cannot be read: ${cause.message}`
  return new PartitionError(cause.code, partition, problem, { offset: batch.baseOffset, cause })
}

import { partitionKey } from '../../client/index.ts'
import type {
  CommittedOffset,
  OffsetToCommit,
  PollOptions,
  SeekTarget,
  TopicPartition,
} from '../../client/index.ts'
import type { RecordSource, SourceBatch, SourceRecord } from '../../driver/index.ts'
import { ForwardingSource } from '../forwarding-source.ts'
import { partOfBatch } from '../part-of-batch.ts'

/** What is read of one partition: from an offset on, up to but not including another. */
export interface ReplayRange extends TopicPartition {
  readonly from: number
  readonly to: number
}

export interface RangeSourceParts {
  readonly source: RecordSource
  readonly ranges: readonly ReplayRange[]
  /** What was handed out before has been taken: there may be nothing left to read. */
  readonly polled: () => void
}

/** So often it is looked whether what is left of a range holds no records at all. */
const lookMs = 200

/**
 * Reads ranges of partitions, as a member of a group that has nobody else. What is committed is kept here and nowhere else: the
 * offsets of the group whose records are read again are never touched, and nothing is left of this one.
 */
export class RangeSource extends ForwardingSource {
  readonly #polled: () => void
  readonly #ranges: ReadonlyMap<string, ReplayRange>
  /** Partitions that are read to the end of their range, and those that have none. */
  readonly #ended = new Set<string>()
  readonly #commits = new Map<string, CommittedOffset>()

  constructor({ source, ranges, polled }: RangeSourceParts) {
    super(source)
    this.#polled = polled
    this.#ranges = new Map(ranges.map((range) => [partitionKey(range), range]))
    for (const range of ranges) if (range.from >= range.to) this.#ended.add(partitionKey(range))
  }

  /** Whether all ranges have been read to their ends. */
  get isRead(): boolean {
    return this.#ended.size === this.#ranges.size
  }

  override async poll(options: PollOptions = {}): Promise<SourceBatch[]> {
    this.#polled()
    const batches = await this.source.poll(
      this.isRead ? options : { ...options, timeoutMs: lookMs },
    )
    const within = batches.flatMap((batch) => this.#within(batch) ?? [])
    return within.length > 0 ? within : this.#ends()
  }

  override resume(partitions: readonly TopicPartition[]): void {
    this.source.resume(partitions.filter((each) => !this.#isEnded(each)))
  }

  override commit(offsets: readonly OffsetToCommit[]): Promise<void> {
    for (const offset of offsets) this.#commits.set(partitionKey(offset), offset)
    return Promise.resolve()
  }

  override committed(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    return Promise.resolve(
      partitions.flatMap((each) => this.#commits.get(partitionKey(each)) ?? []),
    )
  }

  override beginningOffsets(partitions: readonly TopicPartition[]) {
    return Promise.resolve(partitions.map((each) => this.#placed(each, 'from')))
  }

  override endOffsets(partitions: readonly TopicPartition[]) {
    return Promise.resolve(partitions.map((each) => this.#placed(each, 'to')))
  }

  #placed({ topic, partition }: TopicPartition, place: 'from' | 'to') {
    const range = this.#ranges.get(partitionKey({ topic, partition }))
    return { topic, partition, offset: range?.[place] ?? 0 }
  }

  #isEnded(partition: TopicPartition): boolean {
    const key = partitionKey(partition)
    return !this.#ranges.has(key) || this.#ended.has(key)
  }

  /** What of a batch is in its range. */
  #within(batch: SourceBatch): SourceBatch | undefined {
    const range = this.#ranges.get(partitionKey(batch))
    if (range === undefined || this.#isEnded(batch)) {
      this.source.pause([batch])
      return undefined
    }
    if (batch.nextOffset < range.to) return batch
    this.#end(range)
    if (batch.nextOffset === range.to) return batch
    const records: SourceRecord[] = []
    for (const record of batch) if (record.offset < range.to) records.push(record)
    return partOfBatch(batch, records, range.to)
  }

  /** The ends of ranges behind whose last record is none: only markers of transactions, or what was compacted away. */
  #ends(): SourceBatch[] {
    const open = [...this.#ranges.values()].filter((range) => !this.#isEnded(range))
    return open.flatMap((range) => {
      if (!this.#isAtEnd(range)) return []
      this.#end(range)
      const { topic, partition, to } = range
      const nothing = { topic, partition, recordCount: 0, leaderEpoch: -1, highWatermark: to }
      const end = { ...nothing, nextOffset: to, [Symbol.iterator]: () => [][Symbol.iterator]() }
      return [end]
    })
  }

  #isAtEnd(range: ReplayRange): boolean {
    try {
      return this.source.lag(range) === 0
    } catch {
      // It is not assigned yet, or not at the moment.
      return false
    }
  }

  #end({ topic, partition }: ReplayRange): void {
    this.#ended.add(partitionKey({ topic, partition }))
    this.source.pause([{ topic, partition }])
  }

  /** Reading begins anew: also in a range that had been read to its end, when its partition comes back. */
  override seek(partition: TopicPartition, target: SeekTarget): void {
    this.source.seek(partition, target)
    const range = this.#ranges.get(partitionKey(partition))
    if (range !== undefined && range.from < range.to) this.#ended.delete(partitionKey(partition))
  }
}

import { byTopic, KafkaError, partitionKey } from '../../client/index.ts'
import type {
  CommittedOffset,
  OffsetForTime,
  PartitionOffset,
  PartitionTimestamp,
  TopicPartition,
} from '../../client/index.ts'
import type { AdminConnection } from './kafkajs-admin.ts'
import type { CallOptions } from './kafkajs-connection.ts'

/** The first offset of a partition, and the one behind its last record. */
export interface OffsetRange {
  readonly low: number
  readonly high: number
}

/** Kafka's code for a partition that is not there. */
const unknownPartition = 3

/** Asks about offsets. kafkajs asks about all partitions of a topic at once, so that questions of one turn share a call. */
export class KafkaJsOffsets {
  readonly #admin: AdminConnection
  /** Calls that begin when this turn has ended, by topic. */
  readonly #ranges = new Map<string, Promise<ReadonlyMap<number, OffsetRange>>>()

  constructor(admin: AdminConnection) {
    this.#admin = admin
  }

  async range({ topic, partition }: TopicPartition): Promise<OffsetRange> {
    const waiting = this.#ranges.get(topic) ?? this.#askRanges(topic)
    this.#ranges.set(topic, waiting)
    return known(await waiting, { topic, partition })
  }

  beginnings(partitions: readonly TopicPartition[]): Promise<PartitionOffset[]> {
    return this.#each(partitions, ({ low }) => low)
  }

  ends(partitions: readonly TopicPartition[]): Promise<PartitionOffset[]> {
    return this.#each(partitions, ({ high }) => high)
  }

  /** kafkajs answers the end where there is no such record, which cannot be told from one that comes there. */
  async forTimes(
    times: readonly PartitionTimestamp[],
  ): Promise<Omit<OffsetForTime, 'timestamp'>[]> {
    return Promise.all(
      times.map(async ({ topic, partition, timestamp }) => {
        const what = `offsets of ${topic} at ${timestamp}`
        const { high } = await this.range({ topic, partition })
        const found = await this.#admin.call(what, {}, (admin) =>
          admin.fetchTopicOffsetsByTimestamp(topic, timestamp),
        )
        const offsets = new Map(found.map((each) => [each.partition, Number(each.offset)]))
        const offset = known(offsets, { topic, partition })
        return { topic, partition, offset: offset < high ? offset : undefined }
      }),
    )
  }

  /** What a group has committed; partitions without an offset are left out. */
  async committed(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: CallOptions,
  ): Promise<CommittedOffset[]> {
    const topics = [...byTopic(partitions).keys()]
    if (topics.length === 0) return []
    const what = `committed offsets of group ${groupId}`
    const found = await this.#admin.call(what, options, (admin) =>
      admin.fetchOffsets({ groupId, topics }),
    )
    const committed = new Map(
      found.flatMap((each) =>
        each.partitions.map(({ partition, offset, metadata }) => {
          const place = { topic: each.topic, partition }
          const text = metadata ?? ''
          const full = { ...place, offset: Number(offset), leaderEpoch: -1, metadata: text }
          return [partitionKey(place), full] as const
        }),
      ),
    )
    return partitions
      .flatMap((each) => committed.get(partitionKey(each)) ?? [])
      .filter(({ offset }) => offset >= 0)
  }

  #each(
    partitions: readonly TopicPartition[],
    offsetOf: (range: OffsetRange) => number,
  ): Promise<PartitionOffset[]> {
    return Promise.all(
      partitions.map(async ({ topic, partition }) => {
        const offset = offsetOf(await this.range({ topic, partition }))
        return { topic, partition, offset }
      }),
    )
  }

  async #askRanges(topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
    await Promise.resolve()
    this.#ranges.delete(topic)
    const found = await this.#admin.call(`offsets of ${topic}`, {}, (admin) =>
      admin.fetchTopicOffsets(topic),
    )
    return new Map(
      found.map(({ partition, low, high }) => [
        partition,
        { low: Number(low), high: Number(high) },
      ]),
    )
  }
}

function known<Value>(found: ReadonlyMap<number, Value>, partition: TopicPartition): Value {
  const value = found.get(partition.partition)
  if (value !== undefined) return value
  throw new KafkaError(unknownPartition, `offsets of ${partitionKey(partition)}`)
}

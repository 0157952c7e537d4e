import { isMillraceError } from '../../errors.ts'
import { kafkaError, offsetForLeaderEpochApi } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { retry } from '../retry.ts'
import { byTopic, partitionKey } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'

/** An epoch that a partition had a leader in. */
export interface PartitionEpoch extends TopicPartition {
  readonly leaderEpoch: number
}

/** Where what leaders up to an epoch wrote ends in the log as it is now. */
export interface EpochEnd extends TopicPartition {
  /** -1 where the broker cannot tell: it does not know the epoch, or is too old to be asked. */
  readonly endOffset: number
  /** The highest epoch up to the one that was asked for in which something was written; -1 where it is not known. */
  readonly leaderEpoch: number
}

/** From here on the request needs no rights on the whole cluster. */
const versionForReaders = 3

/** Asks the leaders until every partition has answered; rejects when the time is over. */
export async function findEpochEnds(
  cluster: Cluster,
  epochs: readonly PartitionEpoch[],
  signal?: AbortSignal,
): Promise<EpochEnd[]> {
  const found = new Map<string, EpochEnd>()
  const watch = cluster.watchTopics(new Set(epochs.map(({ topic }) => topic)))
  const timeoutMs = cluster.options.requestTimeoutMs
  try {
    await retry(cluster, { what: 'ends of leader epochs', timeoutMs, signal }, async () => {
      const left = epochs.filter((each) => !found.has(partitionKey(each)))
      await Promise.all(
        [...byLeader(cluster, left)].map(([leaderId, asked]) =>
          askLeader(cluster, leaderId, asked, found),
        ),
      )
    })
  } finally {
    watch.release()
  }
  return epochs.flatMap((each) => found.get(partitionKey(each)) ?? [])
}

function byLeader(
  cluster: Cluster,
  epochs: readonly PartitionEpoch[],
): ReadonlyMap<number, PartitionEpoch[]> {
  const leaders = new Map<number, PartitionEpoch[]>()
  for (const epoch of epochs) {
    const { topic, partition } = epoch
    const leaderId = cluster.metadata.partition(topic, partition)?.leaderId ?? -1
    if (leaderId < 0) {
      cluster.metadataIsStale()
      throw new KafkaError(kafkaError.LEADER_NOT_AVAILABLE, `epochs of ${topic}-${partition}`)
    }
    leaders.set(leaderId, [...(leaders.get(leaderId) ?? []), epoch])
  }
  return leaders
}

async function askLeader(
  cluster: Cluster,
  leaderId: number,
  epochs: readonly PartitionEpoch[],
  found: Map<string, EpochEnd>,
): Promise<void> {
  try {
    const answer = await cluster
      .broker(leaderId, 'main')
      .request(
        offsetForLeaderEpochApi,
        { topics: topicsOf(cluster, epochs) },
        { versionMin: versionForReaders },
      )
    for (const { topic, partitions } of answer.topics) {
      for (const { partition, errorCode, endOffset, leaderEpoch } of partitions) {
        if (errorCode !== 0) throw new KafkaError(errorCode, `epochs of ${topic}-${partition}`)
        found.set(partitionKey({ topic, partition }), { topic, partition, endOffset, leaderEpoch })
      }
    }
  } catch (error) {
    cluster.metadataIsStale()
    if (!isMillraceError(error, 'MILLRACE_CLIENT_UNSUPPORTED')) throw error
    for (const { topic, partition } of epochs) {
      const unknown = { topic, partition, endOffset: -1, leaderEpoch: -1 }
      found.set(partitionKey(unknown), unknown)
    }
  }
}

function topicsOf(cluster: Cluster, epochs: readonly PartitionEpoch[]) {
  return [...byTopic(epochs)].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map(({ partition, leaderEpoch }) => ({
      partition,
      leaderEpoch,
      currentLeaderEpoch: cluster.metadata.partition(topic, partition)?.leaderEpoch ?? -1,
    })),
  }))
}

import { kafkaError } from '../../protocol/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { noTopicId } from './topic-id.ts'

interface CommittedTopic<P> {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly P[]
}

interface PartitionResult {
  readonly partitionIndex: number
  readonly errorCode: number
}

/** A request's topics, divided into what the coordinator may store and what cannot be. */
export interface DividedTopics<P> {
  /** The same topics, with name and id, and only the partitions that exist. */
  readonly known: { name: string; topicId: string; partitions: P[] }[]
  /** Whether there is any partition to store an offset for. */
  readonly any: boolean
  /** Puts the coordinator's results and those of the rest together, as the request had them. */
  answer(
    stored: readonly { readonly partitions: readonly PartitionResult[] }[],
  ): { name: string; topicId: string; partitions: PartitionResult[] }[]
}

/** Offsets are stored for partitions that exist; the others are answered one by one. */
export function divideTopics<P extends { readonly partitionIndex: number }>(
  cluster: Cluster,
  topics: readonly CommittedTopic<P>[],
  byId: boolean,
): DividedTopics<P> {
  const found = topics.map((topic) => ({
    asked: topic,
    topic: byId ? cluster.topicById(topic.topicId) : cluster.topic(topic.name),
  }))
  const known = found.map(({ asked, topic }) => ({
    name: topic?.name ?? asked.name,
    topicId: topic?.id ?? noTopicId,
    partitions: asked.partitions.filter(
      ({ partitionIndex }) => topic?.partitions[partitionIndex] !== undefined,
    ),
  }))
  return {
    known,
    any: known.some(({ partitions }) => partitions.length > 0),
    answer: (stored) =>
      found.map(({ asked, topic }, index) => {
        const results = new Map(
          stored[index]?.partitions.map((result) => [result.partitionIndex, result.errorCode]),
        )
        const unknown =
          topic === undefined && byId
            ? kafkaError.UNKNOWN_TOPIC_ID
            : kafkaError.UNKNOWN_TOPIC_OR_PARTITION
        return {
          name: asked.name,
          topicId: asked.topicId,
          partitions: asked.partitions.map(({ partitionIndex }) => ({
            partitionIndex,
            errorCode: results.get(partitionIndex) ?? unknown,
          })),
        }
      }),
  }
}

/** The same error for every partition of a request. */
export function allFailed<P extends { readonly partitionIndex: number }>(
  topics: readonly CommittedTopic<P>[],
  errorCode: number,
): { name: string; topicId: string; partitions: PartitionResult[] }[] {
  return topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  }))
}

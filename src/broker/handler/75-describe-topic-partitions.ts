import { describeTopicPartitionsApi, kafkaError } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import { allOperations } from '../authorization/access.ts'
import type { Cluster, Partition } from '../cluster/cluster.ts'
import { refuseTopicName } from '../cluster/topic-name.ts'
import { defineHandler } from './handler.ts'
import { noTopicId } from './topic-id.ts'

type Request = RequestOf<typeof describeTopicPartitionsApi>
type Answer = ResponseInput<typeof describeTopicPartitionsApi>
type TopicAnswer = Answer['topics'][number]
type Cursor = NonNullable<Request['cursor']>

/**
 * DescribeTopicPartitions 0: topics in the order of their names, up to a number of partitions; what
 * is left begins at the next cursor. No topics stand for all.
 *
 * The lists of eligible leaders are empty and not null: Java's clients look into them unasked.
 */
export const describeTopicPartitions = defineHandler({
  api: describeTopicPartitionsApi,
  versions: [0, 0],
  handle(request, { broker: { cluster, config }, access }) {
    const { cursor } = request
    const names = namesFrom(request, cluster)
    if (isWrong(cursor, request, names)) {
      return {
        throttleTimeMs: 0,
        topics: request.topics.map(({ name }) => refusedTopic(name, kafkaError.INVALID_REQUEST)),
      }
    }
    const limit = Math.min(request.responsePartitionLimit, config.maxRequestPartitionSizeLimit)
    const mayKnow = (name: string) => access.allows('describe', 'topic', name)
    const described = describeFrom(names.filter(mayKnow), cursor, Math.max(1, limit), cluster)
    if (request.topics.length === 0) return described
    const refused = names
      .filter((name) => !mayKnow(name))
      .map((name) => refusedTopic(name, kafkaError.TOPIC_AUTHORIZATION_FAILED))
    return { ...described, topics: [...described.topics, ...refused] }
  },
})

/** The topics from the cursor's on. */
function namesFrom({ topics, cursor }: Request, cluster: Cluster): string[] {
  const all =
    topics.length === 0
      ? Array.from(cluster.topics(), ({ name }) => name)
      : topics.map(({ name }) => name)
  const first = cursor?.topicName ?? ''
  return [...new Set(all)].filter((name) => name >= first).sort()
}

/** A cursor must be in a topic that is asked for; of all topics, its own may be gone by now. */
function isWrong(cursor: Cursor | null, { topics }: Request, names: readonly string[]): boolean {
  if (cursor === null) return false
  return cursor.partitionIndex < 0 || (topics.length > 0 && !names.includes(cursor.topicName))
}

function describeFrom(
  names: readonly string[],
  cursor: Cursor | null,
  limit: number,
  cluster: Cluster,
): Answer {
  const topics: TopicAnswer[] = []
  let left = limit
  for (const topicName of names) {
    if (left === 0)
      return { throttleTimeMs: 0, topics, nextCursor: { topicName, partitionIndex: 0 } }
    const first = topicName === cursor?.topicName ? cursor.partitionIndex : 0
    const answer = describeTopic(topicName, first, left, cluster)
    topics.push(answer.topic)
    if (answer.next !== undefined) {
      return { throttleTimeMs: 0, topics, nextCursor: { topicName, partitionIndex: answer.next } }
    }
    left -= answer.topic.partitions.length
  }
  return { throttleTimeMs: 0, topics, nextCursor: null }
}

function describeTopic(
  name: string,
  first: number,
  count: number,
  cluster: Cluster,
): { topic: TopicAnswer; next?: number } {
  const wrongName = refuseTopicName(name)
  if (wrongName !== undefined) return { topic: refusedTopic(name, kafkaError[wrongName.error]) }
  const topic = cluster.topic(name)
  if (topic === undefined) {
    return { topic: refusedTopic(name, kafkaError.UNKNOWN_TOPIC_OR_PARTITION) }
  }
  const end = first + count
  const described: TopicAnswer = {
    errorCode: kafkaError.NONE,
    name,
    topicId: topic.id,
    isInternal: topic.internal,
    partitions: topic.partitions.slice(first, end).map(describePartition),
    topicAuthorizedOperations: allOperations('topic'),
  }
  return end < topic.partitions.length ? { topic: described, next: end } : { topic: described }
}

function describePartition(partition: Partition): TopicAnswer['partitions'][number] {
  const { index, leader, leaderEpoch, replicas, inSync } = partition
  return {
    errorCode: kafkaError.NONE,
    partitionIndex: index,
    leaderId: leader,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: inSync,
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    offlineReplicas: replicas.filter((id) => !inSync.includes(id)),
  }
}

function refusedTopic(name: string, errorCode: number): TopicAnswer {
  return {
    errorCode,
    name,
    topicId: noTopicId,
    partitions: [],
    topicAuthorizedOperations: allOperations('topic'),
  }
}

import type { MillraceError } from '../../errors.ts'
import { kafkaError, metadataApi } from '../../protocol/index.ts'
import type { RequestInput, ResponseOf } from '../../protocol/index.ts'
import { checkKafkaCode, KafkaError } from '../client-error.ts'
import type { Broker } from '../cluster/cluster.ts'
import type { AdminCall } from './admin-call.ts'
import { isUnknownTopic } from './admin-world.ts'
import type { AdminWorld } from './admin-world.ts'
import type { AclOperation } from './acl-codes.ts'
import { askEach, isWorthAskingAgain } from './ask-each.ts'
import type { Answers } from './ask-each.ts'
import { readAuthorizedOperations } from './authorized-operations.ts'
import type { ItemResult } from './item-result.ts'
import { anyBrokerRoute } from './routes.ts'
import { noTopicId, referenceName } from './topic-references.ts'
import type { TopicReference } from './topic-references.ts'

export interface PartitionDescription {
  readonly partition: number
  /** Undefined while the partition has none. */
  readonly leaderId: number | undefined
  /** Undefined where the broker does not tell. */
  readonly leaderEpoch: number | undefined
  /** The first one is the preferred leader. */
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface TopicDescription {
  readonly name: string
  /** Undefined where the cluster gives topics none (Kafka before 2.8). */
  readonly id: string | undefined
  readonly isInternal: boolean
  /** In order. */
  readonly partitions: readonly PartitionDescription[]
  /** What the client may do with the topic, where it was asked for. */
  readonly authorizedOperations: readonly AclOperation[] | undefined
}

export type TopicResponse = ResponseOf<typeof metadataApi>['topics'][number]

/** The first version in which a topic is found by its id (KIP-516). Before, all topics are read. */
const findsIdsVersion = 12

/** Describes topics, by any broker. */
export function describeTopics(
  { newTopics }: AdminWorld,
  call: AdminCall,
  topics: ReadonlyMap<string, TopicReference>,
  authorizedOperations: boolean,
): Promise<Map<string, ItemResult<TopicDescription>>> {
  return askEach<TopicReference, TopicDescription>(call, topics, {
    route: anyBrokerRoute(call),
    effect: 'reads',
    name: referenceName,
    mayRetry: (error, { item }) =>
      isWorthAskingAgain(error) ||
      (isUnknownTopic(error) && typeof item === 'string' && newTopics.has(item)),
    async ask(broker, asked) {
      const references = asked.map(({ item }) => item)
      const found = await findTopics(call, broker, references, authorizedOperations)
      return readTopics(asked, found)
    },
  })
}

function readTopics(
  asked: readonly { readonly key: string; readonly item: TopicReference }[],
  found: readonly TopicResponse[],
): Answers<TopicDescription> {
  const answers = new Map<string, TopicDescription | MillraceError>()
  const byName = new Map(found.map((topic) => [topic.name, topic]))
  const byId = new Map(found.map((topic) => [topic.topicId, topic]))
  for (const { key, item } of asked) {
    const topic = typeof item === 'string' ? byName.get(item) : byId.get(item.id)
    if (topic === undefined) {
      const { UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION } = kafkaError
      const code = typeof item === 'string' ? UNKNOWN_TOPIC_OR_PARTITION : UNKNOWN_TOPIC_ID
      answers.set(key, new KafkaError(code, referenceName(item)))
    } else if (topic.errorCode !== 0) {
      answers.set(key, new KafkaError(topic.errorCode, referenceName(item)))
    } else answers.set(key, readTopic(topic))
  }
  return answers
}

/** Asks a broker for topics; what it does not find is missing or has an error code. */
export async function findTopics(
  call: AdminCall,
  broker: Broker,
  topics: readonly TopicReference[],
  authorizedOperations = false,
): Promise<readonly TopicResponse[]> {
  const version = await call.version(broker, metadataApi)
  const byId = topics.some((topic) => typeof topic !== 'string')
  const asked = byId && version < findsIdsVersion ? null : topics.map(topicRequest)
  return askMetadata(call, broker, asked, authorizedOperations)
}

/** Asks a broker for topics as it takes them, null for all; none is created by it. */
export async function askMetadata(
  call: AdminCall,
  broker: Broker,
  topics: RequestInput<typeof metadataApi>['topics'],
  includeTopicAuthorizedOperations = false,
): Promise<readonly TopicResponse[]> {
  const answer = await call.request(broker, metadataApi, {
    topics,
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations,
  })
  checkKafkaCode(answer.errorCode, 'metadata')
  return answer.topics
}

function topicRequest(topic: TopicReference) {
  return typeof topic === 'string' ? { name: topic } : { name: null, topicId: topic.id }
}

export function idOf(topicId: string): string | undefined {
  return topicId === noTopicId ? undefined : topicId
}

function readTopic(topic: TopicResponse): TopicDescription {
  const partitions = topic.partitions.map((each) => ({
    partition: each.partitionIndex,
    leaderId: each.leaderId < 0 ? undefined : each.leaderId,
    leaderEpoch: each.leaderEpoch < 0 ? undefined : each.leaderEpoch,
    replicas: each.replicaNodes,
    inSyncReplicas: each.isrNodes,
    offlineReplicas: each.offlineReplicas,
  }))
  return {
    name: topic.name ?? '',
    id: idOf(topic.topicId),
    isInternal: topic.isInternal,
    partitions: partitions.sort((a, b) => a.partition - b.partition),
    authorizedOperations: readAuthorizedOperations(topic.topicAuthorizedOperations),
  }
}

import { kafkaError, metadataApi } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import { allOperations, operationsNotAsked } from '../authorization/access.ts'
import type { Cluster, Partition, Topic } from '../cluster/cluster.ts'
import { isInternalTopic, refuseTopicName } from '../cluster/topic-name.ts'
import { isRefusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import type { Broker, RequestContext } from './handler.ts'

type MetadataRequest = RequestOf<typeof metadataApi>
type TopicAnswer = ResponseInput<typeof metadataApi>['topics'][number]

const noTopicId = 'A'.repeat(22)

/**
 * Metadata 0-13: the running nodes and the topics asked for, by name or (10+) by id. Null stands for
 * all topics, in version 0 an empty array does. A missing topic is made when both the client and
 * `auto.create.topics.enable` allow it, and is answered as existing at once.
 */
export const metadata = defineHandler({
  api: metadataApi,
  versions: [0, 13],
  async handle(request, context) {
    const { cluster } = context.broker
    const topics = await answerTopics(request, context)
    return {
      brokers: cluster.nodes
        .filter((node) => node.running)
        .map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack })),
      clusterId: cluster.id,
      controllerId: cluster.controllerId,
      topics,
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? allOperations('cluster')
        : operationsNotAsked,
    }
  },
})

async function answerTopics(
  request: MetadataRequest,
  { broker, header }: RequestContext,
): Promise<TopicAnswer[]> {
  const { cluster } = broker
  const operations = request.includeTopicAuthorizedOperations
    ? allOperations('topic')
    : operationsNotAsked
  const wanted = request.topics
  if (wanted === null || (header.version === 0 && wanted.length === 0)) {
    return [...cluster.topics()].map((topic) => describeTopic(topic, operations))
  }
  const answers: TopicAnswer[] = []
  for (const { name, topicId } of wanted) {
    if (name === null || (name === '' && topicId !== noTopicId)) {
      answers.push(answerById(cluster, topicId, operations))
    } else {
      const mayCreate = request.allowAutoTopicCreation || header.version < 4
      answers.push(await answerByName(broker, name, mayCreate, operations))
    }
  }
  return answers
}

function answerById(cluster: Cluster, topicId: string, operations: number): TopicAnswer {
  const topic = cluster.topicById(topicId)
  if (topic !== undefined) return describeTopic(topic, operations)
  return { errorCode: kafkaError.UNKNOWN_TOPIC_ID, name: null, topicId, partitions: [] }
}

async function answerByName(
  broker: Broker,
  name: string,
  mayCreate: boolean,
  operations: number,
): Promise<TopicAnswer> {
  const { cluster, config } = broker
  const known = cluster.topic(name)
  if (known !== undefined) return describeTopic(known, operations)
  const refusal = refuseTopicName(name)
  if (refusal !== undefined) return refusedTopic(name, kafkaError[refusal.error])
  if (!mayCreate || !config.autoCreateTopicsEnable || isInternalTopic(name)) {
    return refusedTopic(name, kafkaError.UNKNOWN_TOPIC_OR_PARTITION)
  }
  const created = await cluster.createTopic({
    name,
    partitions: -1,
    replicationFactor: -1,
    configs: new Map(),
  })
  if (!isRefusal(created)) return describeTopic(created, operations)
  const raced = created.error === 'TOPIC_ALREADY_EXISTS'
  return refusedTopic(name, raced ? kafkaError.LEADER_NOT_AVAILABLE : kafkaError[created.error])
}

function refusedTopic(name: string, errorCode: number): TopicAnswer {
  return { errorCode, name, isInternal: isInternalTopic(name), partitions: [] }
}

function describeTopic(topic: Topic, operations: number): TopicAnswer {
  return {
    errorCode: kafkaError.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.internal,
    partitions: topic.partitions.map(describePartition),
    topicAuthorizedOperations: operations,
  }
}

function describePartition(partition: Partition): TopicAnswer['partitions'][number] {
  const { index, leader, leaderEpoch, replicas, inSync } = partition
  return {
    errorCode: leader === -1 ? kafkaError.LEADER_NOT_AVAILABLE : kafkaError.NONE,
    partitionIndex: index,
    leaderId: leader,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: inSync,
    offlineReplicas: replicas.filter((id) => !inSync.includes(id)),
  }
}

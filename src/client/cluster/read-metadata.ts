import type { metadataApi, ResponseOf } from '../../protocol/index.ts'
import { ClusterMetadata } from './metadata.ts'
import type { PartitionMetadata, TopicMetadata } from './metadata.ts'

type MetadataResponse = ResponseOf<typeof metadataApi>
type TopicResponse = MetadataResponse['topics'][number]

const noTopicId = 'A'.repeat(22)

/**
 * The metadata after an answer. Brokers learn of a new leader at different times: where the answer has an
 * older leader epoch of the same topic than what is known, what is known stays.
 */
export function readMetadata(
  answer: MetadataResponse,
  topics: readonly TopicResponse[],
  known: ClusterMetadata,
): ClusterMetadata {
  return new ClusterMetadata({
    clusterId: answer.clusterId,
    controllerId: answer.controllerId,
    brokers: new Map(answer.brokers.map((broker) => [broker.nodeId, broker])),
    topics: new Map(
      topics.flatMap((topic) => {
        if (topic.name === null) return []
        return [[topic.name, readTopic(topic, topic.name, known.topics.get(topic.name))]]
      }),
    ),
  })
}

function readTopic(topic: TopicResponse, name: string, known: TopicMetadata | undefined) {
  const id = topic.topicId === noTopicId ? undefined : topic.topicId
  const isSame = known !== undefined && known.id === id
  const partitions: PartitionMetadata[] = []
  for (const answered of topic.partitions) {
    const { partitionIndex } = answered
    const before = isSame ? known.partitions[partitionIndex] : undefined
    partitions[partitionIndex] =
      before !== undefined && answered.leaderEpoch >= 0 && answered.leaderEpoch < before.leaderEpoch
        ? before
        : {
            partition: partitionIndex,
            errorCode: answered.errorCode,
            leaderId: answered.leaderId,
            leaderEpoch: answered.leaderEpoch,
            replicas: answered.replicaNodes,
            inSyncReplicas: answered.isrNodes,
            offlineReplicas: answered.offlineReplicas,
          }
  }
  return { name, id, isInternal: topic.isInternal, errorCode: topic.errorCode, partitions }
}

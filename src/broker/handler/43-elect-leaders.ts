import { electLeadersApi, kafkaError } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { Cluster, Partition } from '../cluster/cluster.ts'
import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'

type TopicRequest = NonNullable<RequestOf<typeof electLeadersApi>['topicPartitions']>[number]
type TopicAnswer = ResponseInput<typeof electLeadersApi>['replicaElectionResults'][number]

const electionTypes = ['preferred', 'unclean'] as const
type ElectionType = (typeof electionTypes)[number]

/**
 * ElectLeaders 0-2: lets the preferred replica of a partition, the first of its list, lead it again.
 * Without partitions all are meant, and only those are answered for which something was done.
 *
 * An unclean election has nothing to do here: a partition is led by whichever of its replicas runs,
 * and all replicas have all records.
 */
export const electLeaders = defineHandler({
  api: electLeadersApi,
  versions: [0, 2],
  handle({ electionType, topicPartitions }, { broker: { cluster } }) {
    const type = electionTypes[electionType]
    if (type === undefined) return refuseType(electionType, topicPartitions ?? [])
    const results =
      topicPartitions === null
        ? electAll(type, cluster)
        : electNamed(type, topicPartitions, cluster)
    return { throttleTimeMs: 0, errorCode: kafkaError.NONE, replicaElectionResults: results }
  },
})

function refuseType(
  electionType: number,
  topics: readonly TopicRequest[],
): ResponseInput<typeof electLeadersApi> {
  const problem = `electionType (${electionType}) must be 0 (preferred) or 1 (unclean)`
  const refusal = refuse('INVALID_REQUEST', problem)
  return {
    throttleTimeMs: 0,
    errorCode: kafkaError.INVALID_REQUEST,
    replicaElectionResults: topics.map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({
        partitionId,
        ...refusalFields(refusal),
      })),
    })),
  }
}

function electNamed(
  type: ElectionType,
  topics: readonly TopicRequest[],
  cluster: Cluster,
): TopicAnswer[] {
  return topics.map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map((partitionId) => {
      const partition = cluster.partition(topic, partitionId)
      const refusal =
        partition === undefined
          ? refuse('UNKNOWN_TOPIC_OR_PARTITION', `partition ${topic}-${partitionId} does not exist`)
          : elect(type, partition, cluster)
      return { partitionId, ...refusalFields(refusal) }
    }),
  }))
}

function electAll(type: ElectionType, cluster: Cluster): TopicAnswer[] {
  return Array.from(cluster.topics(), ({ name, partitions }) => ({
    topic: name,
    partitionResult: partitions
      .map((partition) => ({ partition, refusal: elect(type, partition, cluster) }))
      .filter(({ refusal }) => refusal?.error !== 'ELECTION_NOT_NEEDED')
      .map(({ partition, refusal }) => ({
        partitionId: partition.index,
        ...refusalFields(refusal),
      })),
  }))
}

function elect(type: ElectionType, partition: Partition, cluster: Cluster): Refusal | undefined {
  const { topic, index, leader, replicas, inSync } = partition
  const name = `partition ${topic.name}-${index}`
  const [preferred] = replicas
  if (type === 'unclean') {
    return leader === -1
      ? refuse('ELIGIBLE_LEADERS_NOT_AVAILABLE', `no replica of ${name} runs`)
      : refuse('ELECTION_NOT_NEEDED', `${name} has a leader`)
  }
  if (leader === preferred) {
    return refuse('ELECTION_NOT_NEEDED', `${name} is led by its preferred replica`)
  }
  if (preferred === undefined || !inSync.includes(preferred)) {
    return refuse('PREFERRED_LEADER_NOT_AVAILABLE', `the preferred replica of ${name} does not run`)
  }
  cluster.moveLeader(partition, preferred)
  return undefined
}

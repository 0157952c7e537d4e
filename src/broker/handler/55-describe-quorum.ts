import { describeQuorumApi } from '../../protocol/index.ts'
import type { ResponseInput } from '../../protocol/index.ts'
import { metadataTopic } from '../cluster/topic-name.ts'
import { refuse } from '../refusal.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'

type TopicAnswer = ResponseInput<typeof describeQuorumApi>['topics'][number]
type PartitionAnswer = TopicAnswer['partitions'][number]

const never = -1
const firstVersionWithNodes = 2

/**
 * DescribeQuorum 0-2: every node is a voter, and all are in step: they share the cluster's log. The
 * controller counts as the leader. There are no elections, so the epoch stays 0, and no listeners of
 * controllers.
 */
export const describeQuorum = defineHandler({
  api: describeQuorumApi,
  versions: [0, 2],
  handle({ topics }, context) {
    const isDescribed = topics.some(({ topicName, partitions }) =>
      partitions.some(({ partitionIndex }) => isMetadata(topicName, partitionIndex)),
    )
    const listsNodes = isDescribed && context.header.version >= firstVersionWithNodes
    return {
      ...refusalFields(undefined),
      topics: topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex }) =>
          isMetadata(topicName, partitionIndex)
            ? describeMetadata(context)
            : unknownPartition(topicName, partitionIndex),
        ),
      })),
      nodes: listsNodes
        ? context.broker.cluster.nodes.map(({ id }) => ({ nodeId: id, listeners: [] }))
        : [],
    }
  },
})

function isMetadata(topic: string, partition: number): boolean {
  return topic === metadataTopic && partition === 0
}

function describeMetadata({ broker: { cluster, platform } }: RequestContext): PartitionAnswer {
  const end = cluster.metadataEndOffset
  const now = platform.clock.now()
  return {
    partitionIndex: 0,
    ...refusalFields(undefined),
    leaderId: cluster.controllerId,
    leaderEpoch: 0,
    highWatermark: end,
    currentVoters: cluster.nodes.map(({ id, running }) => ({
      replicaId: id,
      logEndOffset: end,
      lastFetchTimestamp: running ? now : never,
      lastCaughtUpTimestamp: running ? now : never,
    })),
    observers: [],
  }
}

function unknownPartition(topic: string, partitionIndex: number): PartitionAnswer {
  const problem = `${topic}-${partitionIndex} must be ${metadataTopic}-0`
  return {
    partitionIndex,
    ...refusalFields(refuse('UNKNOWN_TOPIC_OR_PARTITION', problem)),
    leaderId: 0,
    leaderEpoch: 0,
    highWatermark: 0,
    currentVoters: [],
    observers: [],
  }
}

import { describeShareGroupOffsetsApi, kafkaError } from '../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../protocol/index.ts'
import { isRefusal } from '../refusal.ts'
import { refuseNamedGroup } from './group-access.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'
import { refuseShares, sharePartitionKey } from './share-access.ts'

type RequestedGroup = RequestOf<typeof describeShareGroupOffsetsApi>['groups'][number]
type DescribedGroup = ResponseInput<typeof describeShareGroupOffsetsApi>['groups'][number]
type DescribedTopic = DescribedGroup['topics'][number]

const notBegun = -1
/** What stands for the id of a topic that there is not. */
const noTopicId = 'A'.repeat(22)

/**
 * DescribeShareGroupOffsets 0: where share groups are in partitions, -1 where they have not begun; of
 * all topics that a group has subscribed to when none are named.
 */
export const describeShareGroupOffsets = defineHandler({
  api: describeShareGroupOffsetsApi,
  versions: [0, 0],
  handle(request, context) {
    const groups = request.groups.map((group) => describeGroup(group, context))
    return { throttleTimeMs: 0, groups }
  },
})

function describeGroup(group: RequestedGroup, context: RequestContext): DescribedGroup {
  const { broker, nodeId } = context
  const { groupId } = group
  const refusal = refuseShares(context) ?? refuseNamedGroup(broker.cluster, nodeId, groupId)
  if (refusal !== undefined) return { groupId, topics: [], ...refusalFields(refusal) }
  const topics = group.topics ?? allTopics(groupId, context)
  return {
    groupId,
    topics: topics.map((topic) => describeTopic(groupId, topic, context)),
    ...refusalFields(undefined),
  }
}

/** Those that still exist; none of a group that there is not. */
function allTopics(
  groupId: string,
  { broker: { groups, cluster } }: RequestContext,
): NonNullable<RequestedGroup['topics']> {
  const known = groups.sharePartitions(groupId)
  if (isRefusal(known)) return []
  return [...known].flatMap(([topicId, partitions]) => {
    const topicName = cluster.topicById(topicId)?.name
    const inOrder = [...partitions].sort((a, b) => a - b)
    return topicName === undefined ? [] : [{ topicName, partitions: inOrder }]
  })
}

function describeTopic(
  groupId: string,
  { topicName, partitions }: NonNullable<RequestedGroup['topics']>[number],
  { broker: { cluster, shares } }: RequestContext,
): DescribedTopic {
  const topic = cluster.topic(topicName)
  return {
    topicName,
    topicId: topic?.id ?? noTopicId,
    partitions: partitions.map((partitionIndex) => {
      const offset =
        topic === undefined
          ? undefined
          : shares.startOffset(sharePartitionKey(groupId, topic, partitionIndex))
      const startOffset = typeof offset === 'number' ? offset : notBegun
      return { partitionIndex, startOffset, leaderEpoch: 0, errorCode: kafkaError.NONE }
    }),
  }
}

import { kafkaError } from '../../../protocol/index.ts'
import type { ResponseInput, shareGroupDescribeApi } from '../../../protocol/index.ts'
import { refuse } from '../../refusal.ts'
import type { GroupPartition } from '../group-partition.ts'
import { toList } from '../topic-partitions.ts'
import { undescribedGroup } from '../undescribed-group.ts'

export type DescribedShareGroup = ResponseInput<typeof shareGroupDescribeApi>['groups'][number]

/** Kafka's name of the one way in which it gives partitions to members. */
const assignorName = 'simple'

export function describeShareGroup(
  { state, ports: { topics } }: GroupPartition,
  groupId: string,
): DescribedShareGroup {
  const group = state.group(groupId)
  if (group?.type !== 'share') {
    const problem = group === undefined ? 'not found' : 'is not a share group'
    return undescribedGroup(groupId, refuse('GROUP_ID_NOT_FOUND', `Group ${groupId} ${problem}.`))
  }
  return {
    errorCode: kafkaError.NONE,
    groupId,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.targetEpoch,
    assignorName,
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      rackId: member.rackId,
      memberEpoch: member.epoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.topicNames],
      assignment: {
        topicPartitions: toList(member.assigned).flatMap((one) => {
          const topic = topics.topicById(one.topicId)
          return topic === undefined ? [] : [{ ...one, topicName: topic.name }]
        }),
      },
    })),
  }
}

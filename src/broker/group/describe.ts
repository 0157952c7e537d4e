import { kafkaError } from '../../protocol/index.ts'
import type {
  consumerGroupDescribeApi,
  describeGroupsApi,
  listGroupsApi,
  ResponseInput,
  ResponseOf,
} from '../../protocol/index.ts'
import { refuse } from '../refusal.ts'
import type { ClassicGroup } from './classic/classic-group.ts'
import { metadataOf } from './classic/classic-member.ts'
import type { ConsumerGroup } from './consumer/consumer-group.ts'
import { preferredAssignor } from './consumer/draft.ts'
import type { ConsumerMember } from './consumer/consumer-member.ts'
import type { GroupPartition } from './group-partition.ts'
import type { Group } from './group-state.ts'
import type { GroupTopics } from './ports.ts'
import { toList } from './topic-partitions.ts'
import type { TopicPartitions } from './topic-partitions.ts'
import { undescribedGroup } from './undescribed-group.ts'

export type DescribedGroup = ResponseInput<typeof describeGroupsApi>['groups'][number]
export type DescribedConsumerGroup = ResponseInput<
  typeof consumerGroupDescribeApi
>['groups'][number]
export type ListedGroup = ResponseOf<typeof listGroupsApi>['groups'][number]

/** From this version of DescribeGroups on, a group that does not exist is an error. */
const notFoundVersion = 6

export function describeClassicGroup(
  groupId: string,
  group: Group | undefined,
  version: number,
): DescribedGroup {
  if (group?.type === 'classic') return describedClassicGroup(group)
  const dead = { groupId, groupState: 'Dead', protocolType: '', protocolData: '', members: [] }
  if (version < notFoundVersion) return { ...dead, errorCode: kafkaError.NONE }
  const problem = group === undefined ? 'not found' : 'is not a classic group'
  return {
    ...dead,
    errorCode: kafkaError.GROUP_ID_NOT_FOUND,
    errorMessage: `Group ${groupId} ${problem}.`,
  }
}

/** What members say is told only of a stable group: before, the protocol is not chosen. */
function describedClassicGroup(group: ClassicGroup): DescribedGroup {
  const protocol = group.state === 'Stable' ? (group.protocolName ?? '') : ''
  return {
    errorCode: kafkaError.NONE,
    groupId: group.groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: protocol,
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: metadataOf(member, protocol),
      memberAssignment: member.assignment,
    })),
  }
}

export function describeConsumerGroup(
  partition: GroupPartition,
  groupId: string,
): DescribedConsumerGroup {
  const group = partition.state.group(groupId)
  if (group?.type !== 'consumer') {
    const problem = group === undefined ? 'not found' : 'is not a consumer group'
    return undescribedGroup(groupId, refuse('GROUP_ID_NOT_FOUND', `Group ${groupId} ${problem}.`))
  }
  const { topics } = partition.ports
  return {
    errorCode: kafkaError.NONE,
    groupId,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.targetEpoch,
    assignorName: preferredAssignor(partition, group.members.values()),
    members: [...group.members.values()].map((member) => describedMember(group, member, topics)),
  }
}

/** Kafka's numbers of the protocols that a member can use. */
const memberType = { classic: 0, consumer: 1 } as const

function describedMember(
  group: ConsumerGroup,
  member: ConsumerMember,
  topics: GroupTopics,
): DescribedConsumerGroup['members'][number] {
  return {
    memberId: member.memberId,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.epoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: [...member.topicNames],
    subscribedTopicRegex: member.topicPattern,
    assignment: { topicPartitions: withNames(member.assigned, topics) },
    targetAssignment: { topicPartitions: withNames(group.target(member.memberId), topics) },
    memberType: member.classic === null ? memberType.consumer : memberType.classic,
  }
}

function withNames(
  partitions: TopicPartitions,
  topics: GroupTopics,
): { topicId: string; topicName: string; partitions: number[] }[] {
  return toList(partitions).flatMap((one) => {
    const topic = topics.topicById(one.topicId)
    return topic === undefined ? [] : [{ ...one, topicName: topic.name }]
  })
}

export interface GroupFilter {
  /** States, in any case; empty for all. */
  readonly states: readonly string[]
  /** `classic`, `consumer` or `share`, in any case; empty for all. */
  readonly types: readonly string[]
}

export function listedGroups(groups: Iterable<Group>, filter: GroupFilter): ListedGroup[] {
  const states = new Set(filter.states.map((state) => state.toLowerCase().trim()))
  const types = new Set(filter.types.map((type) => type.toLowerCase()))
  const listed: ListedGroup[] = []
  for (const group of groups) {
    if (states.size > 0 && !states.has(group.state.toLowerCase())) continue
    if (types.size > 0 && !types.has(group.type)) continue
    listed.push({
      groupId: group.groupId,
      protocolType: group.type === 'classic' ? (group.protocolType ?? '') : group.type,
      groupState: group.state,
      groupType: group.type,
    })
  }
  return listed
}

import { assignors } from '../assignor/assignor.ts'
import type { AssignedMember } from '../assignor/assignor.ts'
import { assignUniformly } from '../assignor/uniform.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import type { GroupRecord } from '../group-record.ts'
import { noPartitions, samePartitions } from '../topic-partitions.ts'
import type { PartitionList, TopicPartitions } from '../topic-partitions.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { sameAssignment, sameDescription, sameTopicNames } from './consumer-member.ts'
import type { ConsumerMember } from './consumer-member.ts'
import {
  currentAssignmentRecord,
  groupEpochRecord,
  memberRecord,
  targetEpochRecord,
  targetRecord,
} from './consumer-records.ts'
import { metadataHash } from './metadata-hash.ts'
import { reconcile } from './reconcile.ts'
import { awaitRevocation } from './sessions.ts'

/**
 * A change of a consumer group in the making: the group as it is, and the records that will change
 * it. Nothing changes before they are durable; `afterwards` runs then.
 */
export interface Draft {
  readonly partition: GroupPartition
  readonly group: ConsumerGroup
  readonly records: GroupRecord[]
  readonly afterwards: (() => void)[]
}

export function finished<T>(draft: Draft, answer: T): Change<T> {
  const after = () => {
    for (const act of draft.afterwards) act()
  }
  return { answer, records: draft.records, after }
}

/** Notes what a member says of itself. Answers whether it names other topics than before. */
export function noteDescription(
  draft: Draft,
  before: ConsumerMember,
  member: ConsumerMember,
): boolean {
  const isKnown = draft.group.members.has(member.memberId)
  if (isKnown && sameDescription(before, member)) return false
  draft.records.push(memberRecord(draft.group.groupId, member))
  return !sameTopicNames(before.topicNames, member.topicNames)
}

/**
 * The epoch of the group with this member in it: a new one when it must be, or when the topics that
 * the group subscribes to are not what they were.
 */
export function groupEpoch(draft: Draft, member: ConsumerMember, mustAdvance: boolean): number {
  const { partition, group, records } = draft
  const topicsVersion = partition.topicsVersion.current
  if (!mustAdvance && group.checkedTopicsVersion === topicsVersion) return group.epoch
  const members = group.membersAfter(new Set(), member)
  const hash = metadataHash(partition.ports.topics, group.subscribedTopics(members))
  draft.afterwards.push(() => {
    const current = partition.state.group(group.groupId)
    if (current?.type === 'consumer') current.checkedTopicsVersion = topicsVersion
  })
  if (!mustAdvance && hash === group.metadataHash) return group.epoch
  records.push(groupEpochRecord(group.groupId, group.epoch + 1, hash))
  return group.epoch + 1
}

export interface MemberTarget {
  readonly epoch: number
  readonly assigned: TopicPartitions
}

/** What a member is to get; everybody's is computed anew when the group is in a new epoch. */
export function targetOf(draft: Draft, member: ConsumerMember, epoch: number): MemberTarget {
  const { group } = draft
  if (epoch > group.targetEpoch) return { epoch, assigned: retarget(draft, member, epoch) }
  return { epoch: group.targetEpoch, assigned: currentTarget(group, member) }
}

/** A static member has the target of its last incarnation. */
function currentTarget(group: ConsumerGroup, member: ConsumerMember): TopicPartitions {
  const last = group.memberOfInstance(member.instanceId)
  return group.target(last?.memberId ?? member.memberId)
}

function retarget(draft: Draft, changed: ConsumerMember, epoch: number): TopicPartitions {
  const { partition, group, records } = draft
  const { topics } = partition.ports
  const members = group
    .membersAfter(new Set(), changed)
    .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const assign = assignors.get(preferredAssignor(partition, members)) ?? assignUniformly
  const result = assign({
    members: members.map((member) => assignedMember(draft, member)),
    partitionCount: (topicId) => topics.topicById(topicId)?.partitionCount ?? 0,
  })
  for (const { memberId } of members) {
    const assigned = result.get(memberId) ?? noPartitions
    const isKnown = group.hasTarget(memberId)
    if (isKnown && samePartitions(assigned, group.target(memberId))) continue
    records.push(targetRecord(group.groupId, memberId, assigned))
  }
  records.push(targetEpochRecord(group.groupId, epoch))
  return result.get(changed.memberId) ?? noPartitions
}

function assignedMember({ partition, group }: Draft, member: ConsumerMember): AssignedMember {
  const names = group.subscribedTopics([member])
  return {
    memberId: member.memberId,
    instanceId: member.instanceId,
    topicIds: new Set([...names].flatMap((name) => partition.ports.topics.topic(name)?.id ?? [])),
    assigned: currentTarget(group, member),
  }
}

/** The name of the assignor that most members wish for, or else the first that is configured. */
export function preferredAssignor(
  partition: GroupPartition,
  members: Iterable<ConsumerMember>,
): string {
  const votes = new Map<string, number>()
  for (const { assignor } of members) {
    if (assignor !== null) votes.set(assignor, (votes.get(assignor) ?? 0) + 1)
  }
  let chosen = ''
  for (const [name, count] of votes) {
    if (count > (votes.get(chosen) ?? 0)) chosen = name
  }
  return chosen === '' ? (partition.ports.config().consumerAssignors[0] ?? '') : chosen
}

/** Takes the member towards its target, as far as what it `owned` allows. */
export function moveMember(
  draft: Draft,
  member: ConsumerMember,
  target: MemberTarget,
  owned: readonly PartitionList[] | undefined,
): ConsumerMember {
  const { partition, group, records, afterwards } = draft
  const isOwned = (topicId: string, index: number) => group.ownerOf(topicId, index) !== undefined
  const moved = reconcile(member, { ...target, isOwned }, owned)
  if (sameAssignment(moved, member)) return member
  records.push(currentAssignmentRecord(group.groupId, moved))
  // Members that use the classic protocol have their time for joining and syncing instead.
  if (moved.classic !== null) return moved
  afterwards.push(() => {
    if (moved.state === 'unrevoked') awaitRevocation(partition, group.groupId, moved)
    else partition.timers.cancel(group.groupId, 'rebalance', moved.memberId)
  })
  return moved
}

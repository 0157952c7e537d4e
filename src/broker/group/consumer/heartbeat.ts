import { kafkaError } from '../../../protocol/index.ts'
import type { consumerGroupHeartbeatApi, ResponseInput } from '../../../protocol/index.ts'
import { isRefusal, refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import { consumerMemberId } from '../identifiers.ts'
import type { Requester } from '../ports.ts'
import { containsAll, samePartitions, toList } from '../topic-partitions.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { joinEpoch, newMember, sortedNames } from './consumer-member.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { finished, groupEpoch, moveMember, noteDescription, targetOf } from './draft.ts'
import type { Draft } from './draft.ts'
import { leaveConsumerGroup } from './leave.ts'
import { knownStaticMember, notInGroup, successor } from './membership.ts'
import { notePattern } from './patterns.ts'
import { awaitHeartbeat } from './sessions.ts'
import { upgrade } from './upgrade.ts'
import type { ConsumerHeartbeat } from './validate.ts'

export type HeartbeatResponse = ResponseInput<typeof consumerGroupHeartbeatApi>

/**
 * One heartbeat of a member that uses the next-generation protocol. It brings what the member
 * wants and has; the answer says what it is to have.
 *
 * 1. The member is made or changed, and the group gets a new epoch if that matters to others.
 * 2. If the group is in a new epoch, all partitions are assigned anew.
 * 3. The member is taken towards its part of the assignment.
 */
export function heartbeatOfConsumerGroup(
  partition: GroupPartition,
  request: ConsumerHeartbeat,
  requester: Requester,
): Change<HeartbeatResponse | Refusal> {
  if (request.memberEpoch < joinEpoch) return leaveConsumerGroup(partition, request)
  const draft = openGroup(partition, request)
  if (isRefusal(draft)) return { answer: draft }
  const memberId =
    request.memberId === '' ? consumerMemberId(partition.ports.random) : request.memberId
  const full = problemWithSize(draft, memberId)
  if (full !== undefined) return { answer: full }
  const before = memberBefore(draft, request, memberId)
  if (isRefusal(before)) return { answer: before }
  const described = withRequest(before, request, requester)
  const namesChanged = noteDescription(draft, before, described)
  const patternChanged = notePattern(draft, before, described, requester)
  if (typeof patternChanged !== 'boolean') return { answer: patternChanged }
  const mustAdvance = draft.group.epoch === 0 || namesChanged || patternChanged
  const epoch = groupEpoch(draft, described, mustAdvance)
  const target = targetOf(draft, described, epoch)
  const member = moveMember(draft, described, target, request.topicPartitions ?? undefined)
  draft.afterwards.push(() => awaitHeartbeat(partition, request.groupId, member))
  return finished(draft, responseTo(partition, request, before, member))
}

/** The group that a heartbeat is for; joining makes one, also of a classic group. */
function openGroup(partition: GroupPartition, request: ConsumerHeartbeat): Draft | Refusal {
  const { groupId } = request
  const known = partition.state.group(groupId)
  if (known?.type === 'consumer') {
    return { partition, group: known, records: [], afterwards: [] }
  }
  if (request.memberEpoch !== joinEpoch || known?.type === 'share') {
    const what =
      known === undefined
        ? `Consumer group ${groupId} not found.`
        : `Group ${groupId} is not a consumer group.`
    return refuse('GROUP_ID_NOT_FOUND', what)
  }
  if (known?.type === 'classic') return upgrade(partition, known)
  return { partition, group: new ConsumerGroup(groupId), records: [], afterwards: [] }
}

export function problemWithSize(
  { partition, group }: Draft,
  memberId: string,
): Refusal | undefined {
  const { consumerMembersMax } = partition.ports.config()
  if (group.members.size < consumerMembersMax || group.members.has(memberId)) return undefined
  return refuse(
    'GROUP_MAX_SIZE_REACHED',
    `The consumer group has reached its maximum capacity of ${consumerMembersMax} members.`,
  )
}

/** The member as it is; a new one as it would be if it had said nothing yet. */
function memberBefore(
  draft: Draft,
  request: ConsumerHeartbeat,
  memberId: string,
): ConsumerMember | Refusal {
  const { group } = draft
  const { instanceId, memberEpoch } = request
  if (memberEpoch === joinEpoch && instanceId !== null) {
    const last = group.memberOfInstance(instanceId)
    if (last === undefined) return group.members.get(memberId) ?? newMember(memberId)
    return successor(draft, last, memberId, true)
  }
  const member =
    instanceId === null
      ? (group.members.get(memberId) ??
        (memberEpoch === joinEpoch ? newMember(memberId) : notInGroup(group, memberId)))
      : knownStaticMember(group, memberId, instanceId)
  if (isRefusal(member)) return member
  return problemWithEpoch(member, request) ?? member
}

/**
 * A member that is an epoch behind has missed an answer of ours, if what it has is part of what it
 * was given; any other epoch than ours means that it and we have lost each other.
 */
function problemWithEpoch(member: ConsumerMember, request: ConsumerHeartbeat): Refusal | undefined {
  const { memberEpoch, topicPartitions } = request
  if (memberEpoch === member.epoch) return undefined
  const missedAnswer =
    memberEpoch < member.epoch &&
    memberEpoch === member.previousEpoch &&
    topicPartitions !== null &&
    containsAll(member.assigned, topicPartitions)
  if (missedAnswer) return undefined
  const relation = memberEpoch > member.epoch ? 'greater' : 'smaller'
  return refuse(
    'FENCED_MEMBER_EPOCH',
    `The consumer group member has a ${relation} member epoch (${memberEpoch}) than the one known by the group coordinator (${member.epoch}). The member must abandon all its partitions and rejoin.`,
  )
}

/** What a heartbeat leaves out is as it was. */
function withRequest(
  before: ConsumerMember,
  request: ConsumerHeartbeat,
  requester: Requester,
): ConsumerMember {
  const { rebalanceTimeoutMs, subscribedTopicNames } = request
  return {
    ...before,
    instanceId: request.instanceId ?? before.instanceId,
    rackId: request.rackId ?? before.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? before.rebalanceTimeoutMs : rebalanceTimeoutMs,
    assignor: request.serverAssignor ?? before.assignor,
    topicNames:
      subscribedTopicNames === null ? before.topicNames : sortedNames(subscribedTopicNames),
    topicPattern: request.subscribedTopicRegex ?? before.topicPattern,
    clientId: requester.clientId,
    clientHost: requester.clientHost,
    classic: null,
  }
}

/** The assignment is told when it has changed, and to a member that says everything anew. */
function responseTo(
  partition: GroupPartition,
  request: ConsumerHeartbeat,
  before: ConsumerMember,
  member: ConsumerMember,
): HeartbeatResponse {
  const saysAll =
    request.rebalanceTimeoutMs !== -1 &&
    (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
    request.topicPartitions !== null
  const tell =
    request.memberEpoch === joinEpoch ||
    saysAll ||
    !samePartitions(before.assigned, member.assigned)
  const { heartbeatIntervalMs } = partition.ports.consumerTiming(request.groupId)
  return {
    throttleTimeMs: 0,
    errorCode: kafkaError.NONE,
    memberId: member.memberId,
    memberEpoch: member.epoch,
    heartbeatIntervalMs,
    assignment: tell ? { topicPartitions: toList(member.assigned) } : null,
  }
}

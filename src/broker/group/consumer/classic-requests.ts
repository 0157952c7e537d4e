import { kafkaError } from '../../../protocol/index.ts'
import { isRefusal, refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import type { SyncResponse } from '../classic/classic-group.ts'
import { noAssignment } from '../classic/classic-member.ts'
import type { HeartbeatRequest } from '../classic/heartbeat.ts'
import type { LeaveRequest, LeaveResponse } from '../classic/leave.ts'
import type { SyncRequest } from '../classic/sync.ts'
import { consumerProtocolType, writeAssignment } from '../consumer-protocol.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ClassicMembership, ConsumerMember } from './consumer-member.ts'
import { fence } from './fence.ts'
import { memberByIds } from './membership.ts'
import { awaitHeartbeat, awaitRejoin } from './sessions.ts'

type ClassicConsumerMember = ConsumerMember & { readonly classic: ClassicMembership }

/** Gives a member of the classic protocol what it is to have now. */
export function syncConsumerGroup(
  partition: GroupPartition,
  group: ConsumerGroup,
  request: SyncRequest,
): SyncResponse {
  const member = classicMember(group, request)
  if (isRefusal(member)) return refused(member)
  const { protocolType, protocolName } = request
  const [protocol] = member.classic.protocols
  const otherType = protocolType !== null && protocolType !== consumerProtocolType
  const otherName = protocolName !== null && protocolName !== protocol?.name
  if (otherType || otherName) {
    return { errorCode: kafkaError.INCONSISTENT_GROUP_PROTOCOL, assignment: noAssignment }
  }
  // Whoever still has partitions to give up has rejoined already, and finishes that first.
  if (group.epoch > member.epoch && member.state !== 'unrevoked') {
    awaitRejoin(partition, group.groupId, member)
    return { errorCode: kafkaError.REBALANCE_IN_PROGRESS, assignment: noAssignment }
  }
  partition.timers.cancel(group.groupId, 'sync', member.memberId)
  awaitHeartbeat(partition, group.groupId, member)
  const { topics } = partition.ports
  return {
    errorCode: kafkaError.NONE,
    protocolType,
    protocolName,
    assignment: writeAssignment(member.assigned, topics, protocol?.metadata ?? noAssignment),
  }
}

/**
 * Keeps a member of the classic protocol alive. It is told to rejoin when the group is in a new
 * epoch, when it has partitions to give up, and when what it waits for has become free.
 */
export function classicHeartbeatOfConsumerGroup(
  partition: GroupPartition,
  group: ConsumerGroup,
  request: HeartbeatRequest,
): number {
  const member = classicMember(group, request)
  if (isRefusal(member)) return kafkaError[member.error]
  awaitHeartbeat(partition, group.groupId, member)
  const rejoin =
    member.epoch < group.epoch ||
    member.state === 'unrevoked' ||
    (member.state === 'unreleased' && !group.waitsForRelease(member))
  if (!rejoin) return kafkaError.NONE
  awaitRejoin(partition, group.groupId, member)
  return kafkaError.REBALANCE_IN_PROGRESS
}

/** Takes members of either protocol out; an administrator names only the instance id. */
export function leaveConsumerGroupClassically(
  partition: GroupPartition,
  group: ConsumerGroup,
  leaving: LeaveRequest['members'],
): Change<LeaveResponse> {
  const gone = new Set<string>()
  const members = leaving.map(({ memberId, groupInstanceId }) => {
    const member =
      memberId === '' && groupInstanceId !== null
        ? (group.memberOfInstance(groupInstanceId) ??
          refuse('UNKNOWN_MEMBER_ID', `Instance id ${groupInstanceId} is unknown.`))
        : memberByIds(group, memberId, groupInstanceId)
    if (!isRefusal(member)) gone.add(member.memberId)
    const errorCode = isRefusal(member) ? kafkaError[member.error] : kafkaError.NONE
    return { memberId, groupInstanceId, errorCode }
  })
  return { answer: { errorCode: kafkaError.NONE, members }, ...fence(partition, group, gone) }
}

function classicMember(
  group: ConsumerGroup,
  request: Pick<SyncRequest, 'memberId' | 'groupInstanceId' | 'generationId'>,
): ClassicConsumerMember | Refusal {
  const member = memberByIds(group, request.memberId, request.groupInstanceId)
  if (isRefusal(member)) return member
  const { memberId, epoch, classic } = member
  if (classic === null) {
    return refuse('UNKNOWN_MEMBER_ID', `Member ${memberId} does not use the classic protocol.`)
  }
  if (epoch !== request.generationId) {
    return refuse(
      'ILLEGAL_GENERATION',
      `The request generation id ${request.generationId} is not equal to the member epoch ${epoch} of member ${memberId}.`,
    )
  }
  return { ...member, classic }
}

function refused(refusal: Refusal): SyncResponse {
  return { errorCode: kafkaError[refusal.error], assignment: noAssignment }
}

import { kafkaError } from '../../protocol/index.ts'
import { emptyGroupRecord } from './classic/classic-records.ts'
import { joinError } from './classic/classic-group.ts'
import type { JoinAnswer, JoinResponse, SyncAnswer, SyncResponse } from './classic/classic-group.ts'
import { noAssignment } from './classic/classic-member.ts'
import { heartbeatOfClassicGroup } from './classic/heartbeat.ts'
import type { HeartbeatRequest } from './classic/heartbeat.ts'
import { joinClassicGroup } from './classic/join.ts'
import type { JoinRequest } from './classic/join.ts'
import { leaveClassicGroup } from './classic/leave.ts'
import type { LeaveRequest, LeaveResponse } from './classic/leave.ts'
import { syncClassicGroup } from './classic/sync.ts'
import type { SyncRequest } from './classic/sync.ts'
import { joinConsumerGroup } from './consumer/classic-join.ts'
import {
  classicHeartbeatOfConsumerGroup,
  leaveConsumerGroupClassically,
  syncConsumerGroup,
} from './consumer/classic-requests.ts'
import { groupTombstones } from './consumer/consumer-records.ts'
import type { Change, GroupPartition } from './group-partition.ts'
import type { Requester } from './ports.ts'

/** The requests of the classic protocol, each to the kind of group that it is for. */

/**
 * A join that has to wait is answered through `answer`, and its change says nothing. A group with
 * members of the next generation answers at once.
 */
export function routeJoin(
  partition: GroupPartition,
  request: JoinRequest,
  requester: Requester,
  answer: JoinAnswer,
): Change<JoinResponse | undefined> {
  const { groupId, memberId } = request
  const group = partition.state.group(groupId)
  if (group?.type === 'classic') {
    return joinClassicGroup({ partition, group, request, requester, answer })
  }
  if (group?.type === 'share') {
    return { answer: joinError(kafkaError.INCONSISTENT_GROUP_PROTOCOL, memberId) }
  }
  if (group !== undefined && !group.isEmpty) {
    return joinConsumerGroup(partition, group, request, requester)
  }
  if (memberId !== '') return { answer: joinError(kafkaError.UNKNOWN_MEMBER_ID, memberId) }
  if (request.protocolType === '' || request.protocols.length === 0) {
    return { answer: joinError(kafkaError.INCONSISTENT_GROUP_PROTOCOL, memberId) }
  }
  return {
    answer: undefined,
    records: [
      ...(group === undefined ? [] : groupTombstones(group)),
      emptyGroupRecord(groupId, partition.ports.clock.now()),
    ],
    after: () => {
      const made = partition.state.group(groupId)
      if (made?.type !== 'classic') throw new Error(`group ${groupId} was not made`)
      joinClassicGroup({ partition, group: made, request, requester, answer })
    },
  }
}

export function routeSync(
  partition: GroupPartition,
  request: SyncRequest,
  answer: SyncAnswer,
): Change<SyncResponse | undefined> {
  const group = partition.state.group(request.groupId)
  if (group === undefined || group.isEmpty || group.type === 'share') {
    return { answer: { errorCode: kafkaError.UNKNOWN_MEMBER_ID, assignment: noAssignment } }
  }
  if (group.type === 'classic') return syncClassicGroup(partition, group, request, answer)
  return { answer: syncConsumerGroup(partition, group, request) }
}

export function routeHeartbeat(
  partition: GroupPartition,
  request: HeartbeatRequest,
): Change<number> {
  const group = partition.state.group(request.groupId)
  if (group === undefined || group.type === 'share') {
    return { answer: kafkaError.UNKNOWN_MEMBER_ID }
  }
  if (group.type === 'classic')
    return { answer: heartbeatOfClassicGroup(partition, group, request) }
  return { answer: classicHeartbeatOfConsumerGroup(partition, group, request) }
}

export function routeLeave(
  partition: GroupPartition,
  groupId: string,
  leaving: LeaveRequest['members'],
): Change<LeaveResponse> {
  const group = partition.state.group(groupId)
  if (group?.type === 'classic') return leaveClassicGroup(partition, group, leaving)
  if (group?.type === 'consumer') return leaveConsumerGroupClassically(partition, group, leaving)
  const members = leaving.map(({ memberId, groupInstanceId }) => ({
    memberId,
    groupInstanceId,
    errorCode: kafkaError.UNKNOWN_MEMBER_ID,
  }))
  return { answer: { errorCode: kafkaError.NONE, members } }
}

import { kafkaError } from '../../../protocol/index.ts'
import { isRefusal, refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import { noPartitions } from '../topic-partitions.ts'
import { staticLeaveEpoch } from './consumer-member.ts'
import { currentAssignmentRecord } from './consumer-records.ts'
import { fence } from './fence.ts'
import type { HeartbeatResponse } from './heartbeat.ts'
import { memberByIds } from './membership.ts'
import type { ConsumerHeartbeat } from './validate.ts'

/**
 * A member leaves for good, or, if it is static, for a while: then it keeps what it has until its
 * next incarnation comes or its session ends.
 */
export function leaveConsumerGroup(
  partition: GroupPartition,
  request: ConsumerHeartbeat,
): Change<HeartbeatResponse | Refusal> {
  const { groupId, memberId, memberEpoch } = request
  const group = partition.state.group(groupId)
  if (group?.type !== 'consumer') {
    return { answer: refuse('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`) }
  }
  const member = memberByIds(group, memberId, request.instanceId)
  if (isRefusal(member)) return { answer: member }
  const answer: HeartbeatResponse = {
    throttleTimeMs: 0,
    errorCode: kafkaError.NONE,
    memberId,
    memberEpoch,
    heartbeatIntervalMs: 0,
  }
  if (memberEpoch !== staticLeaveEpoch) {
    return { answer, ...fence(partition, group, new Set([memberId])) }
  }
  const away = { ...member, epoch: staticLeaveEpoch, pendingRevocation: noPartitions }
  return { answer, records: [currentAssignmentRecord(groupId, away)] }
}

import { kafkaError } from '../../../protocol/index.ts'
import type { heartbeatApi, RequestOf } from '../../../protocol/index.ts'
import { isRefusal } from '../../refusal.ts'
import type { GroupPartition } from '../group-partition.ts'
import type { ClassicGroup } from './classic-group.ts'
import { restartSession } from './rebalance.ts'

export type HeartbeatRequest = RequestOf<typeof heartbeatApi>

/** Keeps a member alive; the error code tells it to join again when the others do. */
export function heartbeatOfClassicGroup(
  partition: GroupPartition,
  group: ClassicGroup,
  request: HeartbeatRequest,
): number {
  const member = group.checkMember(request.memberId, request.groupInstanceId)
  if (isRefusal(member)) return kafkaError[member.error]
  if (request.generationId !== group.generation) return kafkaError.ILLEGAL_GENERATION
  restartSession(partition, group, member)
  const rejoin = group.state === 'PreparingRebalance'
  return rejoin ? kafkaError.REBALANCE_IN_PROGRESS : kafkaError.NONE
}

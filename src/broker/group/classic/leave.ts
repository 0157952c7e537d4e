import { kafkaError } from '../../../protocol/index.ts'
import type { leaveGroupApi, RequestOf, ResponseInput } from '../../../protocol/index.ts'
import { isRefusal } from '../../refusal.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import type { GroupRecord } from '../group-record.ts'
import type { ClassicGroup } from './classic-group.ts'
import { completeIfAllJoined, prepareRebalance, takeOut } from './rebalance.ts'

export type LeaveRequest = RequestOf<typeof leaveGroupApi>
export type LeaveResponse = ResponseInput<typeof leaveGroupApi>
type Leaving = LeaveRequest['members'][number]

/** Takes members out, each with a result of its own, and has the others assign once. */
export function leaveClassicGroup(
  partition: GroupPartition,
  group: ClassicGroup,
  leaving: readonly Leaving[],
): Change<LeaveResponse> {
  const members = leaving.map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    errorCode: leave(partition, group, member),
  }))
  const anyHasLeft = members.some(({ errorCode }) => errorCode === kafkaError.NONE)
  const records = anyHasLeft ? recordsAfter(partition, group) : []
  return { answer: { errorCode: kafkaError.NONE, members }, records, inMemory: true }
}

/** An administrator names only the instance id. */
function leave(partition: GroupPartition, group: ClassicGroup, leaving: Leaving): number {
  const { memberId, groupInstanceId } = leaving
  if (memberId === '') {
    const member = group.memberOfInstance(groupInstanceId)
    if (member === undefined) return kafkaError.UNKNOWN_MEMBER_ID
    takeOut(partition, group, member.memberId)
    return kafkaError.NONE
  }
  if (!group.pendingJoins.has(memberId)) {
    const member = group.checkMember(memberId, groupInstanceId)
    if (isRefusal(member)) return kafkaError[member.error]
  }
  takeOut(partition, group, memberId)
  return kafkaError.NONE
}

function recordsAfter(partition: GroupPartition, group: ClassicGroup): readonly GroupRecord[] {
  switch (group.state) {
    case 'Stable':
    case 'CompletingRebalance':
      return prepareRebalance(partition, group)
    case 'PreparingRebalance':
      return completeIfAllJoined(partition, group)
    default:
      return []
  }
}

import { kafkaError } from '../../../protocol/index.ts'
import type { RequestOf, syncGroupApi } from '../../../protocol/index.ts'
import { isRefusal } from '../../refusal.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import type { ClassicGroup, SyncAnswer } from './classic-group.ts'
import { noAssignment } from './classic-member.ts'
import { classicGroupRecord } from './classic-records.ts'
import { answerSyncs, rebalanceOrComplete, syncReceived, syncResponse } from './rebalance.ts'

export type SyncRequest = RequestOf<typeof syncGroupApi>

/**
 * Gives a member its assignment, when there is one. The leader brings all of them: they are
 * written, then handed out.
 */
export function syncClassicGroup(
  partition: GroupPartition,
  group: ClassicGroup,
  request: SyncRequest,
  answer: SyncAnswer,
): Change<undefined> {
  const unchanged = { answer: undefined }
  const { memberId } = request
  const member = group.checkMember(memberId, request.groupInstanceId)
  if (isRefusal(member)) {
    refuseSync(answer, kafkaError[member.error])
  } else if (request.generationId !== group.generation) {
    refuseSync(answer, kafkaError.ILLEGAL_GENERATION)
  } else if (isInconsistent(group, request)) {
    refuseSync(answer, kafkaError.INCONSISTENT_GROUP_PROTOCOL)
  } else if (group.state === 'PreparingRebalance') {
    refuseSync(answer, kafkaError.REBALANCE_IN_PROGRESS)
  } else if (group.state === 'CompletingRebalance') {
    group.awaitSync(memberId, answer)
    syncReceived(partition, group, memberId)
    if (group.leaderId === memberId) return storeAssignments(partition, group, request)
  } else {
    syncReceived(partition, group, memberId)
    answer(syncResponse(group, member))
  }
  return unchanged
}

function storeAssignments(
  partition: GroupPartition,
  group: ClassicGroup,
  request: SyncRequest,
): Change<undefined> {
  const assignments = new Map(
    request.assignments.map(({ memberId, assignment }) => [memberId, Buffer.from(assignment)]),
  )
  return {
    answer: undefined,
    records: [classicGroupRecord(group, assignments)],
    inMemory: true,
    after: () => {
      for (const member of group.members.values()) {
        member.assignment = assignments.get(member.memberId) ?? noAssignment
      }
      answerSyncs(partition, group, kafkaError.NONE)
      group.setState('Stable', partition.ports.clock.now())
    },
    undo: (errorCode) => {
      answerSyncs(partition, group, errorCode)
      rebalanceOrComplete(partition, group)
    },
  }
}

/** Versions before 5 do not say which protocol they mean. */
function isInconsistent(group: ClassicGroup, request: SyncRequest): boolean {
  const { protocolType, protocolName } = request
  return (
    (protocolType !== null && protocolType !== group.protocolType) ||
    (protocolName !== null && protocolName !== group.protocolName)
  )
}

function refuseSync(answer: SyncAnswer, errorCode: number): void {
  answer({ errorCode, assignment: noAssignment })
}

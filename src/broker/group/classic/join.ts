import { kafkaError } from '../../../protocol/index.ts'
import type { joinGroupApi, RequestOf } from '../../../protocol/index.ts'
import { isRefusal } from '../../refusal.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import type { GroupRecord } from '../group-record.ts'
import { classicMemberId } from '../identifiers.ts'
import type { Requester } from '../ports.ts'
import { joinError } from './classic-group.ts'
import type { ClassicGroup, JoinAnswer } from './classic-group.ts'
import { copiedProtocols, noAssignment, sameProtocols } from './classic-member.ts'
import type { ClassicMember } from './classic-member.ts'
import { classicGroupRecord } from './classic-records.ts'
import {
  awaitMember,
  awaitNewMember,
  completeIfAllJoined,
  prepareRebalance,
  rebalanceOrComplete,
  restartSession,
} from './rebalance.ts'

export type JoinRequest = RequestOf<typeof joinGroupApi>

/** A join that is to be answered, now or when the rebalance is over. */
export interface Join {
  readonly partition: GroupPartition
  readonly group: ClassicGroup
  readonly request: JoinRequest
  readonly requester: Requester
  readonly answer: JoinAnswer
}

type JoinChange = Change<undefined>

/** From this version on a dynamic member has to come back with the id that it is given (KIP-394). */
const knownIdVersion = 4
/** From this version on a static leader can be told not to assign (KIP-814). */
const skipAssignmentVersion = 9

/**
 * Lets a client join a classic group. A client that names no member id is new, or the next
 * incarnation of a static member.
 */
export function joinClassicGroup(join: Join): JoinChange {
  const { group, request } = join
  const { memberId } = request
  if (!hasRoom(join)) return sendAway(join)
  if (!group.supports(request.protocolType, request.protocols)) {
    return refusedJoin(join, kafkaError.INCONSISTENT_GROUP_PROTOCOL, memberId)
  }
  if (memberId === '') return joinAsNewMember(join)
  if (group.pendingJoins.has(memberId) && request.groupInstanceId === null) {
    return changed(addMember(join, memberId))
  }
  const member = group.checkMember(memberId, request.groupInstanceId)
  return isRefusal(member)
    ? refusedJoin(join, kafkaError[member.error], memberId)
    : rejoin(join, member)
}

/** During a rebalance those who wait count: they may be fewer or more than the members. */
function hasRoom({ partition, group, request }: Join): boolean {
  const { membersMax } = partition.ports.config()
  switch (group.state) {
    case 'PreparingRebalance':
      return group.waitsForJoin(request.memberId) || group.waitingJoinCount < membersMax
    case 'CompletingRebalance':
    case 'Stable':
      return group.members.has(request.memberId) || group.members.size < membersMax
    default:
      return true
  }
}

/** A member that comes back too late to a group that has become too large loses its place. */
function sendAway(join: Join): JoinChange {
  const { partition, group, request } = join
  join.answer(joinError(kafkaError.GROUP_MAX_SIZE_REACHED, ''))
  group.remove(request.memberId)
  partition.timers.cancel(group.groupId, 'session', request.memberId)
  return changed(completeIfAllJoined(partition, group))
}

function joinAsNewMember(join: Join): JoinChange {
  const { partition, group, request, requester } = join
  const { groupInstanceId } = request
  const memberId = classicMemberId(partition.ports.random, groupInstanceId ?? requester.clientId)
  const replaced = group.memberOfInstance(groupInstanceId)
  if (replaced !== undefined) return replaceStaticMember(join, replaced, memberId)
  if (groupInstanceId === null && requester.version >= knownIdVersion) {
    group.pendingJoins.add(memberId)
    awaitMember(partition, group, memberId, request.sessionTimeoutMs)
    return refusedJoin(join, kafkaError.MEMBER_ID_REQUIRED, memberId)
  }
  return changed(addMember(join, memberId))
}

function addMember(join: Join, memberId: string): readonly GroupRecord[] {
  const { partition, group, request, requester } = join
  if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') {
    group.newMemberAdded = true
  }
  const member: ClassicMember = {
    memberId,
    instanceId: request.groupInstanceId,
    clientId: requester.clientId,
    clientHost: requester.clientHost,
    ...wishesOf(request),
    assignment: noAssignment,
    isNew: true,
  }
  group.add(member, request.protocolType)
  group.awaitJoin(memberId, join.answer)
  awaitNewMember(partition, group, memberId)
  return rebalanceOrComplete(partition, group)
}

/** A member joins again: because it was told to, because something has changed, or because it missed the answer. */
function rejoin(join: Join, member: ClassicMember): JoinChange {
  const { group, request } = join
  const { memberId } = member
  switch (group.state) {
    case 'PreparingRebalance':
      return changed(updateMember(join, member))
    case 'CompletingRebalance':
      if (!sameProtocols(member.protocols, request.protocols)) {
        return changed(updateMember(join, member))
      }
      break
    case 'Stable':
      // The leader joins again to have a new assignment made, for instance when topics have changed.
      if (group.leaderId === memberId || !sameProtocols(member.protocols, request.protocols)) {
        return changed(updateMember(join, member))
      }
      break
    default:
      return refusedJoin(join, kafkaError.UNKNOWN_MEMBER_ID, memberId)
  }
  join.answer(group.joinResponse(memberId))
  return changed([])
}

function updateMember(join: Join, member: ClassicMember): readonly GroupRecord[] {
  join.group.update(member, wishesOf(join.request))
  join.group.awaitJoin(member.memberId, join.answer)
  return rebalanceOrComplete(join.partition, join.group)
}

/**
 * A static member is back under a new id. A stable group that goes on with the same protocol is
 * not disturbed: the member gets its place and its assignment, and the old id is fenced.
 */
function replaceStaticMember(join: Join, old: ClassicMember, memberId: string): JoinChange {
  const { partition, group } = join
  const leaderBefore = group.leaderId
  const member = group.replaceStatic(old, memberId)
  const wishesBefore = { ...member }
  group.update(member, wishesOf(join.request))
  partition.timers.cancel(group.groupId, 'session', old.memberId)
  restartSession(partition, group, member)
  if (group.state === 'Stable' && group.selectProtocol() === group.protocolName) {
    return {
      answer: undefined,
      records: [recordWithCurrentAssignments(group)],
      inMemory: true,
      after: () => join.answer(replacedResponse(join, memberId, leaderBefore)),
      undo: (errorCode) => {
        group.update(member, wishesBefore)
        restartSession(partition, group, group.replaceStatic(member, old.memberId))
        partition.timers.cancel(group.groupId, 'session', memberId)
        join.answer(joinError(errorCode, ''))
      },
    }
  }
  group.awaitJoin(memberId, join.answer)
  if (group.state === 'Stable' || group.state === 'CompletingRebalance') {
    return changed(prepareRebalance(partition, group))
  }
  return changed(completeIfAllJoined(partition, group))
}

/**
 * A leader that is back must not assign: the group has its assignments. Clients of old versions
 * cannot be told so; if such a leader learnt its new id as the leader's, it would assign.
 */
function replacedResponse(
  { group, requester }: Join,
  memberId: string,
  leaderBefore: string | undefined,
): ReturnType<ClassicGroup['joinResponse']> {
  const response = group.joinResponse(memberId)
  if (requester.version < skipAssignmentVersion) {
    return { ...response, members: [], leader: leaderBefore ?? '' }
  }
  return { ...response, skipAssignment: group.leaderId === memberId }
}

function recordWithCurrentAssignments(group: ClassicGroup): GroupRecord {
  const members = [...group.members.values()]
  return classicGroupRecord(
    group,
    new Map(members.map(({ memberId, assignment }) => [memberId, assignment])),
  )
}

/** Before version 1 there was no rebalance timeout of its own. */
function wishesOf(
  request: JoinRequest,
): Pick<ClassicMember, 'protocols' | 'sessionTimeoutMs' | 'rebalanceTimeoutMs'> {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request
  return {
    protocols: copiedProtocols(request.protocols),
    sessionTimeoutMs,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? sessionTimeoutMs : rebalanceTimeoutMs,
  }
}

function changed(records: readonly GroupRecord[]): JoinChange {
  return { answer: undefined, records, inMemory: true }
}

function refusedJoin(join: Join, errorCode: number, memberId: string): JoinChange {
  join.answer(joinError(errorCode, memberId))
  return changed([])
}

import { kafkaError } from '../../../protocol/index.ts'
import type { GroupPartition } from '../group-partition.ts'
import type { GroupRecord } from '../group-record.ts'
import type { TimerKind } from '../timers.ts'
import { joinError } from './classic-group.ts'
import type { ClassicGroup, SyncResponse } from './classic-group.ts'
import { noAssignment } from './classic-member.ts'
import type { ClassicMember } from './classic-member.ts'
import { classicGroupRecord } from './classic-records.ts'

/** A new member does not know its id and cannot send heartbeats; its client retries long before. */
const newMemberTimeoutMs = 5 * 60_000

const nothing: readonly GroupRecord[] = []

/**
 * How a classic group gets from one generation to the next. What these functions change is in
 * memory when they return; they answer the records that say so, which are none unless the group
 * has become empty: a generation with members is written when its leader has sent assignments.
 */

/**
 * Lets all members join again. Those who wait for an assignment are told to. Their last assignments
 * stay noted: a cooperative member still works on what it had, and an upgrade must know that.
 */
export function prepareRebalance(
  partition: GroupPartition,
  group: ClassicGroup,
): readonly GroupRecord[] {
  if (group.state === 'CompletingRebalance') {
    answerSyncs(partition, group, kafkaError.REBALANCE_IN_PROGRESS)
  }
  group.pendingSyncs.clear()
  partition.timers.cancel(group.groupId, 'sync', '')
  const isFirst = group.isEmpty
  group.setState('PreparingRebalance', partition.ports.clock.now())
  if (!isFirst) return completeOrWait(partition, group)
  const delayMs = partition.ports.config().initialRebalanceDelayMs
  awaitNewcomers(partition, group, delayMs, Math.max(group.rebalanceTimeoutMs - delayMs, 0))
  return nothing
}

export function rebalanceOrComplete(
  partition: GroupPartition,
  group: ClassicGroup,
): readonly GroupRecord[] {
  if (group.canRebalance) return prepareRebalance(partition, group)
  return completeIfAllJoined(partition, group)
}

/** The first rebalance of a group always takes its delay, whoever has joined. */
export function completeIfAllJoined(
  partition: GroupPartition,
  group: ClassicGroup,
): readonly GroupRecord[] {
  const waits = group.state === 'PreparingRebalance' && group.previousState !== 'Empty'
  return waits && group.allJoined ? completeJoin(partition, group) : nothing
}

/**
 * Ends the joining: dynamic members that have not rejoined are out, static ones stay, everybody
 * else is answered and belongs to the next generation.
 */
function completeJoin(partition: GroupPartition, group: ClassicGroup): readonly GroupRecord[] {
  const { timers } = partition
  timers.cancel(group.groupId, 'join', '')
  for (const { memberId, instanceId } of [...group.members.values()]) {
    if (instanceId !== null || group.waitsForJoin(memberId)) continue
    group.remove(memberId)
    timers.cancel(group.groupId, 'session', memberId)
  }
  if (!group.electLeader() && group.members.size > 0) {
    // Only static members are left and none of them has joined: their sessions decide.
    awaitJoins(partition, group)
    return nothing
  }
  group.beginGeneration(partition.ports.clock.now())
  if (group.isEmpty) return [classicGroupRecord(group, new Map())]
  for (const member of group.members.values()) {
    group.answerJoin(member.memberId, group.joinResponse(member.memberId))
    restartSession(partition, group, member)
    member.isNew = false
    group.pendingSyncs.add(member.memberId)
  }
  const { generation } = group
  later(partition, group, 'sync', '', group.rebalanceTimeoutMs, () =>
    expireSyncs(partition, group, generation),
  )
  return nothing
}

function completeOrWait(partition: GroupPartition, group: ClassicGroup): readonly GroupRecord[] {
  if (group.allJoined) return completeJoin(partition, group)
  awaitJoins(partition, group)
  return nothing
}

function awaitJoins(partition: GroupPartition, group: ClassicGroup): void {
  later(partition, group, 'join', '', group.rebalanceTimeoutMs, () =>
    completeJoin(partition, group),
  )
}

/**
 * Waits for more members of a new group. As long as somebody joins during a delay, another one
 * follows, up to the rebalance timeout.
 */
function awaitNewcomers(
  partition: GroupPartition,
  group: ClassicGroup,
  delayMs: number,
  remainingMs: number,
): void {
  const delayEnded = () => {
    if (!group.newMemberAdded || remainingMs === 0) return completeJoin(partition, group)
    group.newMemberAdded = false
    const nextMs = Math.min(partition.ports.config().initialRebalanceDelayMs, remainingMs)
    awaitNewcomers(partition, group, nextMs, Math.max(remainingMs - delayMs, 0))
    return nothing
  }
  later(partition, group, 'join', '', delayMs, delayEnded)
}

/** Answers everybody who waits for an assignment. */
export function answerSyncs(
  partition: GroupPartition,
  group: ClassicGroup,
  errorCode: number,
): void {
  for (const member of group.members.values()) {
    const response =
      errorCode === kafkaError.NONE
        ? syncResponse(group, member)
        : { errorCode, assignment: noAssignment }
    // While the request was held back the session could have ended unnoticed.
    if (group.answerSync(member.memberId, response)) restartSession(partition, group, member)
  }
}

export function syncResponse(group: ClassicGroup, member: ClassicMember): SyncResponse {
  return {
    errorCode: kafkaError.NONE,
    protocolType: group.protocolType ?? null,
    protocolName: group.protocolName ?? null,
    assignment: member.assignment,
  }
}

/** Members that have joined and never ask for their assignments are out. */
function expireSyncs(
  partition: GroupPartition,
  group: ClassicGroup,
  generation: number,
): readonly GroupRecord[] {
  const expected = group.state === 'CompletingRebalance' || group.state === 'Stable'
  if (!expected || group.generation !== generation || group.pendingSyncs.size === 0) return nothing
  for (const memberId of [...group.pendingSyncs]) {
    group.remove(memberId)
    partition.timers.cancel(group.groupId, 'session', memberId)
  }
  return prepareRebalance(partition, group)
}

/** Notes that a member has asked for its assignment. */
export function syncReceived(
  partition: GroupPartition,
  group: ClassicGroup,
  memberId: string,
): void {
  group.pendingSyncs.delete(memberId)
  if (group.pendingSyncs.size === 0) partition.timers.cancel(group.groupId, 'sync', '')
}

/** A member was heard of: its session begins anew. */
export function restartSession(
  partition: GroupPartition,
  group: ClassicGroup,
  member: ClassicMember,
): void {
  awaitMember(partition, group, member.memberId, member.sessionTimeoutMs)
}

export function awaitNewMember(
  partition: GroupPartition,
  group: ClassicGroup,
  memberId: string,
): void {
  awaitMember(partition, group, memberId, newMemberTimeoutMs)
}

export function awaitMember(
  partition: GroupPartition,
  group: ClassicGroup,
  memberId: string,
  timeoutMs: number,
): void {
  later(partition, group, 'session', memberId, timeoutMs, () =>
    endSession(partition, group, memberId),
  )
}

function endSession(
  partition: GroupPartition,
  group: ClassicGroup,
  memberId: string,
): readonly GroupRecord[] {
  if (group.pendingJoins.has(memberId)) {
    group.remove(memberId)
    return completeIfPossible(partition, group)
  }
  const member = group.members.get(memberId)
  if (member === undefined || group.needsNoHeartbeat(member)) return nothing
  takeOut(partition, group, memberId)
  return afterRemoval(partition, group)
}

/**
 * Removes a member. If its join is held back, the client may still be there: it is told that it is
 * unknown, and joins anew.
 */
export function takeOut(partition: GroupPartition, group: ClassicGroup, memberId: string): void {
  partition.timers.cancel(group.groupId, 'session', memberId)
  group.answerJoin(memberId, joinError(kafkaError.UNKNOWN_MEMBER_ID, ''))
  group.answerSync(memberId, {
    errorCode: kafkaError.UNKNOWN_MEMBER_ID,
    assignment: noAssignment,
  })
  group.remove(memberId)
}

/** A group that has lost members assigns again. */
function afterRemoval(partition: GroupPartition, group: ClassicGroup): readonly GroupRecord[] {
  if (group.state === 'Stable' || group.state === 'CompletingRebalance') {
    return prepareRebalance(partition, group)
  }
  return completeIfPossible(partition, group)
}

function completeIfPossible(
  partition: GroupPartition,
  group: ClassicGroup,
): readonly GroupRecord[] {
  const complete = group.state === 'PreparingRebalance' && group.allJoined
  return complete ? completeJoin(partition, group) : nothing
}

function later(
  partition: GroupPartition,
  group: ClassicGroup,
  kind: TimerKind,
  memberId: string,
  delayMs: number,
  act: () => readonly GroupRecord[],
): void {
  partition.schedule(group.groupId, kind, memberId, delayMs, () => ({
    answer: undefined,
    records: act(),
    inMemory: true,
  }))
}

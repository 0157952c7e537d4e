import type { CurrentAssignmentValue, GroupMemberValue } from '../group-record.ts'
import { copiedProtocols, sameProtocols } from '../classic/classic-member.ts'
import type { ClassicProtocol } from '../classic/classic-member.ts'
import { fromList, noPartitions, samePartitions } from '../topic-partitions.ts'
import type { TopicPartitions } from '../topic-partitions.ts'

/**
 * How far a member is on its way to the target assignment.
 *
 * - *stable*: it has what the target assignment of its epoch gives it.
 * - *unrevoked*: it was asked to give partitions up and has not confirmed that it did. It stays in
 *   its epoch, so that what it commits for them is accepted.
 * - *unreleased*: it is in the target's epoch and waits for partitions that others still have.
 */
export type MemberState = 'stable' | 'unrevoked' | 'unreleased'

/** Kafka's numbers of the states, in stored records. */
const stateNumbers = { stable: 0, unrevoked: 1, unreleased: 2 } as const

/** What a member that uses the classic protocol has said when it joined. */
export interface ClassicMembership {
  readonly sessionTimeoutMs: number
  readonly protocols: readonly ClassicProtocol[]
}

/** What a member says of itself. */
export interface MemberDescription {
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  /** Sorted, each once. */
  readonly topicNames: readonly string[]
  /** A pattern in RE2's syntax; null and '' stand for none. */
  readonly topicPattern: string | null
  readonly assignor: string | null
  /** Null for members that use the next-generation protocol. */
  readonly classic: ClassicMembership | null
}

/** What the coordinator knows of a member's assignment. */
export interface MemberAssignment {
  readonly epoch: number
  readonly previousEpoch: number
  readonly state: MemberState
  readonly assigned: TopicPartitions
  /** Partitions that it was told to give up. Nobody else gets one before it has. */
  readonly pendingRevocation: TopicPartitions
}

/** A member of a consumer group. A value: a change makes another one. */
export interface ConsumerMember extends MemberDescription, MemberAssignment {
  readonly memberId: string
}

/** The epoch with which a static member says that it will be back. */
export const staticLeaveEpoch = -2
/** The epoch with which a member leaves. */
export const leaveEpoch = -1
/** The epoch with which a member joins. */
export const joinEpoch = 0

const noDescription: MemberDescription = {
  instanceId: null,
  rackId: null,
  clientId: '',
  clientHost: '',
  rebalanceTimeoutMs: -1,
  topicNames: [],
  topicPattern: null,
  assignor: null,
  classic: null,
}

export const noMemberAssignment: MemberAssignment = {
  epoch: joinEpoch,
  previousEpoch: -1,
  state: 'stable',
  assigned: noPartitions,
  pendingRevocation: noPartitions,
}

export function newMember(memberId: string): ConsumerMember {
  return { memberId, ...noDescription, ...noMemberAssignment }
}

/** The pattern that a member subscribes with, if it does. */
export function patternOf(member: ConsumerMember | undefined): string | undefined {
  const pattern = member?.topicPattern
  return pattern === null || pattern === '' ? undefined : pattern
}

export function isReconciled(member: ConsumerMember, targetEpoch: number): boolean {
  return member.state === 'stable' && member.epoch === targetEpoch
}

export function sameTopicNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index])
}

export function sortedNames(names: Iterable<string>): readonly string[] {
  return [...new Set(names)].sort()
}

export function sameDescription(a: MemberDescription, b: MemberDescription): boolean {
  return (
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.topicPattern === b.topicPattern &&
    a.assignor === b.assignor &&
    sameTopicNames(a.topicNames, b.topicNames) &&
    sameMembership(a.classic, b.classic)
  )
}

function sameMembership(a: ClassicMembership | null, b: ClassicMembership | null): boolean {
  if (a === null || b === null) return a === b
  return a.sessionTimeoutMs === b.sessionTimeoutMs && sameProtocols(a.protocols, b.protocols)
}

export function sameAssignment(a: MemberAssignment, b: MemberAssignment): boolean {
  return (
    a.epoch === b.epoch &&
    a.previousEpoch === b.previousEpoch &&
    a.state === b.state &&
    samePartitions(a.assigned, b.assigned) &&
    samePartitions(a.pendingRevocation, b.pendingRevocation)
  )
}

export function stateNumber(state: MemberState): number {
  return stateNumbers[state]
}

export function descriptionOf(value: GroupMemberValue): MemberDescription {
  const classic = value.classicMemberMetadata
  return {
    instanceId: value.instanceId,
    rackId: value.rackId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    rebalanceTimeoutMs: value.rebalanceTimeoutMs,
    topicNames: sortedNames(value.subscribedTopicNames),
    topicPattern: value.subscribedTopicRegex,
    assignor: value.serverAssignor,
    classic:
      classic === null
        ? null
        : {
            sessionTimeoutMs: classic.sessionTimeoutMs,
            protocols: copiedProtocols(classic.supportedProtocols),
          },
  }
}

/** A state that we do not know can only be from a later version; reconciling settles it. */
export function assignmentOf(value: CurrentAssignmentValue): MemberAssignment {
  const state = (Object.keys(stateNumbers) as MemberState[]).find(
    (name) => stateNumbers[name] === value.state,
  )
  return {
    epoch: value.memberEpoch,
    previousEpoch: value.previousMemberEpoch,
    state: state ?? 'unreleased',
    assigned: fromList(value.assignedPartitions),
    pendingRevocation: fromList(value.partitionsPendingRevocation),
  }
}

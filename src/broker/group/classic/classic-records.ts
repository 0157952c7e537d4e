import type { ClassicGroupRecord, ClassicGroupValue, GroupRecord } from '../group-record.ts'
import { ClassicGroup } from './classic-group.ts'
import { copiedProtocols, metadataOf, noAssignment } from './classic-member.ts'

/** The record of a group as it is, with the assignments that the leader has sent. */
export function classicGroupRecord(
  group: ClassicGroup,
  assignments: ReadonlyMap<string, Buffer>,
): ClassicGroupRecord & { readonly value: ClassicGroupValue } {
  const protocol = group.protocolName ?? null
  const members = [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeout: member.rebalanceTimeoutMs,
    sessionTimeout: member.sessionTimeoutMs,
    subscription: metadataOf(member, protocol ?? ''),
    assignment: assignments.get(member.memberId) ?? noAssignment,
  }))
  return {
    kind: 'classic-group',
    group: group.groupId,
    value: {
      protocolType: group.protocolType ?? '',
      generation: group.generation,
      protocol,
      leader: group.leaderId ?? null,
      currentStateTimestamp: group.stateSinceMs,
      members,
    },
  }
}

/**
 * The record of a group whose members must join again before they can go on. A group with members
 * has a leader, so a record of one without says that.
 */
export function owingRecord(
  group: ClassicGroup,
  assignments: ReadonlyMap<string, Buffer>,
): GroupRecord {
  const record = classicGroupRecord(group, assignments)
  return { ...record, value: { ...record.value, leader: null } }
}

/** The record of a group that nobody has joined yet. */
export function emptyGroupRecord(groupId: string, nowMs: number): GroupRecord {
  return {
    kind: 'classic-group',
    group: groupId,
    value: {
      protocolType: '',
      generation: 0,
      protocol: null,
      leader: null,
      currentStateTimestamp: nowMs,
      members: [],
    },
  }
}

/** A group as its record describes it: its members go on where they were. */
export function restoredGroup(groupId: string, value: ClassicGroupValue): ClassicGroup {
  const group = new ClassicGroup({
    groupId,
    state: value.members.length === 0 ? 'Empty' : 'Stable',
    stateSinceMs: value.currentStateTimestamp,
    generation: value.generation,
    protocolType: value.protocolType === '' ? undefined : value.protocolType,
    protocolName: value.protocol ?? undefined,
    leaderId: value.leader ?? undefined,
  })
  for (const member of value.members) {
    const { sessionTimeout, rebalanceTimeout } = member
    group.add(
      {
        memberId: member.memberId,
        instanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        sessionTimeoutMs: sessionTimeout,
        rebalanceTimeoutMs: rebalanceTimeout === -1 ? sessionTimeout : rebalanceTimeout,
        protocols: copiedProtocols([{ name: value.protocol ?? '', metadata: member.subscription }]),
        assignment: Buffer.from(member.assignment),
        isNew: false,
      },
      value.protocolType,
    )
  }
  group.updateSubscribedTopics()
  group.owesRebalance = value.leader === null && value.members.length > 0
  return group
}

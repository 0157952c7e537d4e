import { refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { joinEpoch, staticLeaveEpoch } from './consumer-member.ts'
import type { ConsumerMember } from './consumer-member.ts'
import {
  currentAssignmentRecord,
  memberRecord,
  memberTombstones,
  targetRecord,
} from './consumer-records.ts'
import type { Draft } from './draft.ts'

export function notInGroup(group: ConsumerGroup, memberId: string): Refusal {
  return refuse(
    'UNKNOWN_MEMBER_ID',
    `Member ${memberId} is not a member of group ${group.groupId}.`,
  )
}

/** The owner of an instance id, which must be the member that asks. */
export function knownStaticMember(
  group: ConsumerGroup,
  memberId: string,
  instanceId: string,
): ConsumerMember | Refusal {
  const owner = group.memberOfInstance(instanceId)
  if (owner === undefined) {
    return refuse('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`)
  }
  if (owner.memberId === memberId) return owner
  return refuse(
    'FENCED_INSTANCE_ID',
    `Static member ${memberId} with instance id ${instanceId} was fenced by member ${owner.memberId}.`,
  )
}

/** A member by either of its ids, as classic requests name it. */
export function memberByIds(
  group: ConsumerGroup,
  memberId: string,
  instanceId: string | null,
): ConsumerMember | Refusal {
  if (instanceId !== null) return knownStaticMember(group, memberId, instanceId)
  return group.members.get(memberId) ?? notInGroup(group, memberId)
}

/**
 * The next incarnation of a static member: it has what the last one had, under its own id. Where
 * both use the next-generation protocol, the last one must have said that it leaves.
 */
export function successor(
  { group, records }: Draft,
  last: ConsumerMember,
  memberId: string,
  usesConsumerProtocol: boolean,
): ConsumerMember | Refusal {
  if (usesConsumerProtocol && last.classic === null && last.epoch !== staticLeaveEpoch) {
    return refuse(
      'UNRELEASED_INSTANCE_ID',
      `Static member ${memberId} with instance id ${last.instanceId} cannot join the group because the instance id is owned by ${last.memberId} member.`,
    )
  }
  const { groupId } = group
  const next: ConsumerMember = { ...last, memberId, epoch: joinEpoch, previousEpoch: joinEpoch }
  records.push(
    ...memberTombstones(groupId, last.memberId),
    memberRecord(groupId, next),
    targetRecord(groupId, memberId, group.target(last.memberId)),
    currentAssignmentRecord(groupId, next),
  )
  return next
}

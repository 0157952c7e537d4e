import { ClassicGroup } from '../classic/classic-group.ts'
import { metadataOf } from '../classic/classic-member.ts'
import type { ClassicMember } from '../classic/classic-member.ts'
import { classicGroupRecord, owingRecord } from '../classic/classic-records.ts'
import { prepareRebalance, restartSession } from '../classic/rebalance.ts'
import { consumerProtocolType, writeAssignment } from '../consumer-protocol.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import { unionOf } from '../topic-partitions.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ClassicMembership, ConsumerMember } from './consumer-member.ts'
import { groupTombstones, memberTombstones } from './consumer-records.ts'

/** Whether a group that is left with these members becomes a classic one. */
export function mayDowngrade(
  partition: GroupPartition,
  remaining: readonly ConsumerMember[],
): boolean {
  const { consumerMigration, membersMax } = partition.ports.config()
  return (
    remaining.length > 0 &&
    remaining.length <= membersMax &&
    remaining.every(({ classic }) => classic !== null) &&
    (consumerMigration === 'bidirectional' || consumerMigration === 'downgrade')
  )
}

/**
 * Makes a classic group of a consumer group whose remaining members all use the classic protocol.
 * It goes on in a generation with the number of the group's epoch: a member that has not got that
 * far finds its generation unknown and joins anew.
 *
 * Their assignments are what they have now, where Kafka notes what they were to get: a cooperative
 * member works on until it joins again, and if the group is upgraded before that, nobody else may
 * get what it has. With `rebalance` the group says in its record that it owes its members a
 * rebalance, so that one that was cut short by a restart is not forgotten: the one who has left is
 * in no record whose session could end.
 */
export function downgrade(
  partition: GroupPartition,
  group: ConsumerGroup,
  remaining: readonly ConsumerMember[],
  rebalance: boolean,
): Pick<Change<unknown>, 'records' | 'after'> {
  const { clock } = partition.ports
  const classic = new ClassicGroup({
    groupId: group.groupId,
    state: 'Stable',
    stateSinceMs: clock.now(),
    generation: group.epoch,
    protocolType: consumerProtocolType,
    protocolName: undefined,
    leaderId: undefined,
  })
  for (const member of remaining) {
    if (member.classic !== null) {
      classic.add(classicMember(member, member.classic), consumerProtocolType)
    }
  }
  classic.chooseProtocol()
  const assignments = new Map<string, Buffer>()
  for (const { memberId, assigned, pendingRevocation } of remaining) {
    const member = classic.members.get(memberId)
    if (member === undefined) continue
    const held = unionOf(assigned, pendingRevocation)
    const subscription = metadataOf(member, classic.protocolName ?? '')
    member.assignment = writeAssignment(held, partition.ports.topics, subscription)
    assignments.set(memberId, member.assignment)
  }
  const newIds = remaining.filter(({ memberId }) => !group.members.has(memberId))
  return {
    records: [
      ...newIds.flatMap(({ memberId }) => memberTombstones(group.groupId, memberId)),
      ...groupTombstones(group),
      rebalance ? owingRecord(classic, assignments) : classicGroupRecord(classic, assignments),
    ],
    after: () => {
      partition.state.install(classic)
      for (const member of classic.members.values()) restartSession(partition, classic, member)
      if (rebalance) prepareRebalance(partition, classic)
    },
  }
}

function classicMember(member: ConsumerMember, classic: ClassicMembership): ClassicMember {
  return {
    memberId: member.memberId,
    instanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    sessionTimeoutMs: classic.sessionTimeoutMs,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    protocols: classic.protocols,
    assignment: Buffer.alloc(0),
    isNew: false,
  }
}

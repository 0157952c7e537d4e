import type { ConsumerGroupRecord } from '../group-record.ts'
import { toList } from '../topic-partitions.ts'
import type { TopicPartitions } from '../topic-partitions.ts'
import type { ConsumerGroup, ResolvedPattern } from './consumer-group.ts'
import { stateNumber } from './consumer-member.ts'
import type { ConsumerMember } from './consumer-member.ts'

export function memberRecord(group: string, member: ConsumerMember): ConsumerGroupRecord {
  const { classic } = member
  return {
    kind: 'member',
    group,
    member: member.memberId,
    value: {
      instanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.topicNames],
      subscribedTopicRegex: member.topicPattern,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      serverAssignor: member.assignor,
      classicMemberMetadata:
        classic === null
          ? null
          : {
              sessionTimeoutMs: classic.sessionTimeoutMs,
              supportedProtocols: [...classic.protocols],
            },
    },
  }
}

export function groupEpochRecord(
  group: string,
  epoch: number,
  metadataHash: number,
): ConsumerGroupRecord {
  return { kind: 'group-epoch', group, value: { epoch, metadataHash } }
}

export function targetEpochRecord(group: string, assignmentEpoch: number): ConsumerGroupRecord {
  return { kind: 'target-epoch', group, value: { assignmentEpoch } }
}

export function targetRecord(
  group: string,
  member: string,
  assigned: TopicPartitions,
): ConsumerGroupRecord {
  return { kind: 'target-member', group, member, value: { topicPartitions: toList(assigned) } }
}

export function currentAssignmentRecord(
  group: string,
  member: ConsumerMember,
): ConsumerGroupRecord {
  return {
    kind: 'current-assignment',
    group,
    member: member.memberId,
    value: {
      memberEpoch: member.epoch,
      previousMemberEpoch: member.previousEpoch,
      state: stateNumber(member.state),
      assignedPartitions: toList(member.assigned),
      partitionsPendingRevocation: toList(member.pendingRevocation),
    },
  }
}

export function patternRecord(
  group: string,
  expression: string,
  resolved: ResolvedPattern | null,
): ConsumerGroupRecord {
  const value =
    resolved === null
      ? null
      : { topics: [...resolved.topics].sort(), version: resolved.version, timestamp: resolved.atMs }
  return { kind: 'regular-expression', group, expression, value }
}

/** What deletes a member: first what it has, last that it is. */
export function memberTombstones(group: string, member: string): ConsumerGroupRecord[] {
  return [
    { kind: 'current-assignment', group, member, value: null },
    { kind: 'target-member', group, member, value: null },
    { kind: 'member', group, member, value: null },
  ]
}

/** What deletes a group and all its members; the group itself comes last. */
export function groupTombstones(group: ConsumerGroup): ConsumerGroupRecord[] {
  const { groupId } = group
  return [
    ...[...group.members.keys()].flatMap((member) => memberTombstones(groupId, member)),
    ...[...group.patterns.keys()].map((pattern) => patternRecord(groupId, pattern, null)),
    { kind: 'target-epoch', group: groupId, value: null },
    { kind: 'group-epoch', group: groupId, value: null },
  ]
}

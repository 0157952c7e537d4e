import { kafkaError } from '../../../protocol/index.ts'
import { refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import type { ClassicGroup } from '../classic/classic-group.ts'
import { metadataOf } from '../classic/classic-member.ts'
import type { ClassicMember } from '../classic/classic-member.ts'
import { partitionsWithIds, readAssignment, readSubscription } from '../consumer-protocol.ts'
import type { Subscription } from '../consumer-protocol.ts'
import type { GroupPartition } from '../group-partition.ts'
import type { ConsumerGroupRecord, GroupRecord } from '../group-record.ts'
import { addPartition, eachPartition, hasPartition, noPartitions } from '../topic-partitions.ts'
import type { TopicPartitions } from '../topic-partitions.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { newMember, sortedNames } from './consumer-member.ts'
import type { ConsumerMember } from './consumer-member.ts'
import {
  currentAssignmentRecord,
  groupEpochRecord,
  memberRecord,
  targetEpochRecord,
  targetRecord,
} from './consumer-records.ts'
import type { Draft } from './draft.ts'
import { metadataHash } from './metadata-hash.ts'
import { awaitHeartbeat } from './sessions.ts'

/**
 * Begins to change a classic group that a member of the next generation wants to join into a
 * consumer group. Its members stay: the consumer group answers their classic requests from then on.
 * An empty group has nothing to convert but its name.
 */
export function upgrade(partition: GroupPartition, classic: ClassicGroup): Draft | Refusal {
  const { groupId } = classic
  const group = new ConsumerGroup(groupId)
  const records: GroupRecord[] = [{ kind: 'classic-group', group: groupId, value: null }]
  const draft: Draft = { partition, group, records, afterwards: [] }
  if (classic.isEmpty) return draft
  const members = mayUpgrade(partition, classic) ?? convertedMembers(partition, classic)
  if (!Array.isArray(members)) return members
  for (const record of recordsOf(partition, group, classic.generation, members)) {
    group.apply(record)
    records.push(record)
  }
  draft.afterwards.push(() => {
    // Whoever waits for the rebalance of the classic group joins the consumer group instead.
    classic.answerAll(kafkaError.REBALANCE_IN_PROGRESS)
    for (const member of members) awaitHeartbeat(partition, groupId, member)
  })
  return draft
}

function mayUpgrade(partition: GroupPartition, classic: ClassicGroup): Refusal | undefined {
  const { consumerMigration, consumerMembersMax } = partition.ports.config()
  if (consumerMigration !== 'bidirectional' && consumerMigration !== 'upgrade') {
    return cannot(classic, 'online upgrade is disabled')
  }
  if (!classic.usesConsumerProtocol) {
    return cannot(classic, 'the group does not use the consumer embedded protocol')
  }
  if (classic.members.size > consumerMembersMax) {
    return cannot(classic, 'the group size exceeds the consumer group maximum size')
  }
  return undefined
}

function convertedMembers(
  partition: GroupPartition,
  classic: ClassicGroup,
): ConsumerMember[] | Refusal {
  const members: ConsumerMember[] = []
  const taken = new Map<string, Set<number>>()
  for (const member of classic.members.values()) {
    const subscription = readSubscription(metadataOf(member, classic.protocolName ?? ''))
    const assigned = assignedTo(partition, member)
    if (subscription === undefined || assigned === 'malformed') {
      return cannot(classic, 'the embedded consumer protocol is malformed')
    }
    if (assigned === 'custom') {
      return cannot(classic, 'an unsupported custom assignor is in use')
    }
    members.push(converted(classic, member, subscription, claimed(assigned, taken)))
  }
  return members
}

/** What the leader has assigned. User data means something to its assignor that we would lose. */
function assignedTo(
  { ports }: GroupPartition,
  { assignment }: ClassicMember,
): TopicPartitions | 'malformed' | 'custom' {
  if (assignment.length === 0) return noPartitions
  const decoded = readAssignment(assignment)
  if (decoded === undefined) return 'malformed'
  if (decoded.userData !== null && decoded.userData.length > 0) return 'custom'
  return partitionsWithIds(decoded.assignedPartitions, ports.topics)
}

/** A leader may have given a partition to two members. Here, only one can have it. */
function claimed(assigned: TopicPartitions, taken: Map<string, Set<number>>): TopicPartitions {
  const kept = new Map<string, Set<number>>()
  for (const [topicId, partition] of eachPartition(assigned)) {
    if (hasPartition(taken, topicId, partition)) continue
    addPartition(taken, topicId, partition)
    addPartition(kept, topicId, partition)
  }
  return kept
}

function converted(
  classic: ClassicGroup,
  member: ClassicMember,
  subscription: Subscription,
  assigned: TopicPartitions,
): ConsumerMember {
  const { sessionTimeoutMs, protocols } = member
  return {
    ...newMember(member.memberId),
    instanceId: member.instanceId,
    rackId: subscription.rackId === '' ? null : subscription.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    topicNames: sortedNames(subscription.topics),
    classic: { sessionTimeoutMs, protocols },
    epoch: classic.generation,
    previousEpoch: classic.generation,
    assigned,
  }
}

function recordsOf(
  { ports }: GroupPartition,
  group: ConsumerGroup,
  epoch: number,
  members: readonly ConsumerMember[],
): ConsumerGroupRecord[] {
  const { groupId } = group
  const hash = metadataHash(ports.topics, group.subscribedTopics(members))
  return [
    ...members.map((member) => memberRecord(groupId, member)),
    groupEpochRecord(groupId, epoch, hash),
    ...members.map(({ memberId, assigned }) => targetRecord(groupId, memberId, assigned)),
    targetEpochRecord(groupId, epoch),
    ...members.map((member) => currentAssignmentRecord(groupId, member)),
  ]
}

function cannot({ groupId }: ClassicGroup, why: string): Refusal {
  return refuse(
    'GROUP_ID_NOT_FOUND',
    `Cannot upgrade classic group ${groupId} to consumer group because ${why}.`,
  )
}

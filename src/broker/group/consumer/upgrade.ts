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
import {
  addPartition,
  eachPartition,
  filterPartitions,
  hasPartition,
  noPartitions,
  unionOf,
} from '../topic-partitions.ts'
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
  const { topics } = partition.ports
  const held: Held[] = []
  for (const member of classic.members.values()) {
    const subscription = readSubscription(metadataOf(member, classic.protocolName ?? ''))
    const assigned = assignedTo(partition, member)
    if (subscription === undefined || assigned === 'malformed') {
      return cannot(classic, 'the embedded consumer protocol is malformed')
    }
    if (assigned === 'custom') {
      return cannot(classic, 'an unsupported custom assignor is in use')
    }
    const owned = partitionsWithIds(subscription.ownedPartitions, topics)
    held.push({ member, subscription, assigned, owned })
  }
  const shares = dividedAmong(held)
  return held.map(({ member, subscription }, index) =>
    converted(classic, member, subscription, shares[index] ?? noPartitions),
  )
}

/** What a member may be working on. */
interface Held {
  readonly member: ClassicMember
  readonly subscription: Subscription
  /** By the last assignment of the leader, which the member may not have got yet. */
  readonly assigned: TopicPartitions
  /** By its own word, when it last joined. */
  readonly owned: TopicPartitions
}

/**
 * What each is taken to have. A cooperative member goes on with what it had when it joined until it
 * gets its next assignment. If that is on its way, what it is to give up appears to be free: another
 * member would get it at once, and both would work on it. So all that a member may have is its own
 * until it joins again and says what it still has. Kafka takes the assignments alone.
 *
 * No partition is with two members: not if a leader has given it to both, and not if one has by now
 * what another had when it joined.
 */
function dividedAmong(held: readonly Held[]): TopicPartitions[] {
  const taken = new Map<string, Set<number>>()
  const assigned = held.map((one) => claimed(one.assigned, taken))
  return held.map((one, index) =>
    unionOf(assigned[index] ?? noPartitions, claimed(one.owned, taken)),
  )
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

/** Takes those of the partitions that nobody has yet. */
function claimed(wanted: TopicPartitions, taken: Map<string, Set<number>>): TopicPartitions {
  const free = filterPartitions(wanted, (...place) => !hasPartition(taken, ...place))
  for (const place of eachPartition(free)) addPartition(taken, ...place)
  return free
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

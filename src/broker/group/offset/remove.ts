import { kafkaError } from '../../../protocol/index.ts'
import type { offsetDeleteApi, RequestOf, ResponseInput } from '../../../protocol/index.ts'
import { refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import { groupTombstones } from '../consumer/consumer-records.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import type { GroupRecord } from '../group-record.ts'
import type { Group, GroupState } from '../group-state.ts'
import { shareGroupTombstones } from '../share/share-group.ts'
import type { ShareGroup } from '../share/share-group.ts'
import type { CommittedOffset } from './offset-store.ts'

export type OffsetDeleteRequest = RequestOf<typeof offsetDeleteApi>
export type OffsetDeleteResponse = ResponseInput<typeof offsetDeleteApi>

/** Deletes a group's offsets of topics that it does not subscribe to. */
export function deleteOffsets(
  partition: GroupPartition,
  request: OffsetDeleteRequest,
): Change<OffsetDeleteResponse | Refusal> {
  const { groupId } = request
  const { offsets } = partition.state
  const group = partition.state.group(groupId)
  if (group === undefined) return { answer: refuse('GROUP_ID_NOT_FOUND', 'no such group') }
  if (group.type === 'share') {
    return { answer: refuse('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`) }
  }
  if (group.type === 'classic' && !group.isEmpty && !group.usesConsumerProtocol) {
    return { answer: refuse('NON_EMPTY_GROUP', 'the members may use the offsets') }
  }
  const subscribed = subscriptionOf(group)
  const records: GroupRecord[] = []
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => {
      if (subscribed(name)) {
        return { partitionIndex, errorCode: kafkaError.GROUP_SUBSCRIBED_TO_TOPIC }
      }
      const isThere =
        offsets.get(groupId, name, partitionIndex) !== undefined ||
        offsets.isPending(groupId, name, partitionIndex)
      if (isThere) records.push(tombstone(groupId, name, partitionIndex))
      return { partitionIndex, errorCode: kafkaError.NONE }
    }),
  }))
  return { answer: { errorCode: kafkaError.NONE, throttleTimeMs: 0, topics }, records }
}

/** Deletes a group without members, and its offsets. */
export function deleteGroup(partition: GroupPartition, groupId: string): Change<number> {
  const group = partition.state.group(groupId)
  if (group === undefined) return { answer: kafkaError.GROUP_ID_NOT_FOUND }
  if (!group.isEmpty) return { answer: kafkaError.NON_EMPTY_GROUP }
  const records = [...allTombstones(partition.state, groupId), ...tombstonesOf(group)]
  return { answer: kafkaError.NONE, records }
}

/**
 * Deletes the offsets of a group that are older than the retention time, and the group itself when
 * it has neither offsets nor members. Offsets of a topic that the group subscribes to never expire,
 * nor those for which a transaction is open: when it ends, it would bring the old one back.
 */
export function expireOffsets(
  partition: GroupPartition,
  groupId: string,
  nowMs: number,
): Change<undefined> {
  const { offsets } = partition.state
  const group = partition.state.group(groupId)
  // A share group has no offsets that expire, and stays until it is deleted.
  if (group === undefined || group.type === 'share') return { answer: undefined }
  const subscribed = subscriptionOf(group)
  const records: GroupRecord[] = []
  let anyIsLeft = offsets.hasPending(groupId)
  for (const [topic, index, offset] of offsets.committed(groupId)) {
    const isExpired =
      !subscribed(topic) &&
      !offsets.isPending(groupId, topic, index) &&
      hasExpired(partition, group, offset, nowMs)
    if (isExpired) records.push(tombstone(groupId, topic, index))
    else anyIsLeft = true
  }
  const isUnused = group.isEmpty && !(group.type === 'classic' && group.pendingJoins.size > 0)
  if (!anyIsLeft && isUnused) records.push(...tombstonesOf(group))
  return { answer: undefined, records }
}

/**
 * The retention time counts from when a classic group lost its last member; from the commit, where
 * nobody was ever a member, where the topic is not subscribed to any more, and in consumer groups.
 * A classic group that is rebalancing, or whose subscriptions are not known, may need its offsets.
 */
function hasExpired(
  { ports }: GroupPartition,
  group: Group,
  offset: CommittedOffset,
  nowMs: number,
): boolean {
  let sinceMs = offset.committedAtMs
  if (group.type === 'classic' && group.protocolType !== undefined) {
    if (group.isEmpty) {
      if (group.stateSinceMs !== -1) sinceMs = group.stateSinceMs
    } else if (group.state !== 'Stable' || group.subscribedTopics === undefined) {
      return false
    }
  }
  if (offset.expiresAtMs !== -1) return nowMs >= offset.expiresAtMs
  return nowMs - sinceMs >= ports.config().offsetsRetentionMs
}

/** Deletes a group's offsets of a topic that is gone. */
export function forgetTopic(
  partition: GroupPartition,
  groupId: string,
  topic: string,
): Change<undefined> {
  const records: GroupRecord[] = []
  for (const [group, index] of partition.state.offsets.ofTopic(topic)) {
    if (group === groupId) records.push(tombstone(groupId, topic, index))
  }
  return { answer: undefined, records }
}

function subscriptionOf(group: Exclude<Group, ShareGroup>): (topic: string) => boolean {
  if (group.type === 'classic') return (topic) => group.isSubscribed(topic)
  const topics = group.subscribedTopics()
  return (topic) => topics.has(topic)
}

function allTombstones({ offsets }: GroupState, groupId: string): GroupRecord[] {
  const committed = [...offsets.committed(groupId)].map(([topic, index]) =>
    tombstone(groupId, topic, index),
  )
  const pending = [...offsets.pending(groupId)]
    .filter(([topic, index]) => offsets.get(groupId, topic, index) === undefined)
    .map(([topic, index]) => tombstone(groupId, topic, index))
  return [...committed, ...pending]
}

function tombstonesOf(group: Group): GroupRecord[] {
  if (group.type === 'consumer') return groupTombstones(group)
  if (group.type === 'share') return shareGroupTombstones(group)
  return [{ kind: 'classic-group', group: group.groupId, value: null }]
}

function tombstone(group: string, topic: string, partition: number): GroupRecord {
  return { kind: 'offset', group, topic, partition, value: null }
}

import {
  filterPartitions,
  hasPartition,
  noPartitions,
  partitionCount,
  unionOf,
} from '../topic-partitions.ts'
import type { PartitionList, TopicPartitions } from '../topic-partitions.ts'
import type { ConsumerMember } from './consumer-member.ts'

/** Where a member is to get to. */
export interface Target {
  readonly epoch: number
  readonly assigned: TopicPartitions
  /** Whether a partition belongs to a member. */
  readonly isOwned: (topicId: string, partition: number) => boolean
}

/**
 * Takes a member as far towards the target as is safe now. A partition is taken away in two steps:
 * the member is told (it becomes *unrevoked*), and when it reports what it still has without that
 * partition, it has given it up. Only then it may have the target's epoch and what it gains; of
 * that, what still belongs to others is left out, and the member asks again (*unreleased*).
 *
 * `owned` is what the member says that it has, undefined when it does not say.
 */
export function reconcile(
  member: ConsumerMember,
  target: Target,
  owned: readonly PartitionList[] | undefined,
): ConsumerMember {
  switch (member.state) {
    case 'stable':
      return member.epoch === target.epoch ? member : advance(member, member.epoch, target, owned)
    case 'unrevoked':
      if (holdsAny(owned, member.pendingRevocation)) return member
      return advance(member, member.epoch + 1, target, owned)
    case 'unreleased':
      return advance(member, member.epoch, target, owned)
  }
}

function advance(
  member: ConsumerMember,
  epoch: number,
  target: Target,
  owned: readonly PartitionList[] | undefined,
): ConsumerMember {
  const isWanted = (topicId: string, partition: number) =>
    hasPartition(target.assigned, topicId, partition)
  const kept = filterPartitions(member.assigned, isWanted)
  const lost = filterPartitions(member.assigned, (...of) => !isWanted(...of))
  if (lost.size > 0 && holdsAny(owned, lost)) {
    return {
      ...member,
      state: 'unrevoked',
      epoch,
      previousEpoch: member.epoch,
      assigned: kept,
      pendingRevocation: lost,
    }
  }
  const missing = filterPartitions(target.assigned, (...of) => !hasPartition(kept, ...of))
  const free = filterPartitions(missing, (...of) => !target.isOwned(...of))
  return {
    ...member,
    state: partitionCount(free) < partitionCount(missing) ? 'unreleased' : 'stable',
    epoch: target.epoch,
    previousEpoch: member.epoch,
    assigned: free.size === 0 ? kept : unionOf(kept, free),
    pendingRevocation: noPartitions,
  }
}

/** A member that does not say what it has may have everything. */
function holdsAny(owned: readonly PartitionList[] | undefined, these: TopicPartitions): boolean {
  if (owned === undefined) return true
  return owned.some(({ topicId, partitions }) =>
    partitions.some((partition) => hasPartition(these, topicId, partition)),
  )
}

import type { Change, GroupPartition } from '../group-partition.ts'
import type { GroupRecord } from '../group-record.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { patternOf } from './consumer-member.ts'
import { groupEpochRecord, memberTombstones, patternRecord } from './consumer-records.ts'
import { downgrade, mayDowngrade } from './downgrade.ts'
import { metadataHash } from './metadata-hash.ts'

/**
 * Takes members out: what they have is free at once, and the group gets a new epoch. When only
 * members that use the classic protocol are left, the group becomes a classic one.
 */
export function fence(
  partition: GroupPartition,
  group: ConsumerGroup,
  memberIds: ReadonlySet<string>,
): Pick<Change<unknown>, 'records' | 'after'> {
  if (memberIds.size === 0) return {}
  const remaining = group.membersAfter(memberIds)
  if (mayDowngrade(partition, remaining)) {
    return downgrade(partition, group, remaining, true)
  }
  const records: GroupRecord[] = []
  for (const memberId of memberIds) records.push(...memberTombstones(group.groupId, memberId))
  const stillUsed = new Set(remaining.map(patternOf))
  for (const pattern of group.patterns.keys()) {
    if (!stillUsed.has(pattern)) records.push(patternRecord(group.groupId, pattern, null))
  }
  const hash = metadataHash(partition.ports.topics, group.subscribedTopics(remaining))
  records.push(groupEpochRecord(group.groupId, group.epoch + 1, hash))
  const after = () => {
    for (const memberId of memberIds) partition.timers.cancelMember(group.groupId, memberId)
  }
  return { records, after }
}

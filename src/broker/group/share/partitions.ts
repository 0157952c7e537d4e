import { refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import { filterPartitions, samePartitions, unionOf } from '../topic-partitions.ts'
import type { TopicPartitions } from '../topic-partitions.ts'
import type { ShareGroup } from './share-group.ts'
import { sharePartitionsRecord } from './share-record.ts'

/** The partitions of which a share group has state. */
export function partitionsOfShareGroup(
  partition: GroupPartition,
  groupId: string,
): TopicPartitions | Refusal {
  const group = partition.state.group(groupId)
  if (group?.type === 'share') return group.partitions
  return refuse('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a share group.`)
}

/** Notes of which partitions a share group without members will have state. */
export function addSharePartitions(
  partition: GroupPartition,
  groupId: string,
  added: TopicPartitions,
): Change<TopicPartitions | Refusal> {
  return changePartitions(partition, groupId, (known) => unionOf(known, added))
}

/** Notes that a share group without members has no state of some topics any more. */
export function removeShareTopics(
  partition: GroupPartition,
  groupId: string,
  topicIds: ReadonlySet<string>,
): Change<TopicPartitions | Refusal> {
  return changePartitions(partition, groupId, (known) =>
    filterPartitions(known, (topicId) => !topicIds.has(topicId)),
  )
}

/** Answers what the group had state of before. */
function changePartitions(
  partition: GroupPartition,
  groupId: string,
  change: (known: TopicPartitions) => TopicPartitions,
): Change<TopicPartitions | Refusal> {
  const group = partition.state.group(groupId)
  if (group?.type !== 'share') {
    return {
      answer: refuse('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a share group.`),
    }
  }
  if (!group.isEmpty) return { answer: refuse('NON_EMPTY_GROUP', 'The group is not empty.') }
  const next = change(group.partitions)
  if (samePartitions(next, group.partitions)) return { answer: group.partitions }
  return { answer: group.partitions, records: [recordOf(partition, group, next)] }
}

/** Forgets a topic that is gone, whether or not the group has members. */
export function forgetSharedTopic(partition: GroupPartition, groupId: string): Change<undefined> {
  const group = partition.state.group(groupId)
  if (group?.type !== 'share') return { answer: undefined }
  const { topics } = partition.ports
  const next = filterPartitions(
    group.partitions,
    (topicId) => topics.topicById(topicId) !== undefined,
  )
  if (samePartitions(next, group.partitions)) return { answer: undefined }
  return { answer: undefined, records: [recordOf(partition, group, next)] }
}

function recordOf({ ports }: GroupPartition, { groupId }: ShareGroup, next: TopicPartitions) {
  const nameOf = (topicId: string) => ports.topics.topicById(topicId)?.name ?? ''
  return sharePartitionsRecord(groupId, next, nameOf)
}

import type { TopicPartitions } from '../topic-partitions.ts'
import type { AssignedMember, AssignmentTask } from './assignor.ts'

/**
 * Gives each subscriber of a topic a run of neighbouring partitions. Topics with the same
 * subscribers and the same number of partitions are divided alike, so that one member gets the same
 * partition of each (co-partitioning).
 */
export function assignRanges(task: AssignmentTask): ReadonlyMap<string, TopicPartitions> {
  const members = [...task.members].sort(inOrder)
  const subscribers = new Map<string, AssignedMember[]>()
  const result = new Map<string, Map<string, ReadonlySet<number>>>()
  for (const member of members) {
    result.set(member.memberId, new Map())
    for (const topicId of member.topicIds) {
      const known = subscribers.get(topicId)
      if (known === undefined) subscribers.set(topicId, [member])
      else known.push(member)
    }
  }
  for (const [topicId, sharers] of subscribers) {
    const count = task.partitionCount(topicId)
    for (const [index, { memberId }] of sharers.entries()) {
      const range = rangeOf(count, sharers.length, index)
      if (range.size > 0) result.get(memberId)?.set(topicId, range)
    }
  }
  return result
}

/** The first members get one more where the partitions do not divide evenly. */
function rangeOf(partitionCount: number, members: number, index: number): ReadonlySet<number> {
  const least = Math.floor(partitionCount / members)
  const withOneMore = partitionCount % members
  const start = index * least + Math.min(index, withOneMore)
  const length = least + (index < withOneMore ? 1 : 0)
  return new Set(Array.from({ length }, (_, offset) => start + offset))
}

/** Static members first: their ids outlive them, so their ranges do too. */
function inOrder(a: AssignedMember, b: AssignedMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return compare(a.instanceId, b.instanceId)
  if (a.instanceId !== null) return -1
  if (b.instanceId !== null) return 1
  return compare(a.memberId, b.memberId)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

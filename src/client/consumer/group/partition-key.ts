import type { TopicPartition } from '../../producer/producer-identity.ts'

/** Names a partition in maps and sets. A topic's name has no room for doubt: the number follows the last dash. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** By topic, then by number: the order in which partitions are written and told. */
export function comparePartitions(one: TopicPartition, other: TopicPartition): number {
  return compareText(one.topic, other.topic) || one.partition - other.partition
}

/** By code units, as Java compares strings: every member of a group must sort alike. */
export function compareText(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

/** Partitions gathered by topic, topics and partitions in order. */
export function byTopic(
  partitions: Iterable<TopicPartition>,
): { topic: string; partitions: number[] }[] {
  const topics: { topic: string; partitions: number[] }[] = []
  for (const { topic, partition } of [...partitions].sort(comparePartitions)) {
    const last = topics.at(-1)
    if (last?.topic === topic) last.partitions.push(partition)
    else topics.push({ topic, partitions: [partition] })
  }
  return topics
}

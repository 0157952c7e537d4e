export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/**
 * `orders-3`, as Kafka's logs have it: in messages, and as a key of maps. The number follows the last dash, so
 * no topic's name can be mistaken for another partition's.
 */
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

/** Items gathered by topic, topics in the order of their first item. */
export function byTopic<Item extends { readonly topic: string }>(
  items: Iterable<Item>,
): Map<string, Item[]> {
  const topics = new Map<string, Item[]>()
  for (const item of items) {
    const known = topics.get(item.topic)
    if (known === undefined) topics.set(item.topic, [item])
    else known.push(item)
  }
  return topics
}

/** Partitions gathered by topic, topics and partitions in order. */
export function sortedByTopic(
  partitions: Iterable<TopicPartition>,
): { topic: string; partitions: number[] }[] {
  return [...byTopic([...partitions].sort(comparePartitions))].map(([topic, some]) => ({
    topic,
    partitions: some.map(({ partition }) => partition),
  }))
}

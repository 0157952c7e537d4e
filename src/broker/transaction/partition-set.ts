/** A set of partitions, by topic. It is never changed, only replaced. */
export type PartitionSet = ReadonlyMap<string, ReadonlySet<number>>

export const noPartitions: PartitionSet = new Map()

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export function partitionSet(partitions: Iterable<TopicPartition>): PartitionSet {
  const set = new Map<string, Set<number>>()
  for (const { topic, partition } of partitions) {
    const known = set.get(topic)
    if (known === undefined) set.set(topic, new Set([partition]))
    else known.add(partition)
  }
  return set
}

export function* partitionsOf(set: PartitionSet): Iterable<TopicPartition> {
  for (const [topic, partitions] of set) {
    for (const partition of partitions) yield { topic, partition }
  }
}

export function includesPartition(
  set: PartitionSet,
  { topic, partition }: TopicPartition,
): boolean {
  return set.get(topic)?.has(partition) === true
}

export function includesAll(set: PartitionSet, others: PartitionSet): boolean {
  for (const other of partitionsOf(others)) {
    if (!includesPartition(set, other)) return false
  }
  return true
}

export function union(set: PartitionSet, added: PartitionSet): PartitionSet {
  const result = new Map(set)
  for (const [topic, partitions] of added) {
    const known = result.get(topic)
    result.set(topic, known === undefined ? partitions : new Set([...known, ...partitions]))
  }
  return result
}

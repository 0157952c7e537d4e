/** Partitions by topic id. Values are shared: nobody changes one after it was made. */
export type TopicPartitions = ReadonlyMap<string, ReadonlySet<number>>

/** The form in which the protocol and stored records carry partitions. */
export interface PartitionList {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export const noPartitions: TopicPartitions = new Map()

export function fromList(list: readonly PartitionList[]): TopicPartitions {
  const made = new Map<string, Set<number>>()
  for (const { topicId, partitions } of list) {
    for (const partition of partitions) addPartition(made, topicId, partition)
  }
  return made
}

/** Partitions in ascending order. */
export function toList(value: TopicPartitions): { topicId: string; partitions: number[] }[] {
  return [...value].map(([topicId, partitions]) => ({
    topicId,
    partitions: [...partitions].sort((a, b) => a - b),
  }))
}

export function addPartition(
  target: Map<string, Set<number>>,
  topicId: string,
  partition: number,
): void {
  const partitions = target.get(topicId)
  if (partitions === undefined) target.set(topicId, new Set([partition]))
  else partitions.add(partition)
}

export function hasPartition(value: TopicPartitions, topicId: string, partition: number): boolean {
  return value.get(topicId)?.has(partition) === true
}

export function* eachPartition(value: TopicPartitions): Iterable<[topicId: string, number]> {
  for (const [topicId, partitions] of value) {
    for (const partition of partitions) yield [topicId, partition]
  }
}

export function partitionCount(value: TopicPartitions): number {
  let count = 0
  for (const partitions of value.values()) count += partitions.size
  return count
}

/** The partitions of `value` that `keep` accepts. */
export function filterPartitions(
  value: TopicPartitions,
  keep: (topicId: string, partition: number) => boolean,
): TopicPartitions {
  const kept = new Map<string, Set<number>>()
  for (const [topicId, partition] of eachPartition(value)) {
    if (keep(topicId, partition)) addPartition(kept, topicId, partition)
  }
  return kept
}

export function unionOf(a: TopicPartitions, b: TopicPartitions): TopicPartitions {
  const all = new Map<string, Set<number>>()
  for (const [topicId, partition] of eachPartition(a)) addPartition(all, topicId, partition)
  for (const [topicId, partition] of eachPartition(b)) addPartition(all, topicId, partition)
  return all
}

/** Whether every partition of `list` is in `value`. */
export function containsAll(value: TopicPartitions, list: readonly PartitionList[]): boolean {
  return list.every(({ topicId, partitions }) =>
    partitions.every((partition) => hasPartition(value, topicId, partition)),
  )
}

export function samePartitions(a: TopicPartitions, b: TopicPartitions): boolean {
  if (a === b) return true
  if (partitionCount(a) !== partitionCount(b)) return false
  for (const [topicId, partition] of eachPartition(a)) {
    if (!hasPartition(b, topicId, partition)) return false
  }
  return true
}

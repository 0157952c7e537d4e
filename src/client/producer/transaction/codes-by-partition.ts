import { partitionKey } from '../../topic-partition.ts'
import type { TopicPartition } from '../../topic-partition.ts'

interface TopicCodes {
  readonly name: string
  readonly partitions: readonly { readonly partition: number; readonly code: number }[]
}

/** Finds the error code that a broker answered for a partition; undefined where it left it out. */
export function codesByPartition(
  topics: readonly TopicCodes[],
): (partition: TopicPartition) => number | undefined {
  const codes = new Map<string, number>()
  for (const { name, partitions } of topics) {
    for (const { partition, code } of partitions)
      codes.set(partitionKey({ topic: name, partition }), code)
  }
  return (partition) => codes.get(partitionKey(partition))
}

import type { TopicPartition } from '../producer-identity.ts'

/** Puts what belongs to one topic together, in the order in which topics first occur. */
export function partitionsByTopic<Entry extends TopicPartition>(
  entries: readonly Entry[],
): [topic: string, entries: Entry[]][] {
  const topics = new Map<string, Entry[]>()
  for (const entry of entries) {
    const inTopic = topics.get(entry.topic)
    if (inTopic === undefined) topics.set(entry.topic, [entry])
    else inTopic.push(entry)
  }
  return [...topics]
}

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
    for (const { partition, code } of partitions) codes.set(keyOf(name, partition), code)
  }
  return ({ topic, partition }) => codes.get(keyOf(topic, partition))
}

/** A partition as a key of maps. No topic has a slash in its name. */
export function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}

import { sortedByTopic } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import { Reader, Writer } from '../../../../protocol/index.ts'

/** What the `sticky` assignors of Java and ours tell the next leader. */
export interface StickyUserData {
  readonly partitions: readonly TopicPartition[]
  /** -1 where it is not told. */
  readonly generation: number
}

const nothing: StickyUserData = { partitions: [], generation: -1 }

/**
 * Version 1 of the sticky assignor's user data:
 *
 *     previous_assignment => [topic partitions]   topic => STRING   partitions => [INT32]
 *     generation => INT32                         (absent in version 0; there is no version field)
 */
export function writeStickyUserData({ partitions, generation }: StickyUserData): Buffer {
  const writer = new Writer()
  const topics = sortedByTopic(partitions)
  writer.int32(topics.length)
  for (const { topic, partitions: numbers } of topics) {
    writer.string(topic, false)
    writer.int32(numbers.length)
    for (const number of numbers) writer.int32(number)
  }
  writer.int32(generation)
  return writer.toBuffer()
}

/** Reads either version. What cannot be read counts as nothing, as in Java. */
export function readStickyUserData(userData: Buffer | null): StickyUserData {
  if (userData === null || userData.length === 0) return nothing
  try {
    const reader = new Reader(userData)
    const partitions: TopicPartition[] = []
    for (let topics = reader.int32(); topics > 0; topics--) {
      const topic = reader.text(reader.int16())
      for (let numbers = reader.int32(); numbers > 0; numbers--) {
        partitions.push({ topic, partition: reader.int32() })
      }
    }
    return { partitions, generation: reader.remaining >= 4 ? reader.int32() : -1 }
  } catch {
    return nothing
  }
}

/** The cooperative assignor tells the generation alone: the subscription itself says what is owned. */
export function writeGeneration(generation: number): Buffer {
  const writer = new Writer()
  writer.int32(generation)
  return writer.toBuffer()
}

export function readGeneration(userData: Buffer | null): number {
  return userData === null || userData.length < 4 ? -1 : userData.readInt32BE(0)
}

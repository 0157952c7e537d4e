import {
  consumerAssignment,
  consumerSubscription,
  readEmbedded,
  Writer,
} from '../../../protocol/index.ts'
import { compareText, sortedByTopic } from '../../topic-partition.ts'
import type { TopicPartition } from '../../topic-partition.ts'

/** The protocol type of groups whose members are consumers. */
export const consumerProtocolType = 'consumer'

/** The newest version of what is embedded in JoinGroup and SyncGroup. Newer ones only append fields. */
const versionMax = consumerSubscription.versions.last

/** What a consumer says of itself when it joins. */
export interface MemberSubscription {
  readonly topics: readonly string[]
  readonly userData: Buffer | null
  readonly owned: readonly TopicPartition[]
  /** The generation in which it was given `owned`; -1 where it does not tell. */
  readonly generation: number
  readonly rack: string | undefined
}

/** Writes a subscription as Java's consumers do: a version, then the message, in order. */
export function writeSubscription(subscription: MemberSubscription): Buffer {
  const { topics, userData, owned, generation, rack } = subscription
  const writer = new Writer()
  writer.int16(versionMax)
  consumerSubscription.write(
    writer,
    {
      topics: [...topics].sort(compareText),
      userData,
      ownedPartitions: sortedByTopic(owned),
      generationId: generation,
      rackId: rack ?? null,
    },
    versionMax,
  )
  return writer.toBuffer()
}

/** Reads a subscription of any version; undefined when it is none. */
export function readSubscription(bytes: Buffer): MemberSubscription | undefined {
  return readEmbedded(bytes, (reader, version) => {
    const read = consumerSubscription.read(reader, version)
    return {
      topics: read.topics,
      userData: read.userData,
      owned: flatten(read.ownedPartitions),
      generation: read.generationId,
      rack: read.rackId === null || read.rackId === '' ? undefined : read.rackId,
    }
  })
}

/** Writes what a member is assigned. */
export function writeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const writer = new Writer()
  writer.int16(versionMax)
  const assignedPartitions = sortedByTopic(partitions)
  consumerAssignment.write(writer, { assignedPartitions }, versionMax)
  return writer.toBuffer()
}

/** Reads what a leader has assigned; undefined when it is not a consumer's assignment. */
export function readAssignment(bytes: Buffer): readonly TopicPartition[] | undefined {
  return readEmbedded(bytes, (reader, version) =>
    flatten(consumerAssignment.read(reader, version).assignedPartitions),
  )
}

function flatten(
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}

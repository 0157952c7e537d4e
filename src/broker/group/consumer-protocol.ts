import {
  consumerAssignment,
  consumerSubscription,
  readEmbedded,
  Writer,
} from '../../protocol/index.ts'
import type { DecodedMessage } from '../../protocol/index.ts'
import type { GroupTopics } from './ports.ts'
import { fromList, toList } from './topic-partitions.ts'
import type { PartitionList, TopicPartitions } from './topic-partitions.ts'

/** The protocol type of groups whose members are consumers. */
export const consumerProtocolType = 'consumer'

export type Subscription = DecodedMessage<typeof consumerSubscription>

/** The newest version of the embedded protocol that is understood; newer ones only append fields. */
const versionMax = consumerSubscription.versions.last

/** Reads what a consumer sends with JoinGroup; undefined when it is not that. */
export function readSubscription(metadata: Buffer): Subscription | undefined {
  return readEmbedded(metadata, (reader, version) => consumerSubscription.read(reader, version))
}

/** The topics of a subscription alone: they come first in every version. */
export function readSubscribedTopics(metadata: Buffer): readonly string[] | undefined {
  return readEmbedded(metadata, (reader) => consumerSubscription.read(reader, 0).topics)
}

/** Reads what a leader has assigned; undefined when it is not a consumer's assignment. */
export function readAssignment(
  bytes: Buffer,
): DecodedMessage<typeof consumerAssignment> | undefined {
  return readEmbedded(bytes, (reader, version) => consumerAssignment.read(reader, version))
}

/** Writes an assignment in the version in which the member has sent its subscription. */
export function writeAssignment(
  assigned: TopicPartitions,
  topics: GroupTopics,
  subscription: Buffer,
): Buffer {
  const version = Math.min(readEmbedded(subscription, (_, read) => read) ?? 0, versionMax)
  const assignedPartitions = toList(assigned).flatMap(({ topicId, partitions }) => {
    const topic = topics.topicById(topicId)
    return topic === undefined ? [] : [{ topic: topic.name, partitions }]
  })
  const writer = new Writer()
  writer.int16(version)
  consumerAssignment.write(writer, { assignedPartitions }, version)
  return writer.toBuffer()
}

/** Partitions by name as partitions by id; topics that do not exist are left out. */
export function withTopicIds(
  list: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  topics: GroupTopics,
): PartitionList[] {
  return list.flatMap(({ topic, partitions }) => {
    const known = topics.topic(topic)
    return known === undefined ? [] : [{ topicId: known.id, partitions }]
  })
}

export function partitionsWithIds(
  list: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  topics: GroupTopics,
): TopicPartitions {
  return fromList(withTopicIds(list, topics))
}

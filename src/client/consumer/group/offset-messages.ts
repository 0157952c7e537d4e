import type {
  offsetCommitApi,
  offsetFetchApi,
  RequestInput,
  ResponseOf,
} from '../../../protocol/index.ts'
import type { ClusterMetadata } from '../../cluster/metadata.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { CommittedOffset } from '../group-member.ts'

/** In whose name offsets are committed. */
export interface CommitIdentity {
  /** The generation, the member epoch, or -1 outside of a group. */
  readonly generation: number
  readonly memberId: string
  readonly groupInstanceId: string | undefined
  /** How often the member had joined, or heard of a newer epoch, by then. */
  readonly joins: number
}

/** From this version on OffsetCommit and OffsetFetch name topics by their ids. */
const versionWithIds = 10

/** The highest version that can name these topics: ids can be used only where all of them are known. */
export function offsetVersionMax(
  partitions: readonly TopicPartition[],
  metadata: ClusterMetadata,
): number {
  const haveIds = partitions.every(({ topic }) => metadata.topics.get(topic)?.id !== undefined)
  return haveIds ? versionWithIds : versionWithIds - 1
}

export function commitRequest(
  groupId: string,
  identity: CommitIdentity,
  offsets: readonly CommittedOffset[],
  metadata: ClusterMetadata,
): RequestInput<typeof offsetCommitApi> {
  return {
    groupId,
    generationIdOrMemberEpoch: identity.generation,
    memberId: identity.memberId,
    groupInstanceId: identity.groupInstanceId ?? null,
    topics: gather(offsets).map(([name, partitions]) => ({
      name,
      topicId: metadata.topics.get(name)?.id ?? noTopicId,
      partitions: partitions.map((each) => ({
        partitionIndex: each.partition,
        committedOffset: each.offset,
        committedLeaderEpoch: each.leaderEpoch,
        committedMetadata: each.metadata,
      })),
    })),
  }
}

/** The error code of each partition. */
export function commitResults(
  response: ResponseOf<typeof offsetCommitApi>,
  metadata: ClusterMetadata,
): (TopicPartition & { readonly errorCode: number })[] {
  return response.topics.flatMap(({ name, topicId, partitions }) =>
    partitions.map(({ partitionIndex, errorCode }) => ({
      topic: nameOf(name, topicId, metadata),
      partition: partitionIndex,
      errorCode,
    })),
  )
}

/** `version` says how the request names group and topics. */
export function offsetFetchRequest(
  groupId: string,
  partitions: readonly TopicPartition[],
  metadata: ClusterMetadata,
  version: number,
): RequestInput<typeof offsetFetchApi> {
  const topics = gather(partitions).map(([name, found]) => ({
    name,
    topicId: metadata.topics.get(name)?.id ?? noTopicId,
    partitionIndexes: found.map(({ partition }) => partition),
  }))
  return version >= 8
    ? { groupId: '', topics: [], groups: [{ groupId, topics }], requireStable: true }
    : { groupId, topics, groups: [], requireStable: true }
}

/** What OffsetFetch has answered for a partition; the offset is -1 where there is none. */
export interface FetchedOffset extends CommittedOffset {
  readonly errorCode: number
}

export function fetchedOffsets(
  response: ResponseOf<typeof offsetFetchApi>,
  metadata: ClusterMetadata,
): { readonly errorCode: number; readonly offsets: readonly FetchedOffset[] } {
  const group = response.groups[0]
  if (group === undefined) {
    const offsets = response.topics.flatMap(({ name, partitions }) =>
      partitions.map((found) => fetchedOffset(name, found)),
    )
    return { errorCode: response.errorCode, offsets }
  }
  const offsets = group.topics.flatMap(({ name, topicId, partitions }) =>
    partitions.map((found) => fetchedOffset(nameOf(name, topicId, metadata), found)),
  )
  return { errorCode: group.errorCode, offsets }
}

function fetchedOffset(
  topic: string,
  found: {
    readonly partitionIndex: number
    readonly committedOffset: number
    readonly committedLeaderEpoch: number
    readonly metadata: string | null
    readonly errorCode: number
  },
): FetchedOffset {
  const { partitionIndex: partition, committedOffset: offset, errorCode } = found
  const { committedLeaderEpoch: leaderEpoch, metadata } = found
  return { topic, partition, offset, leaderEpoch, metadata: metadata ?? '', errorCode }
}

const noTopicId = 'AAAAAAAAAAAAAAAAAAAAAA'

function nameOf(name: string, id: string, metadata: ClusterMetadata): string {
  return name === '' ? (metadata.topicName(id) ?? '') : name
}

function gather<Item extends TopicPartition>(items: readonly Item[]): [string, Item[]][] {
  const topics = new Map<string, Item[]>()
  for (const item of items) {
    const known = topics.get(item.topic)
    if (known === undefined) topics.set(item.topic, [item])
    else known.push(item)
  }
  return [...topics]
}

import { kafkaError } from '../../../protocol/index.ts'
import type { offsetFetchApi, RequestOf, ResponseOf } from '../../../protocol/index.ts'
import { refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import { noTopicId } from '../identifiers.ts'
import type { GroupState } from '../group-state.ts'
import type { CommittedOffset, OffsetStore } from './offset-store.ts'

/** The part of OffsetFetch (in its form since version 8) that is about one group. */
export type FetchRequest = RequestOf<typeof offsetFetchApi>['groups'][number]
export type FetchResponse = ResponseOf<typeof offsetFetchApi>['groups'][number]
type FetchedTopic = FetchResponse['topics'][number]
type FetchedPartition = FetchedTopic['partitions'][number]

/**
 * Reads a group's committed offsets; null topics ask for all. A group or partition without any is
 * no error: its offset is -1.
 */
export function fetchOffsets(
  state: GroupState,
  request: FetchRequest,
  requireStable: boolean,
): FetchResponse | Refusal {
  const { groupId, topics } = request
  const problem = problemWithFetch(state, request)
  if (problem !== undefined) return problem
  const fetched =
    topics === null
      ? allTopics(state.offsets, groupId, requireStable)
      : topics.map(({ name, topicId, partitionIndexes }) => ({
          name,
          topicId,
          partitions: partitionIndexes.map((index) => {
            const offset = state.offsets.get(groupId, name, index)
            const isPending = requireStable && state.offsets.isPending(groupId, name, index)
            return fetchedPartition(index, isOf(topicId, offset) ? offset : undefined, isPending)
          }),
        }))
  return { groupId, topics: fetched, errorCode: kafkaError.NONE }
}

/** Members of consumer groups say who they are, so that what they read is not of an old epoch. */
function problemWithFetch(state: GroupState, request: FetchRequest): Refusal | undefined {
  const { groupId, memberId, memberEpoch } = request
  const group = state.group(groupId)
  if (group?.type !== 'consumer' || (memberId === null && memberEpoch < 0)) return undefined
  const member = group.members.get(memberId ?? '')
  if (member === undefined) return refuse('UNKNOWN_MEMBER_ID', `no member is ${memberId ?? ''}`)
  if (memberEpoch === member.epoch) return undefined
  return refuse(
    member.classic === null ? 'STALE_MEMBER_EPOCH' : 'ILLEGAL_GENERATION',
    `the member epoch is ${member.epoch}`,
  )
}

function allTopics(offsets: OffsetStore, groupId: string, requireStable: boolean): FetchedTopic[] {
  const partitions = new Map<string, FetchedPartition[]>()
  for (const [topic, index, offset] of offsets.committed(groupId)) {
    const isPending = requireStable && offsets.isPending(groupId, topic, index)
    const fetched = fetchedPartition(index, offset, isPending)
    const known = partitions.get(topic)
    if (known === undefined) partitions.set(topic, [fetched])
    else known.push(fetched)
  }
  return [...partitions].map(([name, of]) => ({ name, topicId: noTopicId, partitions: of }))
}

/** An offset of a topic that was deleted and made again is not one of the new topic. */
function isOf(topicId: string, offset: CommittedOffset | undefined): boolean {
  return topicId === noTopicId || offset?.topicId === noTopicId || offset?.topicId === topicId
}

function fetchedPartition(
  partitionIndex: number,
  offset: CommittedOffset | undefined,
  isPending: boolean,
): FetchedPartition {
  if (offset === undefined || isPending) {
    const errorCode = isPending ? kafkaError.UNSTABLE_OFFSET_COMMIT : kafkaError.NONE
    return {
      partitionIndex,
      committedOffset: -1,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode,
    }
  }
  return {
    partitionIndex,
    committedOffset: offset.offset,
    committedLeaderEpoch: offset.leaderEpoch,
    metadata: offset.metadata,
    errorCode: kafkaError.NONE,
  }
}

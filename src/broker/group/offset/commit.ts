import { kafkaError } from '../../../protocol/index.ts'
import type {
  offsetCommitApi,
  RequestOf,
  ResponseInput,
  txnOffsetCommitApi,
} from '../../../protocol/index.ts'
import { isRefusal, refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import type { ClassicGroup } from '../classic/classic-group.ts'
import { restartSession } from '../classic/rebalance.ts'
import type { ConsumerGroup } from '../consumer/consumer-group.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import type { GroupRecord } from '../group-record.ts'
import type { Group } from '../group-state.ts'
import { noTopicId } from '../identifiers.ts'

export type CommitRequest = RequestOf<typeof offsetCommitApi>
export type CommitResponse = ResponseInput<typeof offsetCommitApi>
export type TransactionalCommitRequest = RequestOf<typeof txnOffsetCommitApi>
export type TransactionalCommitResponse = ResponseInput<typeof txnOffsetCommitApi>

/** Who commits, as far as it says. */
interface Committer {
  readonly memberId: string
  readonly instanceId: string | null
  /** The generation of a classic member, the epoch of others; -1 for those who are no members. */
  readonly generation: number
  readonly transactional: boolean
  readonly version: number
}

interface CommittedPartition {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly committedMetadata: string | null
}

/** From this version of OffsetCommit on, clients know the errors of consumer groups. */
const consumerGroupVersion = 9

/** Stores the offsets that a member, an administrator or a lone consumer commits. */
export function commitOffsets(
  partition: GroupPartition,
  request: CommitRequest,
  version: number,
): Change<CommitResponse | Refusal> {
  const committer = {
    memberId: request.memberId,
    instanceId: request.groupInstanceId,
    generation: request.generationIdOrMemberEpoch,
    transactional: false,
    version,
  }
  const group = partition.state.group(request.groupId)
  const problem = problemWithCommit(group, committer)
  if (problem !== undefined) return { answer: problem }
  if (group?.type === 'classic') keepAlive(partition, group, request.memberId)
  const nowMs = partition.ports.clock.now()
  const expiresAtMs = request.retentionTimeMs === -1 ? -1 : nowMs + request.retentionTimeMs
  const records: GroupRecord[] = []
  const topics = request.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map((committed) => {
      const offset = { topic: name, topicId, committed, nowMs, expiresAtMs }
      return storeOffset(partition, request.groupId, offset, records)
    }),
  }))
  return { answer: { topics }, records }
}

/** Stores offsets that count when their transaction is committed. */
export function commitOffsetsInTransaction(
  partition: GroupPartition,
  request: TransactionalCommitRequest,
  version: number,
  admit: () => Refusal | undefined,
): Change<TransactionalCommitResponse | Refusal> {
  const committer = {
    memberId: request.memberId,
    instanceId: request.groupInstanceId,
    generation: request.generationId,
    transactional: true,
    version,
  }
  const group = partition.state.group(request.groupId)
  const problem = problemWithCommit(group, committer) ?? admit()
  if (problem !== undefined) return { answer: problem }
  const nowMs = partition.ports.clock.now()
  const records: GroupRecord[] = []
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((committed) => {
      const offset = { topic: name, topicId: noTopicId, committed, nowMs, expiresAtMs: -1 }
      return storeOffset(partition, request.groupId, offset, records)
    }),
  }))
  return { answer: { throttleTimeMs: 0, topics }, records }
}

function storeOffset(
  { ports }: GroupPartition,
  group: string,
  offset: {
    readonly topic: string
    readonly topicId: string
    readonly committed: CommittedPartition
    readonly nowMs: number
    readonly expiresAtMs: number
  },
  records: GroupRecord[],
): { partitionIndex: number; errorCode: number } {
  const { topic, committed } = offset
  const { partitionIndex } = committed
  const metadata = committed.committedMetadata ?? ''
  if (metadata.length > ports.config().offsetMetadataLengthMax) {
    return { partitionIndex, errorCode: kafkaError.OFFSET_METADATA_TOO_LARGE }
  }
  const value = {
    offset: committed.committedOffset,
    leaderEpoch: committed.committedLeaderEpoch,
    metadata,
    commitTimestamp: offset.nowMs,
    expireTimestamp: offset.expiresAtMs,
    topicId: offset.topicId,
  }
  records.push({ kind: 'offset', group, topic, partition: partitionIndex, value })
  return { partitionIndex, errorCode: kafkaError.NONE }
}

function problemWithCommit(group: Group | undefined, committer: Committer): Refusal | undefined {
  if (group?.type === 'classic') return problemInClassicGroup(group, committer)
  if (group?.type === 'consumer') return problemInConsumerGroup(group, committer)
  if (group?.type === 'share') {
    return refuse('GROUP_ID_NOT_FOUND', `Group ${group.groupId} is not a consumer group.`)
  }
  if (committer.generation < 0) return undefined
  const known = !committer.transactional && committer.version >= consumerGroupVersion
  return known
    ? refuse('GROUP_ID_NOT_FOUND', 'the group does not exist')
    : refuse('ILLEGAL_GENERATION', 'the group does not exist')
}

/**
 * Who says nothing of a membership may commit while nobody is a member. In a transaction it always
 * may: producers of old versions cannot say who they consume for.
 */
function problemInClassicGroup(group: ClassicGroup, committer: Committer): Refusal | undefined {
  const { memberId, instanceId, generation, transactional } = committer
  if (generation < 0 && group.isEmpty) return undefined
  if (generation >= 0 || memberId !== '' || instanceId !== null) {
    const member = group.checkMember(memberId, instanceId)
    if (isRefusal(member)) return member
    if (generation !== group.generation) {
      return refuse('ILLEGAL_GENERATION', `the generation is ${group.generation}`)
    }
  } else if (!transactional) {
    return refuse('UNKNOWN_MEMBER_ID', 'the group has members')
  }
  if (!transactional && group.state === 'CompletingRebalance') {
    return refuse('REBALANCE_IN_PROGRESS', 'the group has no assignment yet')
  }
  return undefined
}

function problemInConsumerGroup(group: ConsumerGroup, committer: Committer): Refusal | undefined {
  const { memberId, instanceId, generation, transactional, version } = committer
  if (generation < 0 && group.isEmpty) return undefined
  const saysNothing = generation === -1 && memberId === '' && instanceId === null
  if (transactional && saysNothing) return undefined
  const member = group.members.get(memberId)
  if (member === undefined) {
    return refuse('UNKNOWN_MEMBER_ID', `no member is ${memberId}`)
  }
  const classic = member.classic !== null
  if (!transactional && !classic && version < consumerGroupVersion) {
    return refuse('UNSUPPORTED_VERSION', 'OffsetCommit version 9 or above must be used')
  }
  if (generation === member.epoch) return undefined
  // TxnOffsetCommit has no error for stale epochs that its clients would know.
  return classic || transactional
    ? refuse('ILLEGAL_GENERATION', `the member epoch is ${member.epoch}`)
    : refuse('STALE_MEMBER_EPOCH', `the member epoch is ${member.epoch}`)
}

/** A commit shows that a classic member is alive. */
function keepAlive(partition: GroupPartition, group: ClassicGroup, memberId: string): void {
  const member = group.members.get(memberId)
  if (member === undefined) return
  if (group.state === 'Stable' || group.state === 'PreparingRebalance') {
    restartSession(partition, group, member)
  }
}

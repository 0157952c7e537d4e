import { kafkaError } from '../../protocol/index.ts'
import type { KafkaErrorName } from '../../protocol/index.ts'
import type { AbortedTransaction } from '../log/index.ts'
import { isRefusal } from '../refusal.ts'
import type { FetchTarget } from './fetch-sessions.ts'
import type { RequestContext } from './handler.ts'
import { leaderHint } from './leader-hint.ts'
import type { LeaderHint } from './leader-hint.ts'
import { findLedPartition } from './partition-access.ts'

export interface ReadRequest {
  readonly targets: readonly FetchTarget[]
  readonly byId: boolean
  readonly committed: boolean
  /** Of all partitions together. The first batch of the response may exceed it alone. */
  readonly bytesMax: number
}

/** What a fetch has found in one partition. */
export interface FetchedPartition {
  readonly target: FetchTarget
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  readonly chunks: readonly Uint8Array[]
  readonly bytes: number
  readonly leaderHint: LeaderHint | undefined
}

/** Reads the partitions in turn until the response is full. */
export function readPartitions(request: ReadRequest, context: RequestContext): FetchedPartition[] {
  let left = request.bytesMax
  let empty = true
  return request.targets.map((target) => {
    const fetched = readPartition(target, request, Math.max(0, left), empty, context)
    left -= fetched.bytes
    if (fetched.bytes > 0) empty = false
    return fetched
  })
}

function readPartition(
  target: FetchTarget,
  { byId, committed }: ReadRequest,
  bytesLeft: number,
  atLeastOneBatch: boolean,
  { broker, nodeId, access, readBuffers }: RequestContext,
): FetchedPartition {
  const { topic, topicId, partition: index } = target
  // A topic without a name is one whose id nobody has.
  if (topic !== '' && !access.allows('read', 'topic', topic)) {
    return failed(target, 'TOPIC_AUTHORIZATION_FAILED', undefined)
  }
  const reference = { name: topic, id: topicId, byId }
  const epoch = target.currentLeaderEpoch
  const partition = findLedPartition(broker.cluster, reference, index, nodeId, epoch)
  if (isRefusal(partition)) {
    return failed(target, partition.error, leaderHint(broker.cluster.partition(topic, index)))
  }
  const { log } = partition
  const read = log.read({
    offset: target.fetchOffset,
    isolation: committed ? 'committed' : 'uncommitted',
    bytesMax: Math.min(target.partitionMaxBytes, bytesLeft),
    atLeastOneBatch,
    buffers: readBuffers,
  })
  const refused = isRefusal(read)
  return {
    target,
    errorCode: refused ? kafkaError[read.error] : kafkaError.NONE,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.logStartOffset,
    abortedTransactions: refused ? null : read.abortedTransactions,
    chunks: refused ? [] : read.chunks,
    bytes: refused ? 0 : read.bytes,
    leaderHint: undefined,
  }
}

const hinted: ReadonlySet<KafkaErrorName> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
])

function failed(
  target: FetchTarget,
  error: KafkaErrorName,
  hint: LeaderHint | undefined,
): FetchedPartition {
  return {
    target,
    errorCode: kafkaError[error],
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: null,
    chunks: [],
    bytes: 0,
    leaderHint: hinted.has(error) ? hint : undefined,
  }
}

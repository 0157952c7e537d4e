import type { Partition } from '../cluster/cluster.ts'
import { shareReading } from '../config/index.ts'
import { isRefusal } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import {
  acquire,
  archiveAcquired,
  batchesOf,
  fetchedBatches,
  hasRoom,
  nextOffset,
  startAt,
} from '../share/index.ts'
import type { AcquiredRange, SharedTarget, SharePartition, Turn } from '../share/index.ts'
import type { RequestContext } from './handler.ts'

/** A share partition that a fetch reads, with the partition behind it. */
export interface SharedSource {
  readonly target: SharedTarget
  readonly partition: Partition
  readonly shared: SharePartition
}

/** What a member has got of one partition, or why nothing. */
export interface SharedRead {
  readonly target: SharedTarget
  readonly refusal: Refusal | undefined
  readonly acquired: readonly AcquiredRange[]
  readonly chunks: readonly Buffer[]
}

export interface ShareReadLimits {
  readonly recordsMax: number
  readonly bytesMax: number
  readonly batchSize: number
}

interface Reader extends ReturnType<typeof shareReading> {
  readonly memberId: string
  readonly inFlightMax: number
  readonly nowMs: () => number
}

/** How a member of a group reads at present. */
export function sharedReader(
  groupId: string,
  memberId: string,
  { broker: { cluster, config, platform } }: RequestContext,
): Reader {
  return {
    memberId,
    ...shareReading(cluster.dynamicSettings('group', groupId), config),
    inFlightMax: config.groupSharePartitionMaxRecordLocks,
    nowMs: () => platform.clock.elapsedMs(),
  }
}

/** Acquires records of the share partitions in turn, until there are enough. */
export async function readShared(
  sources: readonly SharedSource[],
  limits: ShareReadLimits,
  reader: Reader,
): Promise<SharedRead[]> {
  const reads: SharedRead[] = []
  let { recordsMax, bytesMax } = limits
  for (const source of sources) {
    if (recordsMax <= 0 || bytesMax <= 0) break
    const isFirst = reads.every(({ chunks }) => chunks.length === 0)
    const left = { recordsMax, bytesMax, batchSize: limits.batchSize }
    const read = await readOne(source, left, isFirst, reader)
    if (read === undefined) continue
    reads.push(read)
    for (const { first, last } of read.acquired) recordsMax -= last - first + 1
    for (const chunk of read.chunks) bytesMax -= chunk.length
  }
  return reads
}

type Taken = Pick<SharedRead, 'acquired' | 'chunks'>

const nothing: Taken = { acquired: [], chunks: [] }

/** Undefined when there is nothing to tell. */
async function readOne(
  { target, partition, shared }: SharedSource,
  { recordsMax, bytesMax, batchSize }: ShareReadLimits,
  atLeastOneBatch: boolean,
  { memberId, lockMs, isolation, inFlightMax, nowMs }: Reader,
): Promise<SharedRead | undefined> {
  const { log } = partition
  const outcome = await shared.turn((before): Turn<Taken | Refusal> => {
    const state = startAt(before, log.logStartOffset)
    if (!hasRoom(state, inFlightMax)) return { answer: nothing, state }
    const fetchOffset = nextOffset(state)
    if (fetchOffset > log.logEndOffset) return { answer: nothing, state }
    const read = log.read({ offset: fetchOffset, isolation, bytesMax, atLeastOneBatch })
    if (isRefusal(read)) return { answer: read, state }
    const { batches, aborted } = fetchedBatches(read)
    const heldUntilMs = nowMs() + lockMs
    const acquisition = { memberId, heldUntilMs, fetchOffset, batches, recordsMax, batchSize }
    const taken = acquire(state, acquisition)
    const kept =
      aborted.length === 0 ? taken : archiveAcquired(taken.state, taken.acquired, aborted)
    const { acquired } = kept
    const chunks = acquired.length === 0 ? [] : batchesOf(batches, acquired)
    return { answer: { acquired, chunks }, state: kept.state }
  })
  if (isRefusal(outcome)) return { target, refusal: outcome, ...nothing }
  return outcome.acquired.length === 0 ? undefined : { target, refusal: undefined, ...outcome }
}

/** How many bytes of a share partition could be acquired; stops to count at `bytesMax`. */
export function bytesToAcquire(
  { partition: { log }, shared }: SharedSource,
  bytesMax: number,
  { isolation, inFlightMax }: Reader,
): number {
  const { state } = shared
  if (!hasRoom(state, inFlightMax)) return 0
  return log.bytesAvailable(Math.max(nextOffset(state), log.logStartOffset), isolation, bytesMax)
}

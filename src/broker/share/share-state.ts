import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import {
  availableRun,
  changeRange,
  finishedRun,
  isFinished,
  mergeNeighbours,
} from './delivery-runs.ts'
import type { Run, Runs } from './delivery-runs.ts'

/**
 * What a share group knows of a partition (a *share partition*): which records it is done with, which
 * it works on, which it has to try again. A value: what changes it makes another one.
 *
 * A record is
 *
 * - *available*: it may be acquired; above the end all records are, for the first time,
 * - *acquired* by one member, until it acknowledges it, gives it back, goes away or is too slow,
 * - *acknowledged* or *archived* (rejected, delivered too often, or not in the log any more): done.
 *
 * ```
 *              acquire (count + 1)           accept
 *  available ──────────────────────→ acquired ─────→ acknowledged
 *      ↑  release, lock runs out        │ │
 *      └────────────────────────────────┘ └────────→ archived
 *         session ends (count − 1)        reject, gap, or back with no delivery left
 * ```
 *
 * Below `startOffset` everything is done. The runs follow each other without gaps from there to the
 * end; the first is never done, and the last has been handed out.
 */
export interface ShareState {
  readonly startOffset: number
  readonly runs: Runs
}

/** Offsets that were acquired together, and for the how manieth time. */
export interface AcquiredRange {
  readonly first: number
  readonly last: number
  readonly count: number
}

/** A batch of the log. */
export interface BatchSpan {
  readonly first: number
  readonly last: number
}

export interface Acquisition {
  readonly memberId: string
  readonly heldUntilMs: number
  /** From where the log was read: what is missing between here and the first batch is gone. */
  readonly fetchOffset: number
  /** What the log holds there. */
  readonly batches: readonly BatchSpan[]
  /** Enough records; the batch that holds the last of them is acquired to its end. */
  readonly recordsMax: number
  /** New records are told in ranges of about so many, which end where batches end. */
  readonly batchSize: number
}

/** What a member says of the records in a range: one type for all, or one for each. */
export interface Acknowledgement {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly acknowledgeTypes: readonly number[]
}

/** Kafka's numbers; a *gap* is an offset at which the member has found no record. */
export const acknowledgeType = { gap: 0, accept: 1, release: 2, reject: 3 } as const

export function newShareState(startOffset: number): ShareState {
  return { startOffset, runs: [] }
}

/** The offset after the last record that was handed out. */
export function endOffset({ startOffset, runs }: ShareState): number {
  const last = runs.at(-1)
  return last === undefined ? startOffset : last.last + 1
}

/** Where the next reader reads: at the first record that nobody has. */
export function nextOffset(state: ShareState): number {
  return state.runs.find(({ delivery }) => delivery === 'available')?.first ?? endOffset(state)
}

/** Whether there may be something to acquire: what was given back, or room for new records. */
export function hasRoom(state: ShareState, recordsInFlightMax: number): boolean {
  if (nextOffset(state) < endOffset(state)) return true
  return endOffset(state) - state.startOffset < recordsInFlightMax
}

/** When the first lock runs out; undefined while nobody holds anything. */
export function nextExpiryMs({ runs }: ShareState): number | undefined {
  const held = runs.filter(({ delivery }) => delivery === 'acquired')
  return held.length === 0 ? undefined : Math.min(...held.map(({ heldUntilMs }) => heldUntilMs))
}

/** Hands records to a member: what was given back, and what is new. */
export function acquire(
  state: ShareState,
  request: Acquisition,
): { readonly state: ShareState; readonly acquired: readonly AcquiredRange[] } {
  const { batches, memberId, heldUntilMs } = request
  const [firstBatch] = batches
  const lastBatch = batches.at(-1)
  if (firstBatch === undefined || lastBatch === undefined) return { state, acquired: [] }
  const present = withoutMissing(state, request.fetchOffset, firstBatch.first)
  let runs = present
  const end = endOffset({ ...state, runs })
  if (lastBatch.last >= end) runs = [...runs, availableRun(end, lastBatch.last, 0)]
  const acquired: AcquiredRange[] = []
  let left = request.recordsMax
  for (const run of runs) {
    if (left <= 0 || run.first > lastBatch.last) break
    if (run.delivery !== 'available' || run.last < firstBatch.first) continue
    const first = Math.max(run.first, firstBatch.first)
    const available = Math.min(run.last, lastBatch.last)
    const last = Math.min(available, endOfBatch(batches, first + left - 1))
    const count = run.count + 1
    acquired.push(...(run.count > 0 ? [{ first, last, count }] : inRanges(first, last, request)))
    left -= last - first + 1
  }
  if (acquired.length === 0) {
    return { state: present === state.runs ? state : settled(state, present), acquired }
  }
  for (const { first, last } of acquired) {
    const take = (part: Run): Run => ({
      ...part,
      delivery: 'acquired',
      count: part.count + 1,
      memberId,
      heldUntilMs,
    })
    runs = changeRange(runs, first, last, take)
  }
  return { state: settled(state, runs), acquired }
}

/**
 * Records that a member was not to see after all (those of aborted transactions) count as done.
 * Answers what is left of what it has acquired.
 */
export function archiveAcquired(
  state: ShareState,
  acquired: readonly AcquiredRange[],
  unwanted: readonly BatchSpan[],
): { readonly state: ShareState; readonly acquired: readonly AcquiredRange[] } {
  let { runs } = state
  let kept = acquired
  for (const { first, last } of unwanted) {
    for (const range of acquired) {
      const from = Math.max(first, range.first)
      const to = Math.min(last, range.last)
      if (from <= to) runs = changeRange(runs, from, to, (part) => finished(part, 'archived'))
    }
    kept = kept.flatMap((range) => without(range, first, last))
  }
  return { state: settled(state, runs), acquired: kept }
}

/**
 * What a member says of records that it has. All of it takes effect, or nothing: when one of the
 * records is not the member's. What lies below the start is done, whatever is said of it.
 */
export function acknowledge(
  state: ShareState,
  memberId: string,
  acknowledgements: readonly Acknowledgement[],
  deliveriesMax: number,
): ShareState | Refusal {
  let { runs } = state
  for (const acknowledgement of acknowledgements) {
    const { firstOffset, lastOffset, acknowledgeTypes } = acknowledgement
    if (lastOffset < state.startOffset) continue
    const first = Math.max(firstOffset, state.startOffset)
    const problem = problemWithRange({ ...state, runs }, memberId, first, lastOffset)
    if (problem !== undefined) return problem
    for (const span of typedSpans(acknowledgement)) {
      if (span.last < first) continue
      const change = (part: Run) => answered(part, span.type, deliveriesMax)
      runs = changeRange(runs, Math.max(span.first, first), span.last, change)
    }
    if (acknowledgeTypes.length === 0) return refuse('INVALID_REQUEST', 'nothing is said of them')
  }
  return settled(state, runs)
}

/** A member goes away: what it has was fetched and not worked on, which does not count. */
export function releaseMember(state: ShareState, memberId: string): ShareState {
  const runs = state.runs.map((run) =>
    run.delivery === 'acquired' && run.memberId === memberId
      ? availableRun(run.first, run.last, run.count - 1)
      : run,
  )
  return settled(state, runs)
}

/** Takes back what was held for too long. */
export function releaseExpired(
  state: ShareState,
  nowMs: number,
  deliveriesMax: number,
): ShareState {
  const runs = state.runs.map((run) =>
    run.delivery === 'acquired' && run.heldUntilMs <= nowMs ? givenBack(run, deliveriesMax) : run,
  )
  return settled(state, runs)
}

/** The log begins later than it did: what was before is gone. */
export function startAt(state: ShareState, offset: number): ShareState {
  if (offset <= state.startOffset) return state
  const runs = state.runs
    .filter(({ last }) => last >= offset)
    .map((run) => ({ ...run, first: Math.max(run.first, offset) }))
  return settled({ startOffset: offset, runs }, runs)
}

/** Drops what is done at the start, and what was never handed out at the end. */
export function settled(before: ShareState, runs: Runs): ShareState {
  const merged = mergeNeighbours(runs)
  let { startOffset } = before
  while (merged[0] !== undefined && isFinished(merged[0])) {
    startOffset = merged[0].last + 1
    merged.shift()
  }
  for (let last = merged.at(-1); last !== undefined && isUntouched(last); last = merged.at(-1)) {
    merged.pop()
  }
  return { startOffset, runs: merged }
}

function isUntouched({ delivery, count }: Run): boolean {
  return delivery === 'available' && count === 0
}

/** Records that the log does not hold any more, as compaction leaves it, cannot be handed out. */
function withoutMissing(state: ShareState, fetchOffset: number, firstOffset: number): Runs {
  if (firstOffset <= fetchOffset) return state.runs
  const end = endOffset(state)
  const runs = changeRange(state.runs, fetchOffset, firstOffset - 1, (part) =>
    part.delivery === 'available' ? finished(part, 'archived') : part,
  )
  return firstOffset > end ? [...runs, finishedRun(end, firstOffset - 1, 'archived', 0)] : runs
}

/** The last offset of the batch that holds an offset. */
function endOfBatch(batches: readonly BatchSpan[], offset: number): number {
  return batches.find(({ last }) => last >= offset)?.last ?? offset
}

/** New records in ranges that begin with a batch, once the one before has `batchSize` records. */
function inRanges(
  first: number,
  last: number,
  { batches, batchSize }: Acquisition,
): AcquiredRange[] {
  const ranges: AcquiredRange[] = []
  let from = first
  for (const batch of batches) {
    if (batch.first > last) break
    if (batch.first - from < batchSize) continue
    ranges.push({ first: from, last: batch.first - 1, count: 1 })
    from = batch.first
  }
  return [...ranges, { first: from, last, count: 1 }]
}

function without(range: AcquiredRange, first: number, last: number): AcquiredRange[] {
  if (last < range.first || first > range.last) return [range]
  return [
    { ...range, last: first - 1 },
    { ...range, first: last + 1 },
  ].filter((part) => part.first <= part.last)
}

function problemWithRange(
  state: ShareState,
  memberId: string,
  first: number,
  last: number,
): Refusal | undefined {
  if (state.runs.length > 0 && last >= endOffset(state)) {
    return refuse('INVALID_REQUEST', `offset ${last} was not handed out yet`)
  }
  if (state.runs.length === 0) return notHeld(first, last)
  for (const run of state.runs) {
    if (run.last < first || run.first > last) continue
    if (run.delivery !== 'acquired' || run.memberId !== memberId) return notHeld(first, last)
  }
  return undefined
}

function notHeld(first: number, last: number): Refusal {
  return refuse('INVALID_RECORD_STATE', `the member has not acquired all of ${first} to ${last}`)
}

function* typedSpans({
  firstOffset,
  lastOffset,
  acknowledgeTypes,
}: Acknowledgement): Iterable<BatchSpan & { readonly type: number }> {
  const [only] = acknowledgeTypes
  if (acknowledgeTypes.length === 1 && only !== undefined) {
    yield { first: firstOffset, last: lastOffset, type: only }
    return
  }
  let first = 0
  for (const [index, type] of acknowledgeTypes.entries()) {
    if (acknowledgeTypes[index + 1] === type) continue
    yield { first: firstOffset + first, last: firstOffset + index, type }
    first = index + 1
  }
}

function answered(part: Run, type: number, deliveriesMax: number): Run {
  switch (type) {
    case acknowledgeType.accept:
      return finished(part, 'acknowledged')
    case acknowledgeType.release:
      return givenBack(part, deliveriesMax)
    default:
      return finished(part, 'archived')
  }
}

function givenBack(part: Run, deliveriesMax: number): Run {
  if (part.count >= deliveriesMax) return finished(part, 'archived')
  return availableRun(part.first, part.last, part.count)
}

function finished(part: Run, delivery: 'acknowledged' | 'archived'): Run {
  return finishedRun(part.first, part.last, delivery, part.count)
}

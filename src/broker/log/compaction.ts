import { prepareCompression } from '../../protocol/compression/index.ts'
import { RecordBatch } from '../../protocol/records/index.ts'
import { retainedPart } from './batch-retention.ts'
import type { RetentionRules } from './batch-retention.ts'
import { CompactionTransactions } from './compaction-transactions.ts'
import { isUnreadable, recordsOf } from './decompression.ts'
import { KeyOffsets } from './key-offsets.ts'
import type { LogConfig } from './log-config.ts'
import type { LogState } from './log-state.ts'
import { Segment } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import type { LogStorage } from './storage.ts'

/** What is to be compacted, and how. */
export interface CompactionJob {
  readonly segments: SegmentList
  readonly storage: LogStorage
  readonly state: LogState
  readonly config: LogConfig
  /** Nothing from here on is touched: it is not decided. */
  readonly lastStableOffset: number
  /** What lies below was compacted before. */
  readonly compactedOffset: number
  /** Whether it does not matter how little there is to gain. */
  readonly isForced: boolean
  readonly nowMs: number
  /** Lets others work for a moment. */
  readonly pause: () => Promise<void>
  readonly isCancelled: () => boolean
  /** Saves a checkpoint of the whole log. */
  readonly saveState: () => Promise<void>
}

/** How many bytes are gone over between two pauses. */
const bytesPerTurn = 1_048_576

/**
 * Compacts the sealed segments of a log as far as they are decided and old enough. Answers up to
 * where the log is compacted, undefined when there was nothing to do or it was cancelled.
 *
 * It goes over the stretch that was not compacted to learn the last offset of each key, then writes
 * all segments from the start of the log up to there anew, several small ones into one.
 */
export async function compactSegments(job: CompactionJob): Promise<number | undefined> {
  const endOffset = cleanableEnd(job)
  let { compactedOffset } = job
  const isEmpty = endOffset <= Math.max(compactedOffset, job.segments.baseOffset)
  if (isEmpty || !isWorthIt(job, endOffset)) return undefined
  // Recovery believes what lies below a checkpoint, and must not find one inside of what is replaced.
  await job.saveState()
  while (compactedOffset < endOffset) {
    const run = new CompactionRun(job, endOffset)
    const done = await run.compactFrom(compactedOffset)
    if (done === undefined) return undefined
    compactedOffset = done
  }
  return compactedOffset
}

/** Where the segments end that may be touched. */
function cleanableEnd(job: CompactionJob): number {
  const { segments, config, lastStableOffset, nowMs, compactedOffset } = job
  const { all } = segments
  let endOffset = segments.baseOffset
  for (const [index, segment] of segments.sealed.entries()) {
    const next = (all[index + 1] as Segment).baseOffset
    const isDirty = next > compactedOffset
    const isYoung = isDirty && segment.maxTimestamp > nowMs - config.minCompactionLagMs
    if (next > lastStableOffset || (config.minCompactionLagMs > 0 && isYoung)) break
    endOffset = next
  }
  return endOffset
}

function isWorthIt(job: CompactionJob, endOffset: number): boolean {
  const { segments, config, nowMs, isForced, compactedOffset } = job
  if (isForced) return true
  let bytes = 0
  let dirtyBytes = 0
  for (const segment of segments.sealed) {
    if (segment.baseOffset >= endOffset) break
    bytes += segment.bytes.size
    if (segment.endOffset <= compactedOffset) continue
    dirtyBytes += segment.bytes.size
    const firstTimestamp = segment.firstTimestamp ?? nowMs
    if (firstTimestamp > 0 && nowMs - firstTimestamp > config.maxCompactionLagMs) return true
  }
  return dirtyBytes > 0 && dirtyBytes >= bytes * config.minCleanableDirtyRatio
}

/** One round: as many keys as can be kept in mind. */
class CompactionRun {
  readonly #job: CompactionJob
  readonly #endOffset: number
  #bytesInTurn = 0

  constructor(job: CompactionJob, endOffset: number) {
    this.#job = job
    this.#endOffset = endOffset
  }

  /** Answers up to where the log is compacted now, undefined when it was cancelled. */
  async compactFrom(startOffset: number): Promise<number | undefined> {
    const { segments, state, config, nowMs } = this.#job
    const keys = await this.#learnKeys(startOffset)
    const transactions = new CompactionTransactions(state.transactions.aborted)
    const rules: RetentionRules = {
      keys,
      transactions,
      producers: state.producers,
      nowMs,
      deleteRetentionMs: config.deleteRetentionMs,
      endOffset: this.#endOffset,
    }
    const stretch = segments.sealed.filter((segment) => segment.baseOffset < keys.endOffset)
    for (const group of groupsOf(stretch, config.segmentBytes)) {
      if (!(await this.#rewrite(group, rules))) return undefined
    }
    return keys.endOffset
  }

  /** Finds the last offset of each key, as far as there is room for keys. */
  async #learnKeys(startOffset: number): Promise<KeyOffsets> {
    const { segments, state } = this.#job
    const keys = new KeyOffsets(startOffset)
    const transactions = new CompactionTransactions(state.transactions.aborted)
    for (const segment of segments.sealed) {
      if (segment.baseOffset >= this.#endOffset) break
      if (segment.endOffset <= startOffset) continue
      const cursor = segment.cursorNear(startOffset, bytesPerTurn)
      while (!keys.isFull && cursor.next()) {
        if (cursor.lastOffset < startOffset) continue
        await this.#takeTurns(cursor.batchBytes)
        const batch = RecordBatch.at(cursor.batch())
        keys.endOffset = batch.nextOffset
        if (!batch.isCrcValid()) continue
        if (batch.isControl) transactions.endsNothing(batch)
        else if (!transactions.isAborted(batch)) {
          for (const { key, offset } of recordsOf(batch.bytes))
            if (key !== null) keys.add(key, offset)
        }
      }
      if (keys.isFull) return keys
    }
    keys.endOffset = this.#endOffset
    return keys
  }

  /** Writes a group of segments anew; answers false when that was cancelled. */
  async #rewrite(group: readonly Segment[], rules: RetentionRules): Promise<boolean> {
    const { segments, storage, isCancelled, state, saveState } = this.#job
    const [first] = group as [Segment]
    const { baseOffset, createdMs } = first
    const bytes = storage.createReplacement(baseOffset)
    const endOffset = baseOffset
    const made = new Segment({ baseOffset, endOffset, bytes, createdMs, mayHaveGaps: true })
    let isSame = group.length === 1
    try {
      for (const segment of group) {
        const cursor = segment.cursorAt(0, bytesPerTurn)
        while (cursor.next()) {
          await this.#takeTurns(cursor.batchBytes)
          if (isCancelled()) return false
          const batch = RecordBatch.at(cursor.batch())
          await prepare(batch)
          const kept = retainedPart(batch, rules)
          if (kept !== undefined) made.append(kept)
          if (kept?.equals(batch.bytes) !== true) isSame = false
        }
      }
      if (isSame) return true
      if (rules.transactions.emptied.size > 0) {
        // Readers must not be told of an abort whose marker may go: see CompactionTransactions.
        state.transactions.forgetAborted(rules.transactions.emptied)
        rules.transactions.emptied.clear()
        await saveState()
      }
      await segments.replace(group, made)
      return true
    } finally {
      if (!segments.all.includes(made)) storage.removeSegment(bytes)
    }
  }

  async #takeTurns(bytes: number): Promise<void> {
    this.#bytesInTurn += bytes
    if (this.#bytesInTurn < bytesPerTurn) return
    this.#bytesInTurn = 0
    await this.#job.pause()
  }
}

/** Puts segments that lie side by side together, as long as they make no more than one big one. */
function groupsOf(segments: readonly Segment[], segmentBytes: number): Segment[][] {
  const groups: Segment[][] = []
  let groupBytes = 0
  for (const segment of segments) {
    const group = groups.at(-1)
    if (group === undefined || groupBytes + segment.bytes.size > segmentBytes) {
      groups.push([segment])
      groupBytes = segment.bytes.size
    } else {
      group.push(segment)
      groupBytes += segment.bytes.size
    }
  }
  return groups
}

/** Loads what is needed to write the batch's codec. What cannot be written stays as it is. */
async function prepare(batch: RecordBatch): Promise<void> {
  try {
    await prepareCompression(batch.compression)
  } catch (error) {
    if (!isUnreadable(error)) throw error
  }
}

import { emptyBatch, RecordBatch, retainRecords } from '../../protocol/records/index.ts'
import type { Record } from '../../protocol/records/index.ts'
import type { CompactionTransactions } from './compaction-transactions.ts'
import { decompressedBytesMax, isUnreadable } from './decompression.ts'
import type { KeyOffsets } from './key-offsets.ts'
import type { Producers } from './producers.ts'

/** What decides which records of a batch compaction keeps. */
export interface RetentionRules {
  readonly keys: KeyOffsets
  readonly transactions: CompactionTransactions
  readonly producers: Producers
  readonly nowMs: number
  readonly deleteRetentionMs: number
  /** Where the stretch ends that is being compacted. */
  readonly endOffset: number
}

/**
 * What compaction keeps of the next batch of the log, undefined for nothing:
 *
 * - of aborted transactions nothing, at once;
 * - of each key the last record; a tombstone only until its batch's delete horizon, which is written
 *   into the batch when it is first compacted: readers need some time to see it;
 * - a marker as long as there are batches of its transaction, and until a horizon like that;
 * - the last batch of each producer that is remembered, if need be without records, because it has
 *   the sequence numbers and the epoch that a restart must not forget;
 * - the last batch of the stretch likewise, because readers find the end of the log by it;
 * - a damaged batch as it is.
 */
export function retainedPart(batch: RecordBatch, rules: RetentionRules): Buffer | undefined {
  // Written anew, damaged records would get a CRC that vouches for them.
  if (!batch.isCrcValid()) return batch.bytes
  try {
    const kept = batch.isControl ? retainedMarker(batch, rules) : retainedData(batch, rules)
    return kept ?? (mustStay(batch, rules) ? emptyBatch(batch) : undefined)
  } catch (error) {
    // What a producer has sent unreadable stays: nobody can say what is in it.
    if (isUnreadable(error)) return batch.bytes
    throw error
  }
}

function retainedMarker(batch: RecordBatch, rules: RetentionRules): Buffer | undefined {
  if (!rules.transactions.endsNothing(batch)) return batch.bytes
  const { deleteHorizonMs } = batch
  if (deleteHorizonMs === undefined) return withHorizon(batch, rules)
  return deleteHorizonMs > rules.nowMs && batch.recordCount > 0 ? batch.bytes : undefined
}

function retainedData(batch: RecordBatch, rules: RetentionRules): Buffer | undefined {
  if (rules.transactions.isAborted(batch)) return undefined
  const { deleteHorizonMs } = batch
  const keepsTombstones = deleteHorizonMs === undefined || rules.nowMs < deleteHorizonMs
  let tombstones = 0
  const kept = retainRecords(batch, {
    decompressedBytesMax,
    keep: (record) => {
      if (!isCurrent(record, rules.keys)) return false
      if (record.valueSize >= 0) return true
      if (keepsTombstones) tombstones += 1
      return keepsTombstones
    },
  })
  if (kept === undefined || tombstones === 0 || deleteHorizonMs !== undefined) return kept
  return withHorizon(RecordBatch.at(kept), rules)
}

function isCurrent(record: Record, keys: KeyOffsets): boolean {
  if (record.offset >= keys.endOffset) return true
  const { key } = record
  return key !== null && !keys.isOutdated(key, record.offset)
}

function withHorizon(batch: RecordBatch, rules: RetentionRules): Buffer | undefined {
  return retainRecords(batch, {
    decompressedBytesMax,
    keep: () => true,
    deleteHorizonMs: rules.nowMs + rules.deleteRetentionMs,
  })
}

function mustStay(batch: RecordBatch, { producers, endOffset }: RetentionRules): boolean {
  if (batch.nextOffset === endOffset) return true
  const producer = batch.producerId < 0 ? undefined : producers.get(batch.producerId)
  if (producer === undefined) return false
  if (producer.lastDataOffset >= 0) return batch.lastOffset === producer.lastDataOffset
  return batch.isControl && batch.producerEpoch === producer.epoch
}

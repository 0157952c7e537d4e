import { checkProducedBatch, findRecordDefects } from '../../protocol/records/index.ts'
import type { BatchDefect, RecordBatch } from '../../protocol/records/index.ts'
import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { decompressedBytesMax } from './decompression.ts'
import type { LogConfig } from './log-config.ts'
import type { RememberedBatch } from './producer-entry.ts'
import type { Producers } from './producers.ts'
import { recompress } from './recompression.ts'

/** What is wrong with one record of a batch, as a produce response says it. */
export interface RecordError {
  /** Which one, counted from 0. */
  readonly batchIndex: number
  readonly batchIndexErrorMessage: string
}

/** A refused append, with the records that are at fault where single ones are. */
export interface AppendRefusal extends Refusal {
  readonly recordErrors?: readonly RecordError[]
}

export interface AdmissionRules {
  readonly config: LogConfig
  readonly producers: Producers
  readonly nowMs: number
  readonly startsAtSequenceZero: boolean
}

/** What is to become of the batch of a producer. */
export type Admission =
  | { readonly batch: RecordBatch; readonly logAppendTime: number }
  | { readonly duplicateOf: RememberedBatch }
  | AppendRefusal

/**
 * Checks what a producer wants to append, and gives it the form in which it is stored. A duplicate
 * is known before any rule of the topic is asked: it was admitted once, and rules may have changed.
 */
export function admit(records: Buffer, rules: AdmissionRules): Admission {
  const { config, producers, nowMs } = rules
  const { batch, defect } = checkProducedBatch(records, Infinity)
  if (defect !== undefined) return refusalOf(defect)
  const isIdempotent = batch.producerId >= 0
  const duplicateOf = isIdempotent ? producers.duplicateOf(batch) : undefined
  if (duplicateOf !== undefined) return { duplicateOf }
  const refusal =
    refuseSize(batch.sizeInBytes, config) ??
    refuseRecords(batch, config, nowMs) ??
    (isIdempotent ? producers.checkBatch(batch, rules.startsAtSequenceZero) : undefined)
  return refusal ?? storedForm(batch, config, nowMs)
}

function refusalOf({ error, message, records }: BatchDefect): AppendRefusal {
  const recordErrors = records.map((record) => ({
    batchIndex: record.batchIndex,
    batchIndexErrorMessage: record.message,
  }))
  return { error, message, recordErrors }
}

function refuseSize(bytes: number, config: LogConfig): Refusal | undefined {
  if (bytes > config.maxMessageBytes) {
    const problem = `${bytes} bytes are more than max.message.bytes (${config.maxMessageBytes})`
    return refuse('MESSAGE_TOO_LARGE', problem)
  }
  if (bytes > config.segmentBytes) {
    const problem = `${bytes} bytes are more than segment.bytes (${config.segmentBytes})`
    return refuse('RECORD_LIST_TOO_LARGE', problem)
  }
  return undefined
}

/** Looks at the records, if the header does not tell that they are as the topic wants them. */
function refuseRecords(
  batch: RecordBatch,
  config: LogConfig,
  nowMs: number,
): AppendRefusal | undefined {
  const isCreateTime = config.timestampType === 'CreateTime'
  const timestampMin = isCreateTime ? nowMs - config.timestampBeforeMaxMs : -Infinity
  const timestampMax = isCreateTime ? nowMs + config.timestampAfterMaxMs : Infinity
  // The base timestamp is that of the first record, not of the earliest.
  const mayBeUntimely = timestampMin > 0 || batch.maxTimestamp > timestampMax
  if (!config.compacted && !mayBeUntimely) return undefined
  const defect = findRecordDefects(batch, {
    decompressedBytesMax,
    keysRequired: config.compacted,
    timestampMin,
    timestampMax,
  })
  return defect === undefined ? undefined : refusalOf(defect)
}

function storedForm(batch: RecordBatch, config: LogConfig, nowMs: number): Admission {
  const stored = recompress(batch, config.compressionType)
  if ('error' in stored) return stored
  const tooLarge = stored === batch ? undefined : refuseSize(stored.sizeInBytes, config)
  if (tooLarge !== undefined) return tooLarge
  if (config.timestampType === 'CreateTime') return { batch: stored, logAppendTime: -1 }
  stored.setLogAppendTime(nowMs)
  return { batch: stored, logAppendTime: nowMs }
}

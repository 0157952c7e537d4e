import { MillraceError } from '../../errors.ts'
import { compressions } from '../compression/index.ts'
import type { KafkaErrorName } from '../kafka-error.ts'
import {
  batchAttributes,
  batchHeaderBytes,
  batchLayout,
  batchMagic,
  batchPrefixBytes,
} from './batch-layout.ts'
import { RecordBatch } from './record-batch.ts'
import { checkEnd, openRecords } from './record-reader.ts'

/** What a producer's batch must be; the one that is broken tells what failed. */
export type BatchRule =
  | 'present'
  | 'magic'
  | 'length'
  | 'single'
  | 'size'
  | 'crc'
  | 'base-offset'
  | 'record-count'
  | 'data-only'
  | 'producer'
  | 'sequence'
  | 'compression'
  | 'timestamp-type'
  | 'records'
  | 'keys'
  | 'timestamps'

/** One record of a batch, and what is wrong with it. */
export interface RecordDefect {
  readonly batchIndex: number
  readonly message: string
}

/** Why a batch cannot be appended, and what Kafka's brokers answer to that. */
export interface BatchDefect {
  readonly rule: BatchRule
  readonly error: KafkaErrorName
  readonly message: string
  /** The records at fault, where single records are. */
  readonly records: readonly RecordDefect[]
}

/** Either the batch that was sent, or why it cannot be appended. */
export type ProducedBatch =
  | { readonly batch: RecordBatch; readonly defect: undefined }
  | { readonly batch: undefined; readonly defect: BatchDefect }

/**
 * Finds the batch in the records of a partition in a produce request, and checks all that its header
 * tells and its CRC. Records are not decoded: what they say is up to `findRecordDefects`.
 */
export function checkProducedBatch(records: Buffer | null, batchBytesMax: number): ProducedBatch {
  if (records === null || records.length === 0) {
    const message = 'a produce request must have a record batch per partition'
    return { batch: undefined, defect: invalid('present', message) }
  }
  const defect = findFrameDefect(records, batchBytesMax) ?? findHeaderDefect(records)
  if (defect !== undefined) return { batch: undefined, defect }
  return { batch: RecordBatch.at(records), defect }
}

/** The words of Apache Kafka: producers pass them on, and some users look for them. */
const keylessMessage = 'Compacted topic cannot accept message without key'

/** What the records of a produced batch must be, beyond being well formed. */
export interface RecordRules {
  /** What the records of a compressed batch may take. */
  readonly decompressedBytesMax: number
  /** Whether every record needs a key, as on compacted topics. */
  readonly keysRequired: boolean
  /** The earliest and latest timestamp; a record without a timestamp passes. */
  readonly timestampMin: number
  readonly timestampMax: number
}

/** Reads all records of a batch, and tells which of them break the rules; undefined when none does. */
export function findRecordDefects(batch: RecordBatch, rules: RecordRules): BatchDefect | undefined {
  const keyless: RecordDefect[] = []
  const untimely: RecordDefect[] = []
  try {
    const { source, cursor } = openRecords(batch, rules.decompressedBytesMax)
    for (let batchIndex = 0; batchIndex < batch.recordCount; batchIndex++) {
      cursor.advance()
      if (rules.keysRequired && cursor.keyBytes < 0) {
        keyless.push({ batchIndex, message: keylessMessage })
      }
      const timestamp = source.baseTimestamp + cursor.timestampDelta
      if (timestamp === -1 || source.logAppendTime !== undefined) continue
      if (timestamp >= rules.timestampMin && timestamp <= rules.timestampMax) continue
      const range = `${rules.timestampMin} to ${rules.timestampMax}`
      untimely.push({ batchIndex, message: `timestamp ${timestamp} is not in ${range}` })
    }
    checkEnd(cursor)
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    if (error.code !== 'MILLRACE_PROTOCOL_TOO_LARGE') return invalid('records', error.message)
    return { rule: 'size', error: 'MESSAGE_TOO_LARGE', message: error.message, records: [] }
  }
  // As in Kafka, the answer is about timestamps when any record has a wrong one.
  const records = [...untimely, ...keyless].sort((one, two) => one.batchIndex - two.batchIndex)
  const message = `${records.length} of ${batch.recordCount} records are refused`
  if (untimely.length > 0)
    return { rule: 'timestamps', error: 'INVALID_TIMESTAMP', message, records }
  return keyless.length > 0
    ? { rule: 'keys', error: 'INVALID_RECORD', message, records }
    : undefined
}

function findFrameDefect(records: Buffer, batchBytesMax: number): BatchDefect | undefined {
  if (records.length < batchHeaderBytes) {
    return invalid('length', `a record batch has at least ${batchHeaderBytes} bytes`)
  }
  const magic = records.readInt8(batchLayout.magic)
  if (magic !== batchMagic) {
    const message = `records of magic ${magic} were sent, allowed is ${batchMagic}`
    return magic === 0 || magic === 1 ? invalid('magic', message) : corrupt('magic', message)
  }
  const size = batchPrefixBytes + records.readInt32BE(batchLayout.length)
  if (size < batchHeaderBytes) return corrupt('length', `a record batch declares ${size} bytes`)
  if (size > records.length) {
    return invalid('length', `a record batch declares ${size} bytes, ${records.length} were sent`)
  }
  if (size < records.length) {
    return invalid('single', `${records.length - size} bytes follow the one record batch allowed`)
  }
  if (size > batchBytesMax) {
    const message = `a record batch of ${size} bytes was sent, allowed are ${batchBytesMax}`
    return { rule: 'size', error: 'MESSAGE_TOO_LARGE', message, records: [] }
  }
  return undefined
}

/** For a batch whose frame is right: looks at fields that `RecordBatch.at` would not let pass. */
function findHeaderDefect(records: Buffer): BatchDefect | undefined {
  const header = RecordBatch.unchecked(records)
  if (!header.isCrcValid()) return corrupt('crc', `the CRC ${header.crc} is not that of the batch`)
  if (header.baseOffset !== 0) {
    return invalid('base-offset', `the base offset is ${header.baseOffset}, a producer sends 0`)
  }
  const { lastOffsetDelta, recordCount, attributes, producerId } = header
  if (recordCount <= 0 || recordCount !== lastOffsetDelta + 1) {
    return invalid('record-count', `${recordCount} records up to offset delta ${lastOffsetDelta}`)
  }
  if (header.isControl) return invalid('data-only', 'a producer cannot write control records')
  const producer = findProducerDefect(header)
  if (producer !== undefined) return producer
  if (producerId >= 0 && header.baseSequence < 0) {
    return invalid('sequence', `producer ${producerId} sent sequence ${header.baseSequence}`)
  }
  const codec = attributes & batchAttributes.compression
  if (codec >= compressions.length) {
    const error = 'UNSUPPORTED_COMPRESSION_TYPE'
    return { rule: 'compression', error, message: `codec ${codec} is not known`, records: [] }
  }
  if (header.timestampType === 'LogAppendTime') {
    const message = 'a producer cannot set the timestamp type LogAppendTime'
    return { rule: 'timestamp-type', error: 'INVALID_TIMESTAMP', message, records: [] }
  }
  return undefined
}

function findProducerDefect(header: RecordBatch): BatchDefect | undefined {
  const { producerId, producerEpoch } = header
  if (!Number.isSafeInteger(producerId) || producerId < -1) {
    return invalid('producer', `the producer id is ${producerId}`)
  }
  if (producerId >= 0 && producerEpoch < 0) {
    return invalid('producer', `producer ${producerId} sent epoch ${producerEpoch}`)
  }
  if (producerId < 0 && header.isTransactional) {
    return invalid('producer', 'a transactional batch has no producer id')
  }
  return undefined
}

function invalid(rule: BatchRule, message: string): BatchDefect {
  return { rule, error: 'INVALID_RECORD', message, records: [] }
}

function corrupt(rule: BatchRule, message: string): BatchDefect {
  return { rule, error: 'CORRUPT_MESSAGE', message, records: [] }
}

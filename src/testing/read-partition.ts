import { RecordBatches } from '../protocol/records/index.ts'
import type { RecordBatch } from '../protocol/records/index.ts'

/** A record as it is stored. */
export interface StoredEvent {
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: Readonly<Record<string, string | null>>
}

/** A batch as it is stored. */
export interface StoredBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly transactional: boolean
  /** Whether it is a marker, which ends a transaction and holds no records of clients. */
  readonly control: boolean
  readonly compression: string
  readonly sizeBytes: number
  readonly records: readonly StoredEvent[]
}

/** What reading needs of a partition's log. */
interface ReadableLog {
  readonly logStartOffset: number
  readonly highWatermark: number
  read(request: {
    offset: number
    isolation: 'uncommitted'
    bytesMax: number
    atLeastOneBatch: boolean
  }): { readonly chunks: readonly Buffer[] } | { readonly error: string; readonly message: string }
}

const decompressedBytesMax = 256 * 1024 * 1024
const readBytes = 1024 * 1024

/** All batches of a log, from its start to its high watermark. */
export function readPartition(log: ReadableLog): StoredBatch[] {
  const batches: StoredBatch[] = []
  let offset = log.logStartOffset
  while (offset < log.highWatermark) {
    const read = log.read({
      offset,
      isolation: 'uncommitted',
      bytesMax: readBytes,
      atLeastOneBatch: true,
    })
    if ('error' in read) throw new Error(`offset ${offset} cannot be read: ${read.message}`)
    const before = offset
    for (const batch of new RecordBatches(Buffer.concat(read.chunks))) {
      offset = batch.nextOffset
      batches.push(describeBatch(batch))
    }
    if (offset === before) break
  }
  return batches
}

function describeBatch(batch: RecordBatch): StoredBatch {
  return {
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    transactional: batch.isTransactional,
    control: batch.isControl,
    compression: batch.compression,
    sizeBytes: batch.bytes.length,
    records: batch.isControl ? [] : readRecords(batch),
  }
}

function readRecords(batch: RecordBatch): StoredEvent[] {
  return [...batch.records(decompressedBytesMax)].map((record) => ({
    offset: record.offset,
    timestamp: record.timestamp,
    key: record.key?.toString() ?? null,
    value: record.value?.toString() ?? null,
    headers: Object.fromEntries(
      record.headers.map(({ key, value }) => [key, value?.toString() ?? null]),
    ),
  }))
}

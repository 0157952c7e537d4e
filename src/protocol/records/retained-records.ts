import { compress } from '../compression/index.ts'
import {
  batchAttributes,
  batchHeaderBytes,
  batchLayout,
  safeTimestamp,
  sealBatch,
  writeInt64,
} from './batch-layout.ts'
import { batchAround } from './record-batch-builder.ts'
import type { RecordBatch } from './record-batch.ts'
import { checkEnd, openRecords } from './record-reader.ts'
import type { RecordCursor } from './record-cursor.ts'
import { Record } from './record.ts'
import { putVarint, putVarlong, varlongBytes } from './varint.ts'

/** What compaction keeps of a batch. */
export interface RetainOptions {
  readonly keep: (record: Record) => boolean
  /** What the records of a compressed batch may take. */
  readonly decompressedBytesMax: number
  /** From when on tombstones and markers in the batch may go; as it is, when left out. */
  readonly deleteHorizonMs?: number
}

/** The largest growth of a record whose timestamp delta is written anew: of the delta, and of its length. */
const recordGrowthMax = 10

/**
 * The batch with only the records that `keep` wants, or undefined when there are none. They keep
 * their offsets, and the batch its offsets, producer, sequences, codec and leader epoch, so that what
 * is known from it stays true. A batch that stays as it is, is answered as it is.
 *
 * A batch of zstd is compressed again: on Node below 22.15 `prepareCompression` must have been awaited.
 */
export function retainRecords(batch: RecordBatch, options: RetainOptions): Buffer | undefined {
  const { source, cursor, byteCount } = openRecords(batch, options.decompressedBytesMax)
  // With a delete horizon, that stands in the place of the base timestamp (KIP-534).
  const horizon = options.deleteHorizonMs ?? batch.deleteHorizonMs
  const isNewHorizon = horizon !== undefined && horizon !== batch.deleteHorizonMs
  const kept = new RetainedBytes(byteCount, isNewHorizon ? batch.recordCount : 0)
  let maxTimestamp = Number.NEGATIVE_INFINITY
  for (let left = batch.recordCount; left > 0; left--) {
    cursor.advance()
    if (!options.keep(new Record(source, cursor))) continue
    const timestamp = source.baseTimestamp + cursor.timestampDelta
    if (isNewHorizon) kept.addMoved(cursor, safeTimestamp(timestamp) - horizon)
    else kept.add(cursor)
    maxTimestamp = Math.max(maxTimestamp, timestamp)
  }
  checkEnd(cursor)
  if (kept.count === 0) return undefined
  if (kept.count === batch.recordCount && !isNewHorizon) return batch.bytes
  const retained = batchAround(compress(batch.compression, kept.bytes()))
  copyHeader(batch, retained)
  retained.writeInt32BE(kept.count, batchLayout.recordCount)
  if (isNewHorizon) {
    retained.writeInt16BE(batch.attributes | batchAttributes.deleteHorizon, batchLayout.attributes)
    writeInt64(retained, horizon, batchLayout.baseTimestamp)
  }
  // A time beyond 2^53 is not known exactly, so what stands there is left.
  if (source.logAppendTime === undefined && Number.isSafeInteger(maxTimestamp)) {
    writeInt64(retained, maxTimestamp, batchLayout.maxTimestamp)
  }
  sealBatch(retained)
  return retained
}

/**
 * The batch without its records: it holds the place of the last batch of a producer, whose sequence
 * numbers must not be forgotten while the producer lives.
 */
export function emptyBatch(batch: RecordBatch): Buffer {
  const empty = Buffer.allocUnsafe(batchHeaderBytes)
  copyHeader(batch, empty)
  const cleared = batchAttributes.compression | batchAttributes.deleteHorizon
  empty.writeInt16BE(batch.attributes & ~cleared, batchLayout.attributes)
  writeInt64(empty, -1, batchLayout.baseTimestamp)
  empty.writeInt32BE(0, batchLayout.recordCount)
  sealBatch(empty)
  return empty
}

function copyHeader(from: RecordBatch, to: Buffer): void {
  from.buffer.copy(to, 0, from.position, from.position + batchHeaderBytes)
}

/** The records that are kept, one behind another. */
class RetainedBytes {
  count = 0
  readonly #buffer: Buffer
  #end = 0

  /** `movedCount` of the records may grow by what a new timestamp delta takes. */
  constructor(byteCount: number, movedCount: number) {
    this.#buffer = Buffer.allocUnsafe(byteCount + movedCount * recordGrowthMax)
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#end)
  }

  /** Adds the record at the cursor as it is. */
  add(cursor: RecordCursor): void {
    this.#addTail(cursor, cursor.start)
  }

  /** Adds the record at the cursor with another timestamp delta. */
  addMoved(cursor: RecordCursor, timestampDelta: number): void {
    const body = 1 + varlongBytes(timestampDelta) + (cursor.limit - cursor.offsetDeltaStart)
    this.#end = putVarint(this.#buffer, this.#end, body)
    this.#buffer[this.#end++] = 0
    this.#end = putVarlong(this.#buffer, this.#end, timestampDelta)
    this.#addTail(cursor, cursor.offsetDeltaStart)
  }

  #addTail(cursor: RecordCursor, start: number): void {
    this.#end += cursor.bytes.copy(this.#buffer, this.#end, start, cursor.limit)
    this.count++
  }
}

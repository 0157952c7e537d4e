import { ProtocolError } from '../../errors.ts'
import { decompress } from '../compression/index.ts'
import { batchLayout, readInt64, recordBytesMin } from './batch-layout.ts'
import type { RecordBatch } from './record-batch.ts'
import { RecordCursor } from './record-cursor.ts'
import { Record } from './record.ts'
import type { RecordSource } from './record.ts'

/**
 * Reads the records of a batch, one after another, in the order of their offsets. Decompresses the
 * batch when it is made. Throws a ProtocolError at the first thing that is wrong.
 */
export class RecordReader implements Iterable<Record> {
  readonly #source: RecordSource
  readonly #cursor: RecordCursor
  #left: number

  private constructor(source: RecordSource, cursor: RecordCursor, left: number) {
    this.#source = source
    this.#cursor = cursor
    this.#left = left
  }

  /** `decompressedBytesMax` limits what a compressed batch may take; others take nothing. */
  static of(batch: RecordBatch, decompressedBytesMax: number): RecordReader {
    const { source, cursor } = openRecords(batch, decompressedBytesMax)
    return new RecordReader(source, cursor, batch.recordCount)
  }

  /** The next record; undefined behind the last. */
  next(): Record | undefined {
    if (this.#left === 0) return undefined
    this.#left--
    this.#cursor.advance()
    if (this.#left === 0) checkEnd(this.#cursor)
    return new Record(this.#source, this.#cursor)
  }

  /** Passes over the next `count` records, or as many as there are. */
  skip(count: number): void {
    for (let left = Math.min(count, this.#left); left > 0; left--) {
      this.#left--
      this.#cursor.advance()
    }
    if (this.#left === 0) checkEnd(this.#cursor)
  }

  /** A reader before the same record, that goes its own way. What was decompressed is shared. */
  fork(): RecordReader {
    return new RecordReader(this.#source, this.#cursor.fork(), this.#left)
  }

  *[Symbol.iterator](): Generator<Record, undefined> {
    for (let record = this.next(); record !== undefined; record = this.next()) yield record
  }
}

/** Decompresses the records of `batch`: `byteCount` bytes, with the cursor before the first record. */
export function openRecords(
  batch: RecordBatch,
  decompressedBytesMax: number,
): { source: RecordSource; cursor: RecordCursor; byteCount: number } {
  const { compression, recordCount } = batch
  const isCompressed = compression !== 'none' && recordCount > 0
  const bytes = isCompressed
    ? decompress(compression, batch.recordBytes, decompressedBytesMax)
    : batch.buffer
  const start = isCompressed ? 0 : batch.position + batchLayout.records
  const end = isCompressed ? bytes.length : batch.position + batch.sizeInBytes
  if (recordCount * recordBytesMin > end - start) {
    throw new ProtocolError(`record batch: ${recordCount} records in ${end - start} bytes`)
  }
  const source: RecordSource = {
    bytes,
    baseOffset: batch.baseOffset,
    baseTimestamp: readInt64(batch.buffer, batch.position + batchLayout.baseTimestamp),
    logAppendTime: batch.timestampType === 'LogAppendTime' ? batch.maxTimestamp : undefined,
  }
  const cursor = new RecordCursor(bytes, start, end, batch.lastOffsetDelta)
  if (recordCount === 0) checkEnd(cursor)
  return { source, cursor, byteCount: end - start }
}

/** Throws when there are bytes behind the record at which the cursor is. */
export function checkEnd(cursor: RecordCursor): void {
  if (!cursor.isAtEnd) throw new ProtocolError('record batch: bytes are left behind its records')
}

import { ProtocolError } from '../../errors.ts'
import { compress, compressions } from '../compression/index.ts'
import type { Compression } from '../compression/index.ts'
import { batchAttributes, batchHeaderBytes, writeBatchHeader } from './batch-layout.ts'
import { contentBytes, fieldBytes, putContent } from './record-content.ts'
import type { FieldInput, RecordHeaderInput } from './record-content.ts'
import { putVarint, putVarlong, varintBytes, varlongBytes } from './varint.ts'

/** A record to be written. */
export interface RecordInput {
  readonly key: FieldInput
  readonly value: FieldInput
  /** Milliseconds since the epoch, or -1 for none. */
  readonly timestamp: number
  readonly headers?: readonly RecordHeaderInput[]
}

/** What a batch says of itself. What is left out is what a producer without idempotence sends. */
export interface RecordBatchOptions {
  /** @defaultValue 0 */
  readonly baseOffset?: number
  /** @defaultValue -1 */
  readonly partitionLeaderEpoch?: number
  /** @defaultValue 'none' */
  readonly compression?: Compression
  /** The codec's own default, when it is left out. */
  readonly compressionLevel?: number | undefined
  /** What `compression` has made of `uncompressedRecords`, where it was done elsewhere. */
  readonly compressedRecords?: Buffer | undefined
  /** @defaultValue -1 */
  readonly producerId?: number
  /** @defaultValue -1 */
  readonly producerEpoch?: number
  /** @defaultValue -1 */
  readonly baseSequence?: number
  /** @defaultValue false */
  readonly isTransactional?: boolean
  /** @defaultValue false */
  readonly isControl?: boolean
}

const initialBytes = 1024
const batchBytesLimit = 2 ** 31 - 1
const noHeaders: readonly RecordHeaderInput[] = []

/**
 * Writes records into a batch, each once, at its place.
 *
 * A builder is **open**: `append` and `tryAppend` add records, `sizeInBytes` and `sizeWith` tell the size
 * before compression. `build` writes the header, hands over the buffer and **closes** it; then nothing
 * can be appended or built any more.
 */
export class RecordBatchBuilder {
  #buffer: Buffer
  #end: number = batchHeaderBytes
  #recordCount = 0
  #baseTimestamp = -1
  #maxTimestamp = -1
  #isClosed = false

  /**
   * `memory` is the buffer to write to, or a size, which saves copying when it is about the one that the batch
   * will have. What does not fit goes to a larger buffer.
   */
  constructor(memory: Buffer | number = initialBytes) {
    const given = typeof memory === 'number' ? Buffer.allocUnsafe(memory) : memory
    this.#buffer = given.length < batchHeaderBytes ? Buffer.allocUnsafe(batchHeaderBytes) : given
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** The size of the batch with what was appended, before compression. */
  get sizeInBytes(): number {
    return this.#end
  }

  /** All the memory that it writes to. */
  get memory(): Buffer {
    return this.#buffer
  }

  /** The size that the batch would have with `record`, before compression. */
  sizeWith(record: RecordInput): number {
    const { key, value, timestamp, headers = noHeaders } = record
    const content = contentBytes(fieldBytes(key), fieldBytes(value), headers)
    const body = this.#headBytes(timestamp) + content
    return this.#end + varintBytes(body) + body
  }

  /** The records as they were appended, for who compresses them elsewhere. A view: they may not change. */
  get uncompressedRecords(): Buffer {
    return this.#buffer.subarray(batchHeaderBytes, this.#end)
  }

  /** Adds a record behind the others. */
  append({ key, value, timestamp, headers = noHeaders }: RecordInput): void {
    if (this.tryAppend(key, value, timestamp, headers, batchBytesLimit)) return
    throw new ProtocolError(`record batch: more than ${batchBytesLimit} bytes are too many`)
  }

  /**
   * Adds a record behind the others, unless the batch would be larger than `sizeMax` with it; answers
   * whether it did. The parts of a record are arguments, because a producer has no object to spare for
   * each of a million records a second.
   */
  tryAppend(
    key: FieldInput,
    value: FieldInput,
    timestamp: number,
    headers: readonly RecordHeaderInput[],
    sizeMax: number,
  ): boolean {
    const keyBytes = fieldBytes(key)
    const valueBytes = fieldBytes(value)
    const bytes = contentBytes(keyBytes, valueBytes, headers)
    if (!this.#begin(bytes, timestamp, sizeMax)) return false
    this.#end = putContent(this.#buffer, this.#end, key, keyBytes, value, valueBytes, headers)
    return true
  }

  /** The same of a record whose content was written before, wherever (`record-content.ts`). */
  tryAppendContent(content: Uint8Array, timestamp: number, sizeMax: number): boolean {
    if (!this.#begin(content.length, timestamp, sizeMax)) return false
    this.#buffer.set(content, this.#end)
    this.#end += content.length
    return true
  }

  /** Makes room for a record, and writes what is before its content; false where there is no room. */
  #begin(contentLength: number, timestamp: number, sizeMax: number): boolean {
    if (this.#isClosed) throw new ProtocolError('record batch: it was built, nothing can be added')
    if (!Number.isSafeInteger(timestamp) || timestamp < -1) {
      throw new ProtocolError(
        `record: a timestamp of ${timestamp} is not a whole number from -1 up`,
      )
    }
    const body = this.#headBytes(timestamp) + contentLength
    const end = this.#end + varintBytes(body) + body
    if (end > sizeMax) return false
    if (end > this.#buffer.length) this.#grow(end, sizeMax)
    if (this.#recordCount === 0) this.#baseTimestamp = timestamp

    const buffer = this.#buffer
    let position = putVarint(buffer, this.#end, body)
    buffer[position++] = 0
    position = putVarlong(buffer, position, timestamp - this.#baseTimestamp)
    this.#end = putVarint(buffer, position, this.#recordCount)

    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    this.#recordCount++
    return true
  }

  /** Completes the batch and answers its bytes. Call it once. */
  build(options: RecordBatchOptions = {}): Buffer {
    if (this.#isClosed) throw new ProtocolError('record batch: it was built before')
    if (this.#recordCount === 0) throw new ProtocolError('record batch: there are no records in it')
    this.#isClosed = true
    const compression = options.compression ?? 'none'
    const batch = this.#compressed(compression, options)
    writeBatchHeader(batch, {
      baseOffset: options.baseOffset ?? 0,
      partitionLeaderEpoch: options.partitionLeaderEpoch ?? -1,
      attributes:
        compressions.indexOf(compression) |
        (options.isTransactional === true ? batchAttributes.transactional : 0) |
        (options.isControl === true ? batchAttributes.control : 0),
      lastOffsetDelta: this.#recordCount - 1,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
      producerId: options.producerId ?? -1,
      producerEpoch: options.producerEpoch ?? -1,
      baseSequence: options.baseSequence ?? -1,
      recordCount: this.#recordCount,
    })
    return batch
  }

  #compressed(compression: Compression, options: RecordBatchOptions): Buffer {
    if (compression === 'none') return this.#buffer.subarray(0, this.#end)
    const records = this.uncompressedRecords
    return batchAround(
      options.compressedRecords ?? compress(compression, records, options.compressionLevel),
    )
  }

  /** The size of what lies between a record's length and its content. */
  #headBytes(timestamp: number): number {
    const timestampDelta = this.#recordCount === 0 ? 0 : timestamp - this.#baseTimestamp
    return 1 + varlongBytes(timestampDelta) + varintBytes(this.#recordCount)
  }

  #grow(needed: number, sizeMax: number): void {
    const grown = Buffer.allocUnsafe(Math.min(sizeMax, Math.max(needed, this.#buffer.length * 2)))
    this.#buffer.copy(grown, 0, 0, this.#end)
    this.#buffer = grown
  }
}

/** A buffer for a batch of these records, with room for the header. */
export function batchAround(records: Buffer): Buffer {
  const batch = Buffer.allocUnsafe(batchHeaderBytes + records.length)
  batch.set(records, batchHeaderBytes)
  return batch
}

import { ProtocolError } from '../../errors.ts'
import { compress, compressions } from '../compression/index.ts'
import type { Compression } from '../compression/index.ts'
import { batchAttributes, batchHeaderBytes, writeBatchHeader } from './batch-layout.ts'
import { headerNameBytes, putHeaderName } from './header-name.ts'
import { putVarint, putVarlong, varintBytes, varlongBytes } from './varint.ts'

/** A header to be written. */
export interface RecordHeaderInput {
  readonly key: string
  readonly value: Uint8Array | null
}

/** A record to be written. */
export interface RecordInput {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
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
  readonly compressionLevel?: number
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
const batchBytesMax = 2 ** 31 - 1
const noHeaders: readonly RecordHeaderInput[] = []

/**
 * Writes records into a batch, each once, at its place.
 *
 * A builder is **open**: `append` adds records, `sizeInBytes` and `sizeWith` tell the size before
 * compression. `build` writes the header, hands over the buffer and **closes** it; then nothing can be
 * appended or built any more.
 */
export class RecordBatchBuilder {
  #buffer: Buffer
  #end: number = batchHeaderBytes
  #recordCount = 0
  #baseTimestamp = -1
  #maxTimestamp = -1
  #isClosed = false

  /** `expectedBytes` saves copying when it is about the size that the batch will have. */
  constructor(expectedBytes = initialBytes) {
    this.#buffer = Buffer.allocUnsafe(Math.max(expectedBytes, batchHeaderBytes))
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** The size of the batch with what was appended, before compression. */
  get sizeInBytes(): number {
    return this.#end
  }

  /** The size that the batch would have with `record`, before compression. */
  sizeWith(record: RecordInput): number {
    const body = this.#bodyBytes(record)
    return this.#end + varintBytes(body) + body
  }

  /** Adds a record behind the others. */
  append(record: RecordInput): void {
    if (this.#isClosed) throw new ProtocolError('record batch: it was built, nothing can be added')
    const { timestamp } = record
    if (!Number.isSafeInteger(timestamp) || timestamp < -1) {
      throw new ProtocolError(
        `record: a timestamp of ${timestamp} is not a whole number from -1 up`,
      )
    }
    const body = this.#bodyBytes(record)
    this.#reserve(varintBytes(body) + body)
    if (this.#recordCount === 0) this.#baseTimestamp = timestamp
    this.#write(record, body)
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    this.#recordCount++
  }

  /** Completes the batch and answers its bytes. Call it once. */
  build(options: RecordBatchOptions = {}): Buffer {
    if (this.#isClosed) throw new ProtocolError('record batch: it was built before')
    if (this.#recordCount === 0) throw new ProtocolError('record batch: there are no records in it')
    this.#isClosed = true
    const compression = options.compression ?? 'none'
    const batch = this.#compressed(compression, options.compressionLevel)
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

  #compressed(compression: Compression, level: number | undefined): Buffer {
    if (compression === 'none') return this.#buffer.subarray(0, this.#end)
    return batchAround(
      compress(compression, this.#buffer.subarray(batchHeaderBytes, this.#end), level),
    )
  }

  #bodyBytes(record: RecordInput): number {
    const headers = record.headers ?? noHeaders
    const timestampDelta = this.#recordCount === 0 ? 0 : record.timestamp - this.#baseTimestamp
    let size = 1 + varlongBytes(timestampDelta) + varintBytes(this.#recordCount)
    size += fieldBytes(record.key) + fieldBytes(record.value) + varintBytes(headers.length)
    for (const { key, value } of headers) {
      const nameBytes = headerNameBytes(key)
      size += varintBytes(nameBytes) + nameBytes + fieldBytes(value)
    }
    return size
  }

  #write(record: RecordInput, body: number): void {
    const buffer = this.#buffer
    const headers = record.headers ?? noHeaders
    let end = putVarint(buffer, this.#end, body)
    buffer[end++] = 0
    end = putVarlong(buffer, end, record.timestamp - this.#baseTimestamp)
    end = putVarint(buffer, end, this.#recordCount)
    end = putField(buffer, end, record.key)
    end = putField(buffer, end, record.value)
    end = putVarint(buffer, end, headers.length)
    for (const { key, value } of headers) {
      end = putVarint(buffer, end, headerNameBytes(key))
      end = putHeaderName(buffer, end, key)
      end = putField(buffer, end, value)
    }
    this.#end = end
  }

  #reserve(byteCount: number): void {
    const needed = this.#end + byteCount
    if (needed <= this.#buffer.length) return
    if (needed > batchBytesMax)
      throw new ProtocolError(`record batch: ${needed} bytes are too many`)
    const grown = Buffer.allocUnsafe(
      Math.min(batchBytesMax, Math.max(needed, this.#buffer.length * 2)),
    )
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

function fieldBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintBytes(bytes.length) + bytes.length
}

function putField(buffer: Buffer, position: number, bytes: Uint8Array | null): number {
  if (bytes === null) return putVarint(buffer, position, -1)
  const start = putVarint(buffer, position, bytes.length)
  // The call of `set` costs as much as a loop over this many bytes.
  if (bytes.length > 32) buffer.set(bytes, start)
  else
    for (let index = 0; index < bytes.length; index++)
      buffer[start + index] = bytes[index] as number
  return start + bytes.length
}

/**
 * Record batches made by hand, so that they can be wrong on purpose, and read back as far as the
 * suite needs it. Written from the format's description, without the library's own codec.
 *
 * baseOffset 8 · length 4 · leader epoch 4 · magic 1 · crc 4 · attributes 2 · last offset delta 4 ·
 * base timestamp 8 · max timestamp 8 · producer id 8 · epoch 2 · base sequence 4 · count 4 · records
 */
import { gunzipSync, gzipSync } from 'node:zlib'

export interface RecordInput {
  readonly key?: string | null
  readonly value?: string | null
  readonly timestamp?: number
}

export interface BatchInput {
  readonly records?: readonly RecordInput[]
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  readonly gzip?: boolean
  /** For batches that are wrong on purpose. */
  readonly attributes?: number
  readonly magic?: number
  readonly baseOffset?: number
  readonly lastOffsetDelta?: number
  readonly count?: number
  readonly damagedChecksum?: boolean
}

export interface ReadBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  readonly attributes: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly transactional: boolean
  readonly control: boolean
  readonly bytes: number
  /** Values as text; the type of a control batch ('commit', 'abort') as its only value. */
  readonly values: readonly (string | null)[]
}

const headerBytes = 61
const checkedFrom = 21
const transactionalBit = 0x10
const controlBit = 0x20
const gzipCodec = 1
/**
 * Close to the broker's clock: Kafka rolls a segment when timestamps in it are further apart than
 * segment.ms, and a fetch answers one segment at a time.
 */
const defaultTimestamp = Date.now()

/** A batch of one record unless told otherwise. */
export function makeBatch(input: BatchInput = {}): Buffer {
  const records = input.records ?? [{ key: 'key', value: 'value' }]
  const timestamps = records.map((record) => record.timestamp ?? defaultTimestamp)
  const base = timestamps[0] ?? defaultTimestamp
  const encoded = Buffer.concat(
    records.map((record, index) => makeRecord(record, index, (timestamps[index] ?? base) - base)),
  )
  const body = input.gzip === true ? gzipSync(encoded) : encoded
  const header = Buffer.alloc(headerBytes)
  header.writeBigInt64BE(BigInt(input.baseOffset ?? 0), 0)
  header.writeInt32BE(headerBytes - 12 + body.length, 8)
  header.writeInt32BE(-1, 12)
  header.writeInt8(input.magic ?? 2, 16)
  const flags = (input.gzip === true ? gzipCodec : 0) | (input.transactional ? transactionalBit : 0)
  header.writeInt16BE(input.attributes ?? flags, 21)
  header.writeInt32BE(input.lastOffsetDelta ?? records.length - 1, 23)
  header.writeBigInt64BE(BigInt(base), 27)
  header.writeBigInt64BE(BigInt(Math.max(base, ...timestamps)), 35)
  header.writeBigInt64BE(BigInt(input.producerId ?? -1), 43)
  header.writeInt16BE(input.producerEpoch ?? -1, 51)
  header.writeInt32BE(input.baseSequence ?? -1, 53)
  header.writeInt32BE(input.count ?? records.length, 57)
  const batch = Buffer.concat([header, body])
  const checksum = crc32c(batch.subarray(checkedFrom))
  batch.writeUInt32BE(input.damagedChecksum === true ? (checksum ^ 1) >>> 0 : checksum, 17)
  return batch
}

function makeRecord(record: RecordInput, index: number, timestampDelta: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(timestampDelta),
    varint(index),
    field(record.key),
    field(record.value),
    varint(0),
  ])
  return Buffer.concat([varint(body.length), body])
}

function field(text: string | null | undefined): Buffer {
  if (text === null || text === undefined) return varint(-1)
  const bytes = Buffer.from(text)
  return Buffer.concat([varint(bytes.length), bytes])
}

/** Reads all batches of a fetched record set. */
export function readBatches(set: Uint8Array | null): ReadBatch[] {
  const batches: ReadBatch[] = []
  const all = Buffer.from(set ?? [])
  for (let start = 0; start + headerBytes <= all.length;) {
    const end = start + 12 + all.readInt32BE(start + 8)
    // A broker may cut the last batch where the fetch's limit is.
    if (end > all.length) break
    batches.push(readBatch(all.subarray(start, end)))
    start = end
  }
  return batches
}

function readBatch(batch: Buffer): ReadBatch {
  if (crc32c(batch.subarray(checkedFrom)) !== batch.readUInt32BE(17)) {
    throw new Error('a fetched batch has a wrong checksum')
  }
  const attributes = batch.readInt16BE(21)
  const control = (attributes & controlBit) !== 0
  const baseOffset = Number(batch.readBigInt64BE(0))
  return {
    baseOffset,
    lastOffset: baseOffset + batch.readInt32BE(23),
    leaderEpoch: batch.readInt32BE(12),
    attributes,
    maxTimestamp: Number(batch.readBigInt64BE(35)),
    producerId: Number(batch.readBigInt64BE(43)),
    producerEpoch: batch.readInt16BE(51),
    baseSequence: batch.readInt32BE(53),
    transactional: (attributes & transactionalBit) !== 0,
    control,
    bytes: batch.length,
    values: readValues(batch, attributes, control),
  }
}

function readValues(batch: Buffer, attributes: number, control: boolean): (string | null)[] {
  const codec = attributes & 7
  if (codec > gzipCodec) return []
  const body = batch.subarray(headerBytes)
  const cursor = { bytes: codec === gzipCodec ? gunzipSync(body) : body, at: 0 }
  return Array.from({ length: batch.readInt32BE(57) }, () => {
    const end = readVarint(cursor) + cursor.at
    cursor.at += 1
    readVarint(cursor)
    readVarint(cursor)
    const key = readField(cursor)
    const value = readField(cursor)
    cursor.at = end
    if (control) return key?.readInt16BE(2) === 1 ? 'commit' : 'abort'
    return value === null ? null : value.toString()
  })
}

interface Cursor {
  readonly bytes: Buffer
  at: number
}

function readField(cursor: Cursor): Buffer | null {
  const length = readVarint(cursor)
  if (length < 0) return null
  cursor.at += length
  return cursor.bytes.subarray(cursor.at - length, cursor.at)
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  // Zigzag; deltas of timestamps may need more than 32 bits.
  let rest = value >= 0 ? BigInt(value) * 2n : BigInt(value) * -2n - 1n
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

function readVarint(cursor: Cursor): number {
  let value = 0n
  for (let shift = 0n; ; shift += 7n) {
    const byte = BigInt(cursor.bytes[cursor.at] ?? 0)
    cursor.at += 1
    value |= (byte & 0x7fn) << shift
    if (byte < 0x80n) break
  }
  return Number(value & 1n ? -(value >> 1n) - 1n : value >> 1n)
}

function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

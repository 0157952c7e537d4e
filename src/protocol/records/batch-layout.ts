import { ProtocolError } from '../../errors.ts'
import { crc32c } from './crc32c.ts'

/*
 * A record batch of magic 2 (KIP-98); numbers are big-endian:
 *
 *   0   base offset i64           of the first record; set by the broker
 *   8   length i32                of what follows
 *   12  leader epoch i32          set by the broker
 *   16  magic i8                  2
 *   17  CRC u32                   CRC-32C of all that follows
 *   21  attributes i16            bits 0-2 codec, 3 log append time, 4 transactional, 5 control,
 *                                 6 the base timestamp is the delete horizon (KIP-534)
 *   23  last offset delta i32     base offset + this is the last offset the batch stands for
 *   27  base timestamp i64        the timestamps of records are relative to it
 *   35  max timestamp i64
 *   43  producer id i64           -1: not idempotent
 *   51  producer epoch i16
 *   53  base sequence i32         of the first record
 *   57  record count i32
 *   61  records, compressed together
 *
 * The CRC leaves out base offset and leader epoch, so a broker sets them in bytes that it otherwise
 * stores and sends as they came.
 */

/** Where the fields of a batch are. */
export const batchLayout = {
  baseOffset: 0,
  length: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const

/** The size of a batch before its records. */
export const batchHeaderBytes = batchLayout.records

/** What comes before the bytes that a batch's length counts. */
export const batchPrefixBytes = batchLayout.partitionLeaderEpoch

/** The only magic that is read and written. */
export const batchMagic = 2

/** The bits of a batch's attributes. */
export const batchAttributes = {
  compression: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
} as const

/** The smallest record: length, attributes, two deltas, no key, no value, no headers, a byte each. */
export const recordBytesMin = 7

/** A 64-bit integer. Beyond 2^53 it is the nearest number. */
export function readInt64(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * 0x1_0000_0000 + buffer.readUInt32BE(position + 4)
}

/** Writes a safe integer as 64 bits. */
export function writeInt64(buffer: Buffer, value: number, position: number): void {
  if (!Number.isSafeInteger(value)) {
    throw new ProtocolError(`record batch: ${value} is not a whole number that can be written`)
  }
  buffer.writeInt32BE(Math.floor(value / 0x1_0000_0000), position)
  buffer.writeUInt32BE(value >>> 0, position + 4)
}

/**
 * A timestamp that is a safe integer. Some producers write microseconds or nanoseconds, or no time
 * at all; their records must remain readable, so what passes 2^53 is read as 2^53 - 1.
 */
export function safeTimestamp(timestamp: number): number {
  if (Number.isSafeInteger(timestamp)) return timestamp
  return timestamp < 0 ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER
}

/** What a batch's header says, apart from its length and CRC. */
export interface BatchFields {
  readonly baseOffset: number
  readonly partitionLeaderEpoch: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** Completes `batch`, whose records are in place behind the header, with its header and CRC. */
export function writeBatchHeader(batch: Buffer, fields: BatchFields): void {
  writeInt64(batch, fields.baseOffset, batchLayout.baseOffset)
  batch.writeInt32BE(fields.partitionLeaderEpoch, batchLayout.partitionLeaderEpoch)
  batch.writeInt8(batchMagic, batchLayout.magic)
  batch.writeInt16BE(fields.attributes, batchLayout.attributes)
  batch.writeInt32BE(fields.lastOffsetDelta, batchLayout.lastOffsetDelta)
  writeInt64(batch, fields.baseTimestamp, batchLayout.baseTimestamp)
  writeInt64(batch, fields.maxTimestamp, batchLayout.maxTimestamp)
  writeInt64(batch, fields.producerId, batchLayout.producerId)
  batch.writeInt16BE(fields.producerEpoch, batchLayout.producerEpoch)
  batch.writeInt32BE(fields.baseSequence, batchLayout.baseSequence)
  batch.writeInt32BE(fields.recordCount, batchLayout.recordCount)
  sealBatch(batch)
}

/** Writes the length and the CRC of `batch`, which is complete otherwise. */
export function sealBatch(batch: Buffer): void {
  batch.writeInt32BE(batch.length - batchPrefixBytes, batchLayout.length)
  batch.writeUInt32BE(crc32c(batch.subarray(batchLayout.attributes)), batchLayout.crc)
}

import { MillraceError, ProtocolError } from '../../errors.ts'
import { compressions } from '../compression/index.ts'
import type { Compression } from '../compression/index.ts'
import {
  batchAttributes,
  batchHeaderBytes,
  batchLayout,
  batchMagic,
  batchPrefixBytes,
  readInt64,
  safeTimestamp,
  writeInt64,
} from './batch-layout.ts'
import { crc32c } from './crc32c.ts'
import { RecordReader } from './record-reader.ts'

/** Who set the timestamps of a batch: its producer, or the broker when it appended it. */
export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** Offsets are counted up from the base by deltas of 31 bits, and must stay safe integers. */
const baseOffsetMax = Number.MAX_SAFE_INTEGER - 2 ** 31

/**
 * A record batch where it lies in a buffer. Fields are read from there when they are asked for, and
 * written there; nothing is copied. What `at` has checked holds: the batch is whole, of magic 2, and
 * offsets, producer id and counts are numbers that can be worked with. Its CRC is checked by
 * `isCrcValid`, its records when they are read.
 */
export class RecordBatch {
  readonly buffer: Buffer
  /** Where the batch starts in `buffer`. */
  readonly position: number
  readonly sizeInBytes: number

  private constructor(buffer: Buffer, position: number, sizeInBytes: number) {
    this.buffer = buffer
    this.position = position
    this.sizeInBytes = sizeInBytes
  }

  /** The batch that starts at `position` of `buffer`. */
  static at(buffer: Buffer, position = 0): RecordBatch {
    const size = recordBatchBytesAt(buffer, position)
    if (size === undefined || size > buffer.length - position) {
      throw malformed(
        position,
        `is cut off: ${size ?? 'unknown'} of ${buffer.length - position} bytes`,
      )
    }
    const batch = new RecordBatch(buffer, position, size)
    const { baseOffset, lastOffsetDelta, recordCount, producerId } = batch
    if (!(baseOffset >= 0 && baseOffset <= baseOffsetMax)) {
      throw malformed(position, `has a base offset of ${baseOffset}`)
    }
    if (lastOffsetDelta < 0) throw malformed(position, `ends ${lastOffsetDelta} behind its start`)
    if (recordCount < 0 || recordCount > lastOffsetDelta + 1) {
      throw malformed(position, `has ${recordCount} records up to delta ${lastOffsetDelta}`)
    }
    if (!(producerId >= -1 && Number.isSafeInteger(producerId))) {
      throw malformed(position, `has a producer id of ${producerId}`)
    }
    return batch
  }

  /** The batch that is all of `bytes`, at least a header. Nothing is checked: its fields may be anything. */
  static unchecked(bytes: Buffer): RecordBatch {
    return new RecordBatch(bytes, 0, bytes.length)
  }

  get baseOffset(): number {
    return readInt64(this.buffer, this.position + batchLayout.baseOffset)
  }

  /** The last offset that the batch stands for. Compaction may have removed the record there. */
  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta
  }

  /** The offset behind the batch. */
  get nextOffset(): number {
    return this.lastOffset + 1
  }

  get partitionLeaderEpoch(): number {
    return this.buffer.readInt32BE(this.position + batchLayout.partitionLeaderEpoch)
  }

  get magic(): number {
    return this.buffer.readInt8(this.position + batchLayout.magic)
  }

  get crc(): number {
    return this.buffer.readUInt32BE(this.position + batchLayout.crc)
  }

  get attributes(): number {
    return this.buffer.readInt16BE(this.position + batchLayout.attributes)
  }

  get compression(): Compression {
    const codec = this.attributes & batchAttributes.compression
    const compression = compressions[codec]
    if (compression !== undefined) return compression
    throw new MillraceError('MILLRACE_PROTOCOL_UNSUPPORTED', `record batch: codec ${codec}`)
  }

  get timestampType(): TimestampType {
    return (this.attributes & batchAttributes.logAppendTime) === 0 ? 'CreateTime' : 'LogAppendTime'
  }

  get isTransactional(): boolean {
    return (this.attributes & batchAttributes.transactional) !== 0
  }

  /** Whether its records are markers of transactions, not data. */
  get isControl(): boolean {
    return (this.attributes & batchAttributes.control) !== 0
  }

  /** From when on the tombstones and markers in it may go; undefined before a first compaction. */
  get deleteHorizonMs(): number | undefined {
    return (this.attributes & batchAttributes.deleteHorizon) === 0 ? undefined : this.baseTimestamp
  }

  get lastOffsetDelta(): number {
    return this.buffer.readInt32BE(this.position + batchLayout.lastOffsetDelta)
  }

  /** What the records' timestamps are relative to. */
  get baseTimestamp(): number {
    return safeTimestamp(readInt64(this.buffer, this.position + batchLayout.baseTimestamp))
  }

  get maxTimestamp(): number {
    return safeTimestamp(readInt64(this.buffer, this.position + batchLayout.maxTimestamp))
  }

  /** -1 for a producer that is not idempotent. */
  get producerId(): number {
    return readInt64(this.buffer, this.position + batchLayout.producerId)
  }

  get producerEpoch(): number {
    return this.buffer.readInt16BE(this.position + batchLayout.producerEpoch)
  }

  /** The sequence number of the first record, or -1. */
  get baseSequence(): number {
    return this.buffer.readInt32BE(this.position + batchLayout.baseSequence)
  }

  /** The sequence number of the last record, or -1. Behind 2^31 - 1 they start at 0 again. */
  get lastSequence(): number {
    const { baseSequence } = this
    return baseSequence < 0 ? -1 : (baseSequence + this.lastOffsetDelta) % 2 ** 31
  }

  get recordCount(): number {
    return this.buffer.readInt32BE(this.position + batchLayout.recordCount)
  }

  /** All bytes of the batch, as a view. */
  get bytes(): Buffer {
    return this.buffer.subarray(this.position, this.position + this.sizeInBytes)
  }

  /** The bytes of the records, compressed as they are, as a view. */
  get recordBytes(): Buffer {
    return this.buffer.subarray(this.position + batchHeaderBytes, this.position + this.sizeInBytes)
  }

  /** Whether the bytes are the ones that were summed when the batch was written. */
  isCrcValid(): boolean {
    return this.crc === this.#sum()
  }

  /**
   * The records, to be read in order. `decompressedBytesMax` is what the records of a compressed batch
   * may take; a batch that is not compressed is read in place.
   */
  records(decompressedBytesMax: number): RecordReader {
    return RecordReader.of(this, decompressedBytesMax)
  }

  setBaseOffset(baseOffset: number): void {
    writeInt64(this.buffer, baseOffset, this.position + batchLayout.baseOffset)
  }

  setPartitionLeaderEpoch(epoch: number): void {
    this.buffer.writeInt32BE(epoch, this.position + batchLayout.partitionLeaderEpoch)
  }

  /** Gives all records the time at which the broker appends them, and sums the batch again. */
  setLogAppendTime(timestamp: number): void {
    const attributes = this.attributes | batchAttributes.logAppendTime
    this.buffer.writeInt16BE(attributes, this.position + batchLayout.attributes)
    writeInt64(this.buffer, timestamp, this.position + batchLayout.maxTimestamp)
    this.#sign()
  }

  /** Writes the batch in the name of another producer or with other sequence numbers (KIP-360). */
  setProducer(producerId: number, producerEpoch: number, baseSequence: number): void {
    writeInt64(this.buffer, producerId, this.position + batchLayout.producerId)
    this.buffer.writeInt16BE(producerEpoch, this.position + batchLayout.producerEpoch)
    this.buffer.writeInt32BE(baseSequence, this.position + batchLayout.baseSequence)
    this.#sign()
  }

  #sign(): void {
    this.buffer.writeUInt32BE(this.#sum(), this.position + batchLayout.crc)
  }

  #sum(): number {
    const start = this.position + batchLayout.attributes
    return crc32c(this.buffer.subarray(start, this.position + this.sizeInBytes))
  }
}

/**
 * The size of the batch that starts at `position`, as it declares it; undefined when too little of
 * it is there to tell. Throws when no batch of magic 2 can start like that.
 */
export function recordBatchBytesAt(buffer: Buffer, position: number): number | undefined {
  if (buffer.length - position <= batchLayout.magic) return undefined
  const magic = buffer.readInt8(position + batchLayout.magic)
  if (magic !== batchMagic) {
    throw new MillraceError(
      'MILLRACE_PROTOCOL_UNSUPPORTED',
      `record batch: the one at byte ${position} has magic ${magic}, only ${batchMagic} is read`,
    )
  }
  const size = batchPrefixBytes + buffer.readInt32BE(position + batchLayout.length)
  if (size < batchHeaderBytes) throw malformed(position, `has ${size} bytes`)
  return size
}

function malformed(position: number, problem: string): ProtocolError {
  return new ProtocolError(`record batch: the one at byte ${position} ${problem}`)
}

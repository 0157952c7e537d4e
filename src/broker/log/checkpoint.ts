import { isMillraceError } from '../../errors.ts'
import { Reader, Writer } from '../../protocol/index.ts'
import { crc32c } from '../../protocol/records/index.ts'
import { damaged } from './damaged.ts'
import type { LeaderEpoch } from './leader-epochs.ts'
import { ProducerEntry } from './producer-entry.ts'
import type { AbortedEntry } from './transactions.ts'

/** What was known of a log when everything up to `endOffset` was synced. */
export interface Checkpoint {
  /** Recovery checks every batch from here on. */
  readonly endOffset: number
  /** The segment that ends, or goes on, at `endOffset`, and the bytes that it had then. */
  readonly segmentBaseOffset: number
  readonly segmentBytes: number
  readonly logStartOffset: number
  /** Compaction has seen all that lies below. */
  readonly compactedOffset: number
  readonly leaderEpochs: readonly LeaderEpoch[]
  readonly producers: readonly ProducerEntry[]
  readonly aborted: readonly AbortedEntry[]
}

const format = 1

/** Writes a checkpoint: the CRC-32C of the rest, the format, then its fields. */
export function encodeCheckpoint(checkpoint: Checkpoint): Buffer {
  const writer = new Writer()
  writer.int16(format)
  writer.int64(checkpoint.endOffset)
  writer.int64(checkpoint.segmentBaseOffset)
  writer.int64(checkpoint.segmentBytes)
  writer.int64(checkpoint.logStartOffset)
  writer.int64(checkpoint.compactedOffset)
  writer.int32(checkpoint.leaderEpochs.length)
  for (const { epoch, startOffset } of checkpoint.leaderEpochs) {
    writer.int32(epoch)
    writer.int64(startOffset)
  }
  writer.int32(checkpoint.producers.length)
  for (const entry of checkpoint.producers) writeProducer(writer, entry)
  writer.int32(checkpoint.aborted.length)
  for (const entry of checkpoint.aborted) {
    writer.int64(entry.producerId)
    writer.int64(entry.firstOffset)
    writer.int64(entry.lastOffset)
    writer.int64(entry.lastStableOffset)
  }
  const body = writer.toBuffer()
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32c(body))
  return Buffer.concat([crc, body])
}

/**
 * Reads a checkpoint. Undefined when its bytes are damaged: the log can be read without it. A format
 * that is not known is not damage, and throws.
 */
export function decodeCheckpoint(content: Buffer): Checkpoint | undefined {
  if (content.length < 6 || content.readUInt32BE(0) !== crc32c(content.subarray(4)))
    return undefined
  const reader = new Reader(content, 4)
  const found = reader.int16()
  if (found !== format) throw damaged(`a checkpoint has format ${found}, only ${format} is known`)
  try {
    return {
      endOffset: reader.int64(),
      segmentBaseOffset: reader.int64(),
      segmentBytes: reader.int64(),
      logStartOffset: reader.int64(),
      compactedOffset: reader.int64(),
      leaderEpochs: list(reader, () => ({ epoch: reader.int32(), startOffset: reader.int64() })),
      producers: list(reader, () => readProducer(reader)),
      aborted: list(reader, () => ({
        producerId: reader.int64(),
        firstOffset: reader.int64(),
        lastOffset: reader.int64(),
        lastStableOffset: reader.int64(),
      })),
    }
  } catch (error) {
    if (isMillraceError(error, 'MILLRACE_PROTOCOL_INVALID')) return undefined
    throw error
  }
}

function writeProducer(writer: Writer, entry: ProducerEntry): void {
  writer.int64(entry.producerId)
  writer.int32(entry.epoch)
  writer.int32(entry.coordinatorEpoch)
  writer.int64(entry.transactionStart)
  writer.int64(entry.lastTimestamp)
  writer.int64(entry.lastHeardMs)
  writer.int32(entry.batches.length)
  for (const batch of entry.batches) {
    writer.int32(batch.baseSequence)
    writer.int32(batch.lastSequence)
    writer.int64(batch.baseOffset)
    writer.int64(batch.lastOffset)
    writer.int64(batch.maxTimestamp)
  }
}

function readProducer(reader: Reader): ProducerEntry {
  const producerId = reader.int64()
  const epoch = reader.int32()
  const coordinatorEpoch = reader.int32()
  const transactionStart = reader.int64()
  const lastTimestamp = reader.int64()
  const entry = new ProducerEntry(producerId, reader.int64())
  Object.assign(entry, { epoch, coordinatorEpoch, transactionStart, lastTimestamp })
  const batches = list(reader, () => ({
    baseSequence: reader.int32(),
    lastSequence: reader.int32(),
    baseOffset: reader.int64(),
    lastOffset: reader.int64(),
    maxTimestamp: reader.int64(),
  }))
  for (const batch of batches) entry.remember(batch)
  return entry
}

function list<Item>(reader: Reader, item: () => Item): Item[] {
  const count = reader.int32()
  const items: Item[] = []
  for (let index = 0; index < count; index++) items.push(item())
  return items
}

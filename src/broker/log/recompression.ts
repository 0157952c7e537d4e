import { isMillraceError } from '../../errors.ts'
import { compress, compressions, decompress } from '../../protocol/compression/index.ts'
import type { Compression } from '../../protocol/compression/index.ts'
import { prepareCompression } from '../../protocol/compression/index.ts'
import { crc32c, RecordBatch } from '../../protocol/records/index.ts'
import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { headerBytes } from './batch-header.ts'
import { decompressedBytesMax, isUnreadable } from './decompression.ts'
import type { LogConfig } from './log-config.ts'

const lengthAt = 8
const lengthEnd = 12
const crcAt = 17
const attributesAt = 21
const codecBits = 7

/**
 * The batch with the codec that its topic asks for. Its records are compressed anew as they are,
 * without being looked at.
 */
export function recompress(
  batch: RecordBatch,
  compressionType: LogConfig['compressionType'],
): RecordBatch | Refusal {
  if (compressionType === 'producer') return batch
  const wanted: Compression = compressionType === 'uncompressed' ? 'none' : compressionType
  if (batch.compression === wanted) return batch
  let records: Buffer
  try {
    records = decompress(batch.compression, batch.recordBytes, decompressedBytesMax)
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return refuse('INVALID_RECORD', (error as Error).message)
  }
  try {
    return withRecords(batch, wanted, compress(wanted, records))
  } catch (error) {
    if (!isMillraceError(error, 'MILLRACE_PROTOCOL_UNSUPPORTED')) throw error
    // The codec is still being loaded. The batch is readable as it came; the next one will do better.
    prepareCompression(wanted).catch(() => undefined)
    return batch
  }
}

function withRecords(batch: RecordBatch, codec: Compression, records: Buffer): RecordBatch {
  const made = Buffer.concat([batch.bytes.subarray(0, headerBytes), records])
  made.writeInt32BE(made.length - lengthEnd, lengthAt)
  const attributes = (batch.attributes & ~codecBits) | compressions.indexOf(codec)
  made.writeInt16BE(attributes, attributesAt)
  made.writeUInt32BE(crc32c(made.subarray(attributesAt)), crcAt)
  return RecordBatch.at(made)
}

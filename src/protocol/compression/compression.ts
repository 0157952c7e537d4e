import { OptionError } from '../../errors.ts'
import { outputTooLarge } from './bounded-output.ts'
import { compressGzip, decompressGzip } from './gzip.ts'
import { compressLz4, decompressLz4 } from './lz4.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import { compressZstd, decompressZstd, prepareZstd } from './zstd.ts'

/** The names of Kafka's codecs; the index is the number that a batch has in its attributes. */
export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** How the records of a batch are compressed. */
export type Compression = (typeof compressions)[number]

/** The levels a codec has: the lowest, the highest, and the one that is used when none is given. */
const levels = {
  gzip: { min: 1, max: 9, default: 6 },
  zstd: { min: -131_072, max: 22, default: 3 },
} as const

/**
 * Makes `compress` ready for a codec, by loading what it needs. Only zstd needs it, on Node below
 * 22.15; awaiting it for every codec is right everywhere. Reading needs no preparation.
 */
export async function prepareCompression(codec: Compression): Promise<void> {
  if (codec === 'zstd') await prepareZstd()
}

/**
 * Compresses `bytes` as Java's client would frame them. `level` counts for gzip (1 to 9) and zstd
 * (up to 22); snappy and lz4 have one level here. 'none' answers the bytes themselves.
 */
export function compress(codec: Compression, bytes: Uint8Array, level?: number): Buffer {
  switch (codec) {
    case 'none':
      return asBuffer(bytes)
    case 'gzip':
      return compressGzip(bytes, checkedLevel('gzip', level))
    case 'snappy':
      return compressSnappy(bytes)
    case 'lz4':
      return compressLz4(bytes)
    case 'zstd':
      return compressZstd(bytes, checkedLevel('zstd', level))
  }
}

/**
 * Decompresses `bytes`. Throws MILLRACE_PROTOCOL_TOO_LARGE for more than `outputBytesMax` bytes of
 * content and MILLRACE_PROTOCOL_INVALID for bytes that are not the codec's. Memory grows with what
 * has been decoded, never with what the bytes declare.
 */
export function decompress(codec: Compression, bytes: Uint8Array, outputBytesMax: number): Buffer {
  const input = asBuffer(bytes)
  switch (codec) {
    case 'none':
      if (input.length > outputBytesMax) throw outputTooLarge('none', outputBytesMax)
      return input
    case 'gzip':
      return decompressGzip(input, outputBytesMax)
    case 'snappy':
      return decompressSnappy(input, outputBytesMax)
    case 'lz4':
      return decompressLz4(input, outputBytesMax)
    case 'zstd':
      return decompressZstd(input, outputBytesMax)
  }
}

function checkedLevel(codec: keyof typeof levels, level: number | undefined): number {
  const allowed = levels[codec]
  if (level === undefined) return allowed.default
  if (Number.isInteger(level) && level >= allowed.min && level <= allowed.max) return level
  const range = `a whole number from ${allowed.min} to ${allowed.max}`
  throw new OptionError('level', `(${level}) of ${codec} must be ${range}`)
}

function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

import { gunzipSync, gzipSync } from 'node:zlib'
import { ProtocolError } from '../../errors.ts'
import { outputTooLarge } from './bounded-output.ts'

/** Encodes one gzip member. */
export function compressGzip(bytes: Uint8Array, level: number): Buffer {
  return gzipSync(bytes, { level })
}

/** Decodes all members of `bytes`, to at most `outputBytesMax` bytes. */
export function decompressGzip(bytes: Buffer, outputBytesMax: number): Buffer {
  try {
    // A maximum of 0 is not allowed there, and one byte too many is refused below.
    const content = gunzipSync(bytes, { maxOutputLength: Math.max(outputBytesMax, 1) })
    if (content.length <= outputBytesMax) return content
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'ERR_BUFFER_TOO_LARGE') {
      throw new ProtocolError(`gzip: ${(cause as Error).message}`, { cause })
    }
  }
  throw outputTooLarge('gzip', outputBytesMax)
}

import * as zlib from 'node:zlib'
import { MillraceError, ProtocolError } from '../../errors.ts'
import { outputTooLarge } from './bounded-output.ts'
import { decodeZstd, findSingleZstdFrame } from './zstd-frame.ts'

/*
 * Written by node:zlib where it can (from Node 22.15 on), else by the WebAssembly of
 * `@bokuweb/zstd-wasm`, which has to be loaded first. Read by our own decoder, which refuses whatever
 * is not whole; node:zlib is five times faster on large frames, but it takes truncated input for
 * empty, drops frames behind the first few, and allocates the window that a frame declares. So it is
 * given only single frames of modest windows that were found whole.
 */

/** What node:zlib has from Node 22.15 on. */
interface NativeZstd {
  readonly constants: { readonly ZSTD_c_compressionLevel: number }
  zstdCompressSync(bytes: Uint8Array, options: { params: Record<number, number> }): Buffer
  zstdDecompressSync(bytes: Uint8Array, options: { maxOutputLength: number }): Buffer
}

interface ZstdEncoder {
  compress(bytes: Uint8Array, level: number): Uint8Array
}

const native = 'zstdCompressSync' in zlib ? (zlib as unknown as NativeZstd) : undefined

/** Below this the set-up of the native decoder costs more than it saves. */
const nativeInputBytesMin = 2048

/** Every decoder is asked to allow for windows of this size (RFC 8878, 3.1.1.1.2). */
const nativeWindowBytesMax = 8 * 1024 * 1024

let encoder: ZstdEncoder | undefined

/** Makes `compressZstd` ready. */
export async function prepareZstd(): Promise<void> {
  if (native !== undefined || encoder !== undefined) return
  try {
    const module = await import('@bokuweb/zstd-wasm')
    await module.init()
    encoder = module
  } catch (cause) {
    throw new MillraceError(
      'MILLRACE_PROTOCOL_UNSUPPORTED',
      'zstd: writing needs Node 22.15, or the package @bokuweb/zstd-wasm, which did not load',
      { cause },
    )
  }
}

/** Encodes one frame. */
export function compressZstd(bytes: Uint8Array, level: number): Buffer {
  if (native !== undefined) {
    return native.zstdCompressSync(bytes, {
      params: { [native.constants.ZSTD_c_compressionLevel]: level },
    })
  }
  if (encoder === undefined) {
    throw new MillraceError(
      'MILLRACE_PROTOCOL_UNSUPPORTED',
      "zstd: writing needs a finished prepareCompression('zstd') before, on Node below 22.15",
    )
  }
  const { buffer, byteOffset, byteLength } = encoder.compress(bytes, level)
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** Decodes all frames of `bytes`, to at most `outputBytesMax` bytes. */
export function decompressZstd(bytes: Buffer, outputBytesMax: number): Buffer {
  if (native === undefined || bytes.length < nativeInputBytesMin || outputBytesMax === 0) {
    return decodeZstd(bytes, outputBytesMax)
  }
  const frame = findSingleZstdFrame(bytes)
  if (frame === undefined || frame.windowBytes > nativeWindowBytesMax) {
    return decodeZstd(bytes, outputBytesMax)
  }
  try {
    return native.zstdDecompressSync(bytes, { maxOutputLength: outputBytesMax })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE') throw outputTooLarge('zstd', outputBytesMax)
    throw new ProtocolError(`zstd: ${message}`, { cause })
  }
}

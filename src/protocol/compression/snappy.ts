import { MillraceError, ProtocolError } from '../../errors.ts'
import { outputTooLarge } from './bounded-output.ts'
import {
  decodeSnappyBlock,
  encodeSnappyBlock,
  snappyBlockBytesMax,
  snappyContentBytes,
} from './snappy-block.ts'

/*
 * Two forms are found in Kafka: a bare Snappy block, and the stream of snappy-java ("xerial"), which
 * Java writes and most others read:
 *
 *   stream   header, chunk*
 *   header   82 53 4e 41 50 50 59 00, version i32 BE, lowest compatible version i32 BE
 *   chunk    size i32 BE, a Snappy block of that size
 *
 * Where streams were concatenated, further headers stand between chunks.
 */

const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const header = Buffer.concat([magic, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])])
const knownVersion = 1
const writtenChunkBytes = 32_768

/** Encodes as Java does: a stream of blocks of 32 KiB. */
export function compressSnappy(bytes: Uint8Array): Buffer {
  const chunkCount = Math.ceil(bytes.length / writtenChunkBytes)
  const sizeMax = snappyBlockBytesMax(bytes.length) + chunkCount * (4 + snappyBlockBytesMax(0))
  const target = Buffer.allocUnsafe(header.length + sizeMax)
  let position = header.copy(target)
  for (let start = 0; start < bytes.length; start += writtenChunkBytes) {
    const end = Math.min(start + writtenChunkBytes, bytes.length)
    const chunkEnd = encodeSnappyBlock(bytes, start, end, target, position + 4)
    target.writeInt32BE(chunkEnd - position - 4, position)
    position = chunkEnd
  }
  return target.subarray(0, position)
}

/** Decodes a stream or a bare block, to at most `outputBytesMax` bytes. */
export function decompressSnappy(bytes: Buffer, outputBytesMax: number): Buffer {
  const blocks = isStream(bytes) ? findBlocks(bytes) : [{ start: 0, end: bytes.length }]
  // What blocks declare is checked against their sizes before it is believed.
  let contentBytes = 0
  for (const { start, end } of blocks) contentBytes += snappyContentBytes(bytes, start, end)
  if (contentBytes > outputBytesMax) throw outputTooLarge('snappy', outputBytesMax)
  const output = Buffer.allocUnsafe(contentBytes)
  let position = 0
  for (const { start, end } of blocks) {
    position = decodeSnappyBlock(bytes, start, end, output, position)
  }
  return output
}

function isStream(bytes: Buffer): boolean {
  return (
    bytes.length >= header.length && bytes.compare(magic, 0, magic.length, 0, magic.length) === 0
  )
}

function findBlocks(bytes: Buffer): { start: number; end: number }[] {
  const blocks: { start: number; end: number }[] = []
  let position = 0
  while (position < bytes.length) {
    if (isStream(bytes.subarray(position))) {
      checkVersion(bytes.readInt32BE(position + 12))
      position += header.length
      continue
    }
    if (bytes.length - position < 4) throw new ProtocolError('snappy: a chunk size is cut off')
    const size = bytes.readInt32BE(position)
    const start = position + 4
    if (size < 0 || size > bytes.length - start) {
      throw new ProtocolError(`snappy: a chunk of ${size} bytes at ${start} of ${bytes.length}`)
    }
    blocks.push({ start, end: start + size })
    position = start + size
  }
  return blocks
}

function checkVersion(lowestCompatible: number): void {
  if (lowestCompatible > knownVersion) {
    const problem = `snappy: streams of version ${lowestCompatible}, known is ${knownVersion}`
    throw new MillraceError('MILLRACE_PROTOCOL_UNSUPPORTED', problem)
  }
}

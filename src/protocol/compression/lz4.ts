import { MillraceError, ProtocolError } from '../../errors.ts'
import { BoundedOutput } from './bounded-output.ts'
import { decodeLz4Block, encodeLz4Block, lz4BlockBytesMax, lz4RatioMax } from './lz4-block.ts'
import { xxhash32 } from './xxhash32.ts'

/*
 * An LZ4 frame; all numbers are little-endian:
 *
 *   frame    magic u32, flags u8, block size u8, [content size u64], [dictionary u32],
 *            header checksum u8, block*, 0 u32, [content checksum u32]
 *   block    size u32 (highest bit: stored as it is), bytes, [checksum u32]
 *   flags    bits 6-7 version = 1, 5 blocks are independent, 4 block checksums, 3 content size,
 *            2 content checksum, 0 dictionary
 *
 * The header checksum is the second byte of the xxHash of what lies between magic and checksum.
 * Batches of magic 2 have it right; Kafka's older formats, which it hashed wrongly, are not read
 * here. Java's reader refuses frames whose blocks depend on each other, so they are read, not
 * written. Frames may follow one another; skippable frames among them are passed over.
 */

const frameMagic = 0x184d2204
const skippableMagic = 0x184d2a50
const storedBit = 0x8000_0000
const writtenBlockBytes = 65_536

/** Magic, version 1 with independent blocks, blocks of 64 KiB, and the checksum of these two. */
const writtenHeader = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82])

interface FrameHeader {
  readonly end: number
  readonly blockBytesMax: number
  readonly independent: boolean
  readonly blockChecksums: boolean
  readonly contentChecksum: boolean
  readonly contentBytes: number | undefined
}

/** Encodes as Java does: one frame of independent blocks of 64 KiB, without checksums. */
export function compressLz4(bytes: Uint8Array): Buffer {
  const blockCount = Math.ceil(bytes.length / writtenBlockBytes)
  const sizeMax = blockCount * 4 + lz4BlockBytesMax(bytes.length) + 16 * blockCount
  const target = Buffer.allocUnsafe(writtenHeader.length + sizeMax + 4)
  let position = writtenHeader.copy(target)
  for (let start = 0; start < bytes.length; start += writtenBlockBytes) {
    const end = Math.min(start + writtenBlockBytes, bytes.length)
    const blockStart = position + 4
    const blockEnd = encodeLz4Block(bytes, start, end, target, blockStart)
    if (blockEnd - blockStart < end - start) {
      target.writeUInt32LE(blockEnd - blockStart, position)
      position = blockEnd
    } else {
      target.writeUInt32LE((end - start + storedBit) >>> 0, position)
      target.set(bytes.subarray(start, end), blockStart)
      position = blockStart + end - start
    }
  }
  return target.subarray(0, target.writeUInt32LE(0, position))
}

/** Decodes all frames of `bytes`, to at most `outputBytesMax` bytes. */
export function decompressLz4(bytes: Buffer, outputBytesMax: number): Buffer {
  const output = new BoundedOutput('lz4', outputBytesMax, 4 * bytes.length)
  let position = 0
  do {
    const magic = readUInt32(bytes, position)
    position += 4
    if (magic === frameMagic) {
      position = decodeFrame(bytes, position, output)
    } else if ((magic & ~0xf) === skippableMagic) {
      position += 4 + readUInt32(bytes, position)
      if (position > bytes.length) throw new ProtocolError('lz4: a skippable frame is cut off')
    } else {
      throw new ProtocolError(`lz4: no frame starts with 0x${magic.toString(16)}`)
    }
  } while (position < bytes.length)
  return output.finish()
}

function decodeFrame(bytes: Buffer, start: number, output: BoundedOutput): number {
  const header = readHeader(bytes, start)
  const contentStart = output.length
  let position = header.end
  for (;;) {
    const word = readUInt32(bytes, position)
    position += 4
    if (word === 0) break
    const blockEnd = position + (word & ~storedBit)
    if (blockEnd > bytes.length) throw new ProtocolError(`lz4: a block at ${position} is cut off`)
    if ((word & storedBit) !== 0) copyBlock(bytes, position, blockEnd, header, output)
    else decodeBlock(bytes, position, blockEnd, header, contentStart, output)
    if (
      header.blockChecksums &&
      xxhash32(bytes, position, blockEnd) !== readUInt32(bytes, blockEnd)
    ) {
      throw new ProtocolError(`lz4: the checksum of a block at ${position} does not match`)
    }
    position = blockEnd + (header.blockChecksums ? 4 : 0)
  }
  const { contentBytes } = header
  const decoded = output.length - contentStart
  if (contentBytes !== undefined && contentBytes !== decoded) {
    throw new ProtocolError(`lz4: ${decoded} bytes of content, declared are ${contentBytes}`)
  }
  if (!header.contentChecksum) return position
  if (readUInt32(bytes, position) !== xxhash32(output.bytes, contentStart, output.length)) {
    throw new ProtocolError('lz4: the checksum of the content does not match')
  }
  return position + 4
}

function copyBlock(
  bytes: Buffer,
  start: number,
  end: number,
  header: FrameHeader,
  output: BoundedOutput,
): void {
  if (end - start > header.blockBytesMax) throw tooLargeBlock(header)
  output.reserve(end - start)
  output.bytes.set(bytes.subarray(start, end), output.length)
  output.length += end - start
}

function decodeBlock(
  bytes: Buffer,
  start: number,
  end: number,
  header: FrameHeader,
  contentStart: number,
  output: BoundedOutput,
): void {
  const bound = Math.min(header.blockBytesMax, (end - start) * lz4RatioMax)
  const outputEnd = output.reserveUpTo(bound)
  const decodedEnd = decodeLz4Block(bytes, start, end, {
    bytes: output.bytes,
    position: output.length,
    end: outputEnd,
    windowStart: header.independent ? output.length : contentStart,
  })
  if (decodedEnd === -1) {
    throw outputEnd === output.length + bound ? tooLargeBlock(header) : output.tooLarge()
  }
  output.length = decodedEnd
}

function tooLargeBlock(header: FrameHeader): ProtocolError {
  return new ProtocolError(`lz4: a block has more than the ${header.blockBytesMax} bytes declared`)
}

function readHeader(bytes: Buffer, start: number): FrameHeader {
  if (start + 2 > bytes.length) throw new ProtocolError('lz4: the frame header is cut off')
  const flags = bytes.readUInt8(start)
  const blockSize = bytes.readUInt8(start + 1)
  const blockSizeId = blockSize >>> 4
  if (flags >>> 6 !== 1 || (flags & 2) !== 0 || (blockSize & 0x8f) !== 0 || blockSizeId < 4) {
    throw new ProtocolError(`lz4: frame flags 0x${flags.toString(16)}, ${blockSize} are not known`)
  }
  if ((flags & 1) !== 0) {
    throw new MillraceError('MILLRACE_PROTOCOL_UNSUPPORTED', 'lz4: frames with a dictionary')
  }
  const hasContentSize = (flags & 8) !== 0
  const checksumAt = start + 2 + (hasContentSize ? 8 : 0)
  if (checksumAt >= bytes.length) throw new ProtocolError('lz4: the frame header is cut off')
  if (bytes.readUInt8(checksumAt) !== ((xxhash32(bytes, start, checksumAt) >>> 8) & 0xff)) {
    throw new ProtocolError('lz4: the checksum of the frame header does not match')
  }
  return {
    end: checksumAt + 1,
    blockBytesMax: 2 ** (8 + 2 * blockSizeId),
    independent: (flags & 0x20) !== 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 4) !== 0,
    contentBytes: hasContentSize
      ? bytes.readUInt32LE(start + 2) + bytes.readUInt32LE(start + 6) * 2 ** 32
      : undefined,
  }
}

function readUInt32(bytes: Buffer, position: number): number {
  if (position + 4 > bytes.length) throw new ProtocolError(`lz4: cut off at byte ${position}`)
  return bytes.readUInt32LE(position)
}

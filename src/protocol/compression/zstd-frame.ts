import { MillraceError } from '../../errors.ts'
import { BoundedOutput } from './bounded-output.ts'
import { xxhash64Low } from './xxhash64.ts'
import { ZstdBlock, malformedZstd } from './zstd-bits.ts'
import { LiteralsDecoder, zstdBlockBytesMax } from './zstd-literals.ts'
import { SequenceDecoder } from './zstd-sequences.ts'

/*
 * Zstandard as RFC 8878 has it; all numbers are little-endian:
 *
 *   frame        magic u32, descriptor u8, [window u8], [dictionary u8/u16/u32], [content size],
 *                block+, [checksum u32: the low half of the content's xxHash]
 *   descriptor   bits 6-7 size of the content size, 5 single segment (no window; the content size
 *                is always there), 3 reserved, 2 checksum, 0-1 size of the dictionary's number
 *   block        header u24 (bit 0 last, 1-2 kind, 3-23 size), bytes
 *   kind         0 as it is, 1 one byte repeated `size` times, 2 compressed
 *
 * Frames may follow one another, and skippable frames (magic, size u32) may stand among them.
 * The decoder keeps no window of its own: it looks back into its output, so what a frame declares
 * as its window costs nothing.
 */

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50
const blockHeaderBytes = 3

// Kept between calls for the memory they hold, at most a block's each.
const block = new ZstdBlock()
const literals = new LiteralsDecoder()

/** What stands in front of a frame's blocks. */
export interface ZstdFrameHeader {
  /** Where the first block starts. */
  readonly end: number
  readonly windowBytes: number
  readonly contentBytes: number | undefined
  readonly hasChecksum: boolean
}

/** Decodes all frames of `bytes`, to at most `outputBytesMax` bytes. */
export function decodeZstd(bytes: Buffer, outputBytesMax: number): Buffer {
  const output = new BoundedOutput('zstd', outputBytesMax, 4 * bytes.length)
  let position = 0
  do {
    const header = readZstdFrameHeader(bytes, position)
    position = typeof header === 'number' ? header : decodeFrame(bytes, header, output)
  } while (position < bytes.length)
  return output.finish()
}

/** Reads a frame's header, or answers where the skippable frame at `start` ends. */
export function readZstdFrameHeader(bytes: Buffer, start: number): ZstdFrameHeader | number {
  const magic = readUnsigned(bytes, start, 4)
  if ((magic & ~0xf) === skippableMagic) {
    const end = start + 8 + readUnsigned(bytes, start + 4, 4)
    if (end > bytes.length) throw malformedZstd('a skippable frame is cut off')
    return end
  }
  if (magic !== frameMagic) throw malformedZstd(`no frame starts with 0x${magic.toString(16)}`)
  const descriptor = readUnsigned(bytes, start + 4, 1)
  if ((descriptor & 8) !== 0) throw malformedZstd('a reserved bit of the frame header is set')
  const singleSegment = (descriptor & 0x20) !== 0
  let position = start + 5
  let windowBytes = 0
  if (!singleSegment) {
    const window = readUnsigned(bytes, position++, 1)
    windowBytes = 2 ** (10 + (window >>> 3)) * (1 + (window & 7) / 8)
  }
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number
  if (readUnsigned(bytes, position, dictionaryBytes) !== 0) {
    throw new MillraceError('MILLRACE_PROTOCOL_UNSUPPORTED', 'zstd: frames with a dictionary')
  }
  position += dictionaryBytes
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] as number
  const size = readUnsigned(bytes, position, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  return {
    end: position + sizeBytes,
    windowBytes: singleSegment ? size : windowBytes,
    contentBytes: sizeBytes === 0 ? undefined : size,
    hasChecksum: (descriptor & 4) !== 0,
  }
}

/** The header of the only frame of `bytes`; undefined when there are more, or it is not whole. */
export function findSingleZstdFrame(bytes: Buffer): ZstdFrameHeader | undefined {
  const header = readZstdFrameHeader(bytes, 0)
  if (typeof header === 'number') return undefined
  let position = header.end
  for (let isLast = false; !isLast && position <= bytes.length;) {
    const found = readBlockHeader(bytes, position)
    isLast = found.isLast
    position = found.end
  }
  return position + (header.hasChecksum ? 4 : 0) === bytes.length ? header : undefined
}

interface BlockHeader {
  readonly isLast: boolean
  readonly kind: number
  /** The bytes of the block; of a repeated byte, how often it is repeated. */
  readonly size: number
  readonly start: number
  readonly end: number
}

function readBlockHeader(bytes: Buffer, position: number): BlockHeader {
  const word = readUnsigned(bytes, position, blockHeaderBytes)
  const size = word >>> 3
  const kind = (word >>> 1) & 3
  const start = position + blockHeaderBytes
  return { isLast: (word & 1) === 1, kind, size, start, end: start + (kind === 1 ? 1 : size) }
}

function decodeFrame(bytes: Buffer, header: ZstdFrameHeader, output: BoundedOutput): number {
  const contentStart = output.length
  literals.reset()
  const sequences = new SequenceDecoder()
  let position = header.end
  for (let isLast = false; !isLast;) {
    const found = readBlockHeader(bytes, position)
    if (found.end > bytes.length) throw malformedZstd('a block is cut off')
    decodeBlock(bytes, found, sequences, contentStart, output)
    isLast = found.isLast
    position = found.end
  }
  const decoded = output.length - contentStart
  if (header.contentBytes !== undefined && header.contentBytes !== decoded) {
    throw malformedZstd(`${decoded} bytes of content, declared are ${header.contentBytes}`)
  }
  if (!header.hasChecksum) return position
  if (readUnsigned(bytes, position, 4) !== xxhash64Low(output.bytes, contentStart, output.length)) {
    throw malformedZstd('the checksum of the content does not match')
  }
  return position + 4
}

function decodeBlock(
  bytes: Buffer,
  { kind, size, start, end }: BlockHeader,
  sequences: SequenceDecoder,
  contentStart: number,
  output: BoundedOutput,
): void {
  if (size > zstdBlockBytesMax) throw malformedZstd(`a block of ${size} bytes`)
  if (kind === 2) {
    if (size === 0) throw malformedZstd('a compressed block without bytes')
    block.load(bytes, start, end)
    sequences.run(block, literals.read(block), contentStart, output)
  } else if (kind === 3) {
    throw malformedZstd('a block of the reserved kind')
  } else {
    output.reserve(size)
    if (kind === 0) output.bytes.set(bytes.subarray(start, end), output.length)
    else output.bytes.fill(bytes.readUInt8(start), output.length, output.length + size)
    output.length += size
  }
}

/** A number of 0 to 8 bytes. Above 2^53 it is not exact, but no such size is ever accepted. */
function readUnsigned(bytes: Buffer, position: number, byteCount: number): number {
  if (position + byteCount > bytes.length) throw malformedZstd(`cut off at byte ${bytes.length}`)
  let value = 0
  for (let index = byteCount - 1; index >= 0; index--) {
    value = value * 256 + (bytes[position + index] as number)
  }
  return value
}

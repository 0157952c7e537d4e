import { crc32c } from '../../protocol/records/index.ts'
import type { Disk } from '../../platform/index.ts'
import { baseOffsetAt, headerBytes } from './batch-header.ts'
import type { SegmentBytes } from './segment-bytes.ts'
import { addToIndex } from './segment.ts'
import { SegmentIndex } from './segment-index.ts'
import { readWholeFile, tryWriteFile } from './whole-file.ts'

/*
 * CRC-32C of what follows (4 bytes) · format (4) · bytes of the segment that are indexed (8) ·
 * the index's numbers (8 each), all little-endian, as every machine that Node runs on has them.
 *
 * The file is written without a sync, and before its segment is synced. So it may be lost, or tell
 * of batches that were lost: recovery removes it if it goes beyond what was synced. Losing it costs
 * one read of the segment.
 */
const format = 1
const prefixBytes = 16

interface IndexFile {
  readonly index: SegmentIndex
  /** How many bytes of the segment it covers. */
  readonly indexedBytes: number
}

/** Writes the index of a segment. What goes wrong is not worth more than a later read. */
export function writeIndexFile(
  disk: Disk,
  path: string,
  bytes: SegmentBytes,
  index: SegmentIndex,
): void {
  const { numbers } = index
  const content = Buffer.alloc(prefixBytes + numbers.byteLength)
  content.writeUInt32LE(format, 4)
  content.writeBigUInt64LE(BigInt(bytes.size), 8)
  Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).copy(content, prefixBytes)
  content.writeUInt32LE(crc32c(content.subarray(4)), 0)
  tryWriteFile(disk, path, content)
}

/** Reads the index of a segment. Undefined: there is none that can be used. */
export function readIndexFile(disk: Disk, path: string): IndexFile | undefined {
  const content = readWholeFile(disk, path)
  if (content === undefined || content.length < prefixBytes) return undefined
  if (content.readUInt32LE(4) !== format) return undefined
  if (content.readUInt32LE(0) !== crc32c(content.subarray(4))) return undefined
  const numbers = new Float64Array(
    content.buffer.slice(content.byteOffset + prefixBytes, content.byteOffset + content.length),
  )
  return {
    index: new SegmentIndex(numbers),
    indexedBytes: Number(content.readBigUInt64LE(8)),
  }
}

/** Makes an index whole that was read from a file. Undefined: it is that of another segment. */
export function completeIndex(
  { index, indexedBytes }: IndexFile,
  bytes: SegmentBytes,
): SegmentIndex | undefined {
  if (indexedBytes > bytes.size || !fits(index, bytes)) return undefined
  addToIndex(index, bytes, indexedBytes)
  return index
}

/** Whether the last entry leads to its batch. */
function fits(index: SegmentIndex, bytes: SegmentBytes): boolean {
  const last = index.count - 1
  if (last < 0) return true
  const header = bytes.chunkAt(index.position(last), headerBytes)
  return header.length >= headerBytes && baseOffsetAt(header, 0) === index.baseOffset(last)
}

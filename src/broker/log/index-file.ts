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
 * The file is written without a sync and may be lost or stale; it is believed only if everything
 * fits. Losing it costs one read of the segment.
 */
const format = 1
const prefixBytes = 16

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

/** Reads the index of a segment, and adds what the segment got since. Undefined: make it anew. */
export function readIndexFile(
  disk: Disk,
  path: string,
  bytes: SegmentBytes,
): SegmentIndex | undefined {
  const content = readWholeFile(disk, path)
  if (content === undefined || content.length < prefixBytes) return undefined
  if (content.readUInt32LE(4) !== format) return undefined
  if (content.readUInt32LE(0) !== crc32c(content.subarray(4))) return undefined
  const indexedBytes = Number(content.readBigUInt64LE(8))
  if (indexedBytes > bytes.size) return undefined
  const numbers = new Float64Array(
    content.buffer.slice(content.byteOffset + prefixBytes, content.byteOffset + content.length),
  )
  const index = new SegmentIndex(numbers)
  if (!fits(index, bytes)) return undefined
  addToIndex(index, bytes, indexedBytes)
  return index
}

/** Whether the last entry leads to its batch. An index of other bytes under the same name does not. */
function fits(index: SegmentIndex, bytes: SegmentBytes): boolean {
  const last = index.count - 1
  if (last < 0) return true
  const header = bytes.chunkAt(index.position(last), headerBytes)
  return header.length >= headerBytes && baseOffsetAt(header, 0) === index.baseOffset(last)
}

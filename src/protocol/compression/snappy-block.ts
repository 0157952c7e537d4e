import { ProtocolError } from '../../errors.ts'
import { copyLiterals, copyMatch } from './copy.ts'
import { MatchTable, matchBytesMin } from './match.ts'

/*
 * A Snappy block is the length of its content as a varint, and a list of elements. The low 2 bits of
 * an element's first byte, its tag, say what it is:
 *
 *   0  literals   count - 1 in the high 6 bits; 60 to 63 there: in the next 1 to 4 bytes, LE
 *   1  copy       length - 4 in bits 2-4, distance in bits 5-7 (high) and the next byte
 *   2  copy       length - 1 in the high 6 bits, distance in the next 2 bytes, LE
 *   3  copy       length - 1 in the high 6 bits, distance in the next 4 bytes, LE
 */

/** No element decodes to more than this many times its size: 3 bytes can stand for 64. */
const ratioMax = 64 / 3

function malformed(problem: string, position: number): ProtocolError {
  return new ProtocolError(`snappy: ${problem} at byte ${position}`)
}

/** The length that a block from `start` to `end` declares: an upper bound that its size allows. */
export function snappyContentBytes(source: Uint8Array, start: number, end: number): number {
  let length = 0
  for (let index = 0; index < 5; index++) {
    if (start + index >= end) throw malformed('the content length is cut off', start)
    const byte = source[start + index] as number
    length += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) {
      if (length > (end - start) * ratioMax) {
        throw malformed(`${end - start} bytes cannot hold a content of ${length}`, start)
      }
      return length
    }
  }
  throw malformed('the content length has more than 5 bytes', start)
}

/**
 * Decodes the block that `source` holds from `start` to `end` into `target` at `position`; returns
 * where its content ends. `target` must have room for `snappyContentBytes`.
 */
export function decodeSnappyBlock(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  position: number,
): number {
  const contentEnd = position + snappyContentBytes(source, start, end)
  let from = start
  while ((source[from++] as number) >= 0x80);
  let to = position
  while (from < end) {
    const tag = source[from++] as number
    const kind = tag & 3
    if (kind === 0) {
      let literals = tag >>> 2
      if (literals >= 60) {
        const lengthBytes = literals - 59
        if (lengthBytes > end - from) throw malformed('the count of literals is cut off', from)
        literals = littleEndian(source, from, lengthBytes)
        from += lengthBytes
      }
      literals++
      if (literals > end - from) throw malformed(`${literals} literals pass the end`, from)
      if (literals > contentEnd - to) throw malformed('content is longer than declared', from)
      copyLiterals(source, from, target, to, literals)
      from += literals
      to += literals
      continue
    }
    const distanceBytes = kind === 3 ? 4 : kind
    if (distanceBytes > end - from) throw malformed('a distance is cut off', from)
    const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    let distance: number
    if (kind === 1) distance = ((tag >>> 5) << 8) | (source[from] as number)
    else if (kind === 2) distance = (source[from] as number) | ((source[from + 1] as number) << 8)
    else distance = littleEndian(source, from, 4)
    if (distance === 0 || distance > to - position) {
      throw malformed(`distance ${distance} leads out of the content`, from)
    }
    from += distanceBytes
    if (length > contentEnd - to) throw malformed('content is longer than declared', from)
    copyMatch(target, to, distance, length)
    to += length
  }
  if (to !== contentEnd) throw malformed('content is shorter than declared', from)
  return to
}

function littleEndian(source: Uint8Array, from: number, byteCount: number): number {
  let value = 0
  for (let index = byteCount - 1; index >= 0; index--) {
    value = value * 256 + (source[from + index] as number)
  }
  return value
}

/** The largest size of the block that `byteCount` bytes are encoded to. */
export function snappyBlockBytesMax(byteCount: number): number {
  return 32 + byteCount + Math.floor(byteCount / 6)
}

/**
 * Encodes `source` from `start` to `end` (at most 64 KiB) into `target` at `position`, where there
 * must be room for `snappyBlockBytesMax`; returns where the block ends.
 */
export function encodeSnappyBlock(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  position: number,
): number {
  const table = new MatchTable(source, end - start)
  position = putVarint(end - start, target, position)
  const matchStartMax = end - matchBytesMin
  let anchor = start
  let from = start
  let misses = 0
  while (from <= matchStartMax) {
    const candidate = table.find(from)
    if (candidate < 0) {
      // The steps grow while nothing repeats, so that bytes without pattern are passed quickly.
      from += 1 + (misses++ >> 5)
      continue
    }
    misses = 0
    const distance = from - candidate
    const matchEnd = table.extend(from + matchBytesMin, distance, end)
    if (from > anchor) position = putLiterals(source, anchor, from, target, position)
    position = putCopies(distance, matchEnd - from, target, position)
    anchor = matchEnd
    from = matchEnd
    if (from <= matchStartMax) table.note(from - 1)
  }
  return anchor < end ? putLiterals(source, anchor, end, target, position) : position
}

function putVarint(value: number, target: Uint8Array, position: number): number {
  for (; value >= 0x80; value >>>= 7) target[position++] = (value & 0x7f) | 0x80
  target[position++] = value
  return position
}

function putLiterals(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  position: number,
): number {
  const rest = end - start - 1
  if (rest < 60) {
    target[position++] = rest << 2
  } else if (rest < 256) {
    target[position++] = 60 << 2
    target[position++] = rest
  } else {
    target[position++] = 61 << 2
    target[position++] = rest & 0xff
    target[position++] = rest >>> 8
  }
  copyLiterals(source, start, target, position, end - start)
  return position + end - start
}

function putCopies(distance: number, length: number, target: Uint8Array, position: number): number {
  // A copy has at most 64 bytes. The last one is kept at 4 or more, so that it can be a short one.
  while (length > 64) {
    const part = length >= 68 ? 64 : 60
    position = putLongCopy(distance, part, target, position)
    length -= part
  }
  if (length >= 12 || distance >= 2048) return putLongCopy(distance, length, target, position)
  target[position++] = ((distance >>> 8) << 5) | ((length - 4) << 2) | 1
  target[position++] = distance & 0xff
  return position
}

function putLongCopy(
  distance: number,
  length: number,
  target: Uint8Array,
  position: number,
): number {
  target[position++] = ((length - 1) << 2) | 2
  target[position++] = distance & 0xff
  target[position++] = distance >>> 8
  return position
}

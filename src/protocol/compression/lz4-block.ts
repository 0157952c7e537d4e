import { ProtocolError } from '../../errors.ts'
import { copyLiterals, copyMatch } from './copy.ts'
import { MatchTable, matchBytesMin } from './match.ts'

/*
 * An LZ4 block is a list of sequences:
 *
 *   sequence   token u8, [literal length], literals, distance u16 LE, [match length]
 *   token      high 4 bits: count of literals, low 4 bits: length of the match - 4
 *   length     follows when the token has 15: bytes to be added up, until one is below 255
 *
 * The last sequence ends after its literals. A writer ends with at least 5 literals and starts no
 * match in the last 12 bytes.
 */

const distanceMax = 65_535
const lastLiterals = 5
const matchStartMargin = 12

/** No block decodes to more than this many times its size: a length byte of 255 is the densest. */
export const lz4RatioMax = 255

/** What a block is decoded to: the bytes of `target` from `position`, ending before `end`. */
export interface Lz4Target {
  readonly bytes: Uint8Array
  readonly position: number
  readonly end: number
  /** Where the earliest byte lies that a match may repeat. */
  readonly windowStart: number
}

function malformed(problem: string, position: number): ProtocolError {
  return new ProtocolError(`lz4: ${problem} at byte ${position}`)
}

/**
 * Decodes the block that `source` holds from `start` to `end`, and returns where its output ends, or
 * -1 when it does not fit. All bounds are checked before a byte is moved.
 */
export function decodeLz4Block(
  source: Uint8Array,
  start: number,
  end: number,
  target: Lz4Target,
): number {
  const { bytes, windowStart, end: targetEnd } = target
  let from = start
  let to = target.position
  while (from < end) {
    const token = source[from++] as number
    let literals = token >>> 4
    if (literals === 15) {
      let more = 255
      while (more === 255) {
        if (from >= end) throw malformed('the count of literals is cut off', from)
        more = source[from++] as number
        literals += more
      }
    }
    if (literals > end - from) throw malformed(`${literals} literals pass the block's end`, from)
    if (literals > targetEnd - to) return -1
    copyLiterals(source, from, bytes, to, literals)
    from += literals
    to += literals
    if (from === end) return to
    if (end - from < 2) throw malformed('a distance is cut off', from)
    const distance = (source[from] as number) | ((source[from + 1] as number) << 8)
    if (distance === 0 || distance > to - windowStart) {
      throw malformed(`distance ${distance} leads out of the window`, from)
    }
    from += 2
    let length = (token & 15) + matchBytesMin
    if (length === 15 + matchBytesMin) {
      let more = 255
      while (more === 255) {
        if (from >= end) throw malformed('the length of a match is cut off', from)
        more = source[from++] as number
        length += more
      }
    }
    if (length > targetEnd - to) return -1
    copyMatch(bytes, to, distance, length)
    to += length
  }
  throw malformed('the last sequence has no literals', from)
}

/** The largest size of the block that `byteCount` bytes are encoded to. */
export function lz4BlockBytesMax(byteCount: number): number {
  return byteCount + Math.floor(byteCount / 255) + 16
}

/**
 * Encodes `source` from `start` to `end` (at most 64 KiB) into `target` at `position`, where there
 * must be room for `lz4BlockBytesMax`; returns where the block ends.
 */
export function encodeLz4Block(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  position: number,
): number {
  const table = new MatchTable(source, end - start)
  const matchEndMax = end - lastLiterals
  const matchStartMax = end - matchStartMargin
  let anchor = start
  let from = start
  let misses = 0
  while (from <= matchStartMax) {
    const candidate = table.find(from)
    if (candidate < 0 || from - candidate > distanceMax) {
      // The steps grow while nothing repeats, so that bytes without pattern are passed quickly.
      from += 1 + (misses++ >> 6)
      continue
    }
    misses = 0
    const distance = from - candidate
    const matchEnd = table.extend(from + matchBytesMin, distance, matchEndMax)
    while (
      from > anchor &&
      from - distance > start &&
      source[from - 1] === source[from - 1 - distance]
    ) {
      from--
    }
    const length = matchEnd - from - matchBytesMin
    position = putLiterals(source, anchor, from, Math.min(length, 15), target, position)
    target[position++] = distance & 0xff
    target[position++] = distance >>> 8
    if (length >= 15) position = putLength(length - 15, target, position)
    anchor = matchEnd
    from = matchEnd
    if (from <= matchStartMax) table.note(from - 2)
  }
  return putLiterals(source, anchor, end, 0, target, position)
}

/** Writes a token with the given low half, and the literals from `start` to `end`. */
function putLiterals(
  source: Uint8Array,
  start: number,
  end: number,
  lowHalf: number,
  target: Uint8Array,
  position: number,
): number {
  const literals = end - start
  target[position++] = (Math.min(literals, 15) << 4) | lowHalf
  if (literals >= 15) position = putLength(literals - 15, target, position)
  copyLiterals(source, start, target, position, literals)
  return position + literals
}

function putLength(rest: number, target: Uint8Array, position: number): number {
  for (; rest >= 255; rest -= 255) target[position++] = 255
  target[position++] = rest
  return position
}

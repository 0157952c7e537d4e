import type { BatchCursor } from './batch-cursor.ts'
import { recordsOf } from './decompression.ts'
import type { Segment } from './segment.ts'

/** A record that was found by its timestamp. */
export interface OffsetAtTimestamp {
  readonly timestamp: number
  readonly offset: number
}

/** The records that a search may find: from `startOffset` up to, not including, `endOffset`. */
export interface SearchRange {
  readonly startOffset: number
  readonly endOffset: number
}

/**
 * Finds the first record that is not older than `timestamp`. Only batches that may have such a
 * record are decoded: usually one.
 */
export function findTimestamp(
  segments: readonly Segment[],
  range: SearchRange,
  timestamp: number,
): OffsetAtTimestamp | undefined {
  for (const segment of segments) {
    if (!overlaps(segment, range) || segment.maxTimestamp < timestamp) continue
    for (let entry = 0; entry < segment.index.count; entry++) {
      if (segment.index.maxTimestamp(entry) < timestamp) continue
      for (const cursor of batchesOf(segment, entry, range)) {
        if (cursor.maxTimestamp < timestamp) continue
        for (const record of recordsOf(cursor.batch())) {
          if (record.timestamp < timestamp || !isIn(range, record.offset)) continue
          return { timestamp: record.timestamp, offset: record.offset }
        }
      }
    }
  }
  return undefined
}

/**
 * Finds the first of the records that have the greatest timestamp. It looks from the end, where the
 * greatest ones usually are, so that little has to be decoded.
 */
export function findGreatestTimestamp(
  segments: readonly Segment[],
  range: SearchRange,
): OffsetAtTimestamp | undefined {
  let greatest = -1
  for (const segment of segments.toReversed()) {
    if (!overlaps(segment, range) || segment.maxTimestamp <= greatest) continue
    for (let entry = segment.index.count - 1; entry >= 0; entry--) {
      if (segment.index.maxTimestamp(entry) <= greatest) continue
      const positions: number[] = []
      for (const cursor of batchesOf(segment, entry, range)) positions.push(cursor.position)
      for (const position of positions.reverse()) {
        greatest = Math.max(greatest, greatestOfBatch(segment, position, range, greatest))
      }
    }
  }
  return greatest < 0 ? undefined : findTimestamp(segments, range, greatest)
}

/** The greatest timestamp of a batch's records in the range, if above `above`. */
function greatestOfBatch(
  segment: Segment,
  position: number,
  range: SearchRange,
  above: number,
): number {
  let greatest = above
  const cursor = segment.cursorAt(position)
  if (!cursor.next() || cursor.maxTimestamp <= above) return above
  for (const record of recordsOf(cursor.batch())) {
    if (record.timestamp > greatest && isIn(range, record.offset)) greatest = record.timestamp
  }
  return greatest
}

function overlaps(segment: Segment, range: SearchRange): boolean {
  return segment.baseOffset < range.endOffset && segment.endOffset > range.startOffset
}

function isIn({ startOffset, endOffset }: SearchRange, offset: number): boolean {
  return offset >= startOffset && offset < endOffset
}

/** The batches from one entry of the index up to the next, as far as they have to do with the range. */
function* batchesOf(segment: Segment, entry: number, range: SearchRange): Generator<BatchCursor> {
  const { index, bytes } = segment
  const end = entry + 1 < index.count ? index.position(entry + 1) : bytes.size
  const cursor = segment.cursorAt(index.position(entry))
  while (cursor.next() && cursor.position < end) {
    if (cursor.baseOffset < range.endOffset && cursor.lastOffset >= range.startOffset) yield cursor
  }
}

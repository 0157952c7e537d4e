/*
 * The files of a log's directory. Offsets have twenty digits, so that names sort as offsets do.
 *
 *   <base>.log          a segment: record batches as they go over the wire, nothing else
 *   <base>.<end>.log    what compaction made of all segments from base up to end, instead of them
 *   <base>….index       the index of the segment of that name; made again when it is not there
 *   <base>….cleaned     a segment that compaction is writing; worth nothing
 *   checkpoint          up to where the log was synced, and what was known there
 *   checkpoint.new      a checkpoint that is being written; worth nothing
 */

export const checkpointName = 'checkpoint'
export const newCheckpointName = 'checkpoint.new'

const digits = 20

/** The offsets in the name of a segment. */
export interface SegmentName {
  readonly baseOffset: number
  /** Of a compacted segment: up to where it stands for the log. */
  readonly endOffset: number | undefined
}

/** The name of a segment's file, without its ending. */
export function stemOf({ baseOffset, endOffset }: SegmentName): string {
  const base = padded(baseOffset)
  return endOffset === undefined ? base : `${base}.${padded(endOffset)}`
}

/** Understands the name of a segment's file; undefined for other files. */
export function parseSegmentName(name: string): SegmentName | undefined {
  const found = /^(\d{20})(?:\.(\d{20}))?\.log$/.exec(name)
  if (found === null) return undefined
  const endOffset = found[2] === undefined ? undefined : Number(found[2])
  return { baseOffset: Number(found[1]), endOffset }
}

/**
 * Whether `other` stands for what `name` holds. After a crash both may be there: a compacted segment
 * is complete as soon as it has its name, and the ones that it was made from are removed afterwards.
 */
export function isReplacedBy(name: SegmentName, other: SegmentName): boolean {
  if (other.endOffset === undefined) return false
  if (name.baseOffset < other.baseOffset || name.baseOffset >= other.endOffset) return false
  return name.endOffset === undefined
    ? true
    : name.endOffset < other.endOffset || name.baseOffset > other.baseOffset
}

function padded(offset: number): string {
  return String(offset).padStart(digits, '0')
}

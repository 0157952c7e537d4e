import type { LogConfig } from './log-config.ts'
import type { Segment } from './segment.ts'

export interface RetentionBounds {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly nowMs: number
}

/**
 * How many of the oldest segments need not be kept: those that lie below the start of the log, and,
 * if `cleanup.policy` says `delete`, those that are too old or too many. It counts the active
 * segment too when it is to go; nothing above the high watermark is.
 */
export function expiredSegments(
  segments: readonly Segment[],
  config: LogConfig,
  bounds: RetentionBounds,
): number {
  const below = countFirst(segments, ({ endOffset }) => endOffset <= bounds.logStartOffset)
  const belowStart = Math.min(below, segments.length - 1)
  if (!config.deleted) return belowStart
  return Math.max(
    belowStart,
    tooOld(segments, config.retentionMs, bounds),
    tooMany(segments, config.retentionBytes, bounds),
  )
}

function tooOld(
  segments: readonly Segment[],
  retentionMs: number,
  bounds: RetentionBounds,
): number {
  if (retentionMs < 0) return 0
  return countFirst(segments, (segment, isActive) => {
    // Without timestamps the age of the segment counts, as far as this process knows it.
    const timestamp = segment.maxTimestamp < 0 ? segment.createdMs : segment.maxTimestamp
    return mayGo(segment, isActive, bounds) && bounds.nowMs - timestamp > retentionMs
  })
}

function tooMany(
  segments: readonly Segment[],
  retentionBytes: number,
  bounds: RetentionBounds,
): number {
  if (retentionBytes < 0) return 0
  let excess = segments.reduce((sum, { bytes }) => sum + bytes.size, 0) - retentionBytes
  return countFirst(segments, (segment, isActive) => {
    excess -= segment.bytes.size
    return mayGo(segment, isActive, bounds) && excess >= 0
  })
}

/** Nobody may wait for what goes to become durable; an empty active segment is all that a log needs. */
function mayGo(segment: Segment, isActive: boolean, { highWatermark }: RetentionBounds): boolean {
  return segment.endOffset <= highWatermark && !(isActive && segment.bytes.size === 0)
}

function countFirst(
  segments: readonly Segment[],
  holds: (segment: Segment, isActive: boolean) => boolean,
): number {
  const last = segments.length - 1
  const first = segments.findIndex((segment, index) => !holds(segment, index === last))
  return first < 0 ? segments.length : first
}

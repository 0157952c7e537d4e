import type { RecordBatch } from '../../protocol/records/index.ts'
import type { LogConfig } from './log-config.ts'
import type { Segment } from './segment.ts'

/**
 * Whether a batch starts a new segment: the active one has no room for it, or its first batch is
 * `segment.ms` older. Time is that of the records; the clock counts only where they have none.
 */
export function shouldRoll(
  active: Segment,
  batch: RecordBatch,
  config: LogConfig,
  nowMs: number,
): boolean {
  const { firstTimestamp } = active
  if (firstTimestamp === undefined) return false
  if (active.bytes.size + batch.sizeInBytes > config.segmentBytes) return true
  // A compacted topic must not keep what is to be compacted in a segment that is not.
  const rollMs = config.compacted
    ? Math.min(config.segmentMs, config.maxCompactionLagMs)
    : config.segmentMs
  const waitedMs =
    firstTimestamp < 0 ? nowMs - active.createdMs : batch.maxTimestamp - firstTimestamp
  return waitedMs > rollMs
}

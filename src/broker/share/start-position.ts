import type { PartitionLog } from '../log/index.ts'
import { isRefusal } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'

/** Days, hours, minutes and seconds of a duration as ISO 8601 has it (`P1DT2H`). */
const duration = /^(-?)P(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?\d+(?:\.\d+)?)S)?)?$/i
const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/**
 * Where a share group begins in a partition that it has not read (`share.auto.offset.reset`):
 * `latest`, `earliest`, or `by_duration:` at the first record that is no older.
 */
export function startPosition(log: PartitionLog, reset: string, nowMs: number): number | Refusal {
  if (reset === 'latest') return log.highWatermark
  if (reset === 'earliest') return log.logStartOffset
  const durationMs = millisecondsOf(reset.slice(reset.indexOf(':') + 1))
  const found = log.offsetForTimestamp(nowMs - durationMs, 'uncommitted')
  if (isRefusal(found)) return found
  return found?.offset ?? log.highWatermark
}

function millisecondsOf(text: string): number {
  const [, sign = '', days = 0, hours = 0, minutes = 0, seconds = 0] = duration.exec(text) ?? []
  const totalMs =
    Number(days) * dayMs +
    Number(hours) * hourMs +
    Number(minutes) * minuteMs +
    Number(seconds) * secondMs
  return sign === '-' ? -totalMs : totalMs
}

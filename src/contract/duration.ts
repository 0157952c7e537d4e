import { OptionError } from '../errors.ts'
import { shown } from './schema/shown.ts'

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** A span of time: milliseconds, or a whole number and its unit. */
export type Duration = number | `${number}${keyof typeof unitMs}`

/** Milliseconds of a duration; `option` says where it stands. */
export function durationMs(duration: unknown, option: string): number {
  const [, count, unit] =
    typeof duration === 'string' ? (/^(\d+)(ms|s|m|h|d|w)$/.exec(duration) ?? []) : []
  const ms = count === undefined ? duration : Number(count) * unitMs[unit as keyof typeof unitMs]
  if (typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= 1) return ms
  throw new OptionError(
    option,
    `(${shown(duration)}) must be milliseconds, or a whole number with ms, s, m, h, d or w as '7d'`,
  )
}

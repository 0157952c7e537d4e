import { median } from '../../statistics.ts'

/** What a process holds at one time. */
export interface Sample {
  readonly residentBytes: number
  readonly heapBytes: number
  /** Buffers: in memory mode these are the log. */
  readonly externalBytes: number
  readonly handles: number
  readonly files: number
}

export interface Verdict {
  readonly figure: keyof Sample
  readonly median: number
  /** What it has grown by from the end of the warm-up to the end, as its trend says. */
  readonly growth: number
  readonly allowed: number
  readonly flat: boolean
}

const mebibyte = 1_048_576

/** What a figure may seem to grow by though nothing grows: the coarseness of what is measured. */
const noise: Sample = {
  residentBytes: 24 * mebibyte,
  heapBytes: 3 * mebibyte,
  externalBytes: 12 * mebibyte,
  handles: 12,
  files: 12,
}

const warmUpShare = 1 / 4
const allowedShare = 0.1

/**
 * Says of each figure whether it is flat: of the samples after a quarter of the time, which is for
 * warming up, the trend must not grow by more than a tenth of their median or by what is only noise.
 * The trend is the median of the slopes between all pairs, so that single peaks do not make one.
 */
export function judge(samples: readonly Sample[]): readonly Verdict[] {
  const steady = samples.slice(Math.ceil(samples.length * warmUpShare))
  return (Object.keys(noise) as (keyof Sample)[]).map((figure) => {
    const values = steady.map((sample) => sample[figure])
    const middle = median(values)
    const growth = slopeOf(values) * (values.length - 1)
    const allowed = Math.max(noise[figure], middle * allowedShare)
    return { figure, median: middle, growth, allowed, flat: growth <= allowed }
  })
}

/** Thiel and Sen's slope, per sample. */
function slopeOf(values: readonly number[]): number {
  const slopes = values.flatMap((later, at) =>
    values.slice(0, at).map((earlier, before) => (later - earlier) / (at - before)),
  )
  return slopes.length === 0 ? 0 : median(slopes)
}

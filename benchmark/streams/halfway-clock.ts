import type { HalfwayClock, StreamMeasurement } from './task.ts'

interface Moment {
  readonly ms: number
  readonly cpuSeconds: number
}

/** Times this process from the first record that is worked, and its second half again by itself. */
export function makeHalfwayClock(records: number): HalfwayClock {
  const half = Math.floor(records / 2)
  let worked = 0
  let first: Moment | undefined
  let middle: Moment | undefined
  let finish: () => void = () => undefined
  const allWorked = new Promise<void>((resolve) => (finish = resolve))
  return {
    allWorked,
    worked() {
      worked++
      if (worked === 1) first = now()
      if (worked === half) middle = now()
      if (worked === records) finish()
    },
    measurement() {
      const end = now()
      const whole = between(first ?? end, end, records)
      const steady = middle === undefined ? whole : between(middle, end, records - half)
      return {
        ...whole,
        steadyRate: steady.rate,
        steadyCpuSecondsPerMillion: steady.cpuSecondsPerMillion,
        peakMb: process.resourceUsage().maxRSS / 1024,
      }
    },
  }
}

function now(): Moment {
  const { user, system } = process.cpuUsage()
  return { ms: performance.now(), cpuSeconds: (user + system) / 1e6 }
}

function between(
  from: Moment,
  to: Moment,
  records: number,
): Pick<StreamMeasurement, 'rate' | 'cpuSecondsPerMillion'> {
  return {
    rate: (records * 1_000) / (to.ms - from.ms),
    cpuSecondsPerMillion: ((to.cpuSeconds - from.cpuSeconds) * 1e6) / records,
  }
}

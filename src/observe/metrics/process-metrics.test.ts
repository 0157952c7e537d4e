import { describe, expect, it } from 'vitest'
import { readProcessUsage } from '../../platform/index.ts'
import type { Timer } from '../../platform/index.ts'
import { createMetrics } from './metrics.ts'
import { processMetrics, processMetricTable } from './process-metrics.ts'

/** A clock whose one timer the test fires, as late as it likes. */
class ManualClock {
  atMs = 0
  #due: (() => void) | undefined

  elapsedMs = () => this.atMs

  setTimer = (_delayMs: number, callback: () => void): Timer => {
    this.#due = callback
    return {
      cancel: () => {
        this.#due = undefined
      },
    }
  }

  get armed(): boolean {
    return this.#due !== undefined
  }

  fireAfter(ms: number): void {
    this.atMs += ms
    this.#due?.()
  }
}

describe('process metrics', () => {
  it('say what this process uses, at each reading', () => {
    const metrics = createMetrics()
    const end = processMetrics(metrics, { clock: new ManualClock(), usage: readProcessUsage })
    const read = () =>
      Object.fromEntries(
        metrics
          .read()
          .map((family) => [
            family.name,
            family.kind === 'histogram' ? family.series[0]?.sum : family.series[0]?.value,
          ]),
      )
    const first = read()
    const busy = process.cpuUsage()
    while (process.cpuUsage(busy).user < 20_000) Math.hypot(1, 2)
    const second = read()
    end()
    expect(Object.keys(first).sort()).toEqual(
      Object.values(processMetricTable)
        .map(({ name }) => name)
        .sort(),
    )
    expect(
      second['process_cpu_user_seconds_total']! - first['process_cpu_user_seconds_total']!,
    ).toBeGreaterThan(0.015)
    expect(second['process_cpu_seconds_total']).toBeGreaterThan(0)
    expect(second['process_resident_memory_bytes']).toBeGreaterThan(
      second['nodejs_heap_size_used_bytes']!,
    )
    const beganMs = second['process_start_time_seconds']! * 1_000
    expect(Math.abs(Date.now() - process.uptime() * 1_000 - beganMs)).toBeLessThan(10_000)
  })

  it('see how late timers are, until they are ended', () => {
    const clock = new ManualClock()
    const metrics = createMetrics()
    const end = processMetrics(metrics, { clock, usage: readProcessUsage, eventLoopSampleMs: 100 })
    clock.fireAfter(100)
    clock.fireAfter(600)
    // Timers may be a little early.
    clock.fireAfter(99.5)
    const text = metrics.expose()
    expect(text).toContain('millrace_event_loop_lag_seconds_bucket{le="0.001"} 2\n')
    expect(text).toContain('millrace_event_loop_lag_seconds_bucket{le="0.5"} 3\n')
    expect(text).toContain('millrace_event_loop_lag_seconds_sum 0.5\n')
    end()
    expect(clock.armed).toBe(false)
    expect(metrics.expose()).toContain('process_cpu_seconds_total 0\n')
  })
})

import { createNodePlatform, readProcessUsage } from '../../platform/index.ts'
import type { Clock, ProcessUsage, Timer } from '../../platform/index.ts'
import type { Metrics } from './metrics.ts'

export interface ProcessMetricsOptions {
  /** @defaultValue that of this machine */
  readonly clock?: Pick<Clock, 'elapsedMs' | 'setTimer'>
  /**
   * What has been used until now.
   * @defaultValue what the system says of this process
   */
  readonly usage?: () => ProcessUsage
  /**
   * How often it is looked whether timers are late.
   * @defaultValue 100
   */
  readonly eventLoopSampleMs?: number
}

/** The metrics of processes, under the names that dashboards for Node know, as a table. */
export const processMetricTable = {
  cpu: {
    kind: 'counter',
    name: 'process_cpu_seconds_total',
    help: 'CPU time used, in user and system mode.',
    unit: 'seconds',
    labels: [],
  },
  userCpu: {
    kind: 'counter',
    name: 'process_cpu_user_seconds_total',
    help: 'CPU time used in user mode.',
    unit: 'seconds',
    labels: [],
  },
  systemCpu: {
    kind: 'counter',
    name: 'process_cpu_system_seconds_total',
    help: 'CPU time used in system mode.',
    unit: 'seconds',
    labels: [],
  },
  startTime: {
    kind: 'gauge',
    name: 'process_start_time_seconds',
    help: 'When the process began, in seconds since 1970.',
    unit: 'seconds',
    labels: [],
  },
  residentMemory: {
    kind: 'gauge',
    name: 'process_resident_memory_bytes',
    help: 'Memory of the process as the system sees it.',
    unit: 'bytes',
    labels: [],
  },
  heap: {
    kind: 'gauge',
    name: 'nodejs_heap_size_total_bytes',
    help: 'Memory that the engine has taken for its heap.',
    unit: 'bytes',
    labels: [],
  },
  heapUsed: {
    kind: 'gauge',
    name: 'nodejs_heap_size_used_bytes',
    help: 'Memory of the heap that is in use.',
    unit: 'bytes',
    labels: [],
  },
  external: {
    kind: 'gauge',
    name: 'nodejs_external_memory_bytes',
    help: 'Buffers and other memory of JavaScript outside the heap.',
    unit: 'bytes',
    labels: [],
  },
  eventLoopLag: {
    kind: 'histogram',
    name: 'millrace_event_loop_lag_seconds',
    help: 'How late timers ran because something blocked the thread.',
    unit: 'seconds',
    labels: [],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
} as const

/**
 * Adds CPU time, memory and event loop lag of this process to a registry; call it once for each. Answers a function
 * that ends it: nothing is asked or measured from then on.
 */
export function processMetrics(metrics: Metrics, options: ProcessMetricsOptions = {}): () => void {
  const { clock = createNodePlatform().clock, usage = readProcessUsage } = options
  const table = processMetricTable
  const counters = [
    [table.cpu, (used) => used.userCpuSeconds + used.systemCpuSeconds],
    [table.userCpu, (used) => used.userCpuSeconds],
    [table.systemCpu, (used) => used.systemCpuSeconds],
  ] as const satisfies readonly Reading[]
  const gauges = [
    [table.startTime, (used) => used.startedAtMs / 1_000],
    [table.residentMemory, (used) => used.residentBytes],
    [table.heap, (used) => used.heapBytes],
    [table.heapUsed, (used) => used.heapUsedBytes],
    [table.external, (used) => used.externalBytes],
  ] as const satisfies readonly Reading[]
  const ends = [
    ...counters.map(([metric, of]) =>
      metrics.counter(metric).observe((report) => report(of(usage()))),
    ),
    ...gauges.map(([metric, of]) => metrics.gauge(metric).observe((report) => report(of(usage())))),
    watchEventLoop(metrics, clock, options.eventLoopSampleMs ?? 100),
  ]
  return () => {
    for (const end of ends) end()
  }
}

type Reading = readonly [metric: object, of: (used: ProcessUsage) => number]

/** A timer that is set again and again; how much later than it should each ran is the lag. */
function watchEventLoop(
  metrics: Metrics,
  clock: Pick<Clock, 'elapsedMs' | 'setTimer'>,
  sampleMs: number,
): () => void {
  const lag = metrics.histogram(processMetricTable.eventLoopLag).with()
  let timer: Timer
  const arm = (): void => {
    const begunMs = clock.elapsedMs()
    timer = clock.setTimer(sampleMs, () => {
      lag.observe((clock.elapsedMs() - begunMs - sampleMs) / 1_000)
      arm()
    })
  }
  arm()
  return () => timer.cancel()
}

import type { Counter, Metrics } from '../../observe/index.ts'
import type { StreamRun } from './stream-run.ts'

/** What is counted of flows; families are made once a registry. */
export function streamMetrics(metrics: Metrics) {
  const records = metrics.counter({
    name: 'millrace_stream_records_total',
    help: 'What became of records, by topic (taken, refused, dead_lettered, unhandled) and by operator (matched, unmatched, late, duplicate, repeated, closed).',
    labels: ['flow', 'of', 'outcome'],
  })
  const rebalances = metrics.counter({
    name: 'millrace_stream_rebalances_total',
    help: 'Changes of what tasks are here.',
    labels: ['flow', 'kind'],
  })
  const commitDuration = metrics.histogram({
    name: 'millrace_stream_commit_seconds',
    help: 'How long transactions took that have outputs, state and offsets in them.',
    unit: 'seconds',
    labels: ['flow'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  })
  /** Counts the records of a flow. What labels come to is worked out once, not for every record. */
  const outcomes = (flow: string) => {
    const known = new Map<string, Map<string, Counter>>()
    return (what: string, of: string): void => {
      let counters = known.get(of)
      if (counters === undefined) known.set(of, (counters = new Map<string, Counter>()))
      let counter = counters.get(what)
      if (counter === undefined) {
        counter = records.with({ flow, of, outcome: what })
        counters.set(what, counter)
      }
      counter.add(1)
    }
  }
  return { outcomes, rebalances, commitDuration, observe: observerOf(metrics) }
}

/** Reads the gauges of a flow whenever somebody asks. */
function observerOf(metrics: Metrics) {
  const gauge = (name: string, help: string) =>
    metrics.gauge({ name, help, labels: ['flow', 'task'] })
  const joinTime = gauge(
    'millrace_stream_time_seconds',
    'The time that a task has come to, since the epoch.',
  )
  const entries = gauge('millrace_stream_state_entries', 'Entries in the local state of a task.')
  const bytes = gauge(
    'millrace_stream_state_bytes',
    'About how much memory or disk the local state of a task takes.',
  )
  const restoring = gauge(
    'millrace_stream_restore_remaining',
    'Changes that a task has still to restore.',
  )
  const waiting = gauge(
    'millrace_stream_waiting_records',
    'Records that were read and wait for those of the other input.',
  )
  const lag = metrics.gauge({
    name: 'millrace_stream_lag_records',
    help: 'Records that are still to be read.',
    labels: ['flow', 'topic', 'partition'],
  })
  return (flow: string, run: StreamRun, topics: readonly string[]): void => {
    const each = (
      family: typeof joinTime,
      read: (task: StreamRun['tasks'][number]) => number | undefined,
    ) =>
      family.observe((report) => {
        for (const task of run.tasks) {
          const value = read(task)
          if (value !== undefined) report({ flow, task: String(task.partition) }, value)
        }
      })
    each(joinTime, ({ parts }) => parts && parts.task.joinTime / 1_000)
    each(entries, ({ parts }) => parts?.store.figures.entries)
    each(bytes, ({ parts }) => parts?.store.figures.bytes)
    each(restoring, ({ restoreLag }) => restoreLag)
    each(
      waiting,
      ({ parts }) =>
        parts && topics.reduce((sum, _, input) => sum + parts.task.waitingOf(input), 0),
    )
    lag.observe((report) => {
      for (const { partition } of run.tasks) {
        for (const topic of topics) {
          const value = run.lagOf({ topic, partition })
          if (value !== undefined) report({ flow, topic, partition: String(partition) }, value)
        }
      }
    })
  }
}

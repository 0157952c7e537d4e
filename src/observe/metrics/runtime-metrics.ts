import type { MetricKind } from './definition.ts'
import type { HistogramFamily } from './histogram.ts'
import type { Metrics } from './metrics.ts'
import type { CounterFamily, GaugeFamily } from './value-family.ts'

interface RuntimeMetric {
  readonly kind: MetricKind
  readonly name: string
  readonly help: string
  readonly unit?: string
  readonly labels: readonly string[]
  readonly buckets?: readonly number[]
  readonly labelSetsMax?: number
}

/**
 * From a handler that does nothing asynchronous to one that waits for a slow service. Those from 5 ms to 10 s are
 * what OpenTelemetry advises for messaging.
 */
const durationBuckets = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60,
]

/** From a record that is handled as it comes to one that has waited for a day. */
const ageBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400]

/** A partition is a label of gauges only: in a histogram it would make twenty series of each. */
const partition = { labels: ['group', 'topic', 'partition'], labelSetsMax: 10_000 } as const

/**
 * Every metric of the consumer runtime. The three `kafka_*` names are part of what Millrace promises; all others
 * begin with `millrace_`, since exporters own names that begin with `kafka_consumer`.
 */
export const runtimeMetricTable = {
  eventsProcessed: {
    kind: 'counter',
    name: 'kafka_events_processed_total',
    help: 'Records that ended, by how: done, skipped, dead_lettered or forwarded.',
    labels: ['topic', 'event_type', 'status'],
  },
  eventProcessing: {
    kind: 'histogram',
    name: 'kafka_event_processing_seconds',
    help: 'How long one run of the handlers of an event took, whether it succeeded or not.',
    unit: 'seconds',
    labels: ['topic', 'event_type'],
    buckets: durationBuckets,
  },
  poisonRecords: {
    kind: 'counter',
    name: 'kafka_poison_records_total',
    help: 'Records that went to the poison topic: dead-lettered too often, or found to kill the process.',
    unit: 'records',
    labels: ['topic', 'event_type'],
  },
  consumerLag: {
    kind: 'gauge',
    name: 'millrace_consumer_lag_records',
    help: 'Records between the committed offset and the end of the partition.',
    unit: 'records',
    ...partition,
  },
  consumerLagTime: {
    kind: 'gauge',
    name: 'millrace_consumer_lag_seconds',
    help: 'Age of the oldest record that has not ended, by its timestamp; 0 when there is none.',
    unit: 'seconds',
    ...partition,
  },
  stableOffsetStuck: {
    kind: 'gauge',
    name: 'millrace_last_stable_offset_stuck_seconds',
    help: 'How long a transaction that should have ended holds back what is committed; 0 when none does.',
    unit: 'seconds',
    ...partition,
  },
  lastCommit: {
    kind: 'gauge',
    name: 'millrace_consumer_last_commit_timestamp_seconds',
    help: 'When the last commit of the partition was acknowledged, in seconds since 1970.',
    unit: 'seconds',
    ...partition,
  },
  assignedPartitions: {
    kind: 'gauge',
    name: 'millrace_consumer_assigned_partitions',
    help: 'Partitions that this process owns.',
    unit: 'partitions',
    labels: ['group', 'topic'],
  },
  pausedPartitions: {
    kind: 'gauge',
    name: 'millrace_consumer_paused_partitions',
    help: 'Owned partitions from which no record starts because somebody paused them.',
    unit: 'partitions',
    labels: ['group', 'topic'],
  },
  fullPartitions: {
    kind: 'gauge',
    name: 'millrace_consumer_full_partitions',
    help: 'Owned partitions that are not fetched because enough of their records wait here.',
    unit: 'partitions',
    labels: ['group', 'topic'],
  },
  blockedPartitions: {
    kind: 'gauge',
    name: 'millrace_consumer_blocked_partitions',
    help: 'Owned partitions where no record starts until an earlier one ends: window or failing records are full.',
    unit: 'partitions',
    labels: ['group', 'topic'],
  },
  stoppedPartitions: {
    kind: 'gauge',
    name: 'millrace_consumer_stopped_partitions',
    help: 'Owned partitions that an error has stopped; they wait for an operator.',
    unit: 'partitions',
    labels: ['group', 'topic'],
  },
  suspectPartitions: {
    kind: 'gauge',
    name: 'millrace_consumer_suspect_partitions',
    help: 'Owned partitions whose records run one at a time, to find one that kills the process.',
    unit: 'partitions',
    labels: ['group', 'topic'],
  },
  ownerDeaths: {
    kind: 'counter',
    name: 'millrace_consumer_owner_deaths_total',
    help: 'Partitions taken over from a process that ended without giving them up.',
    labels: ['group', 'topic'],
  },
  waitingRecords: {
    kind: 'gauge',
    name: 'millrace_consumer_waiting_records',
    help: 'Records fetched and not yet started.',
    unit: 'records',
    labels: ['group', 'topic'],
  },
  waitingBytes: {
    kind: 'gauge',
    name: 'millrace_consumer_waiting_bytes',
    help: 'Bytes fetched that records not yet ended keep in memory.',
    unit: 'bytes',
    labels: ['group', 'topic'],
  },
  rebalances: {
    kind: 'counter',
    name: 'millrace_consumer_rebalances_total',
    help: 'Changes of what this process owns, by kind: assigned, revoked or lost.',
    labels: ['group', 'reason'],
  },
  commitDuration: {
    kind: 'histogram',
    name: 'millrace_consumer_commit_seconds',
    help: 'From the sending of a commit until it was acknowledged.',
    unit: 'seconds',
    labels: ['group'],
    buckets: durationBuckets,
  },
  commitFailures: {
    kind: 'counter',
    name: 'millrace_consumer_commit_failures_total',
    help: 'Commits that were refused or not answered, by error.',
    labels: ['group', 'error'],
  },
  lateCompletions: {
    kind: 'counter',
    name: 'millrace_consumer_late_completions_total',
    help: 'Handlers that ended after their partition was gone; what they did was refused.',
    labels: ['group', 'topic'],
  },
  inFlight: {
    kind: 'gauge',
    name: 'millrace_handler_in_flight_records',
    help: 'Records whose handlers are running.',
    unit: 'records',
    labels: ['group', 'topic'],
  },
  oldestInFlight: {
    kind: 'gauge',
    name: 'millrace_handler_oldest_in_flight_seconds',
    help: 'How long the longest of the running handlers has been running.',
    unit: 'seconds',
    labels: ['group', 'topic'],
  },
  handlerErrors: {
    kind: 'counter',
    name: 'millrace_handler_errors_total',
    help: 'Runs of handlers that failed, by class of error.',
    labels: ['topic', 'event_type', 'error_class'],
  },
  handlerTimeouts: {
    kind: 'counter',
    name: 'millrace_handler_timeouts_total',
    help: 'Runs of handlers that took longer than they may.',
    labels: ['topic', 'event_type'],
  },
  retries: {
    kind: 'counter',
    name: 'millrace_retries_total',
    help: 'Further attempts that were planned, by kind: in_place, topic or republish.',
    labels: ['topic', 'event_type', 'kind'],
  },
  retryCopiesSkipped: {
    kind: 'counter',
    name: 'millrace_retry_copies_skipped_total',
    help: 'Copies that another group had republished for itself.',
    labels: ['group', 'topic'],
  },
  deadLetters: {
    kind: 'counter',
    name: 'millrace_dead_letters_total',
    help: 'Dead letters that were acknowledged, those in the poison topic included, by class of error.',
    labels: ['topic', 'event_type', 'error_class'],
  },
  deadLetterFailures: {
    kind: 'counter',
    name: 'millrace_dead_letter_failures_total',
    help: 'Dead letters that could not be written; their partition waits.',
    labels: ['topic'],
  },
  decodeErrors: {
    kind: 'counter',
    name: 'millrace_decode_errors_total',
    help: 'Records that are not what their content type says, or are refused by a guard.',
    labels: ['topic', 'format'],
  },
  validationErrors: {
    kind: 'counter',
    name: 'millrace_validation_errors_total',
    help: 'Records whose data does not match the schema of their event.',
    labels: ['topic', 'event_type'],
  },
  dedupeHits: {
    kind: 'counter',
    name: 'millrace_dedupe_hits_total',
    help: 'Records skipped because their event had been done before.',
    labels: ['group', 'topic'],
  },
  dedupeBusy: {
    kind: 'counter',
    name: 'millrace_dedupe_busy_total',
    help: 'Records that had to wait because another process had claimed their event.',
    labels: ['group', 'topic'],
  },
  dedupeConflicts: {
    kind: 'counter',
    name: 'millrace_dedupe_conflicts_total',
    help: 'Records with the id of an event that was done, but with other bytes; they ran.',
    labels: ['group', 'topic'],
  },
  dedupeConfirmFailures: {
    kind: 'counter',
    name: 'millrace_dedupe_confirm_failures_total',
    help: 'Events that are done though the dedupe store could not be told so; a duplicate would run.',
    labels: ['group', 'topic'],
  },
  droppedClaims: {
    kind: 'counter',
    name: 'millrace_dedupe_dropped_claims_total',
    help: 'Claims on events that were given up because their partition was.',
    labels: ['group', 'topic'],
  },
  outageOpen: {
    kind: 'gauge',
    name: 'millrace_outage_guard_open',
    help: '1 while most of what runs fails, so that nothing new starts; else 0.',
    labels: ['group'],
  },
  outages: {
    kind: 'counter',
    name: 'millrace_outages_total',
    help: 'How often the outage guard has opened.',
    labels: ['group'],
  },
  endToEndLatency: {
    kind: 'histogram',
    name: 'millrace_end_to_end_latency_seconds',
    help: "From a record's timestamp until it ended as done.",
    unit: 'seconds',
    labels: ['group', 'topic'],
    buckets: ageBuckets,
  },
  publishedRecords: {
    kind: 'counter',
    name: 'millrace_published_records_total',
    help: 'Records handed to the producer, by what became of them: acknowledged, refused or failed.',
    unit: 'records',
    labels: ['topic', 'event_type', 'outcome'],
  },
  publishDuration: {
    kind: 'histogram',
    name: 'millrace_publish_seconds',
    help: 'From the call of publish until the records were acknowledged.',
    unit: 'seconds',
    labels: ['topic'],
    buckets: durationBuckets,
  },
  replayedRecords: {
    kind: 'counter',
    name: 'millrace_replayed_records_total',
    help: 'Records that a replay has run again, by how they ended.',
    unit: 'records',
    labels: ['topic', 'status'],
  },
  buildInfo: {
    kind: 'gauge',
    name: 'millrace_build_info',
    help: 'Always 1; its labels say what runs.',
    labels: ['service', 'version'],
  },
} as const satisfies Readonly<Record<string, RuntimeMetric>>

type Table = typeof runtimeMetricTable
type LabelOf<Key extends keyof Table> = Table[Key]['labels'][number]

/** The families of the consumer runtime, each with its labels as types. */
export type RuntimeMetrics = {
  readonly [Key in keyof Table]: {
    counter: CounterFamily<LabelOf<Key>>
    gauge: GaugeFamily<LabelOf<Key>>
    histogram: HistogramFamily<LabelOf<Key>>
  }[Table[Key]['kind']]
}

/** The families of the consumer runtime in a registry. Called again, it answers the same families. */
export function runtimeMetrics(metrics: Metrics): RuntimeMetrics {
  const families = Object.entries<RuntimeMetric>(runtimeMetricTable).map(
    ([key, { kind, buckets = [], ...options }]) => {
      const family =
        kind === 'histogram' ? metrics.histogram({ ...options, buckets }) : metrics[kind](options)
      return [key, family] as const
    },
  )
  return Object.fromEntries(families) as unknown as RuntimeMetrics
}

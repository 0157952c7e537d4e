import { isMillraceError } from '../errors.ts'
import { ContractError } from '../contract/index.ts'
import { partitionKey } from '../client/index.ts'
import type { RuntimeMetrics } from '../observe/index.ts'
import type { Clock } from '../platform/index.ts'
import type { ConsumerEvents } from './consumer-events.ts'
import type { ConsumerRun } from './consumer-run.ts'
import type { Delivery } from './delivery.ts'
import type { LatestTime } from './latest-time.ts'
import type { PartitionRun } from './partition-run.ts'
import { LatestLookup } from './latest-lookup.ts'
import type { RecordMetrics } from './steps/measure.ts'
import { eventTypeOf } from './steps/measure.ts'

export interface ConsumerMetricsParts {
  readonly metrics: RuntimeMetrics
  readonly records: RecordMetrics
  readonly clock: Clock
  readonly time: LatestTime
  readonly group: string
  /** When the last commit of each partition was acknowledged, in seconds since 1970. */
  readonly commitTimes: CommitTimes
  readonly stuck: (delivery: Delivery) => void
}

/** By partition. What is not ours any more is never asked for. */
export type CommitTimes = Map<string, number>

/** Counts what a consumer tells of itself. */
export function countEvents(parts: ConsumerMetricsParts): ConsumerEvents {
  const { metrics, records, group, clock, time, commitTimes, stuck } = parts
  const commitSeconds = metrics.commitDuration.with({ group })
  const outageOpen = metrics.outageOpen.with({ group })
  const outages = metrics.outages.with({ group })
  const age = ages(metrics, group, time)
  return {
    ended: (delivery, ending) => {
      records.ended(delivery, ending)
      if (ending === 'done') age(delivery)
    },
    failed: (delivery, error, action) => {
      const topic = delivery.sourceTopic
      const event_type = eventTypeOf(delivery)
      metrics.handlerErrors.with({ topic, event_type, error_class: classOf(error) }).add(1)
      if (action === 'retry') metrics.retries.with({ topic, event_type, kind: 'in_place' }).add(1)
      if (isMillraceError(error, 'MILLRACE_RUNTIME_HANDLER_TIMEOUT')) {
        metrics.handlerTimeouts.with({ topic, event_type }).add(1)
      }
      if (!(error instanceof ContractError)) return
      if (error.code === 'MILLRACE_CONTRACT_INVALID') {
        metrics.validationErrors.with({ topic, event_type }).add(1)
      } else {
        metrics.decodeErrors.with({ topic, format: 'record' }).add(1)
      }
    },
    late: ({ sourceTopic: topic }) => metrics.lateCompletions.with({ group, topic }).add(1),
    stuck,
    letterWritten: (delivery, error, isPoison) => {
      const topic = delivery.sourceTopic
      const event_type = eventTypeOf(delivery)
      metrics.deadLetters.with({ topic, event_type, error_class: classOf(error) }).add(1)
      if (isPoison) metrics.poisonRecords.with({ topic, event_type }).add(1)
    },
    letterFailed: ({ sourceTopic: topic }) => metrics.deadLetterFailures.with({ topic }).add(1),
    copyWritten: (delivery, copyKind) => {
      const kind = copyKind === 'topics' ? 'topic' : 'republish'
      const labels = { topic: delivery.sourceTopic, event_type: eventTypeOf(delivery) }
      metrics.retries.with({ ...labels, kind }).add(1)
    },
    copySkipped: ({ topic }) => metrics.retryCopiesSkipped.with({ group, topic }).add(1),
    ownerDied: ({ topic }) => metrics.ownerDeaths.with({ group, topic }).add(1),
    committed: (tookMs, partitions) => {
      commitSeconds.observe(tookMs / 1_000)
      const seconds = clock.now() / 1_000
      for (const partition of partitions) commitTimes.set(partitionKey(partition), seconds)
    },
    commitFailed: (error) =>
      metrics.commitFailures
        .with({ group, error: isMillraceError(error) ? error.code : 'other' })
        .add(1),
    rebalanced: (reason) => metrics.rebalances.with({ group, reason }).add(1),
    outage: (isOpen) => {
      outageOpen.set(isOpen ? 1 : 0)
      if (isOpen) outages.add(1)
    },
  }
}

/** How old records were when they were done, by the topic that they belong to. */
function ages(
  metrics: RuntimeMetrics,
  group: string,
  time: LatestTime,
): (delivery: Delivery) => void {
  const byTopic = new LatestLookup((topic) => metrics.endToEndLatency.with({ group, topic }))
  return ({ sourceTopic: topic, copy, record }) => {
    const { timestamp } = copy ?? record
    if (timestamp >= 0) byTopic.get(topic).observe(Math.max(0, time.nowMs - timestamp) / 1_000)
  }
}

/** Lets metrics be read from a consumer that runs. */
export function observeConsumer(
  { metrics, group, clock, commitTimes }: Omit<ConsumerMetricsParts, 'records' | 'time' | 'stuck'>,
  run: ConsumerRun,
): void {
  const each = (read: (partition: PartitionRun) => number) => {
    return (report: (labels: { group: string; topic: string }, value: number) => void) => {
      for (const partition of run.partitions)
        report({ group, topic: partition.topic }, read(partition))
    }
  }
  metrics.assignedPartitions.observe(each(() => 1))
  metrics.pausedPartitions.observe(each(({ heldBecause }) => Number(heldBecause !== undefined)))
  metrics.fullPartitions.observe(each(({ isFull }) => Number(isFull)))
  metrics.blockedPartitions.observe(each(({ isBlocked }) => Number(isBlocked)))
  metrics.stoppedPartitions.observe(each((partition) => Number(partition.is('stopped'))))
  metrics.suspectPartitions.observe(each(({ isSuspect }) => Number(isSuspect)))
  metrics.waitingRecords.observe(each(({ waitingCount }) => waitingCount))
  metrics.waitingBytes.observe(each(({ waitingBytes }) => waitingBytes))
  metrics.inFlight.observe(each(({ runningCount }) => runningCount))
  metrics.oldestInFlight.observe((report) => {
    for (const [topic, beganMs] of run.oldestRunning) {
      report({ group, topic }, Math.max(0, clock.elapsedMs() - beganMs) / 1_000)
    }
  })
  metrics.lastCommit.observe((report) => {
    for (const { topic, partition } of run.partitions) {
      const seconds = commitTimes.get(partitionKey({ topic, partition }))
      if (seconds !== undefined) report({ group, topic, partition: String(partition) }, seconds)
    }
  })
  metrics.consumerLag.observe((report) => {
    for (const { topic, partition, lag } of run.partitions) {
      if (lag !== undefined) report({ group, topic, partition: String(partition) }, lag)
    }
  })
  metrics.stableOffsetStuck.observe((report) => {
    for (const partition of run.partitions) {
      const labels = { group, topic: partition.topic, partition: String(partition.partition) }
      report(labels, run.heldBackMs(partition) / 1_000)
    }
  })
  metrics.consumerLagTime.observe((report) => {
    for (const { topic, partition, oldestTimestamp } of run.partitions) {
      const ageMs = oldestTimestamp === undefined ? 0 : clock.now() - oldestTimestamp
      report({ group, topic, partition: String(partition) }, Math.max(0, ageMs) / 1_000)
    }
  })
}

/** A class is named by whoever wrote the handler: short, and bounded by the family. */
function classOf(error: unknown): string {
  return error instanceof Error ? error.name.slice(0, 100) : typeof error
}

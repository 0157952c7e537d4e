import { isMillraceError } from '../errors.ts'
import { ContractError } from '../contract/index.ts'
import type { RuntimeMetrics } from '../observe/index.ts'
import type { Clock } from '../platform/index.ts'
import type { ConsumerEvents } from './consumer-events.ts'
import type { ConsumerRun } from './consumer-run.ts'
import type { Delivery } from './delivery.ts'
import type { PartitionRun } from './partition-run.ts'
import type { RecordMetrics } from './steps/measure.ts'
import { eventTypeOf } from './steps/measure.ts'

export interface ConsumerMetricsParts {
  readonly metrics: RuntimeMetrics
  readonly records: RecordMetrics
  readonly clock: Clock
  readonly group: string
  readonly stuck: (delivery: Delivery) => void
}

/** Counts what a consumer tells of itself. */
export function countEvents(parts: ConsumerMetricsParts): ConsumerEvents {
  const { metrics, records, group, stuck } = parts
  const commitSeconds = metrics.commitDuration.with({ group })
  const outageOpen = metrics.outageOpen.with({ group })
  const outages = metrics.outages.with({ group })
  return {
    ended: (delivery, ending) => records.ended(delivery, ending),
    failed: (delivery, error, action) => {
      const { topic } = delivery
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
    late: ({ topic }) => metrics.lateCompletions.with({ group, topic }).add(1),
    stuck,
    letterWritten: (delivery, error, isPoison) => {
      const { topic } = delivery
      const event_type = eventTypeOf(delivery)
      metrics.deadLetters.with({ topic, event_type, error_class: classOf(error) }).add(1)
      if (isPoison) metrics.poisonRecords.with({ topic, event_type }).add(1)
    },
    letterFailed: ({ topic }) => metrics.deadLetterFailures.with({ topic }).add(1),
    committed: (tookMs) => commitSeconds.observe(tookMs / 1_000),
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

/** Lets metrics be read from a consumer that runs. */
export function observeConsumer(
  { metrics, group, clock }: Omit<ConsumerMetricsParts, 'records' | 'stuck'>,
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
  metrics.consumerLag.observe((report) => {
    for (const { topic, partition, lag } of run.partitions) {
      if (lag !== undefined) report({ group, topic, partition: String(partition) }, lag)
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

import { MillraceError } from '../../errors.ts'
import type { Random } from '../../platform/index.ts'
import type { TopicMetadata } from '../cluster/metadata.ts'
import { PartitionQueue } from './partition-queue.ts'
import type { QueueContext } from './partition-queue.ts'
import type { SendCall } from './send-call.ts'

/** A record whose partition is not known yet. */
export interface PendingRecord {
  readonly call: SendCall
  readonly index: number
  /** The memory that is counted for it. */
  readonly heldBytes: number
  /** When it came, on the clock of `elapsedMs`. */
  readonly sinceMs: number
}

/**
 * A topic that is written to. It is **unknown** until the metadata has its partitions; records wait in
 * `pending` until then. From then on it is **ready** for good: what becomes of its leaders later is a matter
 * of each partition. Records for a partition that a ready topic does not have wait there too, until it is
 * known whether it was added.
 */
export class TopicQueue {
  readonly name: string
  id: string | undefined
  /** Empty while the topic is unknown. */
  readonly partitions: PartitionQueue[] = []
  pending: PendingRecord[] = []
  /** The size at which its batches are closed: smaller once the broker has refused one. */
  batchBytesMax: number
  /** About the size that its next batch will have. */
  expectedBatchBytes = 0
  readonly #context: QueueContext
  readonly #random: Random
  #stickyPartition = -1

  constructor(name: string, batchBytesMax: number, context: QueueContext) {
    this.name = name
    this.batchBytesMax = batchBytesMax
    this.#context = context
    this.#random = context.random
  }

  get isReady(): boolean {
    return this.partitions.length > 0
  }

  /** The partition for records without a key: one, until a batch of it is closed (KIP-480). */
  get stickyPartition(): number {
    if (this.#stickyPartition < 0) this.#stickyPartition = this.#anotherPartition()
    return this.#stickyPartition
  }

  /** A batch of the partition was closed: records without a key go on elsewhere. */
  batchClosed(partition: number): void {
    if (partition === this.#stickyPartition) this.#stickyPartition = this.#anotherPartition()
  }

  /** Takes what the metadata has of it. Answers the partitions whose leader has changed. */
  update(metadata: TopicMetadata): PartitionQueue[] {
    const wasReplaced = this.id !== undefined && this.id !== metadata.id
    this.id = metadata.id
    const changed: PartitionQueue[] = []
    for (const { partition, leaderId, leaderEpoch } of metadata.partitions) {
      this.partitions[partition] ??= new PartitionQueue(this.name, partition, this.#context)
      const queue = this.partitions[partition]
      if (wasReplaced) queue.logWasReplaced()
      if (queue.leaderChanged(leaderId, leaderEpoch)) changed.push(queue)
    }
    return changed
  }

  #anotherPartition(): number {
    const { length } = this.partitions
    const from = this.#random.integer(length)
    for (let step = 0; step < length; step++) {
      const partition = (from + step) % length
      const hasLeader = (this.partitions[partition]?.leaderId ?? -1) >= 0
      if (hasLeader && (partition !== this.#stickyPartition || length === 1)) return partition
    }
    return this.#stickyPartition < 0 ? from : this.#stickyPartition
  }
}

/** What is wrong with a record for a partition that the topic does not have. */
export function noSuchPartition({ name, partitions }: TopicQueue, partition: number): Error {
  const last = partitions.length - 1
  return new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `partition (${partition}) must be a whole number from 0 to ${last}: ${name} has no other`,
  )
}

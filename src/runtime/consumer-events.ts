import type { TopicPartition } from '../client/index.ts'
import type { Delivery } from './delivery.ts'
import type { FailureAction } from './failure/failure-policy.ts'
import type { Ending } from './outcome.ts'
import type { CopyKind } from './retry/retry-copies.ts'

/** How what a process owns of a group has changed. */
export type Rebalance = 'assigned' | 'revoked' | 'lost'

/** What a consumer tells of itself while it works. No method may throw, or take long. */
export interface ConsumerEvents {
  /** A record has ended. */
  ended(delivery: Delivery, ending: Ending): void
  /** A run of its handlers has failed, and this is done about it. */
  failed(delivery: Delivery, error: unknown, action: FailureAction): void
  /** A handler came to its end after its partition was given up: what it did counts for nothing. */
  late(delivery: Delivery): void
  /** A handler ignores its signal long after its time was over: the process has to end. */
  stuck(delivery: Delivery): void
  /** A dead letter was acknowledged. */
  letterWritten(delivery: Delivery, error: unknown, isPoison: boolean): void
  /** A dead letter, or a copy, could not be written, and is tried again. */
  letterFailed(delivery: Delivery): void
  /** A copy was acknowledged in which the record is tried again later. */
  copyWritten(delivery: Delivery, kind: CopyKind): void
  /** A copy that another group has made for itself was passed over. */
  copySkipped(delivery: Delivery): void
  /** A commit of these partitions was acknowledged. */
  committed(tookMs: number, partitions: readonly TopicPartition[]): void
  commitFailed(error: unknown): void
  rebalanced(kind: Rebalance): void
  /** A partition was taken over from a process that has died. */
  ownerDied(partition: TopicPartition): void
  outage(isOpen: boolean): void
}

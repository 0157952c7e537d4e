import type { Delivery } from './delivery.ts'
import type { FailureAction } from './failure/failure-policy.ts'
import type { Ending } from './outcome.ts'

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
  /** A dead letter could not be written, and is tried again. */
  letterFailed(delivery: Delivery): void
  committed(tookMs: number): void
  commitFailed(error: unknown): void
  rebalanced(kind: Rebalance): void
  outage(isOpen: boolean): void
}

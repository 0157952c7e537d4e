import type { TransactionVersion } from './transaction-metadata.ts'

/** What can be configured, read anew each time: settings change while the broker runs. */
export interface TransactionSettings {
  /** `transaction.max.timeout.ms` */
  readonly maxTimeoutMs: number
  /** `transactional.id.expiration.ms` */
  readonly idExpirationMs: number
  /** `transaction.abort.timed.out.transaction.cleanup.interval.ms` */
  readonly abortTimedOutIntervalMs: number
  /** `transaction.remove.expired.transaction.cleanup.interval.ms` */
  readonly removeExpiredIntervalMs: number
  /** `transaction.partition.verification.enable` */
  readonly verifiesPartitions: boolean
  /** `add.partitions.to.txn.retry.backoff.max.ms` */
  readonly addPartitionsWaitMsMax: number
  /** The finalized level of the feature `transaction.version`. */
  readonly transactionVersion: TransactionVersion
}

/** Kafka's defaults. */
export const defaultTransactionSettings = {
  maxTimeoutMs: 900_000,
  idExpirationMs: 604_800_000,
  abortTimedOutIntervalMs: 10_000,
  removeExpiredIntervalMs: 3_600_000,
  verifiesPartitions: true,
  addPartitionsWaitMsMax: 100,
  transactionVersion: 2,
} satisfies TransactionSettings

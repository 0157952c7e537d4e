import type { TopicPartition } from '../topic-partition.ts'

/** What a producer's batches are recognized by. The epoch is from 0 to 32,767. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Why batches of a partition failed, as far as it matters for those that come after them. */
export interface FailedBatch extends TopicPartition {
  /** The identity that the batch was written with. */
  readonly identity: ProducerIdentity
  readonly error: Error
  /** False when it is certain that no broker has written it. */
  readonly mayBeWritten: boolean
}

/**
 * In whose name a `RecordSender` writes. The idempotent producer gets an identity from any broker and
 * renews it by itself; in a transactional one it belongs to the coordinator, and partitions have to be in
 * the transaction before a record is written to them. The sender asks here, and knows neither.
 */
export interface IdentitySource {
  /** Undefined for a producer that is only idempotent, or not even that. */
  readonly transactionalId: string | undefined
  /**
   * The identity to write with now. Undefined: none yet, or it is being replaced; then `ready` resolves
   * when there is one, or rejects when there will be none. No batch is written between.
   */
  readonly current: ProducerIdentity | undefined
  ready(): Promise<void>
  /**
   * The highest version of Produce that means what is wanted. From version 12 on a record adds its
   * partition to the transaction (KIP-890), which a transaction of the first kind must not.
   */
  readonly produceVersionMax: number | undefined
  /**
   * Puts partitions into the transaction. Undefined: they are in it, or need not be. A rejection fails the
   * records of these partitions.
   */
  admit(partitions: readonly TopicPartition[]): Promise<void> | undefined
  /**
   * A batch failed for good. Answers what becomes of batches that are behind it in the partition:
   * `'renewed'`: `current` has, or will have, another identity; whatever was not acknowledged is written
   * again under it, from sequence 0, once no request with the old one is in flight. `'failed'`: they fail
   * with the same error.
   */
  batchFailed(batch: FailedBatch): 'renewed' | 'failed'
}

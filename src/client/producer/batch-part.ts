import type { BatchFailure } from './delivery-error.ts'
import type { ProducerBatch } from './producer-batch.ts'

/** What a broker said of a batch that it has written. */
export interface BatchWritten {
  /** The offset of the first record; -1 where the broker did not tell. */
  readonly baseOffset: number
  /** The time that the broker gave to all records; -1 where they keep their own. */
  readonly logAppendTimeMs: number
}

/**
 * Consecutive records of a batch that came with one call of `send`, and have one who waits for them. It
 * is told once what became of them; what comes later is ignored.
 */
export abstract class BatchPart {
  /** The call that the records came with. */
  readonly owner: object
  batch: ProducerBatch | undefined
  /** The index of the first record in the batch. */
  first = 0
  count = 0
  isSettled = false

  /** Without an owner, it is its own. */
  constructor(owner?: object) {
    this.owner = owner ?? this
  }

  /** The records were written. */
  settleDelivered(batch: ProducerBatch, written: BatchWritten): void {
    if (this.isSettled) return
    this.isSettled = true
    this.batch = undefined
    this.onDelivered(batch, written)
  }

  /** The records were not written, or nobody knows. */
  settleFailed(failure: BatchFailure): void {
    if (this.isSettled) return
    this.isSettled = true
    this.batch = undefined
    this.onFailed(failure)
  }

  /** Keeps the first `count` records; answers the part that has the others. */
  abstract splitAfter(count: number): BatchPart
  abstract onDelivered(batch: ProducerBatch, written: BatchWritten): void
  abstract onFailed(failure: BatchFailure): void
}

import type { BatchPart } from './batch-part.ts'
import type { DeliveryError } from './delivery-error.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ProducerRecord } from './producer-record.ts'

/** What a call has from the producer. */
export interface CallContext {
  /** When its records must be settled, as `elapsedMs` counts. */
  readonly deadlineMs: number
  /** The time of records that name none. */
  readonly timestamp: number
  /** How many flushes had begun when it was made. */
  readonly generation: number
  /** Called once, when all its records are settled. */
  readonly settled: (call: SendCall) => void
}

/**
 * A call of `send`. Its records are placed into batches in order, and it is settled, which its caller is
 * told, once every record was written or has failed.
 */
export interface SendCall {
  readonly context: CallContext
  readonly recordCount: number
  /** Set once all its records are settled. */
  isSettled: boolean
  /** Called then, for who followed it meanwhile. */
  onSettled: (() => void) | undefined
  /** The index of the record to be placed next. */
  cursor: number
  /** The parts of batches that hold its records. */
  readonly parts: readonly BatchPart[]
  record(index: number): ProducerRecord
  /** The record is the last one of `batch` now. */
  recordPlaced(index: number, batch: ProducerBatch, timestamp: number): void
  /** The record is in no batch, and will be in none. */
  recordFailed(index: number, error: DeliveryError): void
}

import { BatchPart } from './batch-part.ts'
import type { BatchWritten } from './batch-part.ts'
import type { BatchFailure, DeliveryError } from './delivery-error.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { recordOf } from './producer-record.ts'
import type { ProducerRecord } from './producer-record.ts'
import type { RecordResult } from './record-results.ts'
import type { CallContext, SendCall } from './send-call.ts'

/** A call with one record. It is its own part of a batch: one object less for each record. */
export class SingleSend extends BatchPart implements SendCall {
  readonly context: CallContext
  readonly recordCount = 1
  cursor = 0
  onSettled: (() => void) | undefined
  #timestamp = -1
  readonly #record: ProducerRecord
  readonly #resolve: (result: RecordResult) => void
  readonly #reject: (error: Error) => void

  constructor(
    record: ProducerRecord,
    context: CallContext,
    resolve: (result: RecordResult) => void,
    reject: (error: Error) => void,
  ) {
    super()
    this.#record = recordOf(record)
    this.context = context
    this.#resolve = resolve
    this.#reject = reject
  }

  get parts(): readonly BatchPart[] {
    return this.batch === undefined ? [] : [this]
  }

  record(): ProducerRecord {
    return this.#record
  }

  recordPlaced(_index: number, batch: ProducerBatch, timestamp: number): void {
    this.#timestamp = timestamp
    this.batch = batch
    this.first = batch.recordCount - 1
    this.count = 1
    batch.parts.push(this)
  }

  recordFailed(_index: number, error: DeliveryError): void {
    this.settleFailed({ error })
  }

  splitAfter(): BatchPart {
    throw new Error('one record cannot be split')
  }

  onDelivered({ topic, partition }: ProducerBatch, written: BatchWritten): void {
    const { baseOffset, logAppendTimeMs } = written
    const offset = baseOffset < 0 ? -1 : baseOffset + this.first
    const timestamp = logAppendTimeMs < 0 ? this.#timestamp : logAppendTimeMs
    this.#resolve({ topic, partition, offset, timestamp })
    this.context.settled(this)
  }

  onFailed({ error, recordErrors }: BatchFailure): void {
    this.#reject(recordErrors?.get(this.first) ?? error)
    this.context.settled(this)
  }
}

import { BatchPart } from './batch-part.ts'
import type { BatchWritten } from './batch-part.ts'
import type { BatchFailure, DeliveryError } from './delivery-error.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { recordOf } from './producer-record.ts'
import type { ProducerRecord } from './producer-record.ts'
import { LazyResults } from './record-results.ts'
import type { RecordOutcome, RecordResult, RecordResults } from './record-results.ts'
import { RecordsDeliveryError } from './records-delivery-error.ts'
import type { CallContext, SendCall } from './send-call.ts'

/** The records of a call that stand together in a batch. */
class ManyPart extends BatchPart {
  readonly #call: ManySend
  /** Its index among the parts of the call. */
  readonly number: number
  topic = ''
  partition = -1
  written: BatchWritten | undefined
  failure: BatchFailure | undefined

  constructor(call: ManySend, number: number) {
    super(call)
    this.#call = call
    this.number = number
  }

  splitAfter(count: number): BatchPart {
    return this.#call.splitPart(this, count)
  }

  onDelivered({ topic, partition }: ProducerBatch, written: BatchWritten): void {
    this.topic = topic
    this.partition = partition
    this.written = written
    this.#call.partSettled()
  }

  onFailed(failure: BatchFailure): void {
    this.failure = failure
    this.#call.partSettled()
  }
}

/**
 * A call with many records. What it keeps for each record is two numbers: its part, and its place there;
 * results are made from them when they are read.
 */
export class ManySend implements SendCall {
  readonly context: CallContext
  readonly recordCount: number
  cursor = 0
  isSettled = false
  onSettled: (() => void) | undefined
  readonly parts: ManyPart[] = []
  #records: readonly ProducerRecord[]
  readonly #partOf: Int32Array
  readonly #placeInPart: Int32Array
  /** The times of the records; undefined as long as all have the one of the call. */
  #timestamps: Float64Array | undefined
  /** Records that were in no batch. */
  #failures: Map<number, DeliveryError> | undefined
  #unplacedCount: number
  #unsettledParts = 0
  readonly #resolve: (results: RecordResults) => void
  readonly #reject: (error: Error) => void

  constructor(
    records: readonly ProducerRecord[],
    context: CallContext,
    resolve: (results: RecordResults) => void,
    reject: (error: Error) => void,
  ) {
    this.context = context
    this.recordCount = records.length
    this.#records = records
    this.#partOf = new Int32Array(records.length)
    this.#placeInPart = new Int32Array(records.length)
    this.#unplacedCount = records.length
    this.#resolve = resolve
    this.#reject = reject
  }

  record(index: number): ProducerRecord {
    return recordOf(this.#records[index])
  }

  recordPlaced(index: number, batch: ProducerBatch, timestamp: number): void {
    const last = batch.parts[batch.parts.length - 1]
    const part = last instanceof ManyPart && last.owner === this ? last : this.#addPart(batch)
    this.#partOf[index] = part.number
    this.#placeInPart[index] = part.count
    part.count += 1
    this.#unplacedCount -= 1
    if (timestamp !== this.context.timestamp || this.#timestamps !== undefined) {
      this.#timestamps ??= new Float64Array(this.recordCount).fill(this.context.timestamp)
      this.#timestamps[index] = timestamp
    }
  }

  recordFailed(index: number, error: DeliveryError): void {
    this.#failures ??= new Map()
    if (this.#failures.has(index)) return
    this.#failures.set(index, error)
    this.#unplacedCount -= 1
    this.#settleWhenDone()
  }

  partSettled(): void {
    this.#unsettledParts -= 1
    this.#settleWhenDone()
  }

  splitPart(part: ManyPart, count: number): ManyPart {
    const rest = this.#newPart()
    rest.count = part.count - count
    part.count = count
    for (let index = 0; index < this.recordCount; index++) {
      if (this.#partOf[index] !== part.number || this.#failures?.has(index) === true) continue
      const place = this.#placeInPart[index] as number
      if (place < count) continue
      this.#partOf[index] = rest.number
      this.#placeInPart[index] = place - count
    }
    return rest
  }

  #addPart(batch: ProducerBatch): ManyPart {
    const part = this.#newPart()
    part.batch = batch
    part.first = batch.recordCount - 1
    batch.parts.push(part)
    return part
  }

  #newPart(): ManyPart {
    const part = new ManyPart(this, this.parts.length)
    this.parts.push(part)
    this.#unsettledParts += 1
    return part
  }

  #settleWhenDone(): void {
    if (this.isSettled || this.#unplacedCount > 0 || this.#unsettledParts > 0) return
    // The results do not need them, and may be kept for long.
    this.#records = []
    const { recordCount } = this
    const isDelivered =
      this.#failures === undefined && this.parts.every(({ failure }) => failure === undefined)
    if (isDelivered) {
      this.#resolve(new LazyResults(recordCount, (index) => this.#outcome(index) as RecordResult))
    } else {
      const outcomes = new LazyResults<RecordOutcome>(recordCount, (index) => this.#outcome(index))
      this.#reject(new RecordsDeliveryError(outcomes))
    }
    this.context.settled(this)
  }

  #outcome(index: number): RecordOutcome {
    const failed = this.#failures?.get(index)
    if (failed !== undefined) return { error: failed }
    const part = this.parts[this.#partOf[index] as number] as ManyPart
    const place = part.first + (this.#placeInPart[index] as number)
    const { topic, partition, written, failure } = part
    if (written === undefined) {
      const { error, recordErrors } = failure as BatchFailure
      return { error: recordErrors?.get(place) ?? error }
    }
    const { baseOffset, logAppendTimeMs } = written
    return {
      topic,
      partition,
      offset: baseOffset < 0 ? -1 : baseOffset + place,
      timestamp:
        logAppendTimeMs < 0
          ? (this.#timestamps?.[index] ?? this.context.timestamp)
          : logAppendTimeMs,
    }
  }
}

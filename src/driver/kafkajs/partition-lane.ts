import { DeliveryError, KafkaError } from '../../client/index.ts'
import type { RecordResult } from '../../client/index.ts'
import { MillraceError } from '../../errors.ts'
import type { Clock } from '../../platform/index.ts'
import type { KafkaJsOutgoing, KafkaJsWritten } from './kafkajs-api.ts'
import type { OutgoingRecord } from './kafkajs-records.ts'

/** A record until it is settled. */
export interface PendingRecord {
  readonly outgoing: OutgoingRecord
  /** It has been told what became of it: it is not sent any more. */
  readonly isSettled: boolean
  /** It is in a request from now on. */
  sent(): void
  written(result: RecordResult): void
  failed(error: DeliveryError): void
}

export interface PartitionLaneParts {
  readonly topic: string
  readonly partition: number
  readonly clock: Clock
  readonly batchBytesMax: number
  readonly send: (messages: KafkaJsOutgoing[]) => Promise<KafkaJsWritten[]>
}

/**
 * Records on their way to one partition: one request at a time, what comes meanwhile goes with the next. So they stay in
 * order, and an error is of this partition alone: of several partitions in a request kafkajs does not tell which failed.
 */
export class PartitionLane {
  readonly #parts: PartitionLaneParts
  #waiting: PendingRecord[] = []
  #isSending = false

  constructor(parts: PartitionLaneParts) {
    this.#parts = parts
  }

  push(record: PendingRecord): void {
    this.#waiting.push(record)
    if (this.#isSending) return
    this.#isSending = true
    // What is sent in the same turn leaves together.
    this.#parts.clock.defer(() => void this.#sendAll())
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#send(this.#nextBatch())
    this.#isSending = false
  }

  #nextBatch(): readonly PendingRecord[] {
    this.#waiting = this.#waiting.filter(({ isSettled }) => !isSettled)
    let bytes = 0
    const isMore = ({ outgoing }: PendingRecord, index: number) => {
      bytes += outgoing.sizeInBytes
      return index > 0 && bytes > this.#parts.batchBytesMax
    }
    const end = this.#waiting.findIndex(isMore)
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end)
  }

  async #send(records: readonly PendingRecord[]): Promise<void> {
    if (records.length === 0) return
    for (const record of records) record.sent()
    try {
      const [written] = await this.#parts.send(records.map(({ outgoing }) => outgoing.message))
      this.#checkPlace(written)
      this.#written(records, written)
    } catch (error) {
      if (records.length > 1 && isRefusal(error)) {
        // One of them may be what is wrong with all.
        for (const record of records) await this.#send([record])
        return
      }
      this.#failed(records, error as Error)
    }
  }

  #written(records: readonly PendingRecord[], written: KafkaJsWritten | undefined): void {
    const { topic, partition } = this.#parts
    // Without acknowledgements nothing is told.
    const baseOffset = Number(written?.baseOffset ?? -1)
    const logAppendTime = Number(written?.logAppendTime ?? -1)
    records.forEach((record, index) => {
      record.written({
        topic,
        partition,
        offset: baseOffset < 0 ? -1 : baseOffset + index,
        timestamp: logAppendTime < 0 ? record.outgoing.timestamp : logAppendTime,
      })
    })
  }

  /** What it tells must be what it was told: a record elsewhere would be out of its order. */
  #checkPlace(written: KafkaJsWritten | undefined): void {
    const { topic, partition } = this.#parts
    if (written === undefined || written.partition === partition) return
    const problem = `kafkajs has written to ${topic}-${written.partition} in place of ${partition}`
    throw new MillraceError('MILLRACE_CLIENT_STATE_INVALID', problem)
  }

  #failed(records: readonly PendingRecord[], error: Error): void {
    const { topic, partition } = this.#parts
    // kafkajs has tried again by itself: an attempt before the last may have been written.
    const definitelyNotWritten = isRefusal(error)
    const what = { topic, partition, definitelyNotWritten, reason: error.message }
    const options = { cause: error, ...(definitelyNotWritten && { retriable: false }) }
    for (const record of records) record.failed(new DeliveryError(what, options))
  }
}

/** The broker has looked at it, and will not have it, however often it comes. */
function isRefusal(error: unknown): boolean {
  return error instanceof KafkaError && !error.retriable
}

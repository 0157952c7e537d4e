import type { DecodedRecord } from '../contract/index.ts'
import type { SourceRecord } from '../driver/index.ts'

/**
 * A record on its way through the consumer, from when it was read until it has ended. One object for all
 * its attempts.
 */
export class Delivery {
  readonly topic: string
  readonly partition: number
  readonly record: SourceRecord
  /** Which run of the handler this is, counted over all processes that tried; from 1. */
  attempt = 0
  /** What the record says by its topic's contract, once it was read. */
  decoded: DecodedRecord | undefined
  #controller: AbortController | undefined
  #abortReason: unknown

  constructor(topic: string, partition: number, record: SourceRecord) {
    this.topic = topic
    this.partition = partition
    this.record = record
  }

  get offset(): number {
    return this.record.offset
  }

  /** Aborts when the attempt has to end: its time is over, or the partition goes to another member. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason)
    }
    return this.#controller.signal
  }

  get isAborted(): boolean {
    return this.#abortReason !== undefined
  }

  /** Ends the attempt that runs. */
  abort(reason: Error): void {
    this.#abortReason ??= reason
    this.#controller?.abort(reason)
  }

  /** The next attempt has a signal of its own. */
  begin(attempt: number): void {
    this.attempt = attempt
    this.#controller = undefined
    this.#abortReason = undefined
  }

  /** How logs and errors name it. */
  toString(): string {
    return `${this.topic}-${this.partition} at offset ${this.offset}`
  }
}

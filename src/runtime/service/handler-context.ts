import { contextOf } from '../../contract/index.ts'
import type { DataOf, EventContract, EventKey, MessageContext } from '../../contract/index.ts'
import type { RecordResult } from '../../client/index.ts'
import type { SourceRecord } from '../../driver/index.ts'
import type { Delivery } from '../delivery.ts'

/** What may be said of an event that is published. */
export interface PublishOptions {
  /** Instead of the contract's. */
  readonly key?: EventKey
  readonly headers?: Readonly<Record<string, Uint8Array | string | null>>
  /** Where it goes, instead of where its key says. */
  readonly partition?: number
  /** When it happened, in milliseconds since the epoch. @defaultValue now */
  readonly timestamp?: number
  /** Unique to the event. @defaultValue a new UUIDv7 */
  readonly id?: string
}

/** Sends an event; resolves when it is acknowledged. */
export type Publish = <Contract extends EventContract>(
  event: Contract,
  data: DataOf<Contract>,
  options?: PublishOptions,
) => Promise<RecordResult>

/** Sends an event in the name of a message: its correlation goes on, and it is the cause. */
export type PublishWithin = <Contract extends EventContract>(
  event: Contract,
  data: DataOf<Contract>,
  options: PublishOptions | undefined,
  context: MessageContext,
) => Promise<RecordResult>

/** What a handler gets beside the event: where it comes from, and what can be done about it. */
export class HandlerContext {
  readonly #delivery: Delivery
  readonly #publish: PublishWithin
  /** The id of the event, or what stands for it. */
  readonly id: string

  constructor(delivery: Delivery, id: string, publish: PublishWithin) {
    this.#delivery = delivery
    this.id = id
    this.#publish = publish
  }

  /** The topic that the record belongs to. Of a copy that waited to be tried again, the place is where it was first. */
  get topic(): string {
    return this.#delivery.sourceTopic
  }

  get partition(): number {
    return this.#place.partition
  }

  get offset(): number {
    return this.#place.offset
  }

  /** The record as it was read. Its bytes are views: copy what is kept for long. */
  get record(): SourceRecord {
    return this.#delivery.record
  }

  /** Which run of the handler this is, also over restarts; from 1. */
  get attempt(): number {
    return this.#delivery.attemptInAll
  }

  /** Aborts when the run has to end: its time is over, or the partition is given up. Pass it on to what is awaited. */
  get signal(): AbortSignal {
    return this.#delivery.signal
  }

  get #place() {
    return this.#delivery.copy ?? this.#delivery
  }

  /** The header's value as text; undefined where there is none. */
  header(name: string): string | undefined {
    return this.#delivery.record.header(name)?.toString()
  }

  /** What is handed on to what is sent because of this event. */
  get message(): MessageContext {
    return contextOf(this.#delivery.record, this.id)
  }

  /**
   * Sends an event because of this one. Await it: the record is done only when what it sent is acknowledged. May be taken
   * out of the context.
   */
  get publish(): Publish {
    return async (event, data, options) => {
      this.signal.throwIfAborted()
      return this.#publish(event, data, options, this.message)
    }
  }
}

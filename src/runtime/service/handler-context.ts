import { contextOf } from '../../contract/index.ts'
import type { DataOf, EventContract, EventKey, MessageContext } from '../../contract/index.ts'
import { packRecord } from '../../client/index.ts'
import type { ProducerRecord, RecordResult } from '../../client/index.ts'
import type { SourceRecord } from '../../driver/index.ts'
import { MillraceError } from '../../errors.ts'
import type { Delivery } from '../delivery.ts'
import { coordinatesOf, eventIn } from '../steps/decode.ts'
import type { Sending, StagedSending } from './sending.ts'

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

/** Sends an event as part of what makes a record done. */
export type Send = <Contract extends EventContract>(
  event: Contract,
  data: DataOf<Contract>,
  options?: PublishOptions,
) => Promise<void>

/**
 * What a handler gets beside the event: where it comes from, and what can be done about it. One is made for each run, so that it
 * holds next to nothing, and what can be called is made when it is asked for: a handler may take it out of the context.
 */
export class HandlerContext {
  readonly #delivery: Delivery
  readonly #sending: Sending
  /** Of the run of the handler that it belongs to, under exactly-once. */
  readonly #run: object | undefined

  constructor(delivery: Delivery, sending: Sending) {
    this.#delivery = delivery
    this.#sending = sending
    this.#run = sending.staged === undefined ? undefined : delivery.run
  }

  /** The id of the event, or what stands for it. */
  get id(): string {
    return eventIn(this.#delivery.decoded)?.event.id ?? coordinatesOf(this.#delivery)
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
  get header(): (name: string) => string | undefined {
    return (name) => this.#delivery.record.header(name)?.toString()
  }

  /** What is handed on to what is sent because of this event. */
  get message(): MessageContext {
    return contextOf(this.#delivery.record, this.id)
  }

  /**
   * Sends an event because of this one, as part of what makes the record done: under exactly-once it is written by the
   * transaction that says so, or not at all; else at once, like `publish`. Await it.
   */
  get send(): Send {
    return async (event, data, options) => {
      this.#delivery.throwIfAborted()
      const { publish, staged } = this.#sending
      if (staged === undefined) await publish(event, data, options, this.message)
      else await this.#stage(staged, await staged.prepare(event, data, options, this.message))
    }
  }

  /** The same with a record as it is, to any topic. */
  get sendRecord(): (record: ProducerRecord) => Promise<void> {
    return async (record) => {
      this.#delivery.throwIfAborted()
      const { sendRecord, staged } = this.#sending
      if (staged === undefined) await sendRecord(record)
      else await this.#stage(staged, record)
    }
  }

  /**
   * Sends an event because of this one, at once; resolves when it is acknowledged. Await it: the record is done only when
   * what it sent is. Not under exactly-once, where `send` makes it part of the transaction.
   */
  get publish(): Publish {
    return async (event, data, options) => {
      this.#delivery.throwIfAborted()
      if (this.#sending.staged !== undefined) throw notPublished()
      return this.#sending.publish(event, data, options, this.message)
    }
  }

  async #stage({ check }: StagedSending, record: ProducerRecord): Promise<void> {
    await check(record)
    // It waits for the next commit, and what it is made of with it.
    this.#delivery.stage(packRecord(record), this.#run as object)
  }
}

function notPublished(): MillraceError {
  const problem =
    'publish would be written whatever becomes of the transaction; under exactlyOnce use send'
  return new MillraceError('MILLRACE_RUNTIME_STATE_INVALID', problem)
}

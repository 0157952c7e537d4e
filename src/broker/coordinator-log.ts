import type { Refusal } from './refusal.ts'

/** A record of a coordinator's own state. A null value deletes what the key stood for. */
export interface StateRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** The producer in whose transaction a record is written. */
export interface TransactionIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/**
 * `append` rejects with this when it has written nothing: the producer is fenced, a record is too
 * large. After any other rejection nobody knows what is in the log, and the coordinator gives the
 * partition up.
 */
export class AppendRefused extends Error {
  override readonly name = 'AppendRefused'
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.message, { cause: refusal.cause })
    this.refusal = refusal
  }
}

/**
 * One partition of an internal topic, as the coordinator that keeps its state there sees it.
 * Appends become durable in the order in which they were made, and their promises resolve in that
 * order: a coordinator that changes its memory in the continuation of `append` never runs ahead of
 * its log, and never applies two changes the wrong way round.
 */
export interface CoordinatorLog {
  readonly partition: number
  /**
   * Resolves with the offset of the last record once all records are durable. With `transaction`
   * the records count only when the marker of that transaction commits it.
   */
  append(records: readonly StateRecord[], transaction?: TransactionIdentity): Promise<number>
  /** Reads everything from the start of the log, in order. */
  replay(reader: StateReader): void
}

export interface StateReader {
  record(offset: number, record: StateRecord, transaction: TransactionIdentity | undefined): void
  /** A transaction that wrote to this partition has ended. */
  marker(offset: number, producerId: number, committed: boolean): void
}

/** What a record carries, for the checker: unique among everything sent to its topic-partition. */
export type Value = string | number

/** Where records are kept in order. The checker calls it a key, as every promise is made per key. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** A place in a topic-partition. */
export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number
}

/** A record as a client was given it by a poll. */
export interface PolledRecord extends TopicPartitionOffset {
  readonly value: Value
}

/**
 * How an operation ended. `failed` says that it definitely had no effect and never will have;
 * whoever cannot be sure (a timeout, a lost connection) must say `unknown`.
 */
export type Outcome = 'ok' | 'failed' | 'unknown'

/** How a handled record ended. Only records that ended may be committed past. */
export type EndedAs = 'done' | 'skipped' | 'dead-lettered' | 'forwarded'

/** The records of one topic-partition in one poll, in the order they were handed over. */
export interface PolledPartition extends TopicPartition {
  readonly offsets: readonly number[]
  readonly values: readonly Value[]
}

/**
 * The kinds of operation: what is known when one starts, and what `ok` must be told. Every start
 * also names its process: one client, that does one thing after the other.
 */
export interface OperationKinds {
  /** One record is sent. `offset` is undefined when the acknowledgement does not carry it. */
  send: {
    start: TopicPartition & { readonly value: Value }
    result: [result: { readonly offset: number | undefined }]
  }
  /** Records are asked for, by a reader of committed records. `group`: on behalf of which group. */
  poll: {
    start: { readonly group?: string }
    result: [result: { readonly records: readonly PolledRecord[] }]
  }
  /** A transaction, from its first step to the answer to its commit (`ok`) or abort (`failed`). */
  transaction: { start: object; result: [] }
  /** A group's offsets are committed outside of a transaction: each is the next one to be read. */
  commit: {
    start: { readonly group: string; readonly offsets: readonly TopicPartitionOffset[] }
    result: []
  }
  /** A handler runs one record. A record without a key (null) has no order. */
  handler: {
    start: TopicPartitionOffset & { readonly group: string; readonly key: string | null }
    result: [result?: { readonly ended: EndedAs }]
  }
  /** The process reads exactly these from now on; positions of those it had are kept. */
  assign: { start: { readonly partitions: readonly TopicPartition[] }; result: [] }
  /** The process reads what its group gives it of these topics from now on. */
  subscribe: { start: { readonly topics: readonly string[] }; result: [] }
  /** The group gave these to the process, or took them away. */
  rebalance: { start: { readonly partitions: readonly TopicPartition[] }; result: [] }
  /** Positions move on purpose: of the process, or of the whole `group` when one is named. */
  seek: {
    start: { readonly offsets: readonly TopicPartitionOffset[]; readonly group?: string }
    result: []
  }
  /** The process is ended without warning: begins before the kill, ends when it is surely dead. */
  crash: { start: object; result: [] }
  /** The final phase starts: fresh readers, everything from its beginning to its end. */
  final: { start: object; result: [] }
}

export type OperationKind = keyof OperationKinds

/** What `begin` must be told about an operation of kind `K`. */
export type OperationStart<K extends OperationKind = OperationKind> = {
  [Kind in K]: { readonly kind: Kind; readonly process: string } & OperationKinds[Kind]['start']
}[K]

interface EventBase {
  /** The number of the operation: 0, 1, 2 … in the order of their beginnings. */
  readonly id: number
  readonly atMs: number
}

/** An operation starts. */
export type BeginEvent<K extends OperationKind = OperationKind> = OperationStart<K> &
  EventBase & { readonly event: 'begin' }

/** Something happens inside a transaction. */
export type StepEvent = EventBase & { readonly event: 'step' } & (
    | ({ readonly step: 'send'; readonly value: Value } & TopicPartition)
    /** The broker gave an offset to the transaction's `send`-th record, counted from 0. */
    | { readonly step: 'sent'; readonly send: number; readonly offset: number }
    | { readonly step: 'poll'; readonly reads: readonly PolledPartition[] }
    | {
        readonly step: 'offsets'
        readonly group: string
        readonly offsets: readonly TopicPartitionOffset[]
      }
  )

/** An operation ends. One that never does counts as `unknown`. */
export interface EndEvent extends EventBase {
  readonly event: 'end'
  readonly outcome: Outcome
  readonly error?: string
  readonly offset?: number
  readonly reads?: readonly PolledPartition[]
  readonly ended?: EndedAs
}

/** One line of a history. */
export type HistoryEvent = BeginEvent | StepEvent | EndEvent

/** What clients did, as events in the order in which they happened. */
export interface History {
  readonly events: readonly HistoryEvent[]
}

import type {
  Admin,
  AssignmentCallbacks,
  CloseOptions,
  CommitOptions,
  CommittedOffset,
  FetchOptions,
  GroupMetadata,
  GroupOptions,
  OffsetForTime,
  PartitionOffset,
  PartitionTimestamp,
  PollOptions,
  ProducerOptions,
  ProducerRecord,
  RecordResult,
  RecordResults,
  SeekTarget,
  SendOptions,
  TopicPartition,
  TopicSelection,
} from '../client/index.ts'

/** A header of a record. Names may repeat. */
export interface SourceHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** A record as it was read. Its bytes may be views into what was fetched: copy what is kept for long. */
export interface SourceRecord {
  readonly offset: number
  /** Milliseconds since the epoch; -1 for none. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** The size in bytes; -1 for null. */
  readonly keySize: number
  readonly valueSize: number
  /** Key, value and headers together. */
  readonly sizeInBytes: number
  readonly headers: readonly SourceHeader[]
  /** The value of the last header of this name; undefined where there is none. */
  header(name: string): Buffer | null | undefined
}

/** Records of one partition, in the order of their offsets. */
export interface SourceBatch extends TopicPartition, Iterable<SourceRecord> {
  readonly recordCount: number
  /** Where reading goes on behind the batch, past what is no data. */
  readonly nextOffset: number
  /** The leader epoch of what is before `nextOffset`; -1 where it is not known. */
  readonly leaderEpoch: number
  /** The end of the partition when the records were fetched. */
  readonly highWatermark: number
}

/** What a source reads, in whose name, and whom it tells of its partitions. */
export interface SourceOptions extends GroupOptions, AssignmentCallbacks, FetchOptions {
  readonly groupId: string
}

/** Reads partitions as a member of a group, and keeps the group's offsets. */
export interface RecordSource {
  /** Joins the group for these topics. */
  subscribe(topics: TopicSelection): void
  poll(options?: PollOptions): Promise<SourceBatch[]>
  /** Hands out nothing of these partitions until they are resumed. */
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /** Nothing that was fetched before is handed out after this call. */
  seek(partition: TopicPartition, target: SeekTarget): void
  /** How many offsets lie between the position and the end; undefined while that is not known. */
  lag(partition: TopicPartition): number | undefined
  commit(offsets: readonly CommittedOffset[], options?: CommitOptions): Promise<void>
  committed(
    partitions: readonly TopicPartition[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly CommittedOffset[]>
  groupMetadata(): GroupMetadata
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]>
  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]>
  offsetsForTimes(times: readonly PartitionTimestamp[]): Promise<readonly OffsetForTime[]>
  close(options?: CloseOptions): Promise<void>
}

/** Writes records; resolves when they are acknowledged. */
export interface RecordSink {
  send(record: ProducerRecord, options?: SendOptions): Promise<RecordResult>
  send(records: readonly ProducerRecord[], options?: SendOptions): Promise<RecordResults>
  flush(): Promise<void>
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

/** What a driver can promise; the runtime refuses at start what it cannot keep with it. */
export interface DriverFeatures {
  /** A commit keeps a text of up to 4,096 characters beside each offset. */
  readonly commitMetadata: boolean
  /** What is revoked is given up only when the callback has resolved. */
  readonly awaitedRevocation: boolean
  /** Partitions are paused one by one, and keep what was fetched. */
  readonly partitionPause: boolean
  /** Records written by an aborted transaction are never read. */
  readonly exactReadCommitted: boolean
  /** A retried write is there once and in order. */
  readonly idempotentWrites: boolean
  /** Offsets and records in one transaction, fenced by the group's generation. */
  readonly transactions: boolean
}

/** Kafka, as far as the runtime needs it. What it makes shares its connections. */
export interface Driver extends AsyncDisposable {
  readonly name: string
  readonly features: DriverFeatures
  source(options: SourceOptions): RecordSource
  sink(options?: ProducerOptions): RecordSink
  admin(): Admin
  close(): Promise<void>
}

import type {
  AdminCallOptions,
  AssignmentCallbacks,
  CloseOptions,
  ClusterDescription,
  CommitOptions,
  CommittedOffset,
  Compression,
  ConfigDescription,
  ConfigResult,
  CreatedTopic,
  DeletedRecords,
  DescribeTopicsOptions,
  EpochEnd,
  FetchOptions,
  GroupMetadata,
  GroupOptions,
  ItemResult,
  LogEnds,
  NewTopic,
  OffsetForTime,
  OffsetToCommit,
  PartitionEpoch,
  PartitionOffset,
  PartitionProducers,
  PartitionResult,
  PartitionTimestamp,
  PollOptions,
  ProducerOptions,
  ProducerRecord,
  RecordDeletion,
  RecordResult,
  RecordResults,
  SeekTarget,
  SendOptions,
  TopicDescription,
  TopicListing,
  TopicPartition,
  TopicSelection,
  TransactionalProducerOptions,
  TransactionDescription,
  TransactionOffset,
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
  /** The size of its content: key, value and headers as a batch has them. */
  readonly contentBytes: number
  /** Writes its content where there is room for it; answers where it ends. */
  putContent(target: Buffer, position: number): number
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
  /** How the records were compressed where they lie, from which offset on each; undefined where that is not known. */
  readonly compressions?: readonly CompressionFrom[]
}

export interface CompressionFrom {
  readonly offset: number
  readonly compression: Compression
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
  /** Where the partition ends as it was last heard of, for all readers and for those of committed records. */
  ends?(partition: TopicPartition): LogEnds | undefined
  commit(offsets: readonly OffsetToCommit[], options?: CommitOptions): Promise<void>
  committed(
    partitions: readonly TopicPartition[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly CommittedOffset[]>
  groupMetadata(): GroupMetadata
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]>
  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]>
  /** Where in the logs as they are now what leaders up to these epochs wrote ends; -1 where that cannot be told. */
  epochEnds(epochs: readonly PartitionEpoch[], signal?: AbortSignal): Promise<readonly EpochEnd[]>
  /** Where the first records at or after these times are; undefined where there is none yet. */
  offsetsForTimes(
    times: readonly PartitionTimestamp[],
  ): Promise<readonly Omit<OffsetForTime, 'timestamp'>[]>
  close(options?: CloseOptions): Promise<void>
}

/** Reads partitions that it is told to read, as a member of no group. */
export interface LogReader {
  /** Reads exactly these from now on; seek says from where. */
  assign(partitions: readonly TopicPartition[]): void
  seek(partition: TopicPartition, target: SeekTarget): void
  poll(options?: PollOptions): Promise<SourceBatch[]>
  /** The next offset that is handed out; undefined while it is being looked up. */
  position(partition: TopicPartition): number | undefined
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]>
  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]>
  epochEnds(epochs: readonly PartitionEpoch[], signal?: AbortSignal): Promise<readonly EpochEnd[]>
  close(options?: CloseOptions): Promise<void>
}

/** Topics and their cluster, as far as a service looks at them and makes them. What has `Many` in its name throws for no item. */
export interface DriverAdmin {
  readonly cluster: {
    describe(options?: AdminCallOptions): Promise<ClusterDescription>
  }
  readonly topics: {
    list(options?: AdminCallOptions): Promise<readonly TopicListing[]>
    describe(topic: string, options?: AdminCallOptions): Promise<TopicDescription>
    describeMany(
      topics: readonly string[],
      options?: DescribeTopicsOptions,
    ): Promise<ReadonlyMap<string, ItemResult<TopicDescription>>>
    createMany(
      topics: readonly NewTopic[],
      options?: AdminCallOptions,
    ): Promise<ReadonlyMap<string, ItemResult<CreatedTopic>>>
  }
  readonly configs: {
    describeMany(
      resources: readonly { readonly type: 'topic' | 'broker'; readonly name: string }[],
      options?: AdminCallOptions,
    ): Promise<readonly ConfigResult<ConfigDescription>[]>
  }
  /** Where the driver can delete records. */
  readonly records?: {
    deleteMany(
      deletions: readonly RecordDeletion[],
      options?: AdminCallOptions,
    ): Promise<readonly PartitionResult<DeletedRecords>[]>
  }
  /** Where the driver has transactions. */
  readonly transactions?: {
    describeMany(
      transactionalIds: readonly string[],
      options?: AdminCallOptions,
    ): Promise<ReadonlyMap<string, ItemResult<TransactionDescription>>>
    producersOfMany(
      partitions: readonly TopicPartition[],
      options?: AdminCallOptions,
    ): Promise<readonly PartitionResult<PartitionProducers>[]>
  }
}

/** Writes records; resolves when they are acknowledged. */
export interface RecordSink {
  send(record: ProducerRecord, options?: SendOptions): Promise<RecordResult>
  send(records: readonly ProducerRecord[], options?: SendOptions): Promise<RecordResults>
  flush(): Promise<void>
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

/** One transaction: what is sent in it, and the offsets, take effect together, or not at all. */
export interface SinkTransaction {
  send(records: readonly ProducerRecord[]): Promise<RecordResults>
  /** `group` is what the source answered when the records were handed out. */
  sendOffsets(group: GroupMetadata, offsets: readonly TransactionOffset[]): Promise<void>
}

/** Writes transactions, one at a time. */
export interface TransactionalSink {
  /**
   * Does work in a transaction: commits it when `work` resolves, aborts it when it rejects or cannot be committed, and rejects
   * with the reason. What became of a commit is asked for until it is known, or the sink is closed.
   */
  transaction<Result>(work: (transaction: SinkTransaction) => Promise<Result>): Promise<Result>
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

/** True, or the reason why not: half a sentence, which errors and warnings quote. */
export type Promised = true | string

/** What a driver can promise; the runtime refuses at start what it cannot keep with it. */
export interface DriverFeatures {
  /** A commit keeps a text of up to 4,096 characters beside each offset. */
  readonly commitMetadata: Promised
  /** What is revoked is given up only when the callback has resolved. */
  readonly awaitedRevocation: Promised
  /** A commit of what was lost meanwhile is never made, however late it comes to the broker. */
  readonly fencedCommits: Promised
  /** An offset that is not there any more is told, and what the group has committed stays as it is. */
  readonly toldOffsetLoss: Promised
  /** Offsets are known to mean the records that were read: not those of a topic made anew, or behind what was cut off. */
  readonly logIdentity: Promised
  /** Partitions are paused one by one, and keep what was fetched. */
  readonly partitionPause: Promised
  /** Records written by an aborted transaction are never read, and ends are those of what is decided. */
  readonly exactReadCommitted: Promised
  /** A retried write is there once and in order. */
  readonly idempotentWrites: Promised
  /** Headers keep their order, and may be null. */
  readonly exactHeaders: Promised
  /** Offsets and records in one transaction, fenced by the group's generation. */
  readonly transactions: Promised
  /** A member with a name keeps its partitions over a restart (`groupInstanceId`). */
  readonly staticMembership: Promised
  /** The newer protocol for groups can be asked for (`groupProtocol: 'consumer'`, `remoteAssignor`). */
  readonly consumerProtocol: Promised
  /** Who shares partitions out can be chosen (`assignors`): by the names of Java's, or one's own. */
  readonly assignors: Promised
  /** Topics can be subscribed by a pattern, also those that come later. */
  readonly topicPatterns: Promised
}

/** Kafka, as far as the runtime needs it. What it makes shares its connections. */
export interface Driver extends AsyncDisposable {
  readonly name: string
  readonly features: DriverFeatures
  source(options: SourceOptions): RecordSource
  /** Throws where the driver has no `transactions`: only what is committed with them is read so. */
  reader(options: FetchOptions): LogReader
  sink(options?: ProducerOptions): RecordSink
  /** Throws where the driver has no `transactions`. */
  transactionalSink(options: TransactionalProducerOptions): TransactionalSink
  admin(): DriverAdmin
  close(): Promise<void>
}

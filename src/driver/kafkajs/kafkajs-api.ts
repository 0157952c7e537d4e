/**
 * What is used of kafkajs 2.x, by its shape: an instance of `Kafka` fits, and nothing is imported, so that only who uses
 * this driver has the package.
 */
export interface KafkaJs {
  consumer(config: KafkaJsConsumerConfig): KafkaJsConsumer
  producer(config: KafkaJsProducerConfig): KafkaJsProducer
  admin(config?: { readonly retry?: KafkaJsRetry }): KafkaJsAdmin
}

/** How kafkajs tries again. */
export interface KafkaJsRetry {
  readonly maxRetryTime?: number
  readonly initialRetryTime?: number
  readonly factor?: number
  readonly multiplier?: number
  readonly retries?: number
  readonly restartOnFailure?: (error: Error) => Promise<boolean>
}

export interface KafkaJsConsumerConfig {
  readonly groupId: string
  readonly sessionTimeout: number
  readonly rebalanceTimeout: number
  readonly heartbeatInterval: number
  readonly maxBytesPerPartition: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxWaitTimeInMs: number
  readonly readUncommitted: boolean
  readonly allowAutoTopicCreation: boolean
  readonly metadataMaxAge?: number
  readonly rackId?: string
  readonly retry: KafkaJsRetry
}

export interface KafkaJsProducerConfig {
  readonly allowAutoTopicCreation: boolean
  readonly createPartitioner: () => (question: {
    readonly message: { readonly partition?: number }
  }) => number
  readonly retry?: KafkaJsRetry
}

export interface KafkaJsMessage {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: Readonly<Record<string, KafkaJsHeader | undefined>>
}

/** An array where the name repeats. */
export type KafkaJsHeader = Buffer | string | null | (Buffer | string | null)[]

export interface KafkaJsBatch {
  readonly topic: string
  readonly partition: number
  readonly highWatermark: string
  readonly messages: readonly KafkaJsMessage[]
  /** The offset that the fetch asked for: it is there, though not in kafkajs' types. */
  readonly fetchedOffset?: string
  /** Of what was fetched, with control records and what was left out. */
  lastOffset(): string
}

export interface EachBatchPayload {
  readonly batch: KafkaJsBatch
  resolveOffset(offset: string): void
  heartbeat(): Promise<void>
  isRunning(): boolean
  /** Whether the partition was sought elsewhere since. */
  isStale(): boolean
}

interface Place {
  readonly topic: string
  readonly partition: number
}

interface PlacesOfTopic {
  topic: string
  partitions: number[]
}

export interface KafkaJsConsumer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  subscribe(topics: { topics: string[]; fromBeginning: boolean }): Promise<void>
  run(config: {
    readonly autoCommit: boolean
    readonly eachBatchAutoResolve: boolean
    readonly partitionsConsumedConcurrently: number
    readonly eachBatch: (payload: EachBatchPayload) => Promise<void>
  }): Promise<void>
  commitOffsets(
    offsets: (Place & { readonly offset: string; readonly metadata: string })[],
  ): Promise<void>
  seek(target: Place & { readonly offset: string }): void
  pause(topics: PlacesOfTopic[]): void
  resume(topics: PlacesOfTopic[]): void
  on(event: string, listener: (event: { readonly payload: unknown }) => void): unknown
  readonly events: {
    readonly GROUP_JOIN: string
    readonly REBALANCING: string
    readonly CRASH: string
    readonly COMMIT_OFFSETS: string
    readonly HEARTBEAT: string
    readonly START_BATCH_PROCESS: string
  }
}

/** What its consumers tell of, as far as it is used. */
export interface GroupJoinPayload {
  readonly memberId: string
  readonly memberAssignment: Readonly<Record<string, readonly number[]>>
}

export interface CrashPayload {
  readonly error: Error
  /** Whether kafkajs joins again by itself. */
  readonly restart: boolean
}

export interface MemberPayload {
  readonly memberId: string
  readonly groupGenerationId: number
}

export interface BatchPayload {
  readonly topic: string
  readonly partition: number
  readonly highWatermark: string
  /** How many records are left after those that are nobody's to see. */
  readonly batchSize: number
  readonly firstOffset: string | null
  readonly lastOffset: string
}

export interface KafkaJsOutgoing {
  readonly key: Buffer | string | null
  readonly value: Buffer | string | null
  readonly partition: number
  readonly timestamp: string
  readonly headers: Record<string, Buffer | string | (Buffer | string)[]>
}

/** What kafkajs tells of a partition that was written to. */
export interface KafkaJsWritten {
  readonly partition: number
  readonly baseOffset?: string
  readonly logAppendTime?: string
}

export interface KafkaJsProducer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  send(request: {
    readonly topic: string
    readonly acks: number
    readonly timeout: number
    readonly compression: number
    readonly messages: KafkaJsOutgoing[]
  }): Promise<KafkaJsWritten[]>
}

export interface KafkaJsPartitionMetadata {
  readonly partitionId: number
  readonly leader: number
  readonly replicas: number[]
  readonly isr: number[]
  readonly offlineReplicas?: number[]
}

export interface KafkaJsAdmin {
  connect(): Promise<void>
  disconnect(): Promise<void>
  describeCluster(): Promise<{
    readonly brokers: readonly {
      readonly nodeId: number
      readonly host: string
      readonly port: number
    }[]
    readonly controller: number | null
    readonly clusterId: string
  }>
  fetchTopicMetadata(question: { topics: string[] }): Promise<{
    readonly topics: readonly {
      readonly name: string
      readonly partitions: readonly KafkaJsPartitionMetadata[]
    }[]
  }>
  createTopics(request: {
    timeout: number
    waitForLeaders: boolean
    topics: {
      topic: string
      numPartitions: number
      replicationFactor: number
      replicaAssignment: { partition: number; replicas: number[] }[]
      configEntries: { name: string; value: string }[]
    }[]
  }): Promise<boolean>
  describeConfigs(question: {
    includeSynonyms: boolean
    resources: { type: number; name: string }[]
  }): Promise<{ readonly resources: readonly { readonly configEntries: readonly unknown[] }[] }>
  fetchOffsets(question: { groupId: string; topics: string[] }): Promise<
    readonly {
      readonly topic: string
      readonly partitions: readonly {
        readonly partition: number
        readonly offset: string
        readonly metadata: string | null
      }[]
    }[]
  >
  fetchTopicOffsets(topic: string): Promise<
    readonly {
      readonly partition: number
      readonly high: string
      readonly low: string
    }[]
  >
  fetchTopicOffsetsByTimestamp(
    topic: string,
    timestamp: number,
  ): Promise<readonly { readonly partition: number; readonly offset: string }[]>
}

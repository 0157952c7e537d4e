/** Where a broker listens. */
export interface BrokerEndpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface PartitionMetadata {
  readonly partition: number
  /** Kafka's error code for the partition, 0 for none. */
  readonly errorCode: number
  /** -1 while there is none. */
  readonly leaderId: number
  /** -1 where the broker does not tell. */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface TopicMetadata {
  readonly name: string
  /** Undefined before Kafka 2.8 and where the broker gives none. */
  readonly id: string | undefined
  readonly isInternal: boolean
  /** Kafka's error code for the topic, 0 for none. A topic with an error has no partitions. */
  readonly errorCode: number
  /** By partition number. */
  readonly partitions: readonly PartitionMetadata[]
}

/** What a cluster said of itself at one moment. Never changed. */
export class ClusterMetadata {
  readonly clusterId: string | null
  readonly controllerId: number
  readonly brokers: ReadonlyMap<number, BrokerEndpoint>
  readonly topics: ReadonlyMap<string, TopicMetadata>
  readonly #namesById = new Map<string, string>()

  constructor(content: {
    readonly clusterId: string | null
    readonly controllerId: number
    readonly brokers: ReadonlyMap<number, BrokerEndpoint>
    readonly topics: ReadonlyMap<string, TopicMetadata>
  }) {
    this.clusterId = content.clusterId
    this.controllerId = content.controllerId
    this.brokers = content.brokers
    this.topics = content.topics
    for (const { name, id } of content.topics.values()) {
      if (id !== undefined) this.#namesById.set(id, name)
    }
  }

  /** Before anything was heard. */
  static readonly empty: ClusterMetadata = new ClusterMetadata({
    clusterId: null,
    controllerId: -1,
    brokers: new Map(),
    topics: new Map(),
  })

  /** The same, with another leader of a partition that it knows. */
  withLeader(
    topic: string,
    partition: number,
    leaderId: number,
    leaderEpoch: number,
  ): ClusterMetadata {
    const known = this.topics.get(topic)
    const before = known?.partitions[partition]
    if (known === undefined || before === undefined) return this
    const partitions = [...known.partitions]
    partitions[partition] = { ...before, errorCode: 0, leaderId, leaderEpoch }
    const topics = new Map(this.topics).set(topic, { ...known, partitions })
    const { clusterId, controllerId, brokers } = this
    return new ClusterMetadata({ clusterId, controllerId, brokers, topics })
  }

  partition(topic: string, partition: number): PartitionMetadata | undefined {
    return this.topics.get(topic)?.partitions[partition]
  }

  topicName(id: string): string | undefined {
    return this.#namesById.get(id)
  }
}

import type { PartitionLog } from '../log/index.ts'
import type { TopicConfig } from '../config/index.ts'
import type { Refusal } from '../refusal.ts'

/** A node of the embedded cluster. All nodes share the logs; only a running one serves clients. */
export interface ClusterNode {
  readonly id: number
  readonly host: string
  /** 0 until the node listens. */
  readonly port: number
  readonly rack: string | null
  readonly running: boolean
}

export interface Partition {
  readonly topic: Topic
  readonly index: number
  /** The node that serves the partition, -1 while none of its replicas runs. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  /** The replicas whose nodes run. */
  readonly inSync: readonly number[]
  readonly log: PartitionLog
}

export interface Topic {
  readonly name: string
  /** Kafka's text form of a UUID; a topic made again under the same name has another. */
  readonly id: string
  /** Whether it is one of the coordinators' own. */
  readonly internal: boolean
  readonly partitions: readonly Partition[]
  /** What was set on the topic itself, by Kafka's property names. */
  readonly overrides: ReadonlyMap<string, string>
  /** What applies: overrides, then the broker's configuration, then Kafka's defaults. */
  readonly config: TopicConfig
}

export interface NewTopic {
  readonly name: string
  /** -1: the broker's `num.partitions`. Ignored when `assignments` is given. */
  readonly partitions: number
  /** -1: the broker's `default.replication.factor`. */
  readonly replicationFactor: number
  /** The replicas of each partition, by partition index. */
  readonly assignments?: readonly (readonly number[])[]
  readonly configs: ReadonlyMap<string, string>
}

/**
 * What all nodes know: the nodes, the topics, who leads what, and settings that clients can change
 * at run time. Changes are durable when their promise resolves; when the log takes no record, as
 * on a full disk, nothing has changed.
 */
export interface Cluster {
  readonly id: string
  readonly nodes: readonly ClusterNode[]
  /** The running node with the lowest id: the one that clients are told is the controller. */
  readonly controllerId: number
  /** The offset after the last record of the cluster's own log. */
  readonly metadataEndOffset: number

  topics(): Iterable<Topic>
  topic(name: string): Topic | undefined
  topicById(id: string): Topic | undefined
  partition(topic: string, index: number): Partition | undefined

  /** Checks a new topic without making it. */
  validateTopic(topic: NewTopic): Refusal | undefined
  createTopic(topic: NewTopic): Promise<Topic | Refusal>
  deleteTopic(name: string): Promise<Refusal | undefined>
  /** Raises the number of partitions to `total`. */
  addPartitions(
    name: string,
    total: number,
    assignments: readonly (readonly number[])[] | undefined,
    validateOnly: boolean,
  ): Promise<Refusal | undefined>
  /** Gives a partition other replicas; as nodes share their logs, that is all there is to do. */
  reassign(partition: Partition, replicas: readonly number[]): Promise<Refusal | undefined>
  /** Replaces what is set on a topic; the values have been validated. */
  setTopicConfigs(name: string, configs: ReadonlyMap<string, string>): Promise<void>

  /** Settings made at run time for one broker, for all brokers (`''`), for groups, users and quotas. */
  dynamicSettings(kind: SettingKind, name: string): ReadonlyMap<string, string>
  dynamicSettingNames(kind: SettingKind): readonly string[]
  /** Replaces the settings of one name; an empty map removes it. */
  setDynamicSettings(
    kind: SettingKind,
    name: string,
    settings: ReadonlyMap<string, string>,
  ): Promise<void>

  /**
   * Makes the topic in which coordinators of a kind keep their state, when there is none yet. Until
   * then `coordinator` answers undefined. What is refused now may be had later: a full disk gets room.
   */
  prepareCoordinators(kind: CoordinatorKind): Promise<Refusal | undefined>
  /**
   * The partition that holds a group, a transactional id, or what a share group knows of a partition;
   * its leader is the coordinator.
   */
  coordinator(kind: CoordinatorKind, id: string): Partition | undefined
  /** Makes another running replica the leader; its epoch goes up by one. */
  moveLeader(partition: Partition, nodeId: number): void
}

/** What coordinators coordinate. */
export type CoordinatorKind = 'group' | 'transaction' | 'share'

/** What run-time settings can belong to. Their names and values are the owner's business. */
export type SettingKind =
  'broker' | 'group' | 'client-metrics' | 'quota' | 'scram' | 'feature' | 'acl' | 'producer-ids'

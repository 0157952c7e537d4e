import type { Random } from '../../platform/index.ts'
import type { TopicConfig } from '../config/index.ts'
import { AppendRefused } from '../coordinator-log.ts'
import type { CoordinatorLog, StateRecord } from '../coordinator-log.ts'
import type { PartitionLog } from '../log/index.ts'
import type { Refusal } from '../refusal.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type {
  Cluster,
  ClusterNode,
  CoordinatorKind,
  NewTopic,
  Partition,
  SettingKind,
  Topic,
} from './cluster.ts'
import {
  clusterRecord,
  readMetadataRecord,
  settingsRecord,
  topicRecord,
} from './metadata-records.ts'
import type { StoredPartition, StoredTopic } from './metadata-records.ts'
import { placeReplicas, refuseAssignments } from './replica-placement.ts'
import {
  collisionKey,
  metadataTopic,
  offsetsTopic,
  shareStateTopic,
  refuseTopicName,
  transactionsTopic,
} from './topic-name.ts'
import { PartitionState, TopicState } from './topic-state.ts'

/** What the cluster needs of the rooms beside it. */
export interface ClusterPorts {
  readonly random: Random
  /** The log that the cluster keeps its own state in. */
  readonly metadataLog: CoordinatorLog
  readonly nodes: readonly ClusterNode[]
  /** The configuration that applies to a topic with these overrides. */
  readonly topicConfig: (overrides: ReadonlyMap<string, string>) => TopicConfig
  readonly refuseTopicConfigs: (configs: ReadonlyMap<string, string>) => Refusal | undefined
  readonly defaults: () => TopicDefaults
  readonly openLog: (topic: Topic, partition: number, config: () => TopicConfig) => PartitionLog
  readonly deleteLog: (log: PartitionLog) => void
  /** Partitions of the coordinators' topics, and what is set on them. */
  readonly internalTopic: (kind: CoordinatorKind) => Omit<NewTopic, 'name'>
  /** Called after topics were made or deleted, partitions added, leaders changed. */
  readonly changed: (change: ClusterChange) => void
}

export interface TopicDefaults {
  readonly partitions: number
  readonly replicationFactor: number
}

export type ClusterChange =
  | { readonly kind: 'topic-created' | 'topic-deleted' | 'partitions-added'; readonly topic: Topic }
  | { readonly kind: 'leader-changed'; readonly partition: Partition }
  | { readonly kind: 'settings-changed'; readonly of: SettingKind; readonly name: string }

/**
 * By how much a start raises every leader epoch: by more than the changes of leaders that a full disk
 * can have kept from being recorded. With an epoch that was used before, clients would wait for the
 * leader for ever, and the partitions refuse the markers of the transaction coordinator.
 */
const epochsPerStart = 1_000

/**
 * The cluster's state in memory, and its log behind it. A change is appended first and takes effect
 * when it is durable; while a topic is being made its name is taken already.
 */
export class EmbeddedCluster implements Cluster {
  id = ''
  metadataEndOffset = 0
  readonly #ports: ClusterPorts
  readonly #topics = new Map<string, TopicState>()
  readonly #topicsById = new Map<string, TopicState>()
  readonly #nameByCollisionKey = new Map<string, string>()
  readonly #settings = new Map<SettingKind, Map<string, ReadonlyMap<string, string>>>()
  readonly #coordinatorTopics = new Map<CoordinatorKind, Promise<Refusal | undefined>>()
  #starts = 0
  #nextFirstNode = 0

  constructor(ports: ClusterPorts) {
    this.#ports = ports
  }

  /** Reads the cluster's log, or founds a cluster where there is none. */
  async load(): Promise<void> {
    const stored = new Map<string, StoredTopic>()
    this.#ports.metadataLog.replay({
      record: (_offset, record) =>
        readMetadataRecord(record, {
          cluster: ({ id, starts }) => {
            this.id = id
            this.#starts = starts + 1
          },
          topic: (id, value) => {
            if (value === null) stored.delete(id)
            else stored.set(id, value)
          },
          settings: (kind, name, settings) => this.#applySettings(kind, name, settings),
        }),
      marker: () => undefined,
    })
    if (this.id === '') this.id = this.#newUuid()
    for (const [id, topic] of stored) this.#restoreTopic(id, topic)
    await this.#append([clusterRecord({ id: this.id, starts: this.#starts })])
  }

  get nodes(): readonly ClusterNode[] {
    return this.#ports.nodes
  }

  get controllerId(): number {
    return this.nodes.find((node) => node.running)?.id ?? -1
  }

  topics(): Iterable<Topic> {
    return this.#topics.values()
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  topicById(id: string): Topic | undefined {
    return this.#topicsById.get(id)
  }

  partition(topic: string, index: number): Partition | undefined {
    return this.#topics.get(topic)?.partitions[index]
  }

  validateTopic(topic: NewTopic): Refusal | undefined {
    const wrongName = refuseTopicName(topic.name)
    if (wrongName !== undefined) return wrongName
    if (topic.name === metadataTopic) {
      return refuse('INVALID_REQUEST', `topic '${topic.name}' is the cluster's own`)
    }
    const taken = this.#nameByCollisionKey.get(collisionKey(topic.name))
    if (taken === topic.name) {
      return refuse('TOPIC_ALREADY_EXISTS', `topic '${topic.name}' already exists`)
    }
    if (taken !== undefined) {
      return refuse(
        'INVALID_TOPIC_EXCEPTION',
        `topic '${topic.name}' collides with existing topic '${taken}'`,
      )
    }
    const replicas = this.#replicasOf(topic)
    if (isRefusal(replicas)) return replicas
    return this.#ports.refuseTopicConfigs(topic.configs)
  }

  async createTopic(topic: NewTopic): Promise<Topic | Refusal> {
    const refusal = this.validateTopic(topic)
    if (refusal !== undefined) return refusal
    const replicas = this.#replicasOf(topic)
    if (isRefusal(replicas)) return replicas
    this.#nextFirstNode += replicas.length
    const partitions = replicas.map((nodes) => ({ replicas: nodes, epochBase: -this.#startEpochs }))
    const overrides = Object.fromEntries(topic.configs)
    const stored: StoredTopic = { name: topic.name, overrides, partitions }
    const id = this.#newUuid()
    this.#nameByCollisionKey.set(collisionKey(topic.name), topic.name)
    try {
      await this.#append([topicRecord(id, stored)])
    } catch (error) {
      this.#nameByCollisionKey.delete(collisionKey(topic.name))
      return refusalOf(error)
    }
    const made = this.#restoreTopic(id, stored)
    this.#ports.changed({ kind: 'topic-created', topic: made })
    return made
  }

  async deleteTopic(name: string): Promise<Refusal | undefined> {
    const topic = this.#topics.get(name)
    if (topic === undefined) return unknownTopic(name)
    this.#topics.delete(name)
    this.#topicsById.delete(topic.id)
    try {
      await this.#append([topicRecord(topic.id, null)])
    } catch (error) {
      const refusal = refusalOf(error)
      this.#takeBack(topic)
      return refusal
    }
    this.#nameByCollisionKey.delete(collisionKey(name))
    for (const { log } of topic.partitions) this.#ports.deleteLog(log)
    this.#ports.changed({ kind: 'topic-deleted', topic })
    return undefined
  }

  async addPartitions(
    name: string,
    total: number,
    assignments: readonly (readonly number[])[] | undefined,
    validateOnly: boolean,
  ): Promise<Refusal | undefined> {
    const topic = this.#topics.get(name)
    if (topic === undefined) return unknownTopic(name)
    const current = topic.planned.partitions.length
    const added = total - current
    if (added <= 0) {
      const problem = `topic '${name}' has ${current} partitions; ${total} is not more`
      return refuse('INVALID_PARTITIONS', problem)
    }
    const placed = this.#addedReplicas(topic, added, assignments)
    if (isRefusal(placed)) return placed
    if (validateOnly) return undefined
    const partitions = placed.map((replicas) => ({ replicas, epochBase: -this.#startEpochs }))
    try {
      await this.#change(topic, { partitions: [...topic.planned.partitions, ...partitions] })
    } catch (error) {
      return refusalOf(error)
    }
    for (const partition of partitions) this.#openPartition(topic, partition)
    this.#ports.changed({ kind: 'partitions-added', topic })
    return undefined
  }

  async reassign(partition: Partition, replicas: readonly number[]): Promise<Refusal | undefined> {
    const topic = this.#topics.get(partition.topic.name)
    const state = topic?.partitions[partition.index]
    if (topic === undefined || state === undefined) return unknownTopic(partition.topic.name)
    const assigned = {
      firstPartition: state.index,
      replicas: [replicas],
      replicationFactor: replicas.length,
    }
    const nodeIds = this.nodes.map((node) => node.id)
    const refusal = refuseAssignments(assigned, nodeIds)
    if (refusal !== undefined) return refusal
    try {
      await this.#changePartition(state, { replicas })
    } catch (error) {
      return refusalOf(error)
    }
    state.replicas = replicas
    if (state.follow((nodeId) => this.#isRunning(nodeId))) this.#leaderChanged(state)
    return undefined
  }

  async setTopicConfigs(name: string, configs: ReadonlyMap<string, string>): Promise<void> {
    const topic = this.#topics.get(name)
    if (topic === undefined) return
    await this.#change(topic, { overrides: Object.fromEntries(configs) })
    topic.overrides = new Map(configs)
    topic.config = this.#ports.topicConfig(topic.overrides)
  }

  /** Resolves every topic's configuration anew, after the broker's own has changed. */
  refreshTopicConfigs(): void {
    for (const topic of this.#topics.values()) {
      topic.config = this.#ports.topicConfig(topic.overrides)
    }
  }

  dynamicSettings(kind: SettingKind, name: string): ReadonlyMap<string, string> {
    return this.#settings.get(kind)?.get(name) ?? new Map<string, string>()
  }

  dynamicSettingNames(kind: SettingKind): readonly string[] {
    return [...(this.#settings.get(kind)?.keys() ?? [])]
  }

  async setDynamicSettings(
    kind: SettingKind,
    name: string,
    settings: ReadonlyMap<string, string>,
  ): Promise<void> {
    await this.#append([settingsRecord(kind, name, settings)])
    this.#applySettings(kind, name, settings)
    this.#ports.changed({ kind: 'settings-changed', of: kind, name })
  }

  coordinator(kind: CoordinatorKind, id: string): Partition | undefined {
    const topic = this.#topics.get(coordinatorTopic(kind))
    return topic?.partitions[javaHashCode(id) % topic.partitions.length]
  }

  /** Makes the topic in which coordinators of a kind keep their state, when there is none yet. */
  async prepareCoordinators(kind: CoordinatorKind): Promise<Refusal | undefined> {
    const preparation = this.#coordinatorTopics.get(kind) ?? this.#createCoordinatorTopic(kind)
    this.#coordinatorTopics.set(kind, preparation)
    const refusal = await preparation
    if (refusal !== undefined && this.#coordinatorTopics.get(kind) === preparation) {
      this.#coordinatorTopics.delete(kind)
    }
    return refusal
  }

  moveLeader(partition: Partition, nodeId: number): void {
    const state = this.#topics.get(partition.topic.name)?.partitions[partition.index]
    if (!state?.inSync.includes(nodeId)) return
    state.leader = nodeId
    this.#leaderChanged(state)
  }

  /** Gives partitions of stopped nodes to nodes that run. */
  followNodes(): void {
    for (const topic of this.#topics.values()) {
      for (const partition of topic.partitions) {
        if (partition.follow((id) => this.#isRunning(id))) this.#leaderChanged(partition)
      }
    }
  }

  /** By how much all starts together have raised the leader epochs. */
  get #startEpochs(): number {
    return this.#starts * epochsPerStart
  }

  #leaderChanged(partition: PartitionState): void {
    partition.leaderEpoch += 1
    const epochBase = partition.leaderEpoch - this.#startEpochs
    // Nobody waits for this record: should it be lost, the next start raises every epoch by more.
    this.#changePartition(partition, { epochBase }).catch(() => undefined)
    this.#ports.changed({ kind: 'leader-changed', partition })
  }

  #changePartition(partition: PartitionState, change: Partial<StoredPartition>): Promise<void> {
    const { topic, index } = partition
    const partitions = topic.planned.partitions.map((each, at) =>
      at === index ? { ...each, ...change } : each,
    )
    return this.#change(topic, { partitions })
  }

  async #change(topic: TopicState, change: Partial<StoredTopic>): Promise<void> {
    // A record after the one that deletes the topic would bring it back at the next start.
    if (this.#topicsById.get(topic.id) !== topic) return
    const before = topic.planned
    const planned = { ...before, ...change }
    topic.planned = planned
    try {
      await this.#append([topicRecord(topic.id, planned)])
    } catch (error) {
      // The next record must not say what was refused.
      if (error instanceof AppendRefused && topic.planned === planned) topic.planned = before
      throw error
    }
  }

  /** A topic that could not be deleted is there as before, led by nodes that run by now. */
  #takeBack(topic: TopicState): void {
    this.#topics.set(topic.name, topic)
    this.#topicsById.set(topic.id, topic)
    this.followNodes()
  }

  async #createCoordinatorTopic(kind: CoordinatorKind): Promise<Refusal | undefined> {
    const name = coordinatorTopic(kind)
    if (this.#topics.has(name)) return undefined
    const topic = { name, ...this.#ports.internalTopic(kind) }
    const made = await this.createTopic(topic)
    return isRefusal(made) ? made : undefined
  }

  #replicasOf(topic: NewTopic): readonly (readonly number[])[] | Refusal {
    const nodeIds = this.nodes.map((node) => node.id)
    if (topic.assignments !== undefined) {
      const replicas = topic.assignments
      const replicationFactor = replicas[0]?.length ?? 0
      const assigned = { firstPartition: 0, replicas, replicationFactor }
      return refuseAssignments(assigned, nodeIds) ?? replicas
    }
    const defaults = this.#ports.defaults()
    const partitions = topic.partitions === -1 ? defaults.partitions : topic.partitions
    const factor =
      topic.replicationFactor === -1 ? defaults.replicationFactor : topic.replicationFactor
    if (partitions <= 0) {
      return refuse('INVALID_PARTITIONS', `number of partitions (${partitions}) must be positive`)
    }
    const running = this.nodes.filter((node) => node.running).map(({ id }) => id)
    if (factor <= 0 || factor > running.length) {
      return refuse(
        'INVALID_REPLICATION_FACTOR',
        `replication factor (${factor}) must be from 1 to the number of running brokers (${running.length})`,
      )
    }
    return placeReplicas(running, this.#nextFirstNode, partitions, factor)
  }

  #addedReplicas(
    topic: TopicState,
    added: number,
    assignments: readonly (readonly number[])[] | undefined,
  ): readonly (readonly number[])[] | Refusal {
    const factor = topic.partitions[0]?.replicas.length ?? 1
    if (assignments === undefined) {
      const nodeIds = this.nodes.filter((node) => node.running).map((node) => node.id)
      return placeReplicas(
        nodeIds,
        topic.planned.partitions.length,
        added,
        Math.min(factor, nodeIds.length),
      )
    }
    if (assignments.length !== added) {
      return refuse(
        'INVALID_REPLICA_ASSIGNMENT',
        `${assignments.length} assignments were given for ${added} new partitions`,
      )
    }
    const nodeIds = this.nodes.map((node) => node.id)
    const firstPartition = topic.planned.partitions.length
    const assigned = { firstPartition, replicas: assignments, replicationFactor: factor }
    return refuseAssignments(assigned, nodeIds) ?? assignments
  }

  #restoreTopic(id: string, stored: StoredTopic): TopicState {
    const overrides = new Map(Object.entries(stored.overrides))
    const topic = new TopicState(id, stored, this.#ports.topicConfig(overrides))
    for (const partition of stored.partitions) this.#openPartition(topic, partition)
    this.#topics.set(topic.name, topic)
    this.#topicsById.set(id, topic)
    this.#nameByCollisionKey.set(collisionKey(topic.name), topic.name)
    return topic
  }

  #openPartition(topic: TopicState, stored: StoredPartition): void {
    const index = topic.partitions.length
    const log = this.#ports.openLog(topic, index, () => topic.config)
    const epoch = stored.epochBase + this.#startEpochs
    const partition = new PartitionState(topic, index, stored.replicas, epoch, log)
    partition.follow((nodeId) => this.#isRunning(nodeId))
    topic.partitions.push(partition)
  }

  async #append(records: readonly StateRecord[]): Promise<void> {
    const last = await this.#ports.metadataLog.append(records)
    this.metadataEndOffset = last + 1
  }

  #applySettings(kind: SettingKind, name: string, settings: ReadonlyMap<string, string>): void {
    let ofKind = this.#settings.get(kind)
    if (ofKind === undefined) {
      ofKind = new Map()
      this.#settings.set(kind, ofKind)
    }
    if (settings.size === 0) ofKind.delete(name)
    else ofKind.set(name, new Map(settings))
  }

  #isRunning(nodeId: number): boolean {
    return this.nodes.some((node) => node.id === nodeId && node.running)
  }

  #newUuid(): string {
    for (;;) {
      const text = Buffer.from(this.#ports.random.bytes(16)).toString('base64url')
      // Kafka's tools take an argument that begins with a dash for an option.
      if (!text.startsWith('-') && !this.#topicsById.has(text)) return text
    }
  }
}

/** Why nothing was written. After any other error nobody knows what is in the log. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof AppendRefused) return error.refusal
  throw error
}

const coordinatorTopics = {
  group: offsetsTopic,
  transaction: transactionsTopic,
  share: shareStateTopic,
} as const satisfies Record<CoordinatorKind, string>

function coordinatorTopic(kind: CoordinatorKind): string {
  return coordinatorTopics[kind]
}

function unknownTopic(name: string): Refusal {
  return refuse('UNKNOWN_TOPIC_OR_PARTITION', `topic '${name}' does not exist`)
}

/**
 * The absolute value of Java's String.hashCode: it decides which partition holds a group, as in Kafka.
 * The smallest integer has no absolute value; Kafka takes 0 for it.
 */
export function javaHashCode(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash === -0x8000_0000 ? 0 : Math.abs(hash)
}

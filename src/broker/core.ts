import type { Log } from '../observe/index.ts'
import type { Platform } from '../platform/index.ts'
import { AclStore } from './authorization/acl-store.ts'
import { Authorizer } from './authorization/authorizer.ts'
import type { ClusterNode, CoordinatorKind, NewTopic, Partition, Topic } from './cluster/cluster.ts'
import { EmbeddedCluster } from './cluster/embedded-cluster.ts'
import type { ClusterChange } from './cluster/embedded-cluster.ts'
import { offsetsTopic, shareStateTopic, transactionsTopic } from './cluster/topic-name.ts'
import {
  consumerTiming,
  createBrokerConfig,
  describedProperties,
  groupConfig,
  refuseTopicConfigs,
  shareReading,
  shareTiming,
  TopicConfig,
  transactionSettings,
} from './config/index.ts'
import type { BrokerConfig } from './config/index.ts'
import { AppendRefused } from './coordinator-log.ts'
import { CoordinatorPlacement } from './coordinators.ts'
import { GroupCoordinator } from './group/index.ts'
import type { GroupTopic } from './group/index.ts'
import { features, sharesAreServed, transactionVersionOf } from './handler/features.ts'
import { FetchSessions } from './handler/fetch-sessions.ts'
import type { Broker, ServedApi } from './handler/handler.ts'
import { Housekeeping } from './housekeeping.ts'
import { coordinatorLog, openLogFolder } from './log/index.ts'
import type { LogFolder, PartitionLog } from './log/index.ts'
import { offeredMechanisms } from './options.ts'
import type { BrokerOptions } from './options.ts'
import { writeMarker } from './marker-writer.ts'
import { storedProducerIdBlocks } from './producer-id-blocks.ts'
import { BrokerBuffers } from './reused-buffers.ts'
import type { Release } from './release/release.ts'
import { ShareCoordinator, ShareSessions } from './share/index.ts'
import { TransactionCoordinator } from './transaction/index.ts'

interface CoreOptions {
  readonly options: BrokerOptions
  readonly platform: Platform
  readonly log: Log
  readonly nodes: readonly ClusterNode[]
  /** What clients are told that is served. */
  readonly served: readonly ServedApi[]
  /** The release to pass for; undefined: none but our own. */
  readonly release: Release | undefined
  /** Told once the disk can no longer be trusted: the broker must end. */
  readonly storageFailed: (error: Error) => void
}

/** Everything of a broker but its listening side: configuration, logs, cluster, coordinators. */
export interface BrokerCore {
  readonly broker: Broker
  readonly cluster: EmbeddedCluster
  readonly housekeeping: Housekeeping
  close(): Promise<void>
}

/**
 * Opens the logs, reads the cluster's state and lets the coordinators take over what is theirs. When
 * that fails, it leaves nothing open.
 */
export async function openCore(given: CoreOptions): Promise<BrokerCore> {
  const config = readConfig(given)
  const folder = await openFolder(given)
  let wiring: Wiring | undefined
  try {
    wiring = new Wiring(given, config, folder)
    await wiring.start()
  } catch (error) {
    await wiring?.close()
    // What keeps the logs from closing in order is most likely what has ended the start.
    await folder.close().catch((second: unknown) => {
      given.log('warn', 'the data folder was not closed in order', { reason: reasonOf(second) })
    })
    throw startFailure(error)
  }
  return assemble(given, config, folder, wiring)
}

/** Nobody who starts a broker knows of records that are refused: what counts is why. */
function startFailure(error: unknown): unknown {
  return error instanceof AppendRefused ? (error.refusal.cause ?? error) : error
}

function readConfig(given: CoreOptions): BrokerConfig {
  const { options, nodes, log, release } = given
  const config = createBrokerConfig({
    properties: new Map(Object.entries(options.properties ?? {})),
    ...(release === undefined ? {} : { defaults: release.defaults }),
    nodeIds: nodes.map((node) => node.id),
    described: (nodeId) => describedNode(nodeId, given),
  })
  for (const property of config.withoutEffect()) {
    log('warn', 'a property changes nothing in the embedded broker', { property })
  }
  return config
}

function openFolder({ options, platform, log, storageFailed }: CoreOptions): Promise<LogFolder> {
  return openLogFolder({
    platform,
    path: options.data,
    durability: options.durability ?? 'sync',
    truncated: ({ path, offset, bytesDropped, reason }) => {
      log('warn', 'cut a damaged end off a log', { path, offset, bytesDropped, reason })
    },
    failed: ({ path, error }) => {
      const reason = reasonOf(error)
      log('error', 'the disk has failed: the broker ends', { path, reason })
      storageFailed(error instanceof Error ? error : new Error(reason))
    },
  })
}

function assemble(
  { options, platform, log, served, release }: CoreOptions,
  config: BrokerConfig,
  folder: LogFolder,
  wiring: Wiring,
): BrokerCore {
  const { cluster, clusterLog, groups, transactions, shares, shareSessions, authorizer } = wiring
  const broker: Broker = {
    platform,
    log,
    config,
    cluster,
    groups,
    transactions,
    shares,
    shareSessions,
    fetchSessions: new FetchSessions(platform.clock, platform.random),
    authorizer,
    served,
    features: release?.features ?? features,
    buffers: options.data === undefined ? undefined : new BrokerBuffers(),
  }
  const housekeeping = new Housekeeping({ ...broker, clusterLog, clock: platform.clock })
  return {
    broker,
    cluster,
    housekeeping,
    async close() {
      housekeeping.stop()
      await wiring.close()
      await folder.close()
    },
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Ties cluster, groups and transactions together: each is a port of the others. */
class Wiring {
  readonly clusterLog: PartitionLog
  readonly cluster: EmbeddedCluster
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly shares: ShareCoordinator
  readonly shareSessions: ShareSessions
  readonly authorizer: Authorizer | undefined
  readonly #config: BrokerConfig
  readonly #folder: LogFolder
  readonly #log: Log
  readonly #placement: CoordinatorPlacement
  readonly #release: Release | undefined

  constructor(given: CoreOptions, config: BrokerConfig, folder: LogFolder) {
    this.#config = config
    this.#folder = folder
    this.#log = given.log
    this.#release = given.release
    this.clusterLog = folder.openClusterLog()
    this.cluster = this.#createCluster(given)
    this.authorizer = authorizerOf(given, this.cluster)
    this.shares = this.#createShares(given)
    this.shareSessions = new ShareSessions(() => config.groupShareMaxShareSessions)
    this.groups = this.#createGroups(given)
    this.transactions = this.#createTransactions(given)
    this.#placement = new CoordinatorPlacement(this.groups, this.transactions, this.shares)
  }

  /** Reads what is there, and lets the coordinators take over what is theirs. */
  async start(): Promise<void> {
    await this.cluster.load()
    this.#config.reload(this.cluster)
    this.cluster.refreshTopicConfigs()
    this.#folder.removeOthers()
    await this.#folder.recovered()
    const partitions = [offsetsTopic, transactionsTopic, shareStateTopic].flatMap(
      (name) => this.cluster.topic(name)?.partitions ?? [],
    )
    await Promise.all(partitions.map((partition) => this.#placement.follow(partition)))
    this.transactions.start()
  }

  async close(): Promise<void> {
    this.shareSessions.endAll()
    this.shares.close()
    await this.transactions.close()
    for (const partition of this.cluster.topic(offsetsTopic)?.partitions ?? []) {
      this.groups.unload(partition.index)
    }
  }

  #createCluster({ platform, nodes }: CoreOptions): EmbeddedCluster {
    const config = this.#config
    return new EmbeddedCluster({
      random: platform.random,
      metadataLog: coordinatorLog({ log: this.clusterLog, index: 0, leaderEpoch: 0 }),
      nodes,
      topicConfig: (overrides) => new TopicConfig(overrides, config),
      refuseTopicConfigs: (configs) => refuseTopicConfigs(configs, config),
      defaults: () => ({
        partitions: config.numPartitions,
        replicationFactor: config.defaultReplicationFactor,
      }),
      openLog: (topic, index, topicConfig) =>
        this.#folder.open({ topic: topic.name, topicId: topic.id, partition: index }, topicConfig),
      deleteLog: (log) => this.#deleteLog(log),
      internalTopic: (kind) => internalTopic(kind, config, nodes.length),
      changed: (change) => this.#clusterChanged(change),
    })
  }

  #createGroups({ platform }: CoreOptions): GroupCoordinator {
    const { cluster } = this
    const config = this.#config
    return new GroupCoordinator({
      clock: platform.clock,
      random: platform.random,
      topics: {
        names: () => [...cluster.topics()].map((topic) => topic.name),
        topic: (name) => groupTopic(cluster.topic(name)),
        topicById: (id) => groupTopic(cluster.topicById(id)),
      },
      config: () => groupConfig(config),
      consumerTiming: (groupId) =>
        consumerTiming(cluster.dynamicSettings('group', groupId), config),
      shareTiming: (groupId) => shareTiming(cluster.dynamicSettings('group', groupId), config),
      sharingMemberGone: (groupId, memberId) => this.#sharingMemberGone(groupId, memberId),
      partitionFor: (groupId) => cluster.coordinator('group', groupId)?.index,
    })
  }

  #createShares({ platform }: CoreOptions): ShareCoordinator {
    const { cluster } = this
    const config = this.#config
    return new ShareCoordinator({
      clock: platform.clock,
      partitionFor: (name) => cluster.coordinator('share', name)?.index,
      deliveriesMax: () => config.groupShareDeliveryCountLimit,
      offsetReset: (groupId) =>
        shareReading(cluster.dynamicSettings('group', groupId), config).offsetReset,
    })
  }

  #sharingMemberGone(groupId: string, memberId: string): void {
    this.shareSessions.endMember(groupId, memberId)
    this.shares.releaseMember(groupId, memberId).catch((error: unknown) => {
      this.#log('error', `records of a member that is gone stay acquired: ${reasonOf(error)}`)
    })
  }

  #createTransactions(given: CoreOptions): TransactionCoordinator {
    const { cluster } = this
    const { platform, log } = given
    return new TransactionCoordinator({
      clock: platform.clock,
      log,
      settings: transactionSettings(this.#config, () =>
        transactionVersionOf(cluster, given.release?.features),
      ),
      producerIdBlocks: storedProducerIdBlocks(cluster),
      partitionOf: (transactionalId) => cluster.coordinator('transaction', transactionalId)?.index,
      offsetsPartitionOf: (group) => cluster.coordinator('group', group)?.index ?? -1,
      partitionExists: (topic, partition) => cluster.partition(topic, partition) !== undefined,
      writeMarker: (topic, partition, marker) =>
        writeMarker(cluster, this.groups, topic, partition, marker),
      producerInPartition: (topic, partition, producerId) =>
        cluster.partition(topic, partition)?.log.producer(producerId),
    })
  }

  #sharesMayBeOff(): void {
    if (sharesAreServed(this.cluster, this.#config, this.#release?.features)) return
    this.shareSessions.endAll()
  }

  #deleteLog(log: PartitionLog): void {
    log.delete().catch((error: unknown) => {
      const { topic, partition } = log
      const fields = { topic, partition, reason: reasonOf(error) }
      this.#log('error', 'files of a deleted topic stay until the next start', fields)
    })
  }

  #follow(partition: Partition): void {
    this.#placement.follow(partition).catch((error: unknown) => {
      const fields = { topic: partition.topic.name, partition: partition.index }
      this.#log('error', 'a coordinator cannot read its partition, and is without it', {
        ...fields,
        reason: reasonOf(error),
      })
    })
  }

  #clusterChanged(change: ClusterChange): void {
    switch (change.kind) {
      case 'leader-changed':
        this.#follow(change.partition)
        break
      case 'topic-created':
        for (const partition of change.topic.partitions) this.#follow(partition)
        this.groups.topicsChanged()
        break
      case 'topic-deleted':
        this.groups.topicDeleted(change.topic.name).catch((error: unknown) => {
          this.#log('error', `offsets of a deleted topic stay: ${reasonOf(error)}`)
        })
        this.shares.forgetTopic(change.topic.id).catch((error: unknown) => {
          this.#log('error', `share groups remember a deleted topic: ${reasonOf(error)}`)
        })
        break
      case 'partitions-added':
        this.groups.topicsChanged()
        break
      case 'settings-changed':
        if (change.of === 'acl') this.authorizer?.store.changed()
        if (change.of === 'feature') this.#sharesMayBeOff()
        if (change.of !== 'broker') break
        this.#config.reload(this.cluster)
        this.cluster.refreshTopicConfigs()
    }
  }
}

function authorizerOf({ options }: CoreOptions, cluster: EmbeddedCluster): Authorizer | undefined {
  if (options.authorizer === undefined) return undefined
  return new Authorizer(new AclStore(cluster), options.authorizer)
}

function describedNode(nodeId: number, given: CoreOptions): ReadonlyMap<string, string> {
  const { options, nodes } = given
  const node = nodes.find(({ id }) => id === nodeId)
  if (node === undefined) return new Map()
  return describedProperties({
    ...node,
    listenHost: options.host ?? '127.0.0.1',
    encrypted: options.tls !== undefined,
    mechanisms: offeredMechanisms(options),
    dataFolder: options.data,
  })
}

function groupTopic(topic: Topic | undefined): GroupTopic | undefined {
  if (topic === undefined) return undefined
  return { name: topic.name, id: topic.id, partitionCount: topic.partitions.length }
}

const recordsOfCoordinatorsOnly = [
  ['min.insync.replicas', '1'],
  ['unclean.leader.election.enable', 'false'],
] as const

/** What Kafka sets on the topics in which coordinators keep their state. */
function internalTopic(
  kind: CoordinatorKind,
  config: BrokerConfig,
  nodeCount: number,
): Omit<NewTopic, 'name'> {
  const { partitions, replicationFactor, segmentBytes } = internalTopicSizes(kind, config)
  const ofGroups = kind === 'group'
  return {
    partitions,
    replicationFactor: Math.min(replicationFactor, nodeCount),
    configs: new Map([
      ['cleanup.policy', 'compact'],
      ['compression.type', ofGroups ? 'producer' : 'uncompressed'],
      ['segment.bytes', String(segmentBytes)],
      ...(ofGroups ? [] : recordsOfCoordinatorsOnly),
    ]),
  }
}

function internalTopicSizes(
  kind: CoordinatorKind,
  config: BrokerConfig,
): { partitions: number; replicationFactor: number; segmentBytes: number } {
  switch (kind) {
    case 'group':
      return {
        partitions: config.offsetsTopicNumPartitions,
        replicationFactor: config.offsetsTopicReplicationFactor,
        segmentBytes: config.offsetsTopicSegmentBytes,
      }
    case 'transaction':
      return {
        partitions: config.transactionStateLogNumPartitions,
        replicationFactor: config.transactionStateLogReplicationFactor,
        segmentBytes: config.transactionStateLogSegmentBytes,
      }
    case 'share':
      return {
        partitions: config.shareCoordinatorStateTopicNumPartitions,
        replicationFactor: config.shareCoordinatorStateTopicReplicationFactor,
        segmentBytes: config.shareCoordinatorStateTopicSegmentBytes,
      }
  }
}

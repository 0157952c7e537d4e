import { apiVersionsApi, describeClusterApi, describeLogDirsApi } from '../../protocol/index.ts'
import type { ResponseOf } from '../../protocol/index.ts'
import type { MillraceError } from '../../errors.ts'
import { version as softwareVersion } from '../../version.ts'
import { checkKafkaCode, KafkaError } from '../client-error.ts'
import type { Broker } from '../cluster/cluster.ts'
import { byTopic } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { AclOperation } from './acl-codes.ts'
import { adminCall } from './admin-call.ts'
import type { AdminCall, AdminCallOptions } from './admin-call.ts'
import type { AdminWorld } from './admin-world.ts'
import { askBrokers, brokersOf } from './ask-every-broker.ts'
import type { BrokerResults } from './ask-every-broker.ts'
import { askOne } from './ask-each.ts'
import { readAuthorizedOperations } from './authorized-operations.ts'
import { answerOf } from './item-result.ts'
import { byPartition } from './partitions.ts'
import { anyBrokerRoute } from './routes.ts'

export interface BrokerDescription {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | undefined
  /** Whether it is kept from serving anything; only with `includeFenced` such a broker is told of. */
  readonly isFenced: boolean
}

export interface ClusterDescription {
  readonly clusterId: string
  /** Who to ask for changes. Without ZooKeeper it is any broker, which hands them on. */
  readonly controllerId: number | undefined
  readonly brokers: readonly BrokerDescription[]
  /** What the client may do with the cluster, where it was asked for. */
  readonly authorizedOperations: readonly AclOperation[] | undefined
}

export interface DescribeClusterOptions extends AdminCallOptions {
  /** Whether brokers that are kept from serving are told of (Kafka 4.0). @defaultValue false */
  readonly includeFenced?: boolean
  /** Whether to ask what this client may do with the cluster. @defaultValue false */
  readonly authorizedOperations?: boolean
}

/** The levels of a feature. */
export interface FeatureLevels {
  readonly min: number
  readonly max: number
}

export interface ClusterFeatures {
  /** What holds in the cluster now. */
  readonly finalized: ReadonlyMap<string, FeatureLevels>
  /** What the broker that was asked is able to do. */
  readonly supported: ReadonlyMap<string, FeatureLevels>
  /** Grows with every change of what is finalized; undefined where the cluster has no features. */
  readonly epoch: number | undefined
}

/** A replica's files in a directory. */
export interface LogDirReplica extends TopicPartition {
  readonly sizeBytes: number
  /** How far it is behind: behind the end of the partition, or of the replica that it will replace. */
  readonly offsetLag: number
  /** Whether it is being made, to replace the one in another directory. */
  readonly isFuture: boolean
}

/** A directory in which a broker keeps partitions. */
export interface LogDir {
  readonly path: string
  /** Why it cannot be used. */
  readonly error: MillraceError | undefined
  /** Of the disk; undefined before Kafka 3.3. */
  readonly totalBytes: number | undefined
  readonly usableBytes: number | undefined
  readonly replicas: readonly LogDirReplica[]
}

export interface LogDirs {
  readonly directories: readonly LogDir[]
}

export interface LogDirsOptions extends AdminCallOptions {
  /** Only these brokers. @defaultValue all */
  readonly nodeIds?: readonly number[]
  /** Only the files of these partitions. @defaultValue all */
  readonly partitions?: readonly TopicPartition[]
}

type DirectoryResponse = ResponseOf<typeof describeLogDirsApi>['results'][number]

/** The cluster and its brokers. */
export class ClusterAdmin {
  readonly #world: AdminWorld

  constructor(world: AdminWorld) {
    this.#world = world
  }

  /**
   * The cluster, its controller and its brokers.
   *
   * @example
   * const { clusterId, brokers } = await admin.cluster.describe()
   */
  describe(options: DescribeClusterOptions = {}): Promise<ClusterDescription> {
    const known = ['includeFenced', 'authorizedOperations']
    return adminCall(this.#world.cluster, 'cluster.describe', options, known, (call) =>
      askOne(call, anyBrokerRoute(call), (broker) => describeCluster(call, broker, options)),
    )
  }

  /** The features of the cluster and their levels. */
  features(options: AdminCallOptions = {}): Promise<ClusterFeatures> {
    return adminCall(this.#world.cluster, 'cluster.features', options, [], (call) =>
      askOne(call, anyBrokerRoute(call), (broker) => askFeatures(call, broker)),
    )
  }

  /** The directories of a broker, and what is in them. */
  async logDirs(
    nodeId: number,
    options: Omit<LogDirsOptions, 'nodeIds'> = {},
  ): Promise<readonly LogDir[]> {
    const found = await this.logDirsOfMany({ ...options, nodeIds: [nodeId] })
    return answerOf(found.get(nodeId)).directories
  }

  /** The directories of brokers, and what is in them. */
  logDirsOfMany(options: LogDirsOptions = {}): Promise<BrokerResults<LogDirs>> {
    const known = ['nodeIds', 'partitions']
    return adminCall(this.#world.cluster, 'cluster.logDirs', options, known, async (call) => {
      byPartition('partitions', options.partitions ?? [])
      const nodeIds = options.nodeIds ?? (await brokersOf(call))
      return askBrokers(call, nodeIds, (broker) => askLogDirs(call, broker, options.partitions))
    })
  }
}

async function describeCluster(
  call: AdminCall,
  broker: Broker,
  { includeFenced = false, authorizedOperations = false }: DescribeClusterOptions,
): Promise<ClusterDescription> {
  const request = {
    includeClusterAuthorizedOperations: authorizedOperations,
    ...(includeFenced && { includeFencedBrokers: true }),
  }
  const need = includeFenced ? { versionMin: 2, feature: 'fenced brokers (Kafka 4.0)' } : {}
  const answer = await call.request(broker, describeClusterApi, request, need)
  checkKafkaCode(answer.errorCode, 'cluster', answer.errorMessage)
  const brokers = answer.brokers.map(({ brokerId, host, port, rack, isFenced }) => ({
    nodeId: brokerId,
    host,
    port,
    rack: rack ?? undefined,
    isFenced,
  }))
  return {
    clusterId: answer.clusterId,
    controllerId: answer.controllerId < 0 ? undefined : answer.controllerId,
    brokers: brokers.sort((one, other) => one.nodeId - other.nodeId),
    authorizedOperations: readAuthorizedOperations(answer.clusterAuthorizedOperations),
  }
}

async function askFeatures(call: AdminCall, broker: Broker): Promise<ClusterFeatures> {
  const request = { clientSoftwareName: 'millrace', clientSoftwareVersion: softwareVersion }
  const answer = await call.request(broker, apiVersionsApi, request)
  checkKafkaCode(answer.errorCode, 'features')
  const { finalizedFeatures, supportedFeatures, finalizedFeaturesEpoch: epoch } = answer
  return {
    finalized: new Map(
      finalizedFeatures.map(({ name, minVersionLevel, maxVersionLevel }) => [
        name,
        { min: minVersionLevel, max: maxVersionLevel },
      ]),
    ),
    supported: new Map(
      supportedFeatures.map(({ name, minVersion, maxVersion }) => [
        name,
        { min: minVersion, max: maxVersion },
      ]),
    ),
    epoch: epoch < 0 ? undefined : epoch,
  }
}

async function askLogDirs(
  call: AdminCall,
  broker: Broker,
  partitions: readonly TopicPartition[] | undefined,
): Promise<LogDirs> {
  const topics =
    partitions === undefined
      ? null
      : [...byTopic(partitions)].map(([topic, some]) => ({
          topic,
          partitions: some.map(({ partition }) => partition),
        }))
  const answer = await call.request(broker, describeLogDirsApi, { topics })
  checkKafkaCode(answer.errorCode, `log directories of broker ${broker.nodeId}`)
  return { directories: answer.results.map((directory) => readDirectory(directory, broker)) }
}

function readDirectory(directory: DirectoryResponse, broker: Broker): LogDir {
  const { errorCode, logDir: path, topics, totalBytes, usableBytes } = directory
  const what = `log directory ${path} of broker ${broker.nodeId}`
  return {
    path,
    error: errorCode === 0 ? undefined : new KafkaError(errorCode, what),
    totalBytes: totalBytes < 0 ? undefined : totalBytes,
    usableBytes: usableBytes < 0 ? undefined : usableBytes,
    replicas: topics.flatMap(({ name: topic, partitions }) =>
      partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
        topic,
        partition: partitionIndex,
        sizeBytes: partitionSize,
        offsetLag,
        isFuture: isFutureKey,
      })),
    ),
  }
}

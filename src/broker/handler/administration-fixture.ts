import { createNodePlatform } from '../../platform/index.ts'
import type { Platform, Random } from '../../platform/index.ts'
import type {
  Api,
  RequestInput,
  RequestOf,
  ResponseInput,
  ResponseOf,
} from '../../protocol/index.ts'
import { unrestrictedAccess } from '../authorization/access.ts'
import { EmbeddedCluster } from '../cluster/embedded-cluster.ts'
import type { ClusterChange } from '../cluster/embedded-cluster.ts'
import { createBrokerConfig, refuseTopicConfigs, TopicConfig } from '../config/index.ts'
import type { BrokerConfig } from '../config/index.ts'
import type { CoordinatorLog, StateReader, StateRecord } from '../coordinator-log.ts'
import type { PartitionLog } from '../log/index.ts'
import { passwordMechanisms } from '../security/sasl.ts'
import { createUsers } from '../security/users.ts'
import type { Users } from '../security/users.ts'
import { features } from './features.ts'
import type { Handler, RequestContext } from './handler.ts'

interface AdministrationOptions {
  /** @defaultValue 1 */
  readonly nodes?: number
  readonly properties?: Readonly<Record<string, string>>
  /** Passwords of users that the broker is started with. */
  readonly users?: Readonly<Record<string, string>>
  /** The cluster's log of an earlier one: the new cluster is that one, started again. */
  readonly records?: StateRecord[]
}

interface Node {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: null
  running: boolean
}

/** What a partition of the fixture holds. */
export const logBytes = 4096

/** A cluster without logs, and the means to ask its nodes what administrators ask. */
export interface Administration {
  readonly cluster: EmbeddedCluster
  readonly config: BrokerConfig
  readonly nodes: readonly Node[]
  /** Everything that became durable. */
  readonly records: StateRecord[]
  /** Sends a request through the codecs, to the handler and back. */
  readonly ask: <A extends Api>(
    handler: Handler<A>,
    version: number,
    request: RequestInput<A>,
    nodeId?: number,
  ) => Promise<ResponseOf<A>>
}

const emptyLog = { sizeBytes: logBytes } as unknown as PartitionLog
const now = 1_700_000_000_000

export async function createAdministration(
  options: AdministrationOptions = {},
): Promise<Administration> {
  const nodes = Array.from({ length: options.nodes ?? 1 }, (_, index): Node => ({
    id: index + 1,
    host: '127.0.0.1',
    port: 9092 + index,
    rack: null,
    running: true,
  }))
  const config = createBrokerConfig({
    properties: new Map(Object.entries(options.properties ?? {})),
    nodeIds: nodes.map(({ id }) => id),
    described: (id) => new Map([['log.dirs', `/data/${id}`]]),
  })
  const records = options.records ?? []
  const cluster = createCluster(config, nodes, records)
  await cluster.load()
  config.reload(cluster)
  cluster.refreshTopicConfigs()
  const users = usersOf(options.users)
  const broker = { cluster, config, features, platform: { clock: { now: () => now } } as Platform }
  return {
    cluster,
    config,
    nodes,
    records,
    ask: (handler, version, request, nodeId = 1) => {
      const header = { version }
      const access = unrestrictedAccess
      const keptNothing = () => undefined
      const given = { broker, nodeId, users, header, access, keptNothing }
      const context = given as unknown as RequestContext
      return askThroughCodecs(handler, version, request, context)
    },
  }
}

function usersOf(passwords: AdministrationOptions['users']): Users | undefined {
  if (passwords === undefined) return undefined
  return createUsers({
    passwords: new Map(Object.entries(passwords)),
    mechanisms: passwordMechanisms,
    storedCredential: () => undefined,
    random: predictable(),
  })
}

function predictable(): Random {
  let bytes = 0
  return {
    bytes: (length) => Buffer.alloc(length, ++bytes),
    integer: () => 0,
    fraction: () => 0,
  }
}

async function askThroughCodecs<A extends Api>(
  handler: Handler<A>,
  version: number,
  request: RequestInput<A>,
  context: RequestContext,
): Promise<ResponseOf<A>> {
  const api: Api = handler.api
  const sent = api.request.encode(request, version)
  const received = api.request.decode(sent, version) as RequestOf<A>
  const answered = (await handler.handle(received, context)) as ResponseInput<A>
  return api.response.decode(api.response.encode(answered, version), version) as ResponseOf<A>
}

function createCluster(
  config: BrokerConfig,
  nodes: readonly Node[],
  records: StateRecord[],
): EmbeddedCluster {
  const cluster: EmbeddedCluster = new EmbeddedCluster({
    random: predictable(),
    metadataLog: memoryLog(records),
    nodes,
    topicConfig: (overrides) => new TopicConfig(overrides, config),
    refuseTopicConfigs: (configs) => refuseTopicConfigs(configs, config),
    defaults: () => ({
      partitions: config.numPartitions,
      replicationFactor: config.defaultReplicationFactor,
    }),
    openLog: () => emptyLog,
    deleteLog: () => undefined,
    internalTopic: () => ({
      partitions: config.offsetsTopicNumPartitions,
      replicationFactor: 1,
      configs: new Map([['cleanup.policy', 'compact']]),
    }),
    changed(change: ClusterChange) {
      if (change.kind !== 'settings-changed' || change.of !== 'broker') return
      config.reload(cluster)
      cluster.refreshTopicConfigs()
    },
  })
  return cluster
}

/** Appends become durable a turn of the event loop later, as those of a disk do. */
function memoryLog(records: StateRecord[]): CoordinatorLog {
  return {
    partition: 0,
    async append(added) {
      records.push(...added)
      const last = records.length - 1
      await new Promise<void>((resolve) => createNodePlatform().clock.defer(resolve))
      return last
    },
    replay: (reader: StateReader) =>
      records.forEach((record, offset) => reader.record(offset, record, undefined)),
  }
}

/** A topic for CreateTopics; what is not given is left to the broker. */
export function newTopic(
  name: string,
  given: {
    readonly partitions?: number
    readonly replicationFactor?: number
    readonly configs?: Readonly<Record<string, string | null>>
    readonly assignments?: readonly (readonly [partition: number, nodes: readonly number[]])[]
  } = {},
) {
  return {
    name,
    numPartitions: given.partitions ?? -1,
    replicationFactor: given.replicationFactor ?? -1,
    assignments: (given.assignments ?? []).map(([partitionIndex, brokerIds]) => ({
      partitionIndex,
      brokerIds,
    })),
    configs: Object.entries(given.configs ?? {}).map(([name, value]) => ({ name, value })),
  }
}

import type {
  AdminCallOptions,
  ClusterDescription,
  ConfigDescription,
  ConfigEntry,
  ConfigResult,
  CreatedTopic,
  ItemResult,
  NewTopic,
  TopicDescription,
  TopicListing,
} from '../../client/index.ts'
import { isMillraceError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import type { DriverAdmin } from '../driver.ts'
import type { KafkaJsAdmin, KafkaJsPartitionMetadata } from './kafkajs-api.ts'
import type { KafkaJsConnection } from './kafkajs-connection.ts'

export type AdminConnection = KafkaJsConnection<KafkaJsAdmin>

interface KafkaJsConfigEntry {
  readonly configName: string
  readonly configValue: string | null
  readonly readOnly: boolean
  readonly isSensitive: boolean
  readonly configSource: number
}

const resourceTypes = { topic: 2, broker: 4 } as const
const createTimeoutMs = 30_000
const sources: Readonly<Record<number, ConfigEntry['source']>> = {
  1: 'topic',
  2: 'dynamic-broker',
  3: 'dynamic-default-broker',
  4: 'static-broker',
  5: 'default',
}
const internalNames: ReadonlySet<string> = new Set(['__consumer_offsets', '__transaction_state'])

/** What the runtime asks of the admin, asked of that of kafkajs: a topic a call, as one that is missing fails all. */
export class KafkaJsDriverAdmin implements DriverAdmin {
  readonly #connection: AdminConnection

  constructor(connection: AdminConnection) {
    this.#connection = connection
  }

  readonly cluster: DriverAdmin['cluster'] = {
    describe: (options) => this.#describeCluster(options),
  }

  readonly topics: DriverAdmin['topics'] = {
    list: (options) => this.#list(options),
    describe: (topic, options) => this.#describe(topic, options),
    describeMany: (topics, options) =>
      forEach(
        topics,
        (topic) => topic,
        (topic) => this.#describe(topic, options),
      ),
    createMany: (topics, options) =>
      forEach(
        topics,
        ({ name }) => name,
        (topic) => this.#create(topic, options),
      ),
  }

  readonly configs: DriverAdmin['configs'] = {
    describeMany: (resources, options) =>
      Promise.all(resources.map((resource) => this.#configOf(resource, options))),
  }

  async #describeCluster(options: AdminCallOptions = {}): Promise<ClusterDescription> {
    const ask = (admin: KafkaJsAdmin) => admin.describeCluster()
    const { brokers, controller, clusterId } = await this.#connection.call(
      'cluster.describe',
      options,
      ask,
    )
    return {
      clusterId,
      controllerId: controller ?? undefined,
      brokers: brokers.map((broker) => ({ ...broker, rack: undefined, isFenced: false })),
      authorizedOperations: undefined,
    }
  }

  async #list(options: AdminCallOptions = {}): Promise<TopicListing[]> {
    const ask = (admin: KafkaJsAdmin) => admin.fetchTopicMetadata({ topics: [] })
    const { topics } = await this.#connection.call('topics.list', options, ask)
    return topics
      .filter(({ name }) => !internalNames.has(name))
      .map(({ name, partitions }) => ({
        name,
        id: undefined,
        isInternal: false,
        partitionCount: partitions.length,
      }))
      .sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  async #describe(topic: string, options: AdminCallOptions = {}): Promise<TopicDescription> {
    const ask = (admin: KafkaJsAdmin) => admin.fetchTopicMetadata({ topics: [topic] })
    const { topics } = await this.#connection.call(`topics.describe of ${topic}`, options, ask)
    return {
      name: topic,
      id: undefined,
      isInternal: internalNames.has(topic),
      partitions: (topics[0]?.partitions ?? []).map(partitionOf).sort(byNumber),
      authorizedOperations: undefined,
    }
  }

  async #create(
    { name, partitions, replicas, assignments = [], configs = {} }: NewTopic,
    options: AdminCallOptions = {},
  ): Promise<CreatedTopic> {
    const topic = {
      topic: name,
      numPartitions: partitions ?? -1,
      replicationFactor: replicas ?? -1,
      replicaAssignment: assignments.map((each, partition) => ({ partition, replicas: [...each] })),
      configEntries: Object.entries(configs).map(([entry, value]) => ({
        name: entry,
        value: String(value),
      })),
    }
    const request = { timeout: createTimeoutMs, waitForLeaders: false, topics: [topic] }
    const ask = (admin: KafkaJsAdmin) => admin.createTopics(request)
    const isNew = await this.#connection.call(`topics.create of ${name}`, options, ask)
    const counts = { partitionCount: partitions, replicationFactor: replicas }
    return { name, id: undefined, ...counts, answerWasLost: !isNew }
  }

  async #configOf(
    resource: { readonly type: 'topic' | 'broker'; readonly name: string },
    options: AdminCallOptions = {},
  ): Promise<ConfigResult<ConfigDescription>> {
    const { type, name } = resource
    const question = { includeSynonyms: false, resources: [{ type: resourceTypes[type], name }] }
    const ask = (admin: KafkaJsAdmin) => admin.describeConfigs(question)
    try {
      const answer = await this.#connection.call(`configs.describe of ${name}`, options, ask)
      const entries = (answer.resources[0]?.configEntries ?? []) as readonly KafkaJsConfigEntry[]
      return {
        ...resource,
        entries: new Map(entries.map((each) => [each.configName, entryOf(each)])),
      }
    } catch (error) {
      return { ...resource, error: millraceError(error) }
    }
  }
}

/** An answer or an error for each item. */
async function forEach<Item, Answer extends object>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  ask: (item: Item) => Promise<Answer>,
): Promise<Map<string, ItemResult<Answer>>> {
  const asked = items.map(async (item): Promise<[string, ItemResult<Answer>]> => {
    try {
      return [keyOf(item), await ask(item)]
    } catch (error) {
      return [keyOf(item), { error: millraceError(error) }]
    }
  })
  return new Map(await Promise.all(asked))
}

/** What is none of the library's ends the whole call. */
function millraceError(error: unknown): MillraceError {
  if (isMillraceError(error)) return error
  throw error
}

function partitionOf(metadata: KafkaJsPartitionMetadata): TopicDescription['partitions'][number] {
  const { partitionId, leader, replicas, isr, offlineReplicas = [] } = metadata
  return {
    partition: partitionId,
    leaderId: leader < 0 ? undefined : leader,
    leaderEpoch: undefined,
    replicas,
    inSyncReplicas: isr,
    offlineReplicas,
  }
}

function byNumber(one: { partition: number }, other: { partition: number }): number {
  return one.partition - other.partition
}

function entryOf(entry: KafkaJsConfigEntry): ConfigEntry {
  return {
    name: entry.configName,
    value: entry.configValue ?? undefined,
    source: sources[entry.configSource] ?? 'unknown',
    isReadOnly: entry.readOnly,
    isSensitive: entry.isSensitive,
    type: 'unknown',
    synonyms: [],
    documentation: undefined,
  }
}

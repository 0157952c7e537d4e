import { startBroker } from '../../broker/index.ts'
import type { EmbeddedBroker, Interceptor } from '../../broker/index.ts'
import { TopicContract } from '../../contract/index.ts'
import { OptionError } from '../../errors.ts'
import type { Platform } from '../../platform/index.ts'
import type { SimulatedProcess } from '../simulation/process.ts'
import type { Simulation } from '../simulation/simulation.ts'

/** A topic without a contract. */
export interface PlainTopic {
  readonly name: string
  /** @defaultValue 1 */
  readonly partitions?: number
  /** By Kafka's names: `cleanup.policy`. */
  readonly configs?: Readonly<Record<string, string>>
}

export interface WorldBrokerParts {
  readonly simulation: Simulation
  readonly nodes: number
  readonly topics: readonly (TopicContract | PlainTopic)[]
  readonly properties: Readonly<Record<string, string>>
  /** Sees every request. */
  readonly interceptor: Interceptor
}

/** The machine that the broker runs on. */
export const brokerHost = 'broker'
const firstPort = 9_092

/** What Kafka spreads over many brokers would only make a world slower. */
const worldProperties = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
}

/** The broker of a world: it has a disk, and can be killed and started again. */
export class WorldBroker {
  readonly #parts: WorldBrokerParts
  #broker: EmbeddedBroker | undefined

  constructor(parts: WorldBrokerParts) {
    this.#parts = parts
  }

  /** Undefined while it starts. */
  get running(): EmbeddedBroker | undefined {
    return this.#broker
  }

  /** What clients begin with. */
  get addresses(): string {
    const { nodes } = this.#parts
    return Array.from({ length: nodes }, (_, index) => `${brokerHost}:${firstPort + index}`).join()
  }

  get process(): SimulatedProcess | undefined {
    return this.#parts.simulation.host(brokerHost).process(brokerHost)
  }

  start(): void {
    this.#parts.simulation.host(brokerHost).start(brokerHost, (platform) => this.#run(platform))
  }

  /** Kills it and starts it again on what is on its disk. */
  restart(): void {
    this.#broker = undefined
    this.#parts.simulation.host(brokerHost).restart(brokerHost)
  }

  async #run(platform: Platform): Promise<void> {
    const { nodes, properties, topics, interceptor } = this.#parts
    const broker = await startBroker({
      platform,
      nodes,
      host: brokerHost,
      port: firstPort,
      insecure: true,
      data: '/data',
      properties: { ...worldProperties, ...properties },
    })
    for (const topic of topics) await makeTopic(broker, topic, nodes)
    broker.interceptors.add(interceptor)
    this.#broker = broker
    throw await broker.failure
  }
}

async function makeTopic(
  { cluster }: EmbeddedBroker,
  topic: TopicContract | PlainTopic,
  nodes: number,
): Promise<void> {
  const { name } = topic
  if (cluster.topic(name) !== undefined) return
  const isContract = topic instanceof TopicContract
  const partitions = isContract ? (topic.settings.partitions ?? -1) : (topic.partitions ?? 1)
  const replicas = isContract ? (topic.settings.replicas ?? -1) : -1
  const configs = isContract ? topic.settings.config : (topic.configs ?? {})
  const made = await cluster.createTopic({
    name,
    partitions,
    replicationFactor: Math.min(replicas, nodes),
    configs: new Map(Object.entries(configs)),
  })
  if ('error' in made) throw new OptionError('topics', `'${name}' cannot be made: ${made.message}`)
}

import { startRealKafka } from '../../kafka/real-kafka.ts'
import type { RealKafka } from '../../kafka/real-kafka.ts'
import { CuttingProxy } from './cutting-proxy.ts'

const nodeCount = 3

/** Of all members of groups. */
export const sessionTimeoutMs = 4_000
export const heartbeatIntervalMs = 1_000

/** The dead are noticed soon; each record is on all nodes, and two must have it. */
const properties = {
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '500',
  // In the newer protocol of groups it is the broker that says what members of the older one say themselves.
  'group.consumer.min.session.timeout.ms': '500',
  'group.consumer.session.timeout.ms': String(sessionTimeoutMs),
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': String(heartbeatIntervalMs),
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
  'auto.create.topics.enable': 'false',
  'default.replication.factor': String(nodeCount),
  'min.insync.replicas': '2',
}

/** Apache Kafka on three nodes, with a proxy in front of each that all connections go through. */
export class ChaosCluster implements AsyncDisposable {
  readonly #kafka: RealKafka
  readonly #proxies: readonly CuttingProxy[]

  private constructor(kafka: RealKafka, proxies: readonly CuttingProxy[]) {
    this.#kafka = kafka
    this.#proxies = proxies
  }

  static async start(): Promise<ChaosCluster> {
    const addresses: string[] = []
    const starting = Array.from({ length: nodeCount }, (_, index) =>
      // While Kafka starts there is nobody yet.
      CuttingProxy.start(() => addresses[index] ?? '127.0.0.1:1'),
    )
    const proxies = await Promise.all(starting)
    const advertised = proxies.map(({ address }) => address)
    const options = { version: '4.1.1', nodes: nodeCount, properties, advertised } as const
    const kafka = await startRealKafka(options)
    addresses.push(...kafka.nodes.map(({ address }) => address))
    return new ChaosCluster(kafka, proxies)
  }

  get brokers(): readonly string[] {
    return this.#proxies.map(({ address }) => address)
  }

  get replicas(): number {
    return nodeCount
  }

  /** Kills a node without warning, and starts it again after a while; resolves when all nodes see each other. */
  async failNode(number: number, goneMs: number): Promise<void> {
    const node = this.#kafka.nodes[number % nodeCount]
    if (node === undefined) return
    await node.kill()
    await new Promise((resolve) => setTimeout(resolve, goneMs))
    await this.#kafka.start(node)
  }

  /** Cuts the connections of the workers when they are answered next. */
  cut(where: 'before' | 'within'): void {
    for (const proxy of this.#proxies) proxy.cut(/^worker-/, where)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kafka.close()
    for (const proxy of this.#proxies) await proxy[Symbol.asyncDispose]()
  }
}

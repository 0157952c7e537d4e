/** What the cases about services start with: services on the implementation under test, and the library's client beside them. */
import { vi } from 'vitest'
import type { Client, ProducerRecord, TopicPartition } from '../../src/client/index.ts'
import { silentLog } from '../../src/observe/index.ts'
import type {
  ConsumerOptions,
  RecordConsumerOptions,
  RecordReader,
  Service,
  ServiceOptions,
} from '../../src/runtime/index.ts'
import { createConsumer, createService } from '../../src/transaction/index.ts'
import { clientOf, partitionsOf, readAll } from './client-steps.ts'
import type { ReadOptions, ReadRecord } from './client-steps.ts'
import { conformance } from './conformance.ts'
import type { CaseBody } from './conformance.ts'
import type { Port } from './port.ts'

export type GroupProtocol = 'classic' | 'consumer'
export type RuntimeCase = (world: RuntimeWorld) => Promise<void>

const patienceMs = 30_000

/** Declares cases about services. */
export function runtimeConformance(
  area: string,
  cases: Readonly<Record<string, RuntimeCase>>,
): void {
  const bodies = Object.entries(cases).map(([name, body]): [string, CaseBody] => [
    name,
    async (port) => {
      await using world = new RuntimeWorld(port)
      await body(world)
    },
  ])
  conformance(area, Object.fromEntries(bodies))
}

/** The same cases for each protocol of groups. */
export function inBothProtocols(
  make: (protocol: GroupProtocol) => Readonly<Record<string, RuntimeCase>>,
): Record<string, RuntimeCase> {
  const named = (['classic', 'consumer'] as const).map((protocol) =>
    Object.entries(make(protocol)).map(([name, body]) => [`${protocol}: ${name}`, body] as const),
  )
  return Object.fromEntries(named.flat())
}

/** How consumers work in cases: from the beginning, and what is done soon is known soon. */
export const soonest = {
  start: 'earliest',
  commit: { intervalMs: 50 },
  group: { heartbeatIntervalMs: 300 },
} as const satisfies ConsumerOptions

/** Waits until a check holds. */
export function until(check: () => unknown): Promise<void> {
  return vi.waitFor(
    async () => {
      await check()
    },
    { timeout: patienceMs, interval: 25 },
  )
}

export class RuntimeWorld implements AsyncDisposable {
  readonly port: Port
  readonly client: Client
  readonly #running: AsyncDisposable[] = []

  constructor(port: Port) {
    this.port = port
    this.client = clientOf(port)
  }

  /** A service, which ends with the case. */
  service(options: Partial<ServiceOptions> = {}): Service {
    const service = createService({
      name: this.port.name('service'),
      kafka: this.#kafka,
      metrics: false,
      log: silentLog,
      ...options,
    })
    this.#running.push(service)
    return service
  }

  /** A consumer without contracts, which runs. */
  async records(options: Omit<RecordConsumerOptions, 'kafka'>): Promise<RecordReader> {
    const reader = createConsumer({
      kafka: this.#kafka,
      signals: false,
      log: silentLog,
      ...soonest,
      ...options,
    })
    this.#running.push(reader)
    await reader.connect()
    // Who does not wait for it hears of a failure by what does not come.
    reader.run().catch(() => undefined)
    return reader
  }

  async send(records: readonly ProducerRecord[]): Promise<void> {
    await using producer = this.client.producer()
    await producer.send(records)
  }

  /** All that is in a topic, which may not be there yet. */
  async recordsIn(topic: string, options?: ReadOptions): Promise<ReadRecord[]> {
    const known = await this.client.admin().topics.list()
    if (!known.some(({ name }) => name === topic)) return []
    return readAll(this.client, { name: topic, id: '' }, options)
  }

  /** Where the partitions of a topic end. */
  async endsOf(topic: string, partitions: number) {
    await using consumer = this.client.consumer({ offsetReset: 'earliest' })
    return await consumer.endOffsets(partitionsOf({ name: topic, id: '' }, partitions))
  }

  /** What a group has committed in a partition; undefined when that is nothing. */
  async committed(groupId: string, { topic, partition }: TopicPartition) {
    const offsets = await this.client.admin().groups.offsets(groupId)
    for (const each of offsets) {
      if (each.topic === topic && each.partition === partition && 'offset' in each)
        return each.offset
    }
    return undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((each) => each[Symbol.asyncDispose]()))
    await this.client.close()
  }

  get #kafka() {
    return { brokers: this.port.bootstrap, log: silentLog, metadataMaxAgeMs: 1_000 }
  }
}

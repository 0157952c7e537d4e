import type {
  ClientOptions,
  ProducerOptions,
  ProducerRecord,
  RecordResult,
  RecordResults,
} from '../../client/index.ts'
import type { DataOf, EventContract, TopicContract } from '../../contract/index.ts'
import type { Driver, RecordSink } from '../../driver/index.ts'
import { createConsoleLog, toLog } from '../../observe/index.ts'
import type { Log, Logger } from '../../observe/index.ts'
import { optionsOf, text, wholeNumber } from '../../option-checks.ts'
import { createNodePlatform } from '../../platform/index.ts'
import type { Platform } from '../../platform/index.ts'
import { waitForCluster } from '../start/wait-for-cluster.ts'
import { driverOf } from './driver-of.ts'
import type { PublishOptions } from './handler-context.ts'
import { Publisher } from './publisher.ts'
import type { Outgoing } from './publisher.ts'

export interface EventProducerOptions {
  /** The way to Kafka: as `createClient` takes it, or a driver. */
  readonly kafka: ClientOptions | Driver
  /** Who sends: a header of what is published. @defaultValue none */
  readonly name?: string
  /** Topics whose events are published. */
  readonly topics?: readonly TopicContract[]
  /** Batches, compression, acknowledgements. */
  readonly producer?: ProducerOptions
  /** How long `connect` waits for a broker. @defaultValue 30000 */
  readonly connectTimeoutMs?: number
  /** A pino-like logger, or a function. @defaultValue JSON lines on standard error */
  readonly log?: Logger | Log
  readonly platform?: Platform
}

const optionNames = ['kafka', 'name', 'topics', 'producer', 'connectTimeoutMs', 'log', 'platform']

/** Sends events by their contracts, and records as they are: for scripts, and for topics without contracts. */
export class EventProducer implements AsyncDisposable {
  readonly #driver: Driver
  readonly #sink: RecordSink
  readonly #publisher: Publisher
  readonly #platform: Platform
  readonly #log: Log
  readonly #connectTimeoutMs: number

  /** Use `createProducer`. */
  constructor(options: EventProducerOptions) {
    const given = optionsOf(options, '', optionNames)
    const range = { min: 1, max: 2 ** 31 - 1 }
    this.#connectTimeoutMs = wholeNumber(given, 'connectTimeoutMs', 30_000, range)
    const source = text(given, 'name')
    this.#platform = options.platform ?? createNodePlatform()
    this.#log = options.log === undefined ? createConsoleLog() : toLog(options.log)
    this.#driver = driverOf(options.kafka, this.#platform, this.#log)
    this.#sink = this.#driver.sink(options.producer)
    this.#publisher = new Publisher({
      platform: this.#platform,
      sink: this.#sink,
      source,
      topics: options.topics ?? [],
    })
  }

  /** Waits for the cluster; what is sent waits for it too, as long as its delivery may take. */
  async connect(): Promise<void> {
    await waitForCluster({
      admin: this.#driver.admin(),
      clock: this.#platform.clock,
      log: this.#log,
      connectTimeoutMs: this.#connectTimeoutMs,
      signal: new AbortController().signal,
    })
  }

  /** Sends an event, checked by its contract; resolves when it is acknowledged. */
  publish<Contract extends EventContract>(
    event: Contract,
    data: DataOf<Contract>,
    options?: PublishOptions,
  ): Promise<RecordResult> {
    return this.#publisher.publish(event, data, options, undefined)
  }

  /** Sends events, of one topic or several; nothing is sent when one of them is refused by its contract. */
  publishMany(outgoing: readonly Outgoing[]): Promise<RecordResult[]> {
    return this.#publisher.publishMany(outgoing, undefined)
  }

  /** Sends a record, or records, as they are. */
  send(record: ProducerRecord): Promise<RecordResult>
  send(records: readonly ProducerRecord[]): Promise<RecordResults>
  send(records: ProducerRecord | readonly ProducerRecord[]): Promise<RecordResult | RecordResults> {
    return isList(records) ? this.#sink.send(records) : this.#sink.send(records)
  }

  /** Resolves when all that was sent so far is acknowledged or has failed. */
  flush(): Promise<void> {
    return this.#sink.flush()
  }

  /** Sends what waits, then closes. */
  async disconnect(): Promise<void> {
    await this.#sink.close()
    await this.#driver.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect()
  }
}

function isList(
  records: ProducerRecord | readonly ProducerRecord[],
): records is readonly ProducerRecord[] {
  return Array.isArray(records)
}

/**
 * Makes a producer.
 *
 * @example
 * await using producer = createProducer({ kafka: { brokers: 'localhost:9092' }, topics: [orders] })
 * await producer.publish(OrderCreated, { orderId: 'o-1' })
 * await producer.send({ topic: 'audit', key: 'o-1', value: 'created' })
 */
export function createProducer(options: EventProducerOptions): EventProducer {
  return new EventProducer(options)
}

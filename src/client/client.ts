import { createConsoleLog, toLog } from '../observe/index.ts'
import { createNodePlatform } from '../platform/index.ts'
import { Admin } from './admin/index.ts'
import { createCluster } from './cluster/kafka-cluster.ts'
import type { KafkaCluster } from './cluster/kafka-cluster.ts'
import type { ConsumerOptions } from './consumer/consumer-options.ts'
import type { Consumer } from './consumer/consumer.ts'
import { createConsumer } from './consumer/create-consumer.ts'
import type { ClientOptions } from './options.ts'
import type { ProducerOptions } from './producer/producer-options.ts'
import { Producer } from './producer/producer.ts'
import type { TransactionalProducerOptions } from './producer/transaction/transactional-producer-options.ts'
import { TransactionalProducer } from './producer/transaction/transactional-producer.ts'
import { resolveClientOptions } from './resolve-options.ts'

/**
 * A way to a Kafka cluster. What it makes shares its metadata and connections; nothing is connected before it
 * is needed.
 */
export class Client implements AsyncDisposable {
  readonly #cluster: KafkaCluster

  constructor(options: ClientOptions) {
    this.#cluster = createCluster(resolveClientOptions(options), {
      platform: options.platform ?? createNodePlatform(),
      log: options.log === undefined ? createConsoleLog() : toLog(options.log),
    })
  }

  /** Writes records, each once and in order. */
  producer(options?: ProducerOptions): Producer {
    return new Producer(this.#cluster, options)
  }

  /** Writes records and commits offsets in transactions: together or not at all. */
  transactionalProducer(options: TransactionalProducerOptions): TransactionalProducer {
    return new TransactionalProducer(this.#cluster, options)
  }

  /** Reads records, alone or as a member of a group. */
  consumer(options: ConsumerOptions): Consumer {
    return createConsumer(this.#cluster, options)
  }

  /** Looks after topics, groups and the rest of the cluster. */
  admin(): Admin {
    return new Admin(this.#cluster)
  }

  /** Closes all connections. Close what it has made first: records that were not sent yet fail. */
  close(): Promise<void> {
    return this.#cluster.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/**
 * Makes a client.
 *
 * @example
 * await using client = createClient({ brokers: 'localhost:9092' })
 * await using producer = client.producer()
 * await producer.send({ topic: 'orders', key: 'o-1', value: '{}' })
 */
export function createClient(options: ClientOptions): Client {
  return new Client(options)
}

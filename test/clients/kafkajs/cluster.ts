/** One case's way to the broker: makes clients and names, and closes what it made. */
import { randomUUID } from 'node:crypto'
import kafkajs, {
  type Admin,
  type Consumer,
  type ConsumerConfig,
  type Kafka,
  type KafkaConfig,
  type KafkaMessage,
  type Producer,
  type ProducerConfig,
} from 'kafkajs'
import type { BrokerUnderTest } from '../toolchain.ts'

export interface Case {
  readonly name: string
  readonly body: (cluster: Cluster) => Promise<void>
}

/** Thrown by a case that does not apply to this broker. */
export class Skipped extends Error {}

const patienceMs = 20_000
const pauseMs = 20

// kafkajs warns about its own default on every producer otherwise.
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'

export class Cluster implements AsyncDisposable {
  readonly broker: BrokerUnderTest
  readonly #opened: { disconnect(): Promise<void> }[] = []
  #admin: Promise<Admin> | undefined

  constructor(broker: BrokerUnderTest) {
    this.broker = broker
  }

  /** A name that no other case uses. */
  name(base: string): string {
    return `${base}-${randomUUID().slice(0, 8)}`
  }

  kafka(more: Partial<KafkaConfig> = {}): Kafka {
    return new kafkajs.Kafka({
      brokers: this.broker.bootstrap.split(','),
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { initialRetryTime: 50, retries: 8 },
      ...more,
    })
  }

  admin(): Promise<Admin> {
    this.#admin ??= this.connected(this.kafka().admin())
    return this.#admin
  }

  producer(config: ProducerConfig = {}): Promise<Producer> {
    return this.connected(this.kafka().producer(config))
  }

  consumer(config: ConsumerConfig): Promise<Consumer> {
    return this.connected(
      this.kafka().consumer({ heartbeatInterval: 200, maxWaitTimeInMs: 100, ...config }),
    )
  }

  async connected<Client extends { connect(): Promise<void>; disconnect(): Promise<void> }>(
    client: Client,
  ): Promise<Client> {
    this.#opened.push(client)
    await client.connect()
    return client
  }

  /** Creates a topic and waits until the broker knows its leaders. */
  async topic(numPartitions = 1, config: Readonly<Record<string, string>> = {}): Promise<string> {
    const topic = this.name('topic')
    const admin = await this.admin()
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
    await admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic, numPartitions, configEntries }],
    })
    // kafkajs gives up at once where the news of a topic has not come yet.
    await until(`${topic} is known`, async () => {
      const metadata = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined)
      return metadata?.topics[0]?.partitions.length === numPartitions
    })
    return topic
  }

  /** Reads the topic from its beginning until `count` records have come. */
  async read(topic: string, count: number, readUncommitted = false): Promise<KafkaMessage[]> {
    const messages: KafkaMessage[] = []
    const consumer = await this.consumer({ groupId: this.name('group'), readUncommitted })
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      eachMessage: ({ message }) => {
        messages.push(message)
        return Promise.resolve()
      },
    })
    await until(`${count} records`, () => messages.length >= count)
    await consumer.disconnect()
    return messages
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A case that failed may have left its clients in any state.
    await Promise.allSettled(this.#opened.reverse().map((client) => client.disconnect()))
  }
}

/** Waits until the condition holds. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + patienceMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not reached: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

/** The text of a record's value. */
export function valueOf(message: KafkaMessage): string | undefined {
  return message.value?.toString()
}

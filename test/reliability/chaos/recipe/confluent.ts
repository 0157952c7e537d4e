import { loadPeer } from '../../../../benchmark/load-peer.ts'
import { untilToldToEnd, workOn } from '../recipe.ts'
import type { Recipe } from '../recipe.ts'

interface Message {
  readonly key: Buffer | null
  readonly value: Buffer
  readonly offset: string
}

interface Consumer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  subscribe(what: { topic: string }): Promise<void>
  run(what: object): Promise<void>
}

interface Transaction {
  send(what: { topic: string; messages: readonly object[] }): Promise<unknown>
  sendOffsets(what: { consumer: Consumer; topics: readonly object[] }): Promise<void>
  commit(): Promise<void>
  abort(): Promise<void>
}

interface Producer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  transaction(): Promise<Transaction>
}

/** What is used of the package. */
interface Confluent {
  readonly KafkaJS: {
    readonly logLevel: { readonly NOTHING: number }
    readonly Kafka: new (options: object) => {
      consumer(options: object): Consumer
      producer(options: object): Producer
    }
  }
}

/** Its transactional example: send and `sendOffsets` with the consumer itself in one, an abort and a throw where that fails. */
export const recipe: Recipe = async (task) => {
  const loaded = (await loadPeer(`${task.peers}/confluent`, '@confluentinc/kafka-javascript')) as {
    default: Confluent
  }
  const { Kafka, logLevel } = loaded.default.KafkaJS
  const kafka = new Kafka({
    kafkaJS: { clientId: task.worker, brokers: [...task.brokers], logLevel: logLevel.NOTHING },
  })
  const producer = kafka.producer({ kafkaJS: { transactionalId: task.worker } })
  await producer.connect()
  const consumer = kafka.consumer({
    kafkaJS: {
      ...{ groupId: task.group, fromBeginning: true, autoCommit: false },
      ...{ sessionTimeout: task.sessionTimeoutMs, heartbeatInterval: task.heartbeatIntervalMs },
    },
  })
  await consumer.connect()
  await consumer.subscribe({ topic: task.source })
  await consumer.run({
    eachMessage: async ({ partition, message }: { partition: number; message: Message }) => {
      const value = await workOn(message.value)
      const transaction = await producer.transaction()
      try {
        await transaction.send({ topic: task.target, messages: [{ key: message.key, value }] })
        const offset = String(Number(message.offset) + 1)
        const topics = [{ topic: task.source, partitions: [{ partition, offset }] }]
        await transaction.sendOffsets({ consumer, topics })
        await transaction.commit()
      } catch (error) {
        await transaction.abort()
        throw error
      }
    },
  })
  await untilToldToEnd()
  await consumer.disconnect()
  await producer.disconnect()
}

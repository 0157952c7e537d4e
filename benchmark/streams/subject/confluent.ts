import { committed } from '../committed.ts'
import type { Subject } from '../task.ts'
import { makeTransform, transactionRecords } from './by-hand.ts'
import type { OutgoingMessage } from './by-hand.ts'

interface Batch {
  readonly partition: number
  readonly messages: readonly { readonly value: Buffer; readonly offset: string }[]
}

interface Consumer {
  connect(): Promise<void>
  subscribe(what: { topic: string }): Promise<void>
  run(what: object): Promise<void>
}

interface TransactionalProducer {
  connect(): Promise<void>
  transaction(): Promise<{
    send(what: { topic: string; messages: readonly OutgoingMessage[] }): Promise<unknown>
    sendOffsets(what: { consumer: Consumer; topics: readonly object[] }): Promise<void>
    commit(): Promise<void>
  }>
}

/** What is used of the package. */
interface Confluent {
  readonly KafkaJS: {
    readonly logLevel: { readonly NOTHING: number }
    readonly Kafka: new (options: object) => {
      consumer(options: object): Consumer
      producer(options: object): TransactionalProducer
    }
  }
}

/** `eachBatch`, and a transaction for each 500 records that it gets. */
export function subject({ KafkaJS: { Kafka, logLevel } }: Confluent): Subject {
  return {
    async transform({ input, output, group, records }, { bootstrap, clock }) {
      const kafka = new Kafka({
        kafkaJS: {
          ...{ clientId: 'bench', brokers: bootstrap.split(','), logLevel: logLevel.NOTHING },
        },
      })
      const transform = makeTransform()
      const producer = kafka.producer({
        kafkaJS: { idempotent: true, transactionalId: group },
        'linger.ms': 0,
      })
      await producer.connect()
      const consumer = kafka.consumer({
        kafkaJS: { groupId: group, fromBeginning: true, autoCommit: false },
        'js.consumer.max.batch.size': transactionRecords,
      })
      await consumer.connect()
      await consumer.subscribe({ topic: input })
      await consumer.run({
        eachBatchAutoResolve: true,
        eachBatch: async ({ batch: { partition, messages } }: { batch: Batch }) => {
          const made = messages.map(({ value }) => {
            clock.worked()
            return transform(value)
          })
          const transaction = await producer.transaction()
          await transaction.send({ topic: output, messages: made })
          const offset = String(Number(messages.at(-1)?.offset) + 1)
          await transaction.sendOffsets({
            consumer,
            topics: [{ topic: input, partitions: [{ partition, offset }] }],
          })
          await transaction.commit()
        },
      })
      await clock.allWorked
      await committed(bootstrap, group, records)
      return clock.measurement()
    },
  }
}

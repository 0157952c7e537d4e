import type { Kafka as KafkaClass, logLevel as Levels } from 'kafkajs'
import { committed } from '../committed.ts'
import { partitionCount } from '../task.ts'
import type { Subject } from '../task.ts'
import { makeTransform, transactionRecords } from './by-hand.ts'

interface KafkaJs {
  readonly Kafka: typeof KafkaClass
  readonly logLevel: typeof Levels
}

/** `eachBatch`, and a transaction for each 500 records of a partition, with a producer for each partition. */
export function subject({ Kafka, logLevel }: KafkaJs): Subject {
  return {
    async transform({ input, output, group, records }, { bootstrap, clock }) {
      const kafka = new Kafka({
        ...{ clientId: 'bench', brokers: bootstrap.split(','), logLevel: logLevel.NOTHING },
        // Left to its default it waits 300 ms after each commit for the next transaction to be allowed.
        retry: { initialRetryTime: 10 },
      })
      const transform = makeTransform()
      const producers = Array.from({ length: partitionCount }, (_, partition) =>
        kafka.producer({
          ...{ idempotent: true, maxInFlightRequests: 1 },
          transactionalId: `${group}-${partition}`,
        }),
      )
      await Promise.all(producers.map((producer) => producer.connect()))
      const consumer = kafka.consumer({ groupId: group })
      await consumer.connect()
      await consumer.subscribe({ topic: input, fromBeginning: true })
      await consumer.run({
        ...{ autoCommit: false, partitionsConsumedConcurrently: partitionCount },
        eachBatch: async (given) => {
          const { messages, partition } = given.batch
          for (let from = 0; from < messages.length; from += transactionRecords) {
            const some = messages.slice(from, from + transactionRecords)
            const made = some.map(({ value }) => {
              clock.worked()
              return transform(value as Buffer)
            })
            const transaction = await (producers[partition] as (typeof producers)[0]).transaction()
            await transaction.send({ topic: output, messages: made })
            const last = (some.at(-1) as (typeof some)[0]).offset
            const offset = String(Number(last) + 1)
            await transaction.sendOffsets({
              consumerGroupId: group,
              topics: [{ topic: input, partitions: [{ partition, offset }] }],
            })
            await transaction.commit()
            given.resolveOffset(last)
            await given.heartbeat()
          }
        },
      })
      await clock.allWorked
      await committed(bootstrap, group, records)
      return clock.measurement()
    },
  }
}

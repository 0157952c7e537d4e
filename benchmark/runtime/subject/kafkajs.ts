import type { Kafka as KafkaClass, logLevel as Levels } from 'kafkajs'
import { makeEventCheck, makeHandling, makeMessages, sendBatches } from '../handling.ts'
import { partitionCount } from '../task.ts'
import type { Subject } from '../task.ts'

interface KafkaJs {
  readonly Kafka: typeof KafkaClass
  readonly logLevel: typeof Levels
}

/** `eachMessage` or `eachBatch` with a partition each at once, and by hand what it does not do. */
export function subject({ Kafka, logLevel }: KafkaJs, mode: 'each' | 'batch'): Subject {
  const connect = (bootstrap: string) =>
    new Kafka({ clientId: 'bench', brokers: bootstrap.split(','), logLevel: logLevel.NOTHING })
  return {
    async consume(task, { bootstrap, stopwatch }) {
      const { handle, done } = makeHandling(task, stopwatch)
      const check = task.reads === 'event' ? makeEventCheck() : undefined
      const handleMessage = (value: Buffer | null) => {
        if (value !== null) check?.(value)
        return handle()
      }
      const consumer = connect(bootstrap).consumer({ groupId: `bench-${process.pid}` })
      await consumer.connect()
      await consumer.subscribe({ topic: task.topic, fromBeginning: true })
      await consumer.run({
        partitionsConsumedConcurrently: partitionCount,
        ...(mode === 'each'
          ? { eachMessage: async ({ message }) => handleMessage(message.value) }
          : {
              eachBatch: async ({ batch }) => {
                for (const { value } of batch.messages) await handleMessage(value)
              },
            }),
      })
      await done
    },

    async publish({ topic, records }, { bootstrap, stopwatch }) {
      const producer = connect(bootstrap).producer({ idempotent: true })
      await producer.connect()
      const message = makeMessages()
      await producer.send({ topic, messages: [message(0)] })
      stopwatch.start()
      await sendBatches(records, (first, count) =>
        producer.send({
          topic,
          messages: Array.from({ length: count }, (_, index) => message(first + index)),
        }),
      )
      stopwatch.stop(records)
    },
  }
}

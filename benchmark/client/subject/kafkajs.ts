import type { Kafka as KafkaClass, logLevel as Levels } from 'kafkajs'
import { batchRecords, makeKeys, makeValue } from '../task.ts'
import type { Subject } from '../task.ts'

interface KafkaJs {
  readonly Kafka: typeof KafkaClass
  readonly logLevel: typeof Levels
}

/** `sendBatch` of 1,000 with four not awaited, `eachBatch` or `eachMessage`: as its users write it. */
export function subject({ Kafka, logLevel }: KafkaJs): Subject {
  const connect = (bootstrap: string) =>
    new Kafka({
      clientId: 'bench',
      brokers: bootstrap.split(','),
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 10, retries: 20 },
    })
  return {
    async produce({ topic, records, valueBytes }, { bootstrap, stopwatch }) {
      const producer = connect(bootstrap).producer({ idempotent: true })
      await producer.connect()
      const keys = makeKeys()
      const value = makeValue(valueBytes)
      await producer.send({ topic, messages: [{ key: 'warm', value }] })
      stopwatch.start()
      const running = new Set<Promise<unknown>>()
      for (let sent = 0; sent < records; sent += batchRecords) {
        const messages = Array.from({ length: batchRecords }, (_, index) => ({
          key: keys[(sent + index) % keys.length] ?? null,
          value,
        }))
        const sending = producer.send({ topic, messages }).finally(() => running.delete(sending))
        running.add(sending)
        if (running.size >= 4) await Promise.race(running)
      }
      await Promise.all(running)
      stopwatch.stop(records)
      await producer.disconnect()
    },

    async consume({ topic, records, mode }, { bootstrap, stopwatch }) {
      const consumer = connect(bootstrap).consumer({ groupId: `bench-${process.pid}` })
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      let count = 0
      await new Promise<void>((resolve) => {
        const counted = (more: number) => {
          if (count === 0) stopwatch.start()
          count += more
          if (count >= records) resolve()
        }
        const eachBatch = ({ batch }: { batch: { messages: unknown[] } }) => {
          counted(batch.messages.length)
          return Promise.resolve()
        }
        const eachMessage = () => {
          counted(1)
          return Promise.resolve()
        }
        const handlers = mode === 'batches' ? { eachBatch } : { eachMessage }
        void consumer.run({ partitionsConsumedConcurrently: 12, ...handlers })
      })
      stopwatch.stop(count)
      await consumer.disconnect()
    },

    async transactions(task, { bootstrap, stopwatch }) {
      const { topic, transactions, recordsEach, valueBytes } = task
      const transactionalId = `bench-${process.pid}`
      const options = { idempotent: true, maxInFlightRequests: 1, transactionalId }
      const producer = connect(bootstrap).producer(options)
      await producer.connect()
      const value = makeValue(valueBytes)
      const run = async (number: number) => {
        const transaction = await producer.transaction()
        const messages = Array.from({ length: recordsEach }, (_, index) => ({
          key: `key-${number + index}`,
          value,
        }))
        await transaction.send({ topic, messages })
        await transaction.sendOffsets({
          consumerGroupId: transactionalId,
          topics: [{ topic, partitions: [{ partition: 0, offset: String(number) }] }],
        })
        await transaction.commit()
      }
      await run(0)
      stopwatch.start()
      for (let number = 1; number <= transactions; number++) await run(number)
      stopwatch.stop(transactions * recordsEach)
      await producer.disconnect()
    },

    async latency({ topic, warmUps, records, valueBytes }, { bootstrap, stopwatch }) {
      const producer = connect(bootstrap).producer({ idempotent: true })
      await producer.connect()
      const value = makeValue(valueBytes)
      const send = (number: number) =>
        producer.send({ topic, messages: [{ key: `key-${number}`, value }] })
      for (let number = 0; number < warmUps; number++) await send(number)
      stopwatch.start()
      for (let number = 0; number < records; number++) {
        const started = performance.now()
        await send(number)
        stopwatch.latency(performance.now() - started)
      }
      stopwatch.stop(records)
      await producer.disconnect()
    },

    async start({ topic }, { bootstrap }) {
      const producer = connect(bootstrap).producer({ idempotent: true })
      await producer.connect()
      await producer.send({ topic, messages: [{ key: 'first', value: 'record' }] })
      await producer.disconnect()
    },
  }
}

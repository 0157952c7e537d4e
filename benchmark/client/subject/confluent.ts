import { batchRecords, makeKeys, makeValue } from '../task.ts'
import type { Subject } from '../task.ts'

interface Message {
  readonly key: string | null
  readonly value: Buffer | string
}

interface Writes {
  connect(): Promise<void>
  disconnect(): Promise<void>
  send(what: { topic: string; messages: readonly Message[] }): Promise<unknown>
}

interface TransactionalProducer extends Writes {
  transaction(): Promise<{
    send(what: { topic: string; messages: readonly Message[] }): Promise<unknown>
    sendOffsets(what: { consumer: Consumer; topics: readonly object[] }): Promise<void>
    commit(): Promise<void>
  }>
}

interface Consumer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  subscribe(what: { topic: string }): Promise<void>
  run(what: object): Promise<void>
}

/** What is used of the package: the side of it that its documentation begins with. */
interface Confluent {
  readonly KafkaJS: {
    readonly logLevel: { readonly NOTHING: number }
    readonly Kafka: new (options: object) => {
      producer(options: object): TransactionalProducer
      consumer(options: object): Consumer
    }
  }
}

/**
 * `send` of 1,000 with five not awaited, `eachBatch` of 1,000 or `eachMessage`. It waits for company of its records
 * where there are many, and does not where one is awaited.
 */
export function subject({ KafkaJS: { Kafka, logLevel } }: Confluent): Subject {
  const connect = (bootstrap: string) =>
    new Kafka({
      kafkaJS: { clientId: 'bench', brokers: bootstrap.split(','), logLevel: logLevel.NOTHING },
    })
  const producerOf = async (bootstrap: string, lingerMs: number, transactionalId?: string) => {
    const producer = connect(bootstrap).producer({
      kafkaJS: {
        idempotent: true,
        ...(transactionalId === undefined ? {} : { transactionalId }),
      },
      'linger.ms': lingerMs,
    })
    await producer.connect()
    return producer
  }
  return {
    async produce({ topic, records, valueBytes }, { bootstrap, stopwatch }) {
      const producer = await producerOf(bootstrap, 5)
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
        if (running.size >= 5) await Promise.race(running)
      }
      await Promise.all(running)
      stopwatch.stop(records)
      await producer.disconnect()
    },

    async consume({ topic, records, mode }, { bootstrap, stopwatch }) {
      const consumer = connect(bootstrap).consumer({
        kafkaJS: { groupId: `bench-${process.pid}`, fromBeginning: true, autoCommit: false },
        'js.consumer.max.batch.size': batchRecords,
      })
      await consumer.connect()
      await consumer.subscribe({ topic })
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
        void consumer.run(mode === 'batches' ? { eachBatch } : { eachMessage })
      })
      stopwatch.stop(count)
    },

    async transactions(task, { bootstrap, stopwatch }) {
      const { topic, transactions, recordsEach, valueBytes } = task
      const transactionalId = `bench-${process.pid}`
      const producer = await producerOf(bootstrap, 0, transactionalId)
      // It asks for the consumer that the offsets are of, which here need not have joined its group.
      const consumer = connect(bootstrap).consumer({ kafkaJS: { groupId: transactionalId } })
      await consumer.connect()
      const value = makeValue(valueBytes)
      const run = async (number: number) => {
        const transaction = await producer.transaction()
        const messages = Array.from({ length: recordsEach }, (_, index) => ({
          key: `key-${number + index}`,
          value,
        }))
        await transaction.send({ topic, messages })
        await transaction.sendOffsets({
          consumer,
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
      const producer = await producerOf(bootstrap, 0)
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
      const producer = await producerOf(bootstrap, 0)
      await producer.send({ topic, messages: [{ key: 'first', value: 'record' }] })
      await producer.disconnect()
    },
  }
}

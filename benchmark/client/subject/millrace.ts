import type { createClient as CreateClient } from '../../../src/client/index.ts'
import { batchRecords, makeKeys, makeValue } from '../task.ts'
import type { Subject } from '../task.ts'

/** `send` of 1,000 with four not awaited, batches of views; the settings are the defaults. */
export function subject({ createClient }: { readonly createClient: typeof CreateClient }): Subject {
  const connect = (brokers: string) => createClient({ brokers, log: () => undefined })
  return {
    async produce({ topic, records, valueBytes }, { bootstrap, stopwatch }) {
      await using client = connect(bootstrap)
      await using producer = client.producer()
      const keys = makeKeys()
      const value = makeValue(valueBytes)
      await producer.send({ topic, key: 'warm', value })
      stopwatch.start()
      const running = new Set<Promise<unknown>>()
      for (let sent = 0; sent < records; sent += batchRecords) {
        const batch = Array.from({ length: batchRecords }, (_, index) => ({
          topic,
          key: keys[(sent + index) % keys.length] ?? null,
          value,
        }))
        const sending = producer.send(batch).finally(() => running.delete(sending))
        running.add(sending)
        if (running.size >= 4) await Promise.race(running)
      }
      await Promise.all(running)
      stopwatch.stop(records)
    },

    async consume({ topic, records, mode }, { bootstrap, stopwatch }) {
      await using client = connect(bootstrap)
      await using consumer = client.consumer({
        groupId: `bench-${process.pid}`,
        offsetReset: 'earliest',
      })
      consumer.subscribe([topic])
      let count = 0
      let bytes = 0
      for await (const batch of consumer) {
        if (count === 0) stopwatch.start()
        if (mode === 'batches') {
          for (const record of batch) if (record.offset >= 0) count += 1
        } else {
          for (const { key, value, headers } of batch) {
            count += 1
            bytes += (key?.length ?? 0) + (value?.length ?? 0) + headers.length
          }
        }
        if (count >= records) break
      }
      stopwatch.stop(count)
      if (mode === 'records' && bytes === 0) throw new Error('nothing was read')
    },

    async transactions(task, { bootstrap, stopwatch }) {
      const { topic, transactions, recordsEach, valueBytes } = task
      await using client = connect(bootstrap)
      const transactionalId = `bench-${process.pid}`
      await using producer = client.transactionalProducer({ transactionalId })
      const group = {
        groupId: transactionalId,
        generation: -1,
        memberId: '',
        groupInstanceId: undefined,
      }
      const value = makeValue(valueBytes)
      const run = (number: number) =>
        producer.transaction(async (transaction) => {
          await transaction.send(
            Array.from({ length: recordsEach }, (_, index) => ({
              topic,
              key: `key-${number + index}`,
              value,
            })),
          )
          const offset = { topic, partition: 0, offset: number, leaderEpoch: -1, metadata: '' }
          await transaction.sendOffsets(group, [offset])
        })
      await run(0)
      stopwatch.start()
      for (let number = 1; number <= transactions; number++) await run(number)
      stopwatch.stop(transactions * recordsEach)
    },

    async latency({ topic, warmUps, records, valueBytes }, { bootstrap, stopwatch }) {
      await using client = connect(bootstrap)
      await using producer = client.producer()
      const value = makeValue(valueBytes)
      const send = (number: number) => producer.send({ topic, key: `key-${number}`, value })
      for (let number = 0; number < warmUps; number++) await send(number)
      stopwatch.start()
      for (let number = 0; number < records; number++) {
        const started = performance.now()
        await send(number)
        stopwatch.latency(performance.now() - started)
      }
      stopwatch.stop(records)
    },

    async start({ topic }, { bootstrap }) {
      await using client = connect(bootstrap)
      await using producer = client.producer()
      await producer.send({ topic, key: 'first', value: 'record' })
    },
  }
}

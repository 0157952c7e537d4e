import type { Readable } from 'node:stream'
import { batchRecords, makeKeys, makeValue } from '../task.ts'
import type { Subject } from '../task.ts'

/** What is used of the package; both versions have it. */
interface Platformatic {
  readonly Producer: new (options: object) => {
    send(options: object): Promise<unknown>
    close(): Promise<void>
  }
  readonly Consumer: new (options: object) => {
    consume(options: object): Promise<Readable>
    close(force: boolean): Promise<void>
  }
}

/** `send` of 1,000 with one in flight, which is what its idempotent producer does; `on('data')`. */
export function subject({ Producer, Consumer }: Platformatic): Subject {
  const connect = (bootstrap: string) =>
    new Producer({
      clientId: 'bench',
      bootstrapBrokers: bootstrap.split(','),
      idempotent: true,
      autocreateTopics: false,
    })
  return {
    async produce({ topic, records, valueBytes }, { bootstrap, stopwatch }) {
      const producer = connect(bootstrap)
      const keys = makeKeys().map((key) => Buffer.from(key))
      const value = makeValue(valueBytes)
      await producer.send({ messages: [{ topic, key: keys[0], value }] })
      stopwatch.start()
      for (let sent = 0; sent < records; sent += batchRecords) {
        const messages = Array.from({ length: batchRecords }, (_, index) => ({
          topic,
          key: keys[(sent + index) % keys.length],
          value,
        }))
        await producer.send({ messages })
      }
      stopwatch.stop(records)
      await producer.close()
    },

    async consume({ topic, records }, { bootstrap, stopwatch }) {
      const consumer = new Consumer({
        clientId: 'bench',
        groupId: `bench-${process.pid}`,
        bootstrapBrokers: bootstrap.split(','),
        autocommit: false,
      })
      const stream = await consumer.consume({ topics: [topic], mode: 'earliest' })
      let count = 0
      await new Promise<void>((resolve) => {
        stream.on('data', () => {
          if (count === 0) stopwatch.start()
          count += 1
          if (count === records) resolve()
        })
      })
      stopwatch.stop(count)
    },

    async latency({ topic, warmUps, records, valueBytes }, { bootstrap, stopwatch }) {
      const producer = connect(bootstrap)
      const value = makeValue(valueBytes)
      const send = (number: number) =>
        producer.send({ messages: [{ topic, key: Buffer.from(`key-${number}`), value }] })
      for (let number = 0; number < warmUps; number++) await send(number)
      stopwatch.start()
      for (let number = 0; number < records; number++) {
        const started = performance.now()
        await send(number)
        stopwatch.latency(performance.now() - started)
      }
      stopwatch.stop(records)
      await producer.close()
    },

    async start({ topic }, { bootstrap }) {
      const producer = connect(bootstrap)
      await producer.send({
        messages: [{ topic, key: Buffer.from('first'), value: Buffer.from('record') }],
      })
      await producer.close()
    },
  }
}

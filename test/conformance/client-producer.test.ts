/** The library's producer on the implementation under test. */
import { expect } from 'vitest'
import { DeliveryError } from '../../src/client/producer/delivery-error.ts'
import { RecordsDeliveryError } from '../../src/client/producer/records-delivery-error.ts'
import { compressions } from '../../src/protocol/compression/index.ts'
import { createTopicsApi } from '../../src/protocol/index.ts'
import {
  clientOf,
  failureOf,
  numbered,
  readAll,
  valuesOfRecords,
  type ReadRecord,
} from './client-steps.ts'
import { conformance, type CaseBody } from './conformance.ts'
import { fetch, valuesOf } from './steps.ts'

/** Where Java's client puts these keys, in 24 partitions. */
const javaPartitions = [1, 0, 14, 11, 9, 8, 20, 19, 19, 21, 14, 1]

function offsets(records: Iterable<{ readonly offset: number }>): number[] {
  return Array.from(records, ({ offset }) => offset)
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

function byPartition(records: readonly ReadRecord[], partition: number): (string | null)[] {
  return valuesOfRecords(records.filter((record) => record.partition === partition))
}

/** Bytes that no codec makes smaller, as text. */
function noise(length: number, seed: number): string {
  let state = seed
  const digit = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 16
  return Array.from({ length }, () => String.fromCharCode(33 + (digit() % 90))).join('')
}

const codecCases = Object.fromEntries(
  compressions.map((compression, id): [string, CaseBody] => [
    `${compression}: records of many batches are read as they were sent, at the offsets of the results`,
    async (port) => {
      const topic = await port.topic()
      await using client = clientOf(port)
      await using producer = client.producer({ compression, batchBytesMax: 4096 })
      const records = numbered(topic, 1000)
      const results = await producer.send(records)
      expect(offsets(results)).toEqual(upTo(1000))
      const read = await readAll(client, topic)
      expect(offsets(read)).toEqual(upTo(1000))
      expect(valuesOfRecords(read)).toEqual(records.map(({ value }) => value))
      const { batches } = await fetch(await port.leader(topic.name), topic, 0)
      expect(batches.length).toBeGreaterThan(1)
      for (const batch of batches) {
        expect(batch.attributes & 7).toBe(id)
        expect(batch.producerId).toBeGreaterThanOrEqual(0)
      }
    },
  ]),
)

conformance('client: codecs and sizes of batches', {
  ...codecCases,

  'a batch for each record: five on their way at a time, each once and in order': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = client.producer({ batchBytesMax: 256 })
    const sent = numbered(topic, 300).map((record) => ({
      ...record,
      value: noise(300, 7) + record.value,
    }))
    const results = await Promise.all(sent.map((record) => producer.send(record)))
    expect(offsets(results)).toEqual(upTo(300))
    const read = await valuesOf(await port.leader(topic.name), topic)
    expect(read).toEqual(sent.map(({ value }) => value))
  },

  'records of almost a megabyte, compressed and not': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    const values = [1, 2, 3].map((seed) => noise(1_000_000, seed))
    for (const compression of ['none', 'lz4', 'zstd'] as const) {
      await using producer = client.producer({ compression })
      await producer.send(values.map((value) => ({ topic: topic.name, value })))
    }
    const read = valuesOfRecords(await readAll(client, topic))
    expect(read).toHaveLength(9)
    expect(read.every((value, index) => value === values[index % 3])).toBe(true)
  },

  'records that compress well fill a batch beyond what the topic would take of them': async (
    port,
  ) => {
    const topic = await port.topic({ configs: { 'max.message.bytes': '10000' } })
    await using client = clientOf(port)
    await using producer = client.producer({ compression: 'gzip' })
    const value = 'x'.repeat(50_000)
    const { offset } = await producer.send({ topic: topic.name, value })
    expect(offset).toBe(0)
    expect(valuesOfRecords(await readAll(client, topic))).toEqual([value])
  },

  'without idempotence and acknowledged by the leader only': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = client.producer({ acks: 'leader' })
    expect(offsets(await producer.send(numbered(topic, 50)))).toEqual(upTo(50))
    // The leader alone has acknowledged: readers see the records when its followers have them too.
    const leader = await port.leader(topic.name)
    const batch = await port.eventually('the records are visible', async () => {
      const { batches } = await fetch(leader, topic, 0)
      return batches[0]
    })
    expect(batch.producerId).toBe(-1)
  },

  'without acknowledgements: results have no offset, the records are there': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = client.producer({ acks: 'none' })
    const { offset } = await producer.send({ topic: topic.name, value: 'a' })
    expect(offset).toBe(-1)
    const leader = await port.leader(topic.name)
    await port.eventually('the record is there', async () =>
      (await valuesOf(leader, topic)).length === 1 ? true : undefined,
    )
  },
})

conformance('client: what is in records', {
  'headers keep their order, repeated names, null and empty values': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = client.producer()
    const headers = [
      ['b', '1'],
      ['a', null],
      ['b', ''],
      ['a', 'größer'],
      ['', 'no name'],
    ] as const
    await producer.send({ topic: topic.name, value: 'v', headers })
    await producer.send({ topic: topic.name, value: 'v', headers: { z: null, y: 'text' } })
    await producer.send({ topic: topic.name, value: 'v' })
    const read = await readAll(client, topic)
    expect(read.map((record) => record.headers)).toEqual([
      headers,
      [
        ['z', null],
        ['y', 'text'],
      ],
      [],
    ])
  },

  'null is a tombstone, empty is a value: of keys and of values': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = client.producer()
    const inputs = [
      [null, null],
      ['', ''],
      [null, ''],
      ['', null],
      [Buffer.alloc(0), Buffer.alloc(0)],
    ] as const
    await producer.send(inputs.map(([key, value]) => ({ topic: topic.name, key, value })))
    const read = await readAll(client, topic)
    expect(read.map(({ key, value }) => [key, value])).toEqual([
      [null, null],
      ['', ''],
      [null, ''],
      ['', null],
      ['', ''],
    ])
  },

  "CreateTime: a record keeps the producer's timestamp, and the result says it": async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = client.producer()
    const startMs = Date.now() - 5000
    const timestamps = [startMs + 3000, startMs, startMs + 4000]
    const results = await producer.send(
      timestamps.map((timestamp) => ({ topic: topic.name, value: 'v', timestamp })),
    )
    expect(results.toArray().map(({ timestamp }) => timestamp)).toEqual(timestamps)
    const read = await readAll(client, topic)
    expect(read.map(({ timestamp }) => timestamp)).toEqual(timestamps)
  },

  "LogAppendTime: the broker's timestamp is in the result and in the record": async (port) => {
    const topic = await port.topic({ configs: { 'message.timestamp.type': 'LogAppendTime' } })
    await using client = clientOf(port)
    await using producer = client.producer()
    const sent = { topic: topic.name, value: 'v', timestamp: 1000 }
    const { timestamp } = await producer.send(sent)
    expect(timestamp).toBeGreaterThan(1000)
    expect((await readAll(client, topic)).map((record) => record.timestamp)).toEqual([timestamp])
  },
})

conformance('client: partitions of records', {
  "keys go where Java's client puts them, and stay there": async (port) => {
    const topic = await port.topic({ partitions: 24 })
    await using client = clientOf(port)
    await using producer = client.producer()
    const keys = javaPartitions.map((_, index) => `key-${index}`)
    for (const form of [(key: string) => key, (key: string) => Buffer.from(key)]) {
      const records = keys.map((key) => ({ topic: topic.name, key: form(key), value: key }))
      const results = await producer.send(records)
      expect(results.toArray().map(({ partition }) => partition)).toEqual(javaPartitions)
    }
  },

  'an explicit partition comes before the key, and results are in the order of the records': async (
    port,
  ) => {
    const topic = await port.topic({ partitions: 3 })
    const other = await port.topic({ partitions: 2 })
    await using client = clientOf(port)
    await using producer = client.producer()
    const places = upTo(60).map((index) =>
      index % 4 === 0
        ? { topic: other.name, partition: index % 2 }
        : { topic: topic.name, partition: index % 3 },
    )
    const results = await producer.send(
      places.map((place, index) => ({ ...place, key: 'same', value: String(index) })),
    )
    expect(
      results.toArray().map((each) => ({ topic: each.topic, partition: each.partition })),
    ).toEqual(places)
    const read = await readAll(client, topic, { partitions: 3 })
    for (const record of read) {
      const index = Number(record.value)
      expect(results.at(index)).toMatchObject({
        partition: record.partition,
        offset: record.offset,
      })
    }
    expect(read).toHaveLength(45)
    const numbers = byPartition(read, 1).map(Number)
    expect(numbers).toEqual([...numbers].sort((one, two) => one - two))
  },

  'records without a key reach every partition, and each is written once': async (port) => {
    const topic = await port.topic({ partitions: 4 })
    await using client = clientOf(port)
    await using producer = client.producer({ batchBytesMax: 1024 })
    const values = upTo(2000).map((index) => `value-${index}`)
    await producer.send(values.map((value) => ({ topic: topic.name, value })))
    const read = await readAll(client, topic, { partitions: 4 })
    expect(valuesOfRecords(read).sort()).toEqual([...values].sort())
    expect(new Set(read.map(({ partition }) => partition)).size).toBe(4)
  },

  'a partition that is not there is certainly not written to': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = client.producer({ deliveryTimeoutMs: 1500 })
    const sending = producer.send({ topic: topic.name, partition: 1, value: 'v' })
    const error = await failureOf(sending, 'MILLRACE_CLIENT_NOT_DELIVERED')
    expect(error).toMatchObject({ topic: topic.name, definitelyNotWritten: true })
  },
})

conformance('client: records that are refused', {
  'a record larger than a request is refused at once, and the next one is written': async (
    port,
  ) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = client.producer()
    const sending = producer.send({ topic: topic.name, value: 'x'.repeat(1_100_000) })
    const error = await failureOf(sending, 'MILLRACE_CLIENT_NOT_DELIVERED')
    expect(error).toBeInstanceOf(DeliveryError)
    expect((await producer.send({ topic: topic.name, value: 'small' })).offset).toBe(0)
  },

  'a record too large for the topic fails alone: what shared a batch with it is written, in order':
    async (port) => {
      const topic = await port.topic({ configs: { 'max.message.bytes': '2000' } })
      await using client = clientOf(port)
      await using producer = client.producer()
      const records = numbered(topic, 100)
      const large = { topic: topic.name, partition: 0, value: 'x'.repeat(3000) }
      const sending = producer.send([...records.slice(0, 50), large, ...records.slice(50)])
      const error = await failureOf(sending, 'MILLRACE_CLIENT_NOT_DELIVERED')
      expect(error).toBeInstanceOf(RecordsDeliveryError)
      const { failedCount, outcomes } = error as RecordsDeliveryError
      expect(failedCount).toBe(1)
      expect(outcomes.at(50)).toHaveProperty('error.cause.kafkaName', 'MESSAGE_TOO_LARGE')
      expect(valuesOfRecords(await readAll(client, topic))).toEqual(
        records.map(({ value }) => value),
      )
      expect((await producer.send({ topic: topic.name, value: 'next' })).offset).toBe(100)
    },

  'a record without a key fails its batch on a compacted topic, and is named': async (port) => {
    const topic = await port.topic({ configs: { 'cleanup.policy': 'compact' } })
    await using client = clientOf(port)
    await using producer = client.producer()
    const records = numbered(topic, 4)
    const keyless = { topic: topic.name, partition: 0, value: 'v' }
    const sending = producer.send([...records, keyless])
    const error = await failureOf(sending, 'MILLRACE_CLIENT_NOT_DELIVERED')
    const outcomes = (error as RecordsDeliveryError).outcomes.toArray()
    const reasons = outcomes.map((outcome) => ('error' in outcome ? outcome.error.message : ''))
    expect(new Set(reasons.slice(0, 4)).size).toBe(1)
    expect(reasons[4]).not.toBe(reasons[0])
    expect(await readAll(client, topic)).toEqual([])
    expect(offsets(await producer.send(records))).toEqual(upTo(4))
  },

  'an unknown topic fails by the delivery timeout, certainly not written': async (port) => {
    await using client = clientOf(port)
    await using producer = client.producer({ deliveryTimeoutMs: 1500 })
    const sending = producer.send({ topic: port.name('nowhere'), value: 'v' })
    const error = await failureOf(sending, 'MILLRACE_CLIENT_NOT_DELIVERED')
    expect(error).toMatchObject({ definitelyNotWritten: true, partition: -1 })
  },

  'a topic that comes later is written to when it is there': async (port) => {
    const name = port.name('later')
    await using client = clientOf(port)
    await using producer = client.producer()
    const sending = producer.send({ topic: name, value: 'v' })
    const admin = await port.any()
    await admin.request(createTopicsApi, 7, {
      topics: [{ name, numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }],
    })
    expect(await sending).toMatchObject({ topic: name, partition: 0, offset: 0 })
  },
})

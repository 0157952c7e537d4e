/** The library's consumer, told what to read, on the implementation under test. */
import { expect } from 'vitest'
import { createPartitionsApi, deleteRecordsApi } from '../../src/protocol/index.ts'
import { PartitionError } from '../../src/client/consumer/partition-error.ts'
import {
  clientOf,
  failureOf,
  numbered,
  partitionsOf,
  readAll,
  readCount,
  recordsOf,
  valuesOfRecords,
} from './client-steps.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port, Topic } from './port.ts'
import { produce } from './steps.ts'

const stepMs = 1000

/** A topic with one partition and `count` records, each in a batch of its own, a second apart. */
async function filled(port: Port, count: number) {
  const topic = await port.topic()
  const leader = await port.leader(topic.name)
  const startMs = Date.now() - count * stepMs
  for (let index = 0; index < count; index++) {
    const timestamp = startMs + index * stepMs
    const record = { key: `key-${index}`, value: `value-${index}`, timestamp }
    expectError((await produce(leader, topic, { records: [record] })).errorCode, 'NONE')
  }
  return { topic, startMs }
}

function only({ name }: Topic) {
  return { topic: name, partition: 0 }
}

function values(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `value-${from + index}`)
}

async function deleteBefore(port: Port, topic: Topic, offset: number): Promise<void> {
  const leader = await port.leader(topic.name)
  const answer = await leader.request(deleteRecordsApi, 2, {
    topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, offset }] }],
    timeoutMs: 10_000,
  })
  expectError(answer.topics[0]?.partitions[0]?.errorCode, 'NONE')
}

conformance('client: positions', {
  'a consumer goes on from any offset, within a batch too, and says where it is': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = client.producer({ compression: 'gzip' })
    await producer.send(numbered(topic, 100))
    await using consumer = client.consumer({ offsetReset: 'earliest' })
    const partition = only(topic)
    consumer.assign([partition])
    for (const offset of [37, 99, 0, 50]) {
      consumer.seek(partition, offset)
      const [batch] = await consumer.poll({ maxRecords: 10 })
      expect(batch?.firstOffset).toBe(offset)
      const read = recordsOf(batch === undefined ? [] : [batch])
      expect(valuesOfRecords(read)).toEqual(values(offset, Math.min(offset + 10, 100)))
      expect(consumer.position(partition)).toBe(Math.min(offset + 10, 100))
    }
    expect(consumer.lag(partition)).toBe(40)
  },

  "seek to the beginning, the end, a time and an age; offsets for times are the broker's": async (
    port,
  ) => {
    const { topic, startMs } = await filled(port, 10)
    await using client = clientOf(port)
    await using consumer = client.consumer({ offsetReset: 'none' })
    const partition = only(topic)
    consumer.assign([partition])
    consumer.seek(partition, 'beginning')
    expect(valuesOfRecords(await readCount(consumer, 10))).toEqual(values(0, 10))
    consumer.seek(partition, { timestamp: startMs + 4 * stepMs })
    expect(valuesOfRecords(await readCount(consumer, 6))).toEqual(values(4, 10))
    consumer.seek(partition, { timestamp: startMs + 4 * stepMs + 1 })
    expect(valuesOfRecords(await readCount(consumer, 5))).toEqual(values(5, 10))
    consumer.seek(partition, { agoMs: Date.now() - startMs + 60_000 })
    expect(valuesOfRecords(await readCount(consumer, 10))).toEqual(values(0, 10))
    consumer.seek(partition, 'end')
    expect(await consumer.poll({ timeoutMs: 300 })).toEqual([])
    expect(consumer.position(partition)).toBe(10)
    const atTime = async (timestamp: number) => {
      const [found] = await consumer.offsetsForTimes([{ ...partition, timestamp }])
      return [found?.offset, found?.timestamp]
    }
    expect(await atTime(startMs)).toEqual([0, startMs])
    expect(await atTime(startMs + 1)).toEqual([1, startMs + stepMs])
    expect(await atTime(Date.now() + 3_600_000)).toEqual([undefined, undefined])
    expect(await consumer.beginningOffsets([partition])).toEqual([{ ...partition, offset: 0 }])
    expect(await consumer.endOffsets([partition])).toEqual([{ ...partition, offset: 10 }])
  },

  'nothing that was fetched before a seek is handed out after it': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = client.producer({ batchBytesMax: 512 })
    await producer.send(numbered(topic, 500))
    await using consumer = client.consumer({
      offsetReset: 'earliest',
      partitionFetchBytesMax: 2000,
    })
    const partition = only(topic)
    consumer.assign([partition])
    for (let turn = 0; turn < 20; turn++) {
      await consumer.poll({ maxRecords: 7 })
      const offset = (turn * 101) % 500
      consumer.seek(partition, offset)
      const [batch] = await consumer.poll({ maxRecords: 7 })
      expect(batch?.firstOffset).toBe(offset)
    }
  },

  'a paused partition waits, the others go on, and what was fetched is not lost': async (port) => {
    const topic = await port.topic({ partitions: 2 })
    await using client = clientOf(port)
    await using producer = client.producer()
    await using consumer = client.consumer({ offsetReset: 'earliest' })
    const paused = only(topic)
    consumer.assign(partitionsOf(topic, 2))
    consumer.pause([paused])
    expect(consumer.paused).toEqual([paused])
    await producer.send([...numbered(topic, 20, 0), ...numbered(topic, 20, 1)])
    expect(valuesOfRecords(await readCount(consumer, 20))).toEqual(values(0, 20))
    expect(await consumer.poll({ timeoutMs: 300 })).toEqual([])
    consumer.resume([paused])
    const read = await readCount(consumer, 20)
    expect(read.every(({ partition }) => partition === 0)).toBe(true)
    expect(valuesOfRecords(read)).toEqual(values(0, 20))
  },
})

conformance('client: offsets that are not there any more', {
  'reset earliest: reading goes on at the first record that is left': async (port) => {
    const { topic } = await filled(port, 10)
    await deleteBefore(port, topic, 6)
    await using client = clientOf(port)
    await using consumer = client.consumer({ offsetReset: 'earliest' })
    const partition = only(topic)
    consumer.assign([partition])
    consumer.seek(partition, 2)
    expect(valuesOfRecords(await readCount(consumer, 4))).toEqual(values(6, 10))
    consumer.seek(partition, 1000)
    expect(valuesOfRecords(await readCount(consumer, 4))).toEqual(values(6, 10))
  },

  'reset latest: reading goes on at the end': async (port) => {
    const { topic } = await filled(port, 5)
    await deleteBefore(port, topic, 3)
    await using client = clientOf(port)
    await using consumer = client.consumer({ offsetReset: 'latest' })
    const partition = only(topic)
    consumer.assign([partition])
    consumer.seek(partition, 1)
    expect(await consumer.poll({ timeoutMs: 500 })).toEqual([])
    await port.eventually('it is at the end', async () => {
      expect(await consumer.poll({ timeoutMs: 100 })).toEqual([])
      return consumer.position(partition) === 5 ? true : undefined
    })
    await produce(await port.leader(topic.name), topic, { records: [{ value: 'next' }] })
    expect(valuesOfRecords(await readCount(consumer, 1))).toEqual(['next'])
  },

  'reset by age: reading goes on at the first record that is young enough': async (port) => {
    const { topic, startMs } = await filled(port, 10)
    await using client = clientOf(port)
    const agoMs = Date.now() - (startMs + 6 * stepMs) + stepMs / 2
    await using consumer = client.consumer({ offsetReset: { agoMs } })
    consumer.assign(partitionsOf(topic))
    const [first] = recordsOf(await consumer.poll())
    // The clock has gone on since: records may have become too old meanwhile, but none younger.
    expect(first?.offset).toBeGreaterThanOrEqual(6)
  },

  'reset none: the partition fails, says where, and reads again once it is sought elsewhere':
    async (port) => {
      const { topic } = await filled(port, 5)
      await deleteBefore(port, topic, 3)
      await using client = clientOf(port)
      await using consumer = client.consumer({ offsetReset: 'none' })
      const partition = only(topic)
      consumer.assign([partition])
      consumer.seek(partition, 1)
      const error = await failureOf(consumer.poll(), 'MILLRACE_CLIENT_OFFSET_LOST')
      expect(error).toBeInstanceOf(PartitionError)
      expect(error).toMatchObject({ ...partition, offset: 1 })
      consumer.seek(partition, 3)
      expect(valuesOfRecords(await readCount(consumer, 2))).toEqual(values(3, 5))
    },

  'records deleted while they are read: the consumer goes on behind them': async (port) => {
    const { topic } = await filled(port, 10)
    await using client = clientOf(port)
    await using consumer = client.consumer({ offsetReset: 'earliest', partitionFetchBytesMax: 1 })
    consumer.assign(partitionsOf(topic))
    const [first] = recordsOf(await consumer.poll({ maxRecords: 1 }))
    expect(first?.value).toBe('value-0')
    await deleteBefore(port, topic, 8)
    const rest: (string | null)[] = []
    while (rest.at(-1) !== 'value-9')
      rest.push(...valuesOfRecords(recordsOf(await consumer.poll())))
    expect(rest.slice(-2)).toEqual(values(8, 10))
    expect([...rest].sort()).toEqual(rest)
  },
})

conformance('client: much to read', {
  'records far larger than a fetch asks for, between small ones': async (port) => {
    const topic = await port.topic({ configs: { 'max.message.bytes': '8000000' } })
    await using client = clientOf(port)
    await using producer = client.producer({ requestBytesMax: 8_000_000 })
    const large = 'x'.repeat(3_000_000)
    const sent = ['a', large, 'b', `${large}y`, 'c']
    for (const value of sent) await producer.send({ topic: topic.name, value })
    await using consumer = client.consumer({
      offsetReset: 'earliest',
      partitionFetchBytesMax: 1000,
      fetchBytesMax: 2000,
    })
    consumer.assign(partitionsOf(topic))
    const read = valuesOfRecords(await readCount(consumer, 5))
    expect(read.every((value, index) => value === sent[index])).toBe(true)
  },

  'a hundred partitions: each in its order, all to their ends': async (port) => {
    const partitions = 100
    const topic = await port.topic({ partitions })
    await using client = clientOf(port)
    await using producer = client.producer()
    const sent = partitionsOf(topic, partitions).flatMap(({ partition }) =>
      numbered(topic, 20, partition),
    )
    await producer.send(sent)
    const read = await readAll(client, topic, { partitions })
    expect(read).toHaveLength(2000)
    expect(read.map(({ partition, value }) => [partition, value])).toEqual(
      sent.map(({ partition, value }) => [partition, value]),
    )
  },

  'a few records at a time: batches and their offsets lose and repeat nothing': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = client.producer({ compression: 'snappy' })
    await producer.send(numbered(topic, 200))
    await using consumer = client.consumer({ offsetReset: 'earliest' })
    consumer.assign(partitionsOf(topic))
    const read: (string | null)[] = []
    let next = 0
    for await (const batch of consumer.batches({ maxRecords: 13 })) {
      expect(batch.firstOffset).toBe(next)
      expect(batch.recordCount).toBeLessThanOrEqual(13)
      next = batch.nextOffset
      read.push(...valuesOfRecords(recordsOf([batch])))
      if (next === 200) break
    }
    expect(read).toEqual(values(0, 200))
  },

  'partitions that come to a topic can be read and written at once': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = client.producer()
    await producer.send(numbered(topic, 1))
    const admin = await port.any()
    await admin.request(createPartitionsApi, 3, {
      topics: [{ name: topic.name, count: 3, assignments: null }],
      timeoutMs: 10_000,
      validateOnly: false,
    })
    await producer.send([...numbered(topic, 5, 2), ...numbered(topic, 4, 0)])
    expect(await readAll(client, topic, { partitions: 3 })).toHaveLength(10)
  },
})

/** What a driver's sinks and its admin do, whatever client they run on. */
import { expect } from 'vitest'
import { DeliveryError, KafkaError, RecordsDeliveryError } from '../../src/client/index.ts'
import { isMillraceError } from '../../src/errors.ts'
import { driverMakers, disposable, firstOf, readCount, rejectionOf } from './driver-world.ts'
import type { DriverCase, DriverName } from './driver-world.ts'

export const writingCases: Readonly<Record<string, DriverCase>> = {
  'a result says where the record is, and what it was written with': {
    run: async (world) => {
      const topic = await world.port.topic({ partitions: 3 })
      await using sink = disposable(world.driver.sink())
      const timestamp = Date.now() - 60_000
      const place = { topic: topic.name, partition: 2 }
      const result = await sink.send({ ...place, value: 'v', timestamp })
      expect(result).toEqual({ ...place, offset: 0, timestamp })
      const results = await sink.send([
        { ...place, value: 'a' },
        { ...place, value: 'b' },
      ])
      expect(results.toArray().map(({ offset }) => offset)).toEqual([1, 2])
      expect(results.at(-1)?.offset).toBe(2)
      expect(results).toHaveLength(2)
    },
  },

  'what is written can be read: bytes, null, headers with repeated names': {
    run: async (world) => {
      const topic = await world.port.topic()
      await using sink = disposable(world.driver.sink())
      await sink.send([
        { ...firstOf(topic), key: Buffer.from('k'), value: null },
        {
          ...firstOf(topic),
          key: null,
          value: '',
          headers: [
            ['h', '1'],
            ['h', Buffer.from('2')],
          ],
        },
      ])
      await using source = await world.reader(topic.name)
      const read = await readCount(source, 2)
      expect(read.map(({ key, value }) => [key, value])).toEqual([
        ['k', null],
        [null, ''],
      ])
      expect(read[1]?.headers).toEqual([
        ['h', '1'],
        ['h', '2'],
      ])
    },
  },

  'a header that is null is written': {
    feature: 'exactHeaders',
    run: async (world) => {
      const topic = await world.port.topic()
      await using sink = disposable(world.driver.sink())
      await sink.send({ ...firstOf(topic), value: 'v', headers: { none: null } })
      await using source = await world.reader(topic.name)
      expect((await readCount(source, 1))[0]?.headers).toEqual([['none', null]])
    },
    without: async (world) => {
      const topic = await world.port.topic()
      await using sink = disposable(world.driver.sink())
      const sent = sink.send({ ...firstOf(topic), value: 'v', headers: { none: null } })
      const error = await rejectionOf(sent)
      expect(error).toMatchObject({ definitelyNotWritten: true, retriable: false })
    },
  },

  'records of a partition stay in the order in which they were sent': {
    run: async (world) => {
      const topic = await world.port.topic({ partitions: 2 })
      await using sink = disposable(world.driver.sink())
      const sent = Array.from({ length: 200 }, (_, index) =>
        sink.send({ topic: topic.name, partition: index % 2, value: String(index) }),
      )
      await Promise.all(sent)
      await using source = await world.reader(topic.name)
      const read = await readCount(source, 200)
      for (const partition of [0, 1]) {
        const values = read.filter((each) => each.partition === partition).map(({ value }) => value)
        expect(values).toEqual(
          Array.from({ length: 100 }, (_, index) => String(index * 2 + partition)),
        )
      }
    },
  },

  'keys choose partitions as Java does, and one call writes to several topics': {
    run: async (world) => {
      const topics = [await world.port.topic({ partitions: 24 }), await world.port.topic()]
      const [many, one] = topics.map(({ name }) => name) as [string, string]
      await using sink = disposable(world.driver.sink())
      const keys = Array.from({ length: 12 }, (_, index) => `key-${index}`)
      const results = await sink.send([
        ...keys.map((key) => ({ topic: many, key, value: 'v' })),
        { topic: one, value: 'other' },
      ])
      const partitions = results.toArray().map(({ partition }) => partition)
      // As Java's client chooses them of 24.
      expect(partitions).toEqual([1, 0, 14, 11, 9, 8, 20, 19, 19, 21, 14, 1, 0])
      expect(results.at(12)).toMatchObject({ topic: one, offset: 0 })
      await using source = await world.reader(many)
      const places = new Map(
        (await readCount(source, 12)).map((each) => [each.key, each.partition]),
      )
      expect(keys.map((key) => places.get(key))).toEqual(partitions.slice(0, 12))
    },
  },

  'one record that cannot be written fails alone': {
    run: async (world) => {
      const topic = await world.port.topic({ configs: { 'max.message.bytes': '2000' } })
      await using sink = disposable(world.driver.sink())
      const records = ['a', 'x'.repeat(5_000), 'c'].map((value) => ({ ...firstOf(topic), value }))
      const error = await rejectionOf(sink.send(records))
      expect(error).toBeInstanceOf(RecordsDeliveryError)
      const outcomes = (error as RecordsDeliveryError).outcomes.toArray()
      expect(outcomes.map((outcome) => 'error' in outcome)).toEqual([false, true, false])
      expect((error as RecordsDeliveryError).definitelyNotWritten).toBe(true)
      await using source = await world.reader(topic.name)
      expect((await readCount(source, 2)).map(({ value }) => value)).toEqual(['a', 'c'])
    },
  },

  'a partition that the topic has not, and a record that is too large, are refused': {
    run: async (world) => {
      const topic = await world.port.topic()
      await using sink = disposable(
        world.driver.sink({ requestBytesMax: 10_000, deliveryTimeoutMs: 300 }),
      )
      const records = [
        { topic: topic.name, partition: 7, value: 'v' },
        { topic: topic.name, value: 'x'.repeat(20_000) },
      ]
      for (const record of records) {
        const error = await rejectionOf(sink.send(record))
        expect(error).toBeInstanceOf(DeliveryError)
        expect(error).toMatchObject({ definitelyNotWritten: true })
      }
    },
  },

  'a topic that is not there is waited for, until the time is over': {
    run: async (world) => {
      const name = world.port.name('later')
      await using sink = disposable(world.driver.sink())
      const sent = sink.send({ topic: name, value: 'v' })
      await using hasty = disposable(world.driver.sink({ deliveryTimeoutMs: 300 }))
      const error = await rejectionOf(hasty.send({ topic: name, value: 'v' }))
      expect(isMillraceError(error, 'MILLRACE_CLIENT_NOT_DELIVERED')).toBe(true)
      expect(error).toMatchObject({ definitelyNotWritten: true, topic: name })
      await world.port.topic({ name })
      expect(await sent).toMatchObject({ topic: name, offset: 0 })
    },
  },

  'what is taken back before it leaves is not written': {
    run: async (world) => {
      const topic = await world.port.topic()
      await using sink = disposable(world.driver.sink())
      const controller = new AbortController()
      const sent = sink.send({ ...firstOf(topic), value: 'v' }, { signal: controller.signal })
      controller.abort()
      expect(await rejectionOf(sent)).toMatchObject({ definitelyNotWritten: true })
      await sink.send({ ...firstOf(topic), value: 'next' })
      await using source = await world.reader(topic.name)
      expect((await readCount(source, 1))[0]?.value).toBe('next')
    },
  },

  'a flush waits for what was sent, a close too, and nothing is sent after it': {
    run: async (world) => {
      const topic = await world.port.topic()
      const sink = world.driver.sink()
      const settled: string[] = []
      const send = (value: string) =>
        void sink.send({ ...firstOf(topic), value }).then(() => settled.push(value))
      send('a')
      await sink.flush()
      expect(settled).toEqual(['a'])
      send('b')
      await sink.close()
      expect(settled).toEqual(['a', 'b'])
      const error = await rejectionOf(sink.send({ ...firstOf(topic), value: 'c' }))
      expect(isMillraceError(error, 'MILLRACE_CLIENT_CLOSED')).toBe(true)
    },
  },

  'memory is bounded: who comes when it is taken waits, or is told': {
    run: async (world) => {
      const topic = await world.port.topic()
      const record = { ...firstOf(topic), value: 'x'.repeat(1_000) }
      await using patient = disposable(world.driver.sink({ bufferBytesMax: 1_536 }))
      const sent = await Promise.all(Array.from({ length: 5 }, () => patient.send(record)))
      expect(sent.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4])
      await using hasty = disposable(
        world.driver.sink({ bufferBytesMax: 1_536, whenFull: 'reject' }),
      )
      const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => hasty.send(record)))
      const refused = outcomes.filter(({ status }) => status === 'rejected')
      expect(refused.length).toBeGreaterThan(0)
      expect(refused.length).toBeLessThan(5)
    },
  },

  'a repeated write is there once': {
    feature: 'idempotentWrites',
    run: async (world) => {
      await world.driver.sink({ idempotent: true }).close()
    },
    without: (world) => {
      const make = () => world.driver.sink({ idempotent: true })
      expect(make).toThrow(String(world.driver.features.idempotentWrites))
      return Promise.resolve()
    },
  },

  'gzip is written and read': {
    run: async (world) => {
      const topic = await world.port.topic()
      await using sink = disposable(world.driver.sink({ compression: 'gzip' }))
      await sink.send({ ...firstOf(topic), value: 'x'.repeat(5_000) })
      await using source = await world.reader(topic.name)
      expect((await readCount(source, 1))[0]?.value).toHaveLength(5_000)
    },
  },

  'without acknowledgements no offset is told': {
    run: async (world) => {
      const topic = await world.port.topic()
      await using sink = disposable(world.driver.sink({ acks: 'none' }))
      const { offset } = await sink.send({ ...firstOf(topic), value: 'v' })
      expect(offset).toBe(-1)
    },
  },
}

export const adminCases: Readonly<Record<string, DriverCase>> = {
  'the cluster has an id and brokers': {
    run: async (world) => {
      const { clusterId, brokers } = await world.driver.admin().cluster.describe()
      const known = await world.client.admin().cluster.describe()
      expect(clusterId).toBe(known.clusterId)
      expect(brokers.map(({ nodeId }) => nodeId).sort()).toEqual(
        known.brokers.map(({ nodeId }) => nodeId).sort(),
      )
    },
  },

  'topics are made, each for itself, and described': {
    run: async (world) => {
      const { topics, configs } = world.driver.admin()
      const names = [world.port.name('made'), world.port.name('plain'), world.port.name('not')]
      const [made, plain, missing] = names as [string, string, string]
      const created = await topics.createMany([
        { name: made, partitions: 3, replicas: 1, configs: { 'retention.ms': 1_000 } },
        { name: plain },
        { name: 'a/b' },
      ])
      expect(created.get(made)?.error).toBeUndefined()
      expect(created.get(plain)?.error).toBeUndefined()
      expect(created.get('a/b')?.error).toBeInstanceOf(KafkaError)
      await world.port.eventually('it is known', async () => {
        const found = await topics.describeMany([made, plain])
        return [...found.values()].every(({ error }) => error === undefined) ? true : undefined
      })
      const { partitions } = await topics.describe(made)
      expect(partitions.map(({ partition, replicas }) => [partition, replicas.length])).toEqual([
        [0, 1],
        [1, 1],
        [2, 1],
      ])
      const found = await topics.describeMany([made, missing])
      expect(found.get(missing)?.error).toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' })
      const listed = (await topics.list()).map(({ name }) => name)
      expect(listed).toEqual(expect.arrayContaining([made, plain]))
      expect(listed.filter((name) => name.startsWith('__'))).toEqual([])
      const [config] = await configs.describeMany([{ type: 'topic', name: made }])
      const entry = config?.error === undefined ? config?.entries.get('retention.ms') : undefined
      expect(entry).toMatchObject({ value: '1000', source: 'topic' })
    },
  },

  'a topic that is there cannot be made again': {
    run: async (world) => {
      const topic = await world.port.topic()
      const made = await world.driver.admin().topics.createMany([{ name: topic.name }])
      expect(made.get(topic.name)).toSatisfy(isThere)
    },
  },

  'a cluster that is absent is an error that may pass': {
    run: async (world) => {
      await using absent = driverMakers[world.driver.name as DriverName]('127.0.0.1:1')
      const asked = absent.admin().cluster.describe({ timeoutMs: 300 })
      expect(await rejectionOf(asked)).toMatchObject({ retriable: true })
      const signal = AbortSignal.abort(new Error('enough'))
      const aborted = await rejectionOf(absent.admin().cluster.describe({ signal }))
      expect(aborted.message).toContain('enough')
    },
  },
}

/** It says so; or that somebody, maybe it itself, had made it already. */
function isThere(result: { error?: unknown; answerWasLost?: boolean } | undefined): boolean {
  const { error } = result ?? {}
  if (error instanceof KafkaError) return error.kafkaName === 'TOPIC_ALREADY_EXISTS'
  return result?.answerWasLost === true
}

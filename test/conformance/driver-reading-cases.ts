/** What a driver's sources do, whatever client they run on. */
import { expect } from 'vitest'
import { PartitionError } from '../../src/client/index.ts'
import { deleteRecordsApi } from '../../src/protocol/index.ts'
import { isMillraceError } from '../../src/errors.ts'
import type { DriverCase, DriverWorld } from './driver-world.ts'
import {
  filled,
  firstOf,
  numbered,
  placesOf,
  readCount,
  recordsOf,
  rejectionOf,
  valuesFrom,
} from './driver-world.ts'
import type { Topic } from './port.ts'

async function deleteBefore({ port }: DriverWorld, topic: Topic, offset: number): Promise<void> {
  const leader = await port.leader(topic.name)
  const answer = await leader.request(deleteRecordsApi, 2, {
    topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, offset }] }],
    timeoutMs: 10_000,
  })
  expect(answer.topics[0]?.partitions[0]?.errorCode).toBe(0)
}

export const recordCases: Readonly<Record<string, DriverCase>> = {
  'a record has what was written: empty is not null, names of headers repeat': {
    run: async (world) => {
      const topic = await world.port.topic()
      const place = firstOf(topic)
      const timestamp = Date.now() - 60_000
      await world.send([
        {
          ...place,
          key: 'k',
          value: 'v',
          timestamp,
          headers: [
            ['h', '1'],
            ['h', '2'],
          ],
        },
        { ...place, key: null, value: null, timestamp },
        { ...place, key: '', value: '', timestamp, headers: { empty: '' } },
        { ...place, key: Buffer.from([0, 255]), value: 'ü', timestamp },
      ])
      await using source = await world.reader(topic.name)
      const batches = await source.poll()
      const all = batches.flatMap((batch) => [...batch])
      while (all.length < 4) all.push(...(await source.poll()).flatMap((batch) => [...batch]))
      expect(all.map(({ offset }) => offset)).toEqual([0, 1, 2, 3])
      expect(new Set(all.map((record) => record.timestamp))).toEqual(new Set([timestamp]))
      const [first, none, empty, binary] = all
      expect(first?.headers).toEqual([
        { key: 'h', value: Buffer.from('1') },
        { key: 'h', value: Buffer.from('2') },
      ])
      expect(first?.header('h')).toEqual(Buffer.from('2'))
      expect(first?.header('other')).toBeUndefined()
      expect([first?.keySize, first?.valueSize]).toEqual([1, 1])
      expect([none?.key, none?.value, none?.keySize, none?.valueSize]).toEqual([null, null, -1, -1])
      expect([empty?.key?.length, empty?.value?.length]).toEqual([0, 0])
      expect(empty?.header('empty')?.length).toBe(0)
      expect(binary?.key).toEqual(Buffer.from([0, 255]))
      expect(binary?.value?.toString()).toBe('ü')
      expect(binary?.sizeInBytes).toBeGreaterThanOrEqual(4)
    },
  },

  'headers keep their order, and may be null': {
    feature: 'exactHeaders',
    run: async (world) => {
      const headers = await headersReadBack(world)
      expect(headers).toEqual([
        ['b', '1'],
        ['a', null],
        ['1', '2'],
        ['b', '3'],
      ])
    },
    without: async (world) => {
      const headers = await headersReadBack(world)
      expect(headers).toEqual([
        ['1', '2'],
        ['b', '1'],
        ['b', '3'],
        ['a', null],
      ])
    },
  },

  'a batch says where it ends, and is cut where fewer records were asked for': {
    run: async (world) => {
      const topic = await filled(world, 50)
      await using source = await world.reader(topic.name)
      const read: number[] = []
      let next = 0
      while (next < 50) {
        for (const batch of await source.poll({ maxRecords: 7 })) {
          const offsets = [...batch].map(({ offset }) => offset)
          expect(offsets[0]).toBe(next)
          expect(batch.recordCount).toBe(offsets.length)
          expect(offsets.length).toBeLessThanOrEqual(7)
          expect(batch.highWatermark).toBe(50)
          next = batch.nextOffset
          read.push(...offsets)
        }
      }
      expect(read).toEqual([...Array(50).keys()])
    },
  },

  'records of a batch can be read as often as one likes': {
    run: async (world) => {
      const topic = await filled(world, 5)
      await using source = await world.reader(topic.name)
      const batches = await source.poll()
      expect(recordsOf(batches)).toEqual(recordsOf(batches))
    },
  },

  'a poll waits as long as it is told, and its signal ends it': {
    run: async (world) => {
      const topic = await world.port.topic()
      await using source = await world.reader(topic.name)
      expect(await source.poll({ timeoutMs: 50 })).toEqual([])
      const controller = new AbortController()
      const polled = rejectionOf(source.poll({ signal: controller.signal }))
      controller.abort(new Error('enough'))
      expect((await polled).message).toBe('enough')
    },
  },

  'records of an aborted transaction are not read': {
    feature: 'exactReadCommitted',
    run: async (world) => {
      expect(await readWithAborted(world)).toEqual(['before', 'after'])
    },
    // A key of four zeros ends what kafkajs leaves out.
    without: async (world) => {
      expect(await readWithAborted(world)).toEqual(['before', 'aborted-0', 'aborted-1', 'after'])
    },
  },

  'an open transaction is not read, an aborted one without strange keys is passed over': {
    run: async (world) => {
      const topic = await world.port.topic()
      const place = firstOf(topic)
      await using producer = world.client.transactionalProducer({
        transactionalId: world.port.name('transaction'),
      })
      const aborted = producer.transaction(async (transaction) => {
        await transaction.send({ ...place, value: 'aborted' })
        throw new Error('no')
      })
      await rejectionOf(aborted)
      await world.send([{ ...place, value: 'plain' }])
      await using source = await world.reader(topic.name)
      const [record] = await readCount(source, 1)
      expect(record?.value).toBe('plain')
      await producer.transaction(async (transaction) => {
        await transaction.send({ ...place, value: 'decided' })
        expect(await source.poll({ timeoutMs: 200 })).toEqual([])
      })
      const [decided] = await readCount(source, 1)
      expect(decided?.value).toBe('decided')
    },
  },

  'what was read is known to be of this log: by the id of the topic, and leader epochs': {
    feature: 'logIdentity',
    run: async (world) => {
      const { id, epoch } = await identityOf(world)
      expect(typeof id).toBe('string')
      expect(epoch).toBeGreaterThanOrEqual(0)
    },
    without: async (world) => {
      expect(await identityOf(world)).toEqual({ id: undefined, epoch: -1 })
    },
  },
}

async function headersReadBack(world: DriverWorld) {
  const topic = await world.port.topic()
  await world.send([
    {
      ...firstOf(topic),
      value: 'v',
      headers: [
        ['b', '1'],
        ['a', null],
        ['1', '2'],
        ['b', '3'],
      ],
    },
  ])
  await using source = await world.reader(topic.name)
  const [record] = await readCount(source, 1)
  return record?.headers
}

async function readWithAborted(world: DriverWorld): Promise<(string | null)[]> {
  const topic = await world.port.topic()
  const place = firstOf(topic)
  await world.send([{ ...place, value: 'before' }])
  await using producer = world.client.transactionalProducer({
    transactionalId: world.port.name('transaction'),
  })
  const aborted = producer.transaction(async (transaction) => {
    await transaction.send({ ...place, key: Buffer.alloc(4), value: 'aborted-0' })
    await transaction.send({ ...place, value: 'aborted-1' })
    throw new Error('no')
  })
  await rejectionOf(aborted)
  await world.send([{ ...place, value: 'after' }])
  await using source = await world.reader(topic.name)
  const values: (string | null)[] = []
  while (values.at(-1) !== 'after') {
    values.push(...recordsOf(await source.poll()).map(({ value }) => value))
  }
  return values
}

async function identityOf(world: DriverWorld) {
  const topic = await filled(world, 1)
  await using source = await world.reader(topic.name)
  const [batch] = await source.poll()
  const { id } = await world.driver.admin().topics.describe(topic.name)
  return { id, epoch: batch?.leaderEpoch }
}

export const positionCases: Readonly<Record<string, DriverCase>> = {
  'a partition that is paused hands out nothing and keeps its place, others go on': {
    run: async (world) => {
      const topic = await filled(world, 20, 2)
      const [paused, other] = placesOf(topic, 2) as [{ topic: string; partition: number }, never]
      await using source = await world.reader(topic.name, {
        onAssigned: () => source.pause([paused]),
      })
      const read = await readCount(source, 20)
      expect(read.map((record) => record.partition)).toEqual(Array(20).fill(1))
      await world.send(numbered(topic, 5, 1))
      const more = await readCount(source, 5)
      expect(more.map(({ partition }) => partition)).toEqual(Array(5).fill(1))
      expect(await source.poll({ timeoutMs: 200 })).toEqual([])
      source.resume([paused])
      const rest = await readCount(source, 20)
      expect(rest.map(({ value }) => value)).toEqual(valuesFrom(0, 20))
      source.pause([other])
    },
  },

  'pausing in the midst of a partition loses and repeats nothing': {
    run: async (world) => {
      const topic = await filled(world, 40)
      const place = firstOf(topic)
      await using source = await world.reader(topic.name)
      const read: (string | null)[] = []
      while (read.length < 40) {
        read.push(...recordsOf(await source.poll({ maxRecords: 3 })).map(({ value }) => value))
        source.pause([place])
        expect(await source.poll({ timeoutMs: 5 })).toEqual([])
        source.resume([place])
      }
      expect(read).toEqual(valuesFrom(0, 40))
    },
  },

  'nothing that was fetched before a seek is handed out after it': {
    run: async (world) => {
      const topic = await filled(world, 100)
      const place = firstOf(topic)
      await using source = await world.reader(topic.name)
      const next = async () => recordsOf(await source.poll({ maxRecords: 1 }))[0]?.offset
      expect(await next()).toBe(0)
      for (const target of [50, 3, 98, 0, 42]) {
        source.seek(place, target)
        expect(await next()).toBe(target)
        source.seek(place, { offset: target })
        source.pause([place])
        source.resume([place])
        expect(await next()).toBe(target)
        expect(await next()).toBe(target + 1)
      }
    },
  },

  'a seek goes to the beginning, the end, or a time': {
    run: async (world) => {
      const topic = await world.port.topic()
      const place = firstOf(topic)
      const nowMs = Date.now()
      const times = [nowMs - 3_000_000, nowMs - 2_000_000, nowMs - 1_000_000]
      await world.send(
        times.map((timestamp) => ({ ...place, value: String(timestamp), timestamp })),
      )
      await using source = await world.reader(topic.name)
      await readCount(source, 3)
      source.seek(place, 'beginning')
      expect((await readCount(source, 3)).map(({ offset }) => offset)).toEqual([0, 1, 2])
      source.seek(place, { timestamp: nowMs - 2_500_000 })
      expect((await readCount(source, 2)).map(({ offset }) => offset)).toEqual([1, 2])
      source.seek(place, 'end')
      expect(await source.poll({ timeoutMs: 200 })).toEqual([])
      source.seek(place, { agoMs: 60_000 })
      expect(await source.poll({ timeoutMs: 200 })).toEqual([])
      // The place is looked up: what is written before it was found lies before the end.
      while (source.lag(place) !== 0) await source.poll({ timeoutMs: 50 })
      await world.send([{ ...place, value: 'new' }])
      expect((await readCount(source, 1))[0]?.value).toBe('new')
    },
  },

  'the lag is the distance from the position to the end': {
    run: async (world) => {
      const topic = await filled(world, 30)
      const place = firstOf(topic)
      await using source = await world.reader(topic.name)
      await source.poll({ maxRecords: 10 })
      expect(source.lag(place)).toBe(20)
      await readCount(source, 20)
      expect(source.lag(place)).toBe(0)
      expect(() => source.lag({ topic: topic.name, partition: 7 })).toThrow(/not assigned/)
    },
  },

  'beginnings, ends and offsets of times are those of the log': {
    run: async (world) => {
      const topic = await world.port.topic({ partitions: 2 })
      const [first, second] = placesOf(topic, 2) as [
        { topic: string; partition: number },
        { topic: string; partition: number },
      ]
      const nowMs = Date.now()
      await world.send(
        [3_000, 2_000, 1_000].map((age) => ({ ...first, value: 'v', timestamp: nowMs - age })),
      )
      await deleteBefore(world, topic, 1)
      const source = world.source(world.port.name('group'))
      const places = [first, second]
      expect((await source.beginningOffsets(places)).map(({ offset }) => offset)).toEqual([1, 0])
      expect((await source.endOffsets(places)).map(({ offset }) => offset)).toEqual([3, 0])
      const found = await source.offsetsForTimes([
        { ...first, timestamp: nowMs - 1_500 },
        { ...second, timestamp: nowMs - 1_500 },
      ])
      expect(found.map(({ offset }) => offset)).toEqual([2, undefined])
      const [later] = await source.offsetsForTimes([{ ...first, timestamp: nowMs + 1 }])
      expect(later?.offset).toBeUndefined()
      await source.close()
    },
  },

  'an offset that is not there is told to who seeks it, and nothing is committed': {
    run: async (world) => {
      const topic = await filled(world, 10)
      const place = firstOf(topic)
      const groupId = world.port.name('group')
      await using source = await world.reader(topic.name, {}, groupId)
      await readCount(source, 10)
      await source.commit([{ ...place, offset: 5, leaderEpoch: -1, metadata: 'five' }])
      await deleteBefore(world, topic, 8)
      await using other = await world.reader(topic.name, { offsetReset: 'none' }, `${groupId}-2`)
      await rejectionOf(untilError(other))
      other.seek(place, 3)
      const error = await rejectionOf(untilError(other))
      expect(error).toBeInstanceOf(PartitionError)
      expect(error).toMatchObject({ ...place, offset: 3, code: 'MILLRACE_CLIENT_OFFSET_LOST' })
      // It is told again by who has nothing else to tell.
      const again = await rejectionOf(untilError(other))
      expect(isMillraceError(again, 'MILLRACE_CLIENT_OFFSET_LOST')).toBe(true)
      expect(await other.committed([place])).toEqual([])
      other.seek(place, 8)
      expect((await readCount(other, 2)).map(({ offset }) => offset)).toEqual([8, 9])
    },
  },

  'an offset that goes while it is read is told, and what is committed stays': {
    feature: 'toldOffsetLoss',
    run: loseOffset,
    // Not at once: kafkajs commits first, and the driver puts back what was there.
    without: loseOffset,
  },
}

async function untilError(source: { poll(): Promise<unknown> }): Promise<void> {
  for (;;) await source.poll()
}

async function loseOffset(world: DriverWorld): Promise<void> {
  const topic = await filled(world, 20)
  const place = firstOf(topic)
  await using source = await world.reader(topic.name, {
    offsetReset: 'none',
    onAssigned: () => source.seek(place, 0),
    partitionFetchBytesMax: 1,
  })
  const [first] = recordsOf(await source.poll({ maxRecords: 1 }))
  expect(first?.offset).toBe(0)
  await source.commit([{ ...place, offset: 1, leaderEpoch: -1, metadata: 'mine' }])
  source.pause([place])
  await world.send(numbered(topic, 20))
  // Behind whatever was fetched already.
  await deleteBefore(world, topic, 35)
  source.resume([place])
  const error = await rejectionOf(untilError(source))
  expect(error).toMatchObject({ ...place, code: 'MILLRACE_CLIENT_OFFSET_LOST' })
  await world.port.eventually('what was committed is there', async () => {
    const [committed] = await source.committed([place])
    return committed?.offset === 1 && committed.metadata === 'mine' ? true : undefined
  })
  source.seek(place, 38)
  expect((await readCount(source, 2)).map(({ offset }) => offset)).toEqual([38, 39])
}

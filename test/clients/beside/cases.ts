/** What the library's client and another do together. */
import { deepStrictEqual, equal } from 'node:assert/strict'
import type { AssignorName } from '../../../src/client/consumer/group-options.ts'
import { compressions } from '../../../src/protocol/compression/index.ts'
import type { OtherClient, WrittenRecord } from './counterpart.ts'
import {
  createTopic,
  OurMember,
  readOurs,
  toldOf,
  uniqueName,
  until,
  type Case,
  type World,
} from './world.ts'

/** Records that something could be lost of. */
const contents: readonly Omit<WrittenRecord, 'topic'>[] = [
  { key: 'key', value: 'value' },
  { key: null, value: null },
  { key: '', value: '' },
  { key: 'tombstone', value: null },
  { key: null, value: 'größer' },
  {
    ...{ key: 'headers', value: 'x' },
    headers: [
      ['b', '1'],
      ['a', null],
      ['b', ''],
      ['a', 'ü'],
      ['b', '1'],
    ],
  },
  { key: 'long', value: 'x'.repeat(100_000) },
]

const wanted = contents.map(({ key, value, headers = [] }, offset) => ({
  ...{ partition: 0, offset, key, value, headers },
}))

const keys = Array.from(
  { length: 120 },
  (_, index) => `${'ö'.repeat(index % 3)}key-${index * 7919}`,
)

/** A group that another's member and ours share: members come and go on both sides. */
async function shareGroup(
  world: World,
  theirAssignor: string | undefined,
  ours: {
    readonly assignors?: readonly AssignorName[]
    readonly groupProtocol: 'classic' | 'consumer'
  },
): Promise<void> {
  const partitions = 6
  const topic = await createTopic(world, partitions)
  const groupId = uniqueName('group')
  await using producer = world.client.producer()
  let written = 0
  const write = async (): Promise<void> => {
    const records = Array.from({ length: partitions * 10 }, (_, index) => ({
      ...{ topic, partition: index % partitions, value: `value-${written + index}` },
    }))
    written += records.length
    await producer.send(records)
  }
  const members: {
    readonly partitions: readonly number[]
    readonly records: readonly unknown[]
  }[] = []
  const settled = async (...of: readonly { readonly partitions: readonly number[] }[]) => {
    await until(`${of.length} members share`, () => {
      const all = of.flatMap((member) => member.partitions)
      const isEven = of.every((member) => member.partitions.length === partitions / of.length)
      return isEven && new Set(all).size === partitions
    })
    await write()
    await until('everything is read', () => total() >= written)
  }
  const total = (): number => members.reduce((sum, { records }) => sum + records.length, 0)
  await using first = new OurMember(world, topic, { groupId, ...ours })
  members.push(first)
  await settled(first)
  await using theirs = await world.other.join(groupId, topic, theirAssignor)
  members.push(theirs)
  await settled(first, theirs)
  await using second = new OurMember(world, topic, { groupId, ...ours })
  members.push(second)
  await settled(first, theirs, second)
  // The other's member is the oldest now: in the classic protocol it leads the group.
  await first.leave()
  await settled(theirs, second)
  await theirs.leave()
  await settled(second)
  equal(total(), written, 'each record is read once')
}

function contentCases({ name }: OtherClient): readonly Case[] {
  return [
    ...compressions.map((codec) => ({
      name: `${codec}: what ${name} writes is read as it was written`,
      async body(world: World) {
        const topic = await createTopic(world)
        for (const record of contents)
          await world.other.write({ topic, partition: 0, codec, ...record })
        deepStrictEqual(await readOurs(world, topic, contents.length), wanted)
      },
    })),
    ...compressions.map((compression) => ({
      name: `${compression}: what is written here ${name} reads as it was written`,
      async body(world: World) {
        const topic = await createTopic(world)
        await using producer = world.client.producer({ compression })
        await producer.send(contents.map((record) => ({ topic, partition: 0, ...record })))
        deepStrictEqual(await world.other.read(topic, contents.length), wanted)
      },
    })),
  ]
}

const sharedCases: readonly Case[] = [
  {
    name: 'keys go to the same partitions',
    async body(world) {
      const topic = await createTopic(world, 17)
      await using producer = world.client.producer()
      const results = await producer.send(keys.map((key) => ({ topic, key, value: 'ours' })))
      const theirs = await Promise.all(
        keys.slice(0, 40).map((key) => world.other.write({ topic, key, value: 'theirs' })),
      )
      deepStrictEqual(
        theirs.map(({ partition }) => partition),
        results
          .toArray()
          .slice(0, 40)
          .map(({ partition }) => partition),
      )
    },
  },
  {
    name: 'what is committed in transactions on either side is read on the other, what is aborted is not',
    async body(world) {
      const topic = await createTopic(world)
      const record = (value: string) => ({ topic, partition: 0, value })
      await using producer = world.client.transactionalProducer({
        transactionalId: uniqueName('tx'),
      })
      for (const outcome of ['commit', 'abort', 'commit'] as const) {
        await world.other.write({ ...record(`theirs ${outcome}`), outcome })
        const transaction = await producer.begin()
        await transaction.send(record(`ours ${outcome}`))
        await transaction[outcome]()
      }
      const values = ['theirs commit', 'ours commit', 'theirs commit', 'ours commit']
      deepStrictEqual(
        (await readOurs(world, topic, 4)).map(({ value }) => value),
        values,
      )
      deepStrictEqual(
        (await world.other.read(topic, 4)).map(({ value }) => value),
        values,
      )
    },
  },
]

function commitCase({ name, metadataEnd }: OtherClient): Case {
  return {
    name: `offsets that we or ${name} have committed the other goes on from, with their metadata`,
    async body(world) {
      const topic = await createTopic(world)
      const groupId = uniqueName('group')
      await using producer = world.client.producer()
      await producer.send(
        Array.from({ length: 10 }, (_, index) => ({ topic, value: `value-${index}` })),
      )
      await world.other.commit(groupId, topic, 4, 'von nebenan, größer')
      await using consumer = world.client.consumer({
        ...{ groupId, groupProtocol: 'classic', offsetReset: 'earliest' },
      })
      consumer.subscribe(topic)
      const [batch] = await consumer.poll({ maxRecords: 3 })
      equal(toldOf(batch === undefined ? [] : [batch])[0]?.offset, 4)
      const partition = { topic, partition: 0 }
      equal(
        (await consumer.committed([partition]))[0]?.metadata,
        `von nebenan, größer${metadataEnd}`,
      )
      await consumer.commit([{ ...partition, offset: 7, metadata: 'from here' }])
      await consumer.close()
      deepStrictEqual(await world.other.committed(groupId, topic), {
        offset: 7,
        metadata: 'from here',
      })
    },
  }
}

function groupCases({ name, assignors }: OtherClient): readonly Case[] {
  const title = `a member of ${name} and ours share a group, and each record is read once`
  return [
    ...assignors.map(({ ours, theirs }) => ({
      name: `${ours}: ${title}`,
      body: (world: World) =>
        shareGroup(world, theirs, { assignors: [ours], groupProtocol: 'classic' }),
    })),
    {
      name: `the consumer protocol: ${title}`,
      body: (world) => shareGroup(world, undefined, { groupProtocol: 'consumer' }),
    },
  ]
}

/** All of them, for one other client. */
export function casesWith(other: OtherClient): readonly Case[] {
  return [...contentCases(other), ...sharedCases, commitCase(other), ...groupCases(other)]
}

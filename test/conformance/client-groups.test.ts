/** The library's consumer as a member of groups, in both protocols, on the implementation under test. */
import { expect } from 'vitest'
import type { Client } from '../../src/client/index.ts'
import type { ConsumerOptions } from '../../src/client/consumer/consumer-options.ts'
import type { AssignorName } from '../../src/client/consumer/group-options.ts'
import { clientOf, failureOf, numbered, partitionsOf, Reader, recordsOf } from './client-steps.ts'
import { conformance, type CaseBody } from './conformance.ts'
import type { Port, Topic } from './port.ts'

type Protocol = 'classic' | 'consumer'

function cases(make: (protocol: Protocol) => Record<string, CaseBody>): Record<string, CaseBody> {
  const named = (['classic', 'consumer'] as const).map((protocol) =>
    Object.entries(make(protocol)).map(([name, body]) => [`${protocol}: ${name}`, body] as const),
  )
  return Object.fromEntries(named.flat())
}

function reader(
  client: Client,
  topic: Topic,
  groupId: string,
  options: Partial<ConsumerOptions> = {},
): Reader {
  const settled = { offsetReset: 'earliest', heartbeatIntervalMs: 500 } as const
  return new Reader(client.consumer({ ...settled, groupId, ...options }), topic.name)
}

/** Waits until the readers share `count` partitions, each of them having some. */
function untilShared(port: Port, count: number, ...readers: readonly Reader[]): Promise<true> {
  return port.eventually(`${readers.length} share ${count} partitions`, () => {
    const all = readers.flatMap(({ partitions }) => partitions)
    const isShared = all.length === count && new Set(all).size === count
    const isEmpty = readers.some(({ partitions }) => partitions.length === 0)
    return Promise.resolve(isShared && !isEmpty ? true : undefined)
  })
}

function untilRead(port: Port, count: number, ...readers: readonly Reader[]): Promise<true> {
  return port.eventually(`${count} records are read`, () => {
    const read = new Set(readers.flatMap(({ records }) => records.map(placeOf)))
    return Promise.resolve(read.size >= count ? true : undefined)
  })
}

function placeOf({ partition, offset }: { partition: number; offset: number }): string {
  return `${partition}:${offset}`
}

async function fill(client: Client, topic: Topic, partitions: number, count: number) {
  await using producer = client.producer()
  await producer.send(
    partitionsOf(topic, partitions).flatMap(({ partition }) => numbered(topic, count, partition)),
  )
}

conformance(
  'client: groups',
  cases((groupProtocol) => ({
    'what one member has committed the next one goes on from': async (port) => {
      const topic = await port.topic()
      const groupId = port.name('group')
      await using client = clientOf(port)
      await fill(client, topic, 1, 20)
      const options = { groupId, groupProtocol, offsetReset: 'earliest' } as const
      const [partition] = partitionsOf(topic) as [{ topic: string; partition: number }]
      for (const from of [0, 8]) {
        await using consumer = client.consumer(options)
        consumer.subscribe(topic.name)
        const [batch] = await consumer.poll({ maxRecords: 8 })
        expect(batch?.firstOffset).toBe(from)
        await consumer.commit()
        expect(await consumer.committed([partition])).toMatchObject([{ offset: from + 8 }])
      }
      await using consumer = client.consumer(options)
      consumer.subscribe(topic.name)
      const read = recordsOf(await consumer.poll())
      expect(read.map(({ offset }) => offset)).toEqual([16, 17, 18, 19])
      await consumer.commit([{ ...partition, offset: 18, metadata: 'größer' }])
      expect(await consumer.committed([partition])).toMatchObject([
        { offset: 18, metadata: 'größer' },
      ])
      await failureOf(
        consumer.commit([{ ...partition, partition: 1, offset: 1 }]),
        'MILLRACE_CLIENT_NOT_OWNED',
      )
    },

    'members share the partitions, and what a member leaves goes to the others': async (port) => {
      const topic = await port.topic({ partitions: 6 })
      const groupId = port.name('group')
      await using client = clientOf(port)
      const options = { groupProtocol, autoCommit: true }
      await using one = reader(client, topic, groupId, options)
      await untilShared(port, 6, one)
      await fill(client, topic, 6, 10)
      await untilRead(port, 60, one)
      await using two = reader(client, topic, groupId, options)
      await using three = reader(client, topic, groupId, options)
      await untilShared(port, 6, one, two, three)
      await fill(client, topic, 6, 10)
      await untilRead(port, 120, one, two, three)
      await one.close()
      await two.close()
      await untilShared(port, 6, three)
      await fill(client, topic, 6, 10)
      await untilRead(port, 180, one, two, three)
      // Everybody has committed what it had read before it let go: nothing came twice.
      const places = [one, two, three].flatMap(({ records }) => records.map(placeOf))
      expect(places).toHaveLength(180)
    },

    'partitions are given up only when onRevoked has resolved, and its commits count': async (
      port,
    ) => {
      const topic = await port.topic({ partitions: 2 })
      const groupId = port.name('group')
      await using client = clientOf(port)
      await fill(client, topic, 2, 5)
      const events: string[] = []
      const commit = async (consumer: Reader['consumer'], who: string): Promise<void> => {
        events.push(`${who} lets go`)
        await new Promise((resolve) => setTimeout(resolve, 500))
        await consumer.commit()
        events.push(`${who} has let go`)
      }
      const one: Reader = reader(client, topic, groupId, {
        groupProtocol,
        onRevoked: () => commit(one.consumer, 'one'),
      })
      await using _first = one
      await untilShared(port, 2, one)
      await untilRead(port, 10, one)
      await using two = reader(client, topic, groupId, {
        groupProtocol,
        onAssigned: (partitions) => {
          if (partitions.length > 0) events.push('two begins')
        },
      })
      await untilShared(port, 2, one, two)
      expect(events.slice(0, 3)).toEqual(['one lets go', 'one has let go', 'two begins'])
      await fill(client, topic, 2, 1)
      await untilRead(port, 12, one, two)
      expect([...one.records, ...two.records]).toHaveLength(12)
    },

    'a static member that comes back finds its partitions, and nobody else is troubled': async (
      port,
    ) => {
      const topic = await port.topic({ partitions: 4 })
      const groupId = port.name('group')
      await using client = clientOf(port)
      const revoked: number[] = []
      await using steady = reader(client, topic, groupId, {
        groupProtocol,
        groupInstanceId: 'steady',
        onRevoked: (partitions) => {
          revoked.push(...partitions.map(({ partition }) => partition))
        },
      })
      const options = { groupProtocol, groupInstanceId: 'restarted' }
      const before = reader(client, topic, groupId, options)
      await untilShared(port, 4, steady, before)
      const held = before.partitions
      revoked.length = 0
      await before.close()
      await using after = reader(client, topic, groupId, options)
      await untilShared(port, 4, steady, after)
      expect(after.partitions).toEqual(held)
      expect(revoked).toEqual([])
      await fill(client, topic, 4, 3)
      await untilRead(port, 12, steady, after)
    },

    'a pattern subscribes to what it matches, also to what comes later': async (port) => {
      const prefix = port.name('matched')
      await using client = clientOf(port, { metadataMaxAgeMs: 1000 })
      const settled = { groupProtocol, offsetReset: 'earliest', heartbeatIntervalMs: 500 } as const
      const consumer = client.consumer({ ...settled, groupId: port.name('group') })
      await using matching = new Reader(consumer, new RegExp(`^${prefix}`))
      for (const name of [`${prefix}-a`, `${prefix}-b`]) {
        await port.topic({ name })
        await using producer = client.producer()
        await producer.send({ topic: name, value: name })
        await port.eventually(`${name} is read`, () =>
          Promise.resolve(matching.values.includes(name) ? true : undefined),
        )
      }
    },

    'a committed offset is kept when there is nothing new, and offsets of nobody are none': async (
      port,
    ) => {
      const topic = await port.topic({ partitions: 2 })
      const groupId = port.name('group')
      await using client = clientOf(port)
      await using member = reader(client, topic, groupId, { groupProtocol })
      await untilShared(port, 2, member)
      await member.consumer.commit([{ topic: topic.name, partition: 1, offset: 0 }])
      const committed = await member.consumer.committed(partitionsOf(topic, 2))
      expect(committed).toMatchObject([{ partition: 1, offset: 0 }])
      expect(committed).toHaveLength(1)
    },

    'a topic that does not exist yet is read when it comes': async (port) => {
      const name = port.name('later')
      await using client = clientOf(port, { metadataMaxAgeMs: 1000 })
      const settled = { groupProtocol, offsetReset: 'earliest', heartbeatIntervalMs: 500 } as const
      const consumer = client.consumer({ ...settled, groupId: port.name('group') })
      await using waiting = new Reader(consumer, name)
      await port.topic({ name })
      await using producer = client.producer()
      await producer.send({ topic: name, value: 'v' })
      await port.eventually('it is read', () =>
        Promise.resolve(waiting.values.length === 1 ? true : undefined),
      )
    },
  })),
)

const assignorCases = (['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const).map(
  (assignor: AssignorName): [string, CaseBody] => [
    `${assignor}: each partition has one owner at any time, and each record is read once`,
    async (port) => {
      const topic = await port.topic({ partitions: 9 })
      const groupId = port.name('group')
      await using client = clientOf(port)
      const owned = new Map<number, string>()
      const member = (name: string): Reader =>
        reader(client, topic, groupId, {
          groupProtocol: 'classic',
          assignors: [assignor],
          autoCommit: true,
          onAssigned: (partitions) => {
            for (const { partition } of partitions) {
              expect(owned.get(partition)).toBeUndefined()
              owned.set(partition, name)
            }
          },
          onRevoked: (partitions) => {
            for (const { partition } of partitions) owned.delete(partition)
          },
        })
      await using one = member('one')
      await untilShared(port, 9, one)
      await using two = member('two')
      await untilShared(port, 9, one, two)
      await fill(client, topic, 9, 10)
      await using three = member('three')
      await untilShared(port, 9, one, two, three)
      expect([one, two, three].map(({ partitions }) => partitions.length)).toEqual([3, 3, 3])
      await two.close()
      await untilShared(port, 9, one, three)
      await fill(client, topic, 9, 10)
      await untilRead(port, 180, one, two, three)
      expect([one, two, three].flatMap(({ records }) => records)).toHaveLength(180)
    },
  ],
)

conformance('client: groups with each assignor', Object.fromEntries(assignorCases))

conformance('client: from one protocol of groups to the other', {
  'members of both protocols share a group while it is upgraded, and go on where it was': async (
    port,
  ) => {
    const topic = await port.topic({ partitions: 4 })
    const groupId = port.name('group')
    await using client = clientOf(port)
    const old = reader(client, topic, groupId, { groupProtocol: 'classic', autoCommit: true })
    await untilShared(port, 4, old)
    await fill(client, topic, 4, 10)
    await untilRead(port, 40, old)
    await using next = reader(client, topic, groupId, {
      groupProtocol: 'consumer',
      autoCommit: true,
    })
    await untilShared(port, 4, old, next)
    await fill(client, topic, 4, 10)
    await untilRead(port, 80, old, next)
    await old.close()
    await untilShared(port, 4, next)
    await fill(client, topic, 4, 10)
    await untilRead(port, 120, old, next)
    expect([...old.records, ...next.records]).toHaveLength(120)
  },
})

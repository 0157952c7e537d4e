/** What a driver's sources do as members of groups. */
import { expect } from 'vitest'
import { isMillraceError } from '../../src/errors.ts'
import type { DriverCase, DriverWorld, Feature } from './driver-world.ts'
import {
  filled,
  firstOf,
  Member,
  numbered,
  placesOf,
  readCount,
  recordsOf,
  rejectionOf,
} from './driver-world.ts'

/** A source whose group refuses an option: by the driver's own reason. */
function optionCase(feature: Feature, option: Parameters<DriverWorld['source']>[1]): DriverCase {
  return {
    feature,
    run: async (world) => {
      const source = world.source(world.port.name('group'), option)
      await source.close()
    },
    without: (world) => {
      const make = () => world.source(world.port.name('group'), option)
      expect(make).toThrow(String(world.driver.features[feature]))
      return Promise.resolve()
    },
  }
}

export const groupCases: Readonly<Record<string, DriverCase>> = {
  'a commit keeps its text, and a new group has none': {
    feature: 'commitMetadata',
    run: async (world) => {
      const topic = await filled(world, 5, 2)
      const places = placesOf(topic, 2)
      const [place] = places as [{ topic: string; partition: number }]
      await using source = await world.reader(topic.name)
      expect(await source.committed(places)).toEqual([])
      await readCount(source, 10)
      const metadata = 'ü'.repeat(2_048)
      await source.commit([{ ...place, offset: 3, leaderEpoch: -1, metadata }])
      const [committed, ...others] = await source.committed(places)
      expect(committed).toMatchObject({ ...place, offset: 3, metadata })
      expect(others).toEqual([])
    },
  },

  'a commit does not go back, unless it is told to': {
    run: async (world) => {
      const topic = await filled(world, 5)
      const place = firstOf(topic)
      const at = (offset: number) => [{ ...place, offset, leaderEpoch: -1, metadata: '' }]
      await using source = await world.reader(topic.name)
      await readCount(source, 5)
      await source.commit(at(4))
      const error = await rejectionOf(source.commit(at(2)))
      expect(isMillraceError(error, 'MILLRACE_CLIENT_STATE_INVALID')).toBe(true)
      await source.commit(at(2), { allowBackwards: true })
      expect((await source.committed([place]))[0]?.offset).toBe(2)
    },
  },

  'only what is ours is committed, or what goes with it': {
    run: async (world) => {
      const topic = await filled(world, 1)
      const other = await world.port.topic()
      const place = firstOf(topic)
      await using source = await world.reader(topic.name)
      await readCount(source, 1)
      const foreign = { ...firstOf(other), offset: 0, leaderEpoch: -1, metadata: '' }
      const error = await rejectionOf(source.commit([foreign]))
      expect(isMillraceError(error, 'MILLRACE_CLIENT_NOT_OWNED')).toBe(true)
      await source.commit([{ ...foreign, heldBy: place }])
      expect(await source.committed([firstOf(other)])).toHaveLength(1)
    },
  },

  'who comes next goes on where the last one has committed': {
    run: async (world) => {
      const topic = await filled(world, 20)
      const place = firstOf(topic)
      const groupId = world.port.name('group')
      for (const from of [0, 8]) {
        await using source = await world.reader(topic.name, {}, groupId)
        const [batch] = await source.poll({ maxRecords: 8 })
        expect(recordsOf(batch === undefined ? [] : [batch])[0]?.offset).toBe(from)
        const offset = batch?.nextOffset ?? 0
        await source.commit([{ ...place, offset, leaderEpoch: -1, metadata: '' }])
      }
    },
  },

  'who closes may commit what it gives up, and has left the group then': {
    run: async (world) => {
      const topic = await filled(world, 5)
      const place = firstOf(topic)
      const groupId = world.port.name('group')
      const events: string[] = []
      const source = world.source(groupId, {
        onRevoked: async (partitions) => {
          events.push(`revoked ${partitions.length}`)
          await source.commit([{ ...place, offset: 5, leaderEpoch: -1, metadata: 'last' }])
          events.push('committed')
        },
        onLost: () => void events.push('lost'),
      })
      source.subscribe(topic.name)
      await readCount(source, 5)
      expect(source.groupMetadata().groupId).toBe(groupId)
      expect(source.groupMetadata().memberId).not.toBe('')
      const polled = source.poll()
      await source.close({ leave: true })
      expect(await polled).toEqual([])
      expect(events).toEqual(['revoked 1', 'committed'])
      const group = await world.client.admin().groups.describe(groupId)
      expect(group.members).toEqual([])
      const closed = await rejectionOf(source.poll())
      expect(isMillraceError(closed, 'MILLRACE_CLIENT_CLOSED')).toBe(true)
      const other = world.source(groupId)
      expect(await other.committed([place])).toMatchObject([{ offset: 5, metadata: 'last' }])
      await other.close()
    },
  },

  'a source that is closed before it has joined leaves nobody behind': {
    run: async (world) => {
      const topic = await filled(world, 1)
      const groupId = world.port.name('group')
      const source = world.source(groupId)
      source.subscribe(topic.name)
      await source.close({ leave: true })
      await using next = await world.reader(topic.name, {}, groupId)
      expect(await readCount(next, 1)).toHaveLength(1)
      const idle = world.source(world.port.name('group'))
      await idle.close()
    },
  },

  'two members share the partitions, and hand them over without a loss': {
    run: async (world) => {
      const partitions = 4
      const topic = await filled(world, 50, partitions)
      const groupId = world.port.name('group')
      await using first = new Member(world, topic, groupId)
      const seen = (...members: Member[]) =>
        new Set(
          members.flatMap(({ records }) =>
            records.map(({ partition, offset }) => `${partition}:${offset}`),
          ),
        ).size
      const until = (what: string, isSo: () => boolean) =>
        world.port.eventually(what, () => Promise.resolve(isSo() ? true : undefined))
      await until('the first reads all', () => seen(first) === 200)
      const second = new Member(world, topic, groupId)
      await until(
        'both have some',
        () => first.partitions.size === 2 && second.partitions.size === 2,
      )
      expect(new Set([...first.partitions, ...second.partitions]).size).toBe(partitions)
      const places = placesOf(topic, partitions)
      await world.send(places.flatMap(({ partition }) => numbered(topic, 50, partition)))
      await until('both read what is new', () => seen(first, second) === 400)
      await second.close({ leave: true })
      await until('the first has all', () => first.partitions.size === partitions)
      await world.send(places.flatMap(({ partition }) => numbered(topic, 10, partition)))
      await until('it reads on', () => seen(first, second) === 440)
    },
  },

  'what goes to another member is given up only when the callback has resolved': {
    feature: 'awaitedRevocation',
    run: async (world) => {
      const { events, isCommitted } = await rebalanced(world)
      expect(events).toEqual(['revoked'])
      expect(isCommitted).toBe(true)
    },
    without: async (world) => {
      const { events, isCommitted } = await rebalanced(world)
      expect(events).toEqual(['lost'])
      expect(isCommitted).toBe(false)
    },
  },

  'a static member has a name': optionCase('staticMembership', { groupInstanceId: 'one' }),
  'the newer protocol can be asked for': optionCase('consumerProtocol', {
    groupProtocol: 'consumer',
  }),
  'an assignor of the broker can be asked for': optionCase('consumerProtocol', {
    remoteAssignor: 'uniform',
  }),
  'an assignor can be chosen': optionCase('assignors', { assignors: ['range'] }),

  'topics are subscribed by a pattern': {
    feature: 'topicPatterns',
    run: async (world) => {
      const topic = await filled(world, 1)
      await using source = await world.reader(new RegExp(`^${topic.name}$`), {
        groupProtocol: 'classic',
      })
      expect(await readCount(source, 1)).toHaveLength(1)
    },
    without: async (world) => {
      const source = world.source(world.port.name('group'))
      expect(() => source.subscribe(/./)).toThrow(/no patterns/)
      await source.close()
    },
  },

  'a topic that is not there yet is waited for': {
    run: async (world) => {
      const name = world.port.name('later')
      await using source = await world.reader([name])
      expect(await source.poll({ timeoutMs: 100 })).toEqual([])
      const topic = await world.port.topic({ name })
      await world.send(numbered(topic, 1))
      expect(await readCount(source, 1)).toHaveLength(1)
    },
  },

  'several topics are read by one member': {
    run: async (world) => {
      const topics = [await filled(world, 5, 2), await filled(world, 5)]
      await using source = await world.reader(topics.map(({ name }) => name))
      const read = await readCount(source, 15)
      expect(new Set(read.map(({ topic }) => topic)).size).toBe(2)
    },
  },
}

/** What a member is told when another joins, and whether it could commit then. */
async function rebalanced(world: DriverWorld) {
  const topic = await filled(world, 5, 2)
  const groupId = world.port.name('group')
  const events: string[] = []
  let isCommitted: boolean | undefined
  const told = (what: string) => async (partitions: readonly { partition: number }[]) => {
    events.push(what)
    const [given] = partitions.map(({ partition }) => ({ topic: topic.name, partition }))
    const offset = { ...(given ?? firstOf(topic)), offset: 5, leaderEpoch: -1, metadata: '' }
    isCommitted = await source.commit([offset]).then(
      () => true,
      () => false,
    )
  }
  const source = world.source(groupId, { onRevoked: told('revoked'), onLost: told('lost') })
  source.subscribe(topic.name)
  await readCount(source, 10)
  const reading = (async () => {
    while (isCommitted === undefined) await source.poll({ timeoutMs: 20 })
  })()
  await using other = new Member(world, topic, groupId)
  await reading
  const found = { events: [...events], isCommitted }
  await other.close({ leave: true })
  await source.close({ leave: true })
  return found
}

/**
 * Promise: on any Kafka, in both protocols of groups, services share partitions and hand them over, and repeat nothing.
 *
 * Proves: 3, 5, 8
 */
import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { RecordConsumerOptions, RecordReader } from '../../src/runtime/index.ts'
import { inBothProtocols, runtimeConformance, until } from './runtime-world.ts'
import type { GroupProtocol, RuntimeWorld } from './runtime-world.ts'

const partitions = 6

/** A member of a group, and what it has handled. */
interface Member {
  readonly seen: string[]
  readonly partitions: Set<number>
  readonly consumer: RecordReader
}

class Members {
  readonly #world: RuntimeWorld
  readonly #options: Omit<RecordConsumerOptions, 'kafka' | 'handler'>
  readonly all: Member[] = []

  constructor(
    world: RuntimeWorld,
    protocol: GroupProtocol,
    options: Omit<RecordConsumerOptions, 'kafka' | 'handler'>,
  ) {
    this.#world = world
    this.#options = { ...options, group: { ...memberOptions(protocol), ...options.group } }
  }

  async start(
    changes: Partial<RecordConsumerOptions> = {},
    workMs: () => number = () => 1,
  ): Promise<Member> {
    const seen: string[] = []
    const owned = new Set<number>()
    const consumer = await this.#world.records({
      ...this.#options,
      ...changes,
      group: { ...this.#options.group, ...changes.group },
      handler: async ({ value }, { partition }) => {
        owned.add(partition)
        await new Promise((resolve) => setTimeout(resolve, workMs()))
        seen.push(String(value))
      },
    })
    const member = { seen, partitions: owned, consumer }
    this.all.push(member)
    return member
  }

  get seen(): string[] {
    return this.all.flatMap(({ seen }) => seen)
  }
}

/** In the newer protocol the cluster says how often members are heard of. */
function memberOptions(groupProtocol: GroupProtocol) {
  return groupProtocol === 'classic'
    ? { groupProtocol, heartbeatIntervalMs: 300 }
    : { groupProtocol }
}

/** Sends `count` records to each partition, no two of which have the same value. */
async function fill(world: RuntimeWorld, topic: string, count: number) {
  const name = randomUUID()
  const each = Array.from({ length: count }, (_, index) => index)
  await world.send(
    Array.from({ length: partitions }, (_, partition) =>
      each.map((index) => ({
        ...{ topic, partition, key: `k-${index % 7}` },
        value: `${name} ${partition} ${index}`,
      })),
    ).flat(),
  )
}

runtimeConformance(
  'runtime: groups',
  inBothProtocols((protocol) => ({
    'members come and go under load, and every record is handled once': async (world) => {
      const topic = (await world.port.topic({ partitions })).name
      const members = new Members(world, protocol, {
        ...{ topics: topic, groupId: world.port.name('group') },
      })
      const first = await members.start()
      await fill(world, topic, 50)
      await until(() => expect(first.seen.length).toBeGreaterThan(100))
      const second = await members.start()
      await until(async () => {
        await fill(world, topic, 1)
        expect(second.partitions.size).toBeGreaterThan(0)
      })
      await fill(world, topic, 50)
      await first.consumer.disconnect()
      await fill(world, topic, 20)
      const sent = await totalOf(world, topic)
      await until(() => expect(new Set(members.seen).size).toBe(sent))
      expect(members.seen).toHaveLength(sent)
    },

    'a member that is told to end lets handlers end, commits, and leaves': async (world) => {
      const topic = (await world.port.topic({ partitions })).name
      const groupId = world.port.name('group')
      const members = new Members(world, protocol, {
        ...{ topics: topic, groupId },
        // What is committed is what the end commits.
        commit: { intervalMs: 600_000, countMax: 1_000_000 },
      })
      const slow = await members.start({}, () => 300)
      await fill(world, topic, 4)
      await until(() => expect(slow.partitions.size).toBe(partitions))
      await slow.consumer.disconnect()
      const handled = slow.seen.length
      expect(handled).toBeGreaterThan(0)
      const { members: left } = await world.client.admin().groups.describe(groupId)
      expect(left).toEqual([])
      await members.start()
      await until(() => expect(new Set(members.seen).size).toBe(4 * partitions))
      expect(members.seen).toHaveLength(4 * partitions)
    },

    'a static member that is started again has its partitions, and nobody else is troubled': async (
      world,
    ) => {
      const topic = (await world.port.topic({ partitions })).name
      const members = new Members(world, protocol, {
        ...{ topics: topic, groupId: world.port.name('group') },
      })
      const named = (groupInstanceId: string) => members.start({ group: { groupInstanceId } })
      const steady = await named('steady')
      const before = await named('restarted')
      await until(async () => {
        await fill(world, topic, 1)
        expect(before.partitions.size).toBeGreaterThan(0)
      })
      // From here on it counts who has what.
      for (const member of [steady, before]) member.partitions.clear()
      await fill(world, topic, 2)
      await until(() => expect(steady.partitions.size + before.partitions.size).toBe(partitions))
      await before.consumer.disconnect()
      const after = await named('restarted')
      steady.partitions.clear()
      await fill(world, topic, 3)
      const sent = await totalOf(world, topic)
      await until(() => expect(new Set(members.seen).size).toBe(sent))
      expect([...after.partitions].sort()).toEqual([...before.partitions].sort())
      expect(members.seen).toHaveLength(sent)
    },
  })),
)

runtimeConformance('runtime: from one protocol of groups to the other', {
  'members of both protocols share a group while it is upgraded, and repeat nothing': async (
    world,
  ) => {
    const topic = (await world.port.topic({ partitions })).name
    const options = { topics: topic, groupId: world.port.name('group') }
    const old = await new Members(world, 'classic', options).start()
    await fill(world, topic, 20)
    await until(() => expect(old.seen).toHaveLength(20 * partitions))
    const next = await new Members(world, 'consumer', options).start()
    await until(async () => {
      await fill(world, topic, 1)
      expect(next.partitions.size).toBeGreaterThan(0)
    })
    await old.consumer.disconnect()
    await fill(world, topic, 20)
    const sent = await totalOf(world, topic)
    const seen = () => [...old.seen, ...next.seen]
    await until(() => expect(new Set(seen()).size).toBe(sent))
    expect(seen()).toHaveLength(sent)
  },
})

async function totalOf(world: RuntimeWorld, topic: string): Promise<number> {
  const ends = await world.endsOf(topic, partitions)
  return ends.reduce((sum, { offset }) => sum + offset, 0)
}

import type { Consumer } from 'kafkajs'
import { expect, it } from 'vitest'
import type { Cluster } from '../clients/kafkajs/cluster.ts'
import { numbered, startScenario, until, valueOf, valuesOf } from './scenario.ts'

/* The partitions of a topic belong to the members of a group, each to one, as members come and go. */

interface Member {
  readonly consumer: Consumer
  readonly values: string[]
  /** The member's id and its partitions, as of the last join. */
  id: string
  partitions: readonly number[]
}

async function join(clients: Cluster): Promise<Member> {
  const consumer = await clients.consumer({ groupId: 'billing' })
  const member: Member = { consumer, values: [], id: '', partitions: [] }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    member.id = payload.memberId
    member.partitions = payload.memberAssignment['orders'] ?? []
  })
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      member.values.push(valueOf(message) ?? '')
      await Promise.resolve()
    },
  })
  return member
}

it('two members share, and the one that stays takes over from the one that leaves', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders', { partitions: 4 })
  const producer = await clients.producer()
  const one = await join(clients)
  await until('one has all', () => one.partitions.length === 4)
  const two = await join(clients)
  await until('they share', () => one.partitions.length === 2 && two.partitions.length === 2)
  expect([...one.partitions, ...two.partitions].sort()).toEqual([0, 1, 2, 3])
  const shared = numbered(100)
  await producer.send({ topic: 'orders', messages: shared })
  const all = () => [...one.values, ...two.values].sort()
  await until('100 records', () => all().length >= 100)
  expect(all()).toEqual(valuesOf(shared).sort())
  expect(two.values.length).toBeGreaterThan(0)
  await two.consumer.disconnect()
  await until('one has all again', () => one.partitions.length === 4)
  await producer.send({ topic: 'orders', messages: numbered(100, 100) })
  await until('100 more', () => all().length >= 200)
  expect(new Set(all()).size).toBe(200)
})

it('a member whose session has ended loses its partitions, and joins again', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders', { partitions: 4 })
  const member = await join(clients)
  await until('it has all', () => member.partitions.length === 4)
  const before = member.id
  await broker.expireSession('billing', before)
  await until('it has joined again', () => member.id !== before)
  expect(member.partitions).toHaveLength(4)
})

it('a group goes on when its coordinator moves to another node', async () => {
  await using scenario = await startScenario({ nodes: 2 })
  const { broker, clients } = scenario
  await broker.createTopic('orders', { partitions: 2 })
  const member = await join(clients)
  await until('it has all', () => member.partitions.length === 2)
  broker.moveCoordinator('group', 'billing', 1)
  broker.moveCoordinator('group', 'billing', 2)
  const producer = await clients.producer()
  await producer.send({ topic: 'orders', messages: numbered(20) })
  await until('20 records', () => new Set(member.values).size === 20)
  const { groups } = await (await clients.admin()).describeGroups(['billing'])
  expect(groups[0]?.members.map(({ memberId }) => memberId)).toEqual([member.id])
})

import assert from 'node:assert/strict'
import type { Consumer } from 'kafkajs'
import { until, valueOf, type Case, type Cluster } from './cluster.ts'

interface Member {
  readonly consumer: Consumer
  readonly values: string[]
  /** Partitions, as of the last join. */
  partitions: number
}

async function join(cluster: Cluster, groupId: string, topic: string): Promise<Member> {
  const consumer = await cluster.consumer({ groupId })
  const member: Member = { consumer, values: [], partitions: 0 }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    member.partitions = payload.memberAssignment[topic]?.length ?? 0
  })
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachMessage: ({ message }) => {
      member.values.push(valueOf(message) ?? '')
      return Promise.resolve()
    },
  })
  return member
}

async function joinAndLeave(cluster: Cluster): Promise<void> {
  const topic = await cluster.topic(4)
  const groupId = cluster.name('group')
  const producer = await cluster.producer()
  const one = await join(cluster, groupId, topic)
  await until('one has all', () => one.partitions === 4)
  const two = await join(cluster, groupId, topic)
  await until('they share', () => one.partitions === 2 && two.partitions === 2)
  const messages = Array.from({ length: 100 }, (_, index) => ({
    key: `key-${index}`,
    value: `value-${index}`,
  }))
  await producer.send({ topic, messages })
  await until('100 records', () => new Set([...one.values, ...two.values]).size === 100)
  await two.consumer.disconnect()
  await until('one has all again', () => one.partitions === 4)
}

async function goesOn(cluster: Cluster): Promise<void> {
  const topic = await cluster.topic(1)
  const groupId = cluster.name('group')
  const producer = await cluster.producer()
  await producer.send({ topic, messages: [{ value: 'first' }] })
  const one = await join(cluster, groupId, topic)
  await until('the first record', () => one.values.length === 1)
  await one.consumer.disconnect()
  await producer.send({ topic, messages: [{ value: 'second' }] })
  const two = await join(cluster, groupId, topic)
  await until('the second record', () => two.values.length > 0)
  assert.deepEqual(two.values, ['second'])
}

async function seek(cluster: Cluster): Promise<void> {
  const topic = await cluster.topic(1)
  const producer = await cluster.producer()
  const messages = Array.from({ length: 20 }, (_, index) => ({ value: `value-${index}` }))
  await producer.send({ topic, messages })
  const member = await join(cluster, cluster.name('group'), topic)
  await until('20 records', () => member.values.length === 20)
  member.consumer.seek({ topic, partition: 0, offset: '13' })
  await until('records from 13 on', () => member.values.length === 27)
  assert.equal(member.values[20], 'value-13')
}

export const groupCases: readonly Case[] = [
  { name: 'group: members join and leave, nothing is missed', body: joinAndLeave },
  { name: 'group: a member goes on where the last one committed', body: goesOn },
  { name: 'group: seek goes to an offset within a batch', body: seek },
]

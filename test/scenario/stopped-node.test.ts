import { expect, it } from 'vitest'
import { numbered, startScenario, until, valueOf, valuesOf } from './scenario.ts'

/* With one of three nodes stopped, kafkajs clients go on: no acknowledged record is missed. */

it.each(['gently', 'abruptly'] as const)('a node is stopped %s, and comes back', async (how) => {
  await using scenario = await startScenario({ nodes: 3 })
  const { broker, clients } = scenario
  await broker.createTopic('orders', { partitions: 6, replicas: 3 })
  const producer = await clients.producer({ idempotent: true, maxInFlightRequests: 1 })
  const values = new Set<string>()
  const consumer = await clients.consumer({ groupId: 'billing' })
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      values.add(valueOf(message) ?? '')
      await Promise.resolve()
    },
  })
  const sent = numbered(90)
  // One record a time: kafkajs loses records of a send to several nodes when one of their leaders
  // moves to a node that has answered its part of that send already.
  const send = async (from: number) => {
    for (const message of sent.slice(from, from + 30)) {
      await producer.send({ topic: 'orders', messages: [message] })
    }
  }
  await send(0)
  await until('30 records', () => values.size === 30)
  await broker.stopNode(2, how)
  await send(30)
  await until('60 records', () => values.size === 60)
  expect([0, 1, 2, 3, 4, 5].map((index) => broker.leader('orders', index))).not.toContain(2)
  await broker.startNode(2)
  await send(60)
  await until('90 records', () => values.size === 90)
  expect([...values].sort()).toEqual(valuesOf(sent).sort())
})

it('too few replicas in sync refuse a record that all of them should have', async () => {
  await using scenario = await startScenario({ nodes: 3 })
  const { broker, clients } = scenario
  const configs = { 'min.insync.replicas': '2' }
  await broker.createTopic('orders', { partitions: 1, replicas: 3, configs })
  const producer = await clients.producer({ retry: { retries: 1, initialRetryTime: 10 } })
  const send = (value: string, acks = -1) =>
    producer.send({ topic: 'orders', acks, messages: [{ value }] })
  await broker.stopNode(3)
  await send('two are enough')
  await broker.stopNode(2)
  await expect(send('one is not')).rejects.toMatchObject({
    cause: { type: 'NOT_ENOUGH_REPLICAS' },
  })
  await send('unless one is asked for', 1)
  const stored = broker.records('orders').map(({ value }) => value?.toString())
  expect(stored).toEqual(['two are enough', 'unless one is asked for'])
})

import type { Producer } from 'kafkajs'
import { expect, it } from 'vitest'
import type { Cluster } from '../clients/kafkajs/cluster.ts'
import { numbered, startScenario, until, valueOf } from './scenario.ts'

/* What a kafkajs transaction wrote, and the offsets it carried, count together or not at all. */

function transactional(clients: Cluster, transactionalId: string): Promise<Producer> {
  return clients.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
}

it('read, write and commit the offsets in one: each record is handled exactly once', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders')
  await broker.createTopic('bills', { partitions: 2 })
  const source = await clients.producer()
  const producer = await transactional(clients, 'billing')
  const consumer = await clients.consumer({ groupId: 'billing' })
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  let attempts = 0
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, partition, message }) => {
      attempts += 1
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'bills', messages: [{ value: message.value }] })
      const next = String(Number(message.offset) + 1)
      await transaction.sendOffsets({
        consumerGroupId: 'billing',
        topics: [{ topic, partitions: [{ partition, offset: next }] }],
      })
      if (attempts !== 3) return transaction.commit()
      await transaction.abort()
      throw new Error('the third attempt fails')
    },
  })
  await source.send({ topic: 'orders', messages: numbered(8) })
  const bills = await clients.read('bills', 8)
  const expected = numbered(8).map(({ value }) => value)
  expect(bills.map(valueOf).sort()).toEqual(expected)
  expect(attempts).toBe(9)
  const admin = await clients.admin()
  await until('the last offset', async () => {
    const [committed] = await admin.fetchOffsets({ groupId: 'billing', topics: ['orders'] })
    return committed?.partitions[0]?.offset === '8'
  })
})

it('an aborted transaction is seen only by those who read what is uncommitted', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders')
  const producer = await transactional(clients, 'shop')
  for (const [value, commits] of [['kept', true] as const, ['dropped', false] as const]) {
    const transaction = await producer.transaction()
    await transaction.send({ topic: 'orders', messages: [{ value }] })
    await (commits ? transaction.commit() : transaction.abort())
  }
  const last = await producer.transaction()
  await last.send({ topic: 'orders', messages: [{ value: 'last' }] })
  await last.commit()
  expect((await clients.read('orders', 2)).map(valueOf)).toEqual(['kept', 'last'])
  const uncommitted = await clients.read('orders', 3, true)
  expect(uncommitted.map(valueOf)).toEqual(['kept', 'dropped', 'last'])
})

it('the second producer of a transactional id ends the first one', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders')
  const first = await (await transactional(clients, 'shop')).transaction()
  await first.send({ topic: 'orders', messages: [{ value: 'of the first' }] })
  const second = await (await transactional(clients, 'shop')).transaction()
  await expect(first.commit()).rejects.toMatchObject({ type: 'INVALID_PRODUCER_EPOCH' })
  await second.send({ topic: 'orders', messages: [{ value: 'of the second' }] })
  await second.commit()
  expect((await clients.read('orders', 1)).map(valueOf)).toEqual(['of the second'])
})

it('a transaction that takes longer than it said is aborted', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders')
  const producer = await clients.producer({
    ...{ transactionalId: 'shop', idempotent: true, maxInFlightRequests: 1 },
    transactionTimeout: 60_000,
  })
  const transaction = await producer.transaction()
  await transaction.send({ topic: 'orders', messages: [{ value: 'too late' }] })
  await broker.advanceTime(61_000)
  await broker.abortTimedOutTransactions()
  await until('its marker', () => broker.batches('orders').length === 2)
  await expect(transaction.commit()).rejects.toThrow()
})

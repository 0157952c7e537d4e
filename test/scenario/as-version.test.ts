import { describe, expect, it } from 'vitest'
import { releaseNames } from '../../src/broker/index.ts'
import { createClient } from '../../src/client/index.ts'
import { startBroker } from '../../src/testing/index.ts'

/* The client does its work with whatever release of Kafka it meets. */

describe.each(releaseNames)('the client, and a broker that passes for Kafka %s', (asVersion) => {
  it('writes, reads, commits and administers', async () => {
    await using kafka = await startBroker({ asVersion })
    await using client = createClient({ brokers: kafka.bootstrap })
    const admin = client.admin()
    await admin.topics.create({ name: 'orders', partitions: 2 })
    await using producer = client.producer()
    await producer.send({ topic: 'orders', key: 'a', value: 'plain' })
    await using transactions = client.transactionalProducer({ transactionalId: 'writer' })
    await transactions.transaction(async (transaction) => {
      await transaction.send({ topic: 'orders', key: 'a', value: 'in a transaction' })
    })
    await using consumer = client.consumer({ groupId: 'readers', offsetReset: 'earliest' })
    consumer.subscribe(['orders'])
    const values: string[] = []
    for await (const batch of consumer) {
      for (const { value } of batch) values.push(String(value))
      await consumer.commit()
      if (values.length >= 2) break
    }
    expect(values).toEqual(['plain', 'in a transaction'])
    const groups = await admin.groups.list()
    expect(groups.map(({ groupId }) => groupId)).toContain('readers')
    const described = await admin.topics.describe('orders')
    expect(described.partitions).toHaveLength(2)
    const configs = await admin.configs.describe({ type: 'topic', name: 'orders' })
    expect(configs).toBeDefined()
  })
})

import { describe, expect, it } from 'vitest'
import { startBroker } from '../../testing/index.ts'
import { TestClient } from './fixture/connect.ts'

describe('Producer', () => {
  it('writes a record, and says where', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic('orders', { partitions: 3 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer()
    const first = await producer.send({ topic: 'orders', key: 'o-1', value: 'created' })
    const second = await producer.send({ topic: 'orders', key: 'o-1', value: 'paid' })
    expect([first.offset, second.offset]).toEqual([0, 1])
    expect(second.partition).toBe(first.partition)
    const stored = kafka.records('orders', first.partition)
    expect(stored.map(({ key, value }) => `${key}=${value}`)).toEqual(['o-1=created', 'o-1=paid'])
    expect(stored.map(({ timestamp }) => timestamp)).toEqual([first.timestamp, second.timestamp])
  })

  it('answers an array in its order, whatever the partitions', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic('one', { partitions: 4 })
    await kafka.createTopic('two', { partitions: 2 })
    await using client = new TestClient(kafka.bootstrap)
    const records = Array.from({ length: 1_000 }, (_, index) => ({
      topic: index % 3 === 0 ? 'one' : 'two',
      key: `key-${index % 17}`,
      value: `value-${index}`,
    }))
    const results = await client.producer().send(records)
    expect(results.length).toBe(1_000)
    for (const [index, result] of results.toArray().entries()) {
      const { topic, partition, offset } = result
      expect(kafka.records(topic, partition)[offset]?.value?.toString()).toBe(`value-${index}`)
    }
  })

  it('says at once that its login is refused', async () => {
    await using kafka = await startBroker({ users: { alice: 'right' } })
    const credentials = { username: 'alice', password: 'wrong' }
    const sasl = { mechanism: 'SCRAM-SHA-256', credentials } as const
    await using client = new TestClient(kafka.bootstrap, { sasl })
    const sent = client.producer().send({ topic: 'orders', value: 'created' })
    await expect(sent).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_NOT_DELIVERED',
      definitelyNotWritten: true,
      cause: { code: 'MILLRACE_CLIENT_LOGIN_FAILED' },
    })
  })
})

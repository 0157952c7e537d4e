import { describe, expect, it, vi } from 'vitest'
import { defineEvent, defineTopic, Type } from '../../contract/index.ts'
import { startRuntimeWorld } from '../fixture/runtime-world.ts'
import { createConsumer } from './create-consumer.ts'
import { createProducer } from './create-producer.ts'

const quiet = { log: () => undefined, signals: false, start: 'earliest' } as const

describe('createConsumer', () => {
  it('reads records as they are, and puts away what cannot be handled', async () => {
    await using world = await startRuntimeWorld({ orders: 3 })
    await using producer = createProducer({ kafka: world.newDriver(), log: quiet.log })
    await producer.send([
      { topic: 'orders', key: 'a', value: 'not JSON {' },
      { topic: 'orders', key: 'b', value: 'bad' },
      { topic: 'orders', key: 'c', value: null },
    ])
    const seen: (string | undefined)[] = []
    await using consumer = createConsumer({
      ...quiet,
      kafka: world.newDriver(),
      groupId: 'audit',
      topics: 'orders',
      errors: [() => 'deadLetter'],
      handler: async (record, { topic, partition, offset }) => {
        await Promise.resolve()
        expect([topic, partition >= 0, offset >= 0]).toEqual(['orders', true, true])
        if (record.value?.toString() === 'bad') throw new Error('no')
        seen.push(record.value?.toString())
      },
    })
    await consumer.connect()
    const running = consumer.run()
    await vi.waitFor(() => expect(seen.sort()).toEqual(['not JSON {', undefined]), 10_000)
    const { offsets } = world.driver.admin()
    await vi.waitFor(async () => {
      const places = [0, 1, 2].map((partition) => ({
        topic: 'orders.dlq',
        partition,
        at: 'latest' as const,
      }))
      const ends = await offsets.findMany(places)
      expect(
        ends.reduce((sum, end) => sum + (end.error === undefined ? (end.offset ?? 0) : 0), 0),
      ).toBe(1)
    })
    await consumer.disconnect()
    await running
  })

  it('reads all topics whose names match', async () => {
    await using world = await startRuntimeWorld({ 'audit.a': 1, 'audit.b': 1, other: 1 })
    await using producer = createProducer({ kafka: world.newDriver(), log: quiet.log })
    const topics = ['audit.a', 'audit.b', 'other']
    await producer.send(topics.map((topic) => ({ topic, value: topic })))
    const seen: string[] = []
    await using consumer = createConsumer({
      ...quiet,
      kafka: world.newDriver(),
      groupId: 'audit',
      pattern: /^audit\.[a-z]$/,
      handler: (record, { topic }) => void seen.push(topic),
    })
    const running = consumer.run()
    await vi.waitFor(() => expect(seen.sort()).toEqual(['audit.a', 'audit.b']), 10_000)
    await consumer.disconnect()
    await running
    expect(seen).toHaveLength(2)
  })

  it('refuses what it cannot be, by name', () => {
    const kafka = { brokers: 'localhost:1' }
    const handler = () => undefined
    const make = (options: object) => () =>
      createConsumer({ kafka, groupId: 'g', handler, log: quiet.log, ...options })
    expect(make({})).toThrow(/topics or pattern must be given/)
    expect(make({ topics: 'a', pattern: /a/ })).toThrow(/topics or pattern/)
    expect(make({ topics: 'a', concurency: 3 })).toThrow(/did you mean .*concurrency/)
    expect(make({ topics: 'a', handler: 3 })).toThrow(/handler must be a function/)
    expect(make({ topics: 'a', topicPolicy: 'make' })).toThrow(
      /topicPolicy \('make'\) must be one of 'create', 'warn', 'refuse'/,
    )
  })
})

describe('createProducer', () => {
  it('publishes events by their contract, and refuses what it does not allow', async () => {
    await using world = await startRuntimeWorld({ orders: 2 })
    const OrderCreated = defineEvent('ORDER_CREATED', {
      data: Type.Object({ orderId: Type.String() }),
    })
    const orders = defineTopic('orders', {
      events: [OrderCreated],
      key: ({ data }) => data.orderId,
    })
    await using producer = createProducer({
      kafka: world.newDriver(),
      topics: [orders],
      log: quiet.log,
    })
    await producer.connect()
    const { topic, offset } = await producer.publish(OrderCreated, { orderId: 'o-1' })
    expect([topic, offset]).toEqual(['orders', 0])
    await expect(producer.publish(OrderCreated, { orderId: 1 as never })).rejects.toThrow(/orderId/)
  })
})

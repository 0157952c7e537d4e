/**
 * Promise: a service on any Kafka handles what its contracts say, from where it was told to begin.
 *
 * Proves: 1, 3
 */
import { expect } from 'vitest'
import { defineEvent, defineTopic, Type } from '../../src/contract/index.ts'
import { runtimeConformance, soonest, until } from './runtime-world.ts'

const OrderCreated = defineEvent('ORDER_CREATED', { data: Type.Object({ orderId: Type.String() }) })
const OrderShipped = defineEvent('ORDER_SHIPPED', { data: Type.Object({ orderId: Type.String() }) })

function ordersTopic(name: string) {
  return defineTopic(name, {
    events: [OrderCreated, OrderShipped],
    key: ({ data }) => data.orderId,
    partitions: 3,
  })
}

runtimeConformance('runtime: events', {
  'a service makes its topic as the contract says, and what a handler publishes names its cause':
    async (world) => {
      const orders = ordersTopic(world.port.name('orders'))
      const service = world.service()
      const shipped: (string | undefined)[][] = []
      service
        .consumer(orders, soonest)
        .on(OrderCreated, async ({ data }, { publish }) => {
          await publish(OrderShipped, data)
        })
        .on(OrderShipped, ({ data }, context) => {
          shipped.push([
            data.orderId,
            context.header('causation-id'),
            context.header('correlation-id'),
          ])
        })
      await service.start()
      const ids = ['o-1', 'o-2', 'o-3', 'o-4']
      await service.publishMany(
        ids.map((orderId) => ({
          event: OrderCreated,
          data: { orderId },
          options: { id: `cause-${orderId}`, headers: { 'correlation-id': `all-${orderId}` } },
        })),
      )
      await until(() => expect(shipped).toHaveLength(4))
      expect(shipped.sort()).toEqual(ids.map((id) => [id, `cause-${id}`, `all-${id}`]))
      const { partitions } = await world.client.admin().topics.describe(orders.name)
      expect(partitions).toHaveLength(3)
    },

  'an event that comes again under its id is handled once': async (world) => {
    const orders = ordersTopic(world.port.name('orders'))
    const service = world.service()
    const timestamp = Date.now()
    const handled: string[] = []
    service.consumer(orders, soonest).on(OrderCreated, ({ id }) => void handled.push(id))
    await service.start()
    for (const id of ['a', 'a', 'b', 'a', 'last']) {
      // Only what is the same in every byte is the same event.
      await service.publish(OrderCreated, { orderId: 'o-1' }, { id, timestamp })
    }
    await until(() => expect(handled).toEqual(['a', 'b', 'last']))
  },

  'a new group begins at the end unless it is told otherwise, and goes on where it was': async (
    world,
  ) => {
    const topic = (await world.port.topic()).name
    const groupId = world.port.name('group')
    const values = async (...list: string[]) => {
      await world.send(list.map((value) => ({ topic, value })))
    }
    const seen: string[] = []
    const options = {
      topics: topic,
      groupId,
      start: 'latest',
      handler: ({ value }: { readonly value: Buffer | null }) => void seen.push(String(value)),
    } as const
    await values('before-1', 'before-2')
    const reader = await world.records(options)
    await until(async () => expect(await world.committed(groupId, { topic, partition: 0 })).toBe(2))
    await values('while')
    await until(() => expect(seen).toEqual(['while']))
    await reader.disconnect()
    await values('between')
    await world.records(options)
    await until(() => expect(seen).toEqual(['while', 'between']))
  },

  'a new group begins at a time': async (world) => {
    const topic = (await world.port.topic({ partitions: 2 })).name
    const hourMs = 3_600_000
    const now = Date.now()
    const hours = [4, 3, 2, 1].map((ago) => now - ago * hourMs)
    await world.send(
      hours.flatMap((timestamp, index) =>
        [0, 1].map((partition) => ({
          topic,
          partition,
          timestamp,
          value: `${index}-${partition}`,
        })),
      ),
    )
    const seen: string[] = []
    await world.records({
      topics: topic,
      groupId: world.port.name('group'),
      start: new Date(now - 2.5 * hourMs),
      handler: ({ value }) => void seen.push(String(value)),
    })
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(4))
    expect(seen.sort()).toEqual(['2-0', '2-1', '3-0', '3-1'])
  },

  'createConsumer reads topics whose names match, also those that come later': async (world) => {
    const prefix = world.port.name('audit')
    const seen: string[] = []
    await world.port.topic({ name: `${prefix}.first` })
    await world.records({
      pattern: new RegExp(`^${prefix}\\.[a-z]+$`),
      groupId: world.port.name('group'),
      handler: ({ value }, context) => void seen.push(`${context.topic} ${String(value)}`),
    })
    await world.send([{ topic: `${prefix}.first`, value: 'one' }])
    await until(() => expect(seen).toEqual([`${prefix}.first one`]))
    await world.port.topic({ name: `${prefix}.second` })
    await world.send([{ topic: `${prefix}.second`, value: 'two' }])
    await until(() => expect(seen).toContain(`${prefix}.second two`))
  },

  'what publish sends can be read by any client: key, headers and envelope': async (world) => {
    const orders = ordersTopic(world.port.name('orders'))
    const service = world.service({ topics: [orders] })
    await service.connect()
    const timestamp = Date.now() - 60_000
    await service.publish(OrderCreated, { orderId: 'o-1' }, { id: 'e-1', timestamp, partition: 2 })
    const [record] = await world.recordsIn(orders.name, { partitions: 3 })
    expect(record).toMatchObject({ partition: 2, key: 'o-1', timestamp })
    const event = { id: 'e-1', type: 'ORDER_CREATED', timestamp, data: { orderId: 'o-1' } }
    expect(JSON.parse(record?.value ?? '')).toEqual(event)
    expect(Object.fromEntries(record?.headers ?? [])).toMatchObject({
      'event-type': 'ORDER_CREATED',
      'source-service': service.name,
    })
  },
})

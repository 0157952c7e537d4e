import { describe, expect, it, vi } from 'vitest'
import { defineEvent, defineTopic, Type } from '../../contract/index.ts'
import { startRuntimeWorld } from '../fixture/runtime-world.ts'
import { createService } from './service.ts'

/** Waits as long as a busy machine may need. */
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })

const OrderCreated = defineEvent('ORDER_CREATED', {
  data: Type.Object({ orderId: Type.String(), amount: Type.Number({ minimum: 0 }) }),
})
const OrderShipped = defineEvent('ORDER_SHIPPED', {
  data: Type.Object({ orderId: Type.String() }),
})
const orders = defineTopic('orders', {
  events: [OrderCreated, OrderShipped],
  key: ({ data }) => data.orderId,
})

describe('a service', () => {
  it('publishes typed events and handles them, and what it sends because of one says so', async () => {
    await using world = await startRuntimeWorld()
    await using service = createService({
      name: 'fulfilment',
      kafka: world.newDriver(),
      metrics: { port: 0 },
      log: () => undefined,
    })
    const shipped: string[] = []
    const causes: (string | undefined)[] = []
    service
      .consumer(orders, { start: 'earliest' })
      .on(OrderCreated, async ({ data }, { publish }) => {
        await publish(OrderShipped, { orderId: data.orderId })
      })
      .on(OrderShipped, ({ data }, { header }) => {
        shipped.push(data.orderId)
        causes.push(header('causation-id'))
      })
    await service.start()
    await service.publish(OrderCreated, { orderId: 'o-1', amount: 1 }, { id: 'cause' })
    await soon(() => expect(shipped).toEqual(['o-1']))
    expect(causes).toEqual(['cause'])
    const text = service.metrics.expose()
    expect(text).toContain(
      'kafka_events_processed_total{topic="orders",event_type="ORDER_CREATED",status="done"} 1',
    )
  })

  it('refuses what the contract does not allow before anything leaves', async () => {
    await using world = await startRuntimeWorld()
    await using service = createService({
      name: 'sender',
      kafka: world.newDriver(),
      topics: [orders],
      log: () => undefined,
    })
    await expect(service.publish(OrderCreated, { orderId: 'o-1', amount: -1 })).rejects.toThrow(
      /amount/,
    )
  })

  it('says where exactly-once is to be had, when it was made without', async () => {
    await using service = createService({
      ...{ name: 'pricing', metrics: false, log: () => undefined },
      kafka: { brokers: 'localhost:9' },
    })
    const refusal = expect.objectContaining({
      code: 'MILLRACE_OPTION_INVALID',
      message: expect.stringMatching(
        /^consumer\(orders\)\.exactlyOnce .* import createService .* from 'millrace'$/,
      ) as string,
    }) as Error
    expect(() => service.consumer(orders, { exactlyOnce: true })).toThrow(refusal)
    expect(() => service.records('orders', () => undefined, { exactlyOnce: {} })).toThrow(
      /exactlyOnce is not part of/,
    )
  })
})

/**
 * Promise: an event that comes again is not run again, in one process or in several that share a store.
 *
 * Proves: 3
 */
import { describe, expect, it, vi } from 'vitest'
import { defineEvent, defineTopic, Type } from '../../contract/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import { memoryDedupeStore } from '../../store/index.ts'
import type { DedupeStore } from '../../store/index.ts'
import { startRuntimeWorld } from '../fixture/runtime-world.ts'
import type { RuntimeWorld } from '../fixture/runtime-world.ts'
import { createService } from '../service/service.ts'
import { rateLimit } from './rate-limit.ts'

const OrderCreated = defineEvent('ORDER_CREATED', { data: Type.Object({ orderId: Type.String() }) })
const orders = defineTopic('orders', { events: [OrderCreated], key: ({ data }) => data.orderId })
const timeout = { timeout: 20_000 }

function newService(world: RuntimeWorld, name = 'fulfilment') {
  const service = createService({
    name,
    kafka: world.newDriver(),
    topics: [orders],
    metrics: false,
    log: () => undefined,
  })
  /** The same event every time: its id, its time and its bytes. */
  const publish = (id: string, partition: number, orderId = id) =>
    service.publish(OrderCreated, { orderId }, { id, partition, timestamp: 1_700_000_000_000 })
  const count = (metric: string) => {
    const line = new RegExp(`^${metric}(?:\\{.*\\})? (\\d+)`, 'm')
    return Number(line.exec(service.metrics.expose())?.[1] ?? 0)
  }
  return { service, publish, count }
}

describe('events that come more than once', () => {
  it('are run once, whichever partitions they come in; those with other bytes are all run', async () => {
    await using world = await startRuntimeWorld()
    const { service, publish, count } = newService(world)
    await using _ = service
    const seen: string[] = []
    service.consumer(orders, { start: 'earliest' }).on(OrderCreated, async ({ id, data }) => {
      await world.platform.clock.sleep(5)
      seen.push(`${id} of ${data.orderId}`)
    })
    await service.start()
    for (let round = 0; round < 3; round++) {
      for (const id of ['a', 'b', 'c']) await publish(id, round)
    }
    await publish('a', 3, 'another order')
    await vi.waitFor(() => expect(count('millrace_dedupe_hits_total')).toBe(6), timeout)
    await vi.waitFor(() => expect(seen).toHaveLength(4), timeout)
    expect(seen.sort()).toEqual(['a of a', 'a of another order', 'b of b', 'c of c'])
    expect(count('millrace_dedupe_conflicts_total')).toBe(1)
  })

  it('are run once by the members of a process that share a store, also when partitions move', async () => {
    await using world = await startRuntimeWorld({ orders: 6 })
    const store = memoryDedupeStore({ clock: createNodePlatform().clock })
    const seen: string[] = []
    const member = () => {
      const made = newService(world)
      made.service
        .consumer(orders, { start: 'earliest', dedupe: { store } })
        .on(OrderCreated, ({ id }) => void seen.push(id))
      return made
    }
    const [first, second] = [member(), member()]
    await using _ = first.service
    await using __ = second.service
    await first.service.start()
    const ids = Array.from({ length: 30 }, (_id, number) => `e-${number}`)
    await Promise.all(ids.map((id, number) => first.publish(id, number % 6)))
    await vi.waitFor(() => expect(seen).toHaveLength(30), timeout)
    await second.service.start()
    await Promise.all(ids.map((id, number) => first.publish(id, (number + 1) % 6)))
    await first.service.stop()
    await Promise.all(ids.map((id, number) => second.publish(id, (number + 2) % 6)))
    await second.publish('last', 0)
    await vi.waitFor(() => expect(seen).toContain('last'), timeout)
    await vi.waitFor(() => expect(second.count('millrace_dedupe_hits_total')).toBeGreaterThan(29))
    expect(seen).toHaveLength(31)
  })

  it('wait for a failing run without taking its attempts, and are dead letters of their own', async () => {
    await using world = await startRuntimeWorld({ orders: 2 })
    const { service, publish, count } = newService(world)
    await using _ = service
    const attempts: number[] = []
    service
      .consumer(orders, {
        start: 'earliest',
        retry: { attempts: 3, delayMs: 1, delayMsMax: 1 },
        handlerTimeoutMs: 5_000,
      })
      .on(OrderCreated, async (_event, { attempt }) => {
        attempts.push(attempt)
        await world.platform.clock.sleep(50)
        throw new Error('this one never works')
      })
    await service.start()
    await Promise.all([publish('a', 0), publish('a', 1)])
    const dead = 'kafka_events_processed_total\\{.*status="dead_lettered"\\}'
    await vi.waitFor(() => expect(count(dead)).toBe(2), timeout)
    expect(attempts.sort()).toEqual([1, 1, 2, 2, 3, 3])
  })
})

it('what waits for a store is not run and not dead-lettered; it is dropped when the service ends', async () => {
  await using world = await startRuntimeWorld()
  const { service, publish } = newService(world)
  const memory = memoryDedupeStore({ clock: world.platform.clock })
  let asked = 0
  const store: DedupeStore = {
    claim: () => {
      asked++
      return new Promise(() => undefined)
    },
    renew: (claim, ttlMs) => memory.renew(claim, ttlMs),
    confirm: (claim, rememberMs) => memory.confirm(claim, rememberMs),
    release: (claim) => memory.release(claim),
  }
  let runs = 0
  service
    .consumer(orders, {
      start: 'earliest',
      // Both are longer than the test may take.
      dedupe: { store, storeTimeoutMs: 600_000 },
      handlerTimeoutMs: 20,
      drainMs: 600_000,
      group: { rebalanceTimeoutMs: 1_800_000 },
    })
    .on(OrderCreated, () => runs++)
  await service.start()
  await publish('a', 0)
  await vi.waitFor(() => expect(asked).toBe(1), timeout)
  await world.platform.clock.sleep(60)
  // Nothing runs that could be waited for.
  await service.stop()
  expect([asked, runs]).toEqual([1, 0])
})

it('steps stand around all consumers, one consumer, and one handler, in this order', async () => {
  await using world = await startRuntimeWorld()
  const { service, publish, count } = newService(world)
  await using _ = service
  const way: string[] = []
  service.use((delivery, next) => (way.push('service'), next(delivery)))
  service
    .consumer(orders, { start: 'earliest', handlerTimeoutMs: 100 })
    .use((delivery, next) => (way.push('consumer'), next(delivery)))
    .on(OrderCreated, () => void way.push('first'), {
      use: [(delivery, next) => (way.push('event'), next(delivery)), rateLimit({ perSecond: 5 })],
    })
    .on(OrderCreated, () => void way.push('second'), { use: [rateLimit({ perSecond: 2.5 })] })
  await service.start()
  // The second waits for its turn longer than a handler may take: waiting is not running.
  await Promise.all([publish('a', 0), publish('b', 0)])
  const done = 'kafka_events_processed_total\\{.*status="done"\\}'
  await vi.waitFor(() => expect(count(done)).toBe(2), timeout)
  expect(way).toHaveLength(10)
  const once = ['service', 'consumer', 'event', 'first', 'second']
  expect(way.filter((name) => name === 'first')).toHaveLength(2)
  expect(way.slice(0, 5)).toEqual(once)
})

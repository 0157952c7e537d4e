/**
 * Promise: a range is read again through the handlers, and the group stays where it is.
 *
 * Proves: 1, 3
 */
import { describe, expect, it, vi } from 'vitest'
import { createClient } from '../../client/index.ts'
import { defineEvent, defineTopic, Type } from '../../contract/index.ts'
import { startRuntimeWorld } from '../fixture/runtime-world.ts'
import type { RuntimeWorld } from '../fixture/runtime-world.ts'
import type { ConsumerOptions } from '../service/consumer-options.ts'
import { createService } from '../service/service.ts'

const OrderCreated = defineEvent('ORDER_CREATED', { data: Type.Object({ number: Type.Integer() }) })
const orders = defineTopic('orders', {
  events: [OrderCreated],
  key: ({ data }) => String(data.number % 7),
})
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })
const day = 86_400_000

/** A service with a consumer of orders that notes what it runs; `fails` says of which numbers it throws. */
function newService(world: RuntimeWorld, options: ConsumerOptions = {}) {
  const lines: string[] = []
  const service = createService({
    name: 'fulfilment',
    kafka: world.newDriver(),
    topics: [orders],
    metrics: false,
    log: (_, message) => void lines.push(message),
  })
  const seen: number[] = []
  const failing = new Set<number>()
  const consumer = service
    .consumer(orders, { start: 'earliest', ...options })
    .on(OrderCreated, async ({ data }) => {
      await Promise.resolve()
      seen.push(data.number)
      if (failing.has(data.number)) throw new Error('never')
    })
  /** One event a day. */
  const publish = (from: number, to: number) =>
    service.publishMany(
      Array.from({ length: to - from }, (_, index) => ({
        event: OrderCreated,
        data: { number: from + index },
        options: { id: `e-${from + index}`, timestamp: (from + index + 1) * day },
      })),
    )
  return { service, consumer, seen, failing, publish, lines }
}

async function committed(world: RuntimeWorld, groupId = 'fulfilment') {
  const found = await world.driver.admin().groups.offsets(groupId)
  return found.reduce((sum, each) => sum + (each.error === undefined ? each.offset : 0), 0)
}

describe('a replay', () => {
  it('runs a range of time again, each key in order, and leaves the offsets of the group alone', async () => {
    await using world = await startRuntimeWorld({ orders: 3 })
    const { service, seen, publish } = newService(world)
    await using _ = service
    await service.start()
    await publish(0, 100)
    await soon(() => expect(seen).toHaveLength(100))
    await soon(async () => expect(await committed(world)).toBe(100))
    seen.length = 0
    const result = await service.replay({
      from: new Date(20 * day + 1),
      to: { timestamp: 60 * day },
      dedupe: 'ignore',
    })
    expect(result).toEqual({ handled: 39, skipped: 0, deadLettered: 0 })
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 39 }, (_, n) => n + 20))
    for (let key = 0; key < 7; key++) {
      const ofKey = seen.filter((number) => number % 7 === key)
      expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b))
    }
    expect(await committed(world)).toBe(100)
    const groups = await world.driver.admin().groups.list()
    const own = groups.map(({ groupId }) => groupId).filter((id) => id !== 'fulfilment')
    // Without members and offsets it is nothing that a broker would keep.
    for (const groupId of own) expect(await committed(world, groupId)).toBe(0)
    expect(service.metrics.expose()).toContain(
      'millrace_replayed_records_total{topic="orders",status="done"} 39',
    )
  })

  it('skips what was done, or runs it again, as it is told to; it has to be told', async () => {
    await using world = await startRuntimeWorld({ orders: 2 })
    const { service, seen, publish } = newService(world)
    await using _ = service
    await service.start()
    await publish(0, 20)
    await soon(() => expect(seen).toHaveLength(20))
    const honoured = await service.replay({ from: 'beginning', dedupe: 'honour' })
    expect(honoured).toEqual({ handled: 0, skipped: 20, deadLettered: 0 })
    const again = await service.replay({ from: 'beginning', dedupe: 'ignore' })
    expect(again).toEqual({ handled: 20, skipped: 0, deadLettered: 0 })
    const untold = { from: 'beginning' } as never
    await expect(service.replay(untold)).rejects.toThrow(/replay\.dedupe \(undefined\) must be/)
  })

  it('reads offsets of one partition, up to an end that stands still; without a start of the service', async () => {
    await using world = await startRuntimeWorld({ orders: 2 })
    const { service, seen, publish } = newService(world)
    await using _ = service
    await publish(0, 50)
    const ofFirst = world.kafka.records('orders', 0)
    const range = { partitions: [0], from: { offset: 3 }, to: { offset: 8 } }
    const result = await service.replay({ ...range, dedupe: 'ignore' })
    expect(result.handled).toBe(5)
    expect(seen).toEqual(
      ofFirst
        .slice(3, 8)
        .map(({ value }) => (JSON.parse(value ?? '') as { data: { number: number } }).data.number),
    )
    await expect(service.replay({ from: { offset: 3 }, dedupe: 'ignore' })).rejects.toThrow(
      /replay\.from \(\{ offset: 3 \}\) is a place in one partition/,
    )
    const empty = await service.replay({ from: { timestamp: 1_000 * day }, dedupe: 'ignore' })
    expect(empty.handled).toBe(0)
  })

  it('puts away what fails, marked, and copies nothing to be tried later', async () => {
    await using world = await startRuntimeWorld({ orders: 2 })
    const { service, failing, publish } = newService(world, {
      retry: { attempts: 2, delayMs: 1, topics: ['1m'], allowReorder: true },
    })
    await using _ = service
    await publish(0, 10)
    failing.add(4)
    const result = await service.replay({ from: 'beginning', dedupe: 'ignore' })
    expect(result).toEqual({ handled: 9, skipped: 0, deadLettered: 1 })
    const letters = [0, 1].flatMap((partition) => world.kafka.records('orders.dlq', partition))
    expect(letters).toHaveLength(1)
    expect(letters[0]?.headers).toMatchObject({ 'consumer-group': 'fulfilment', attempts: '2' })
    expect(letters[0]?.headers['replay-group']).toMatch(/^fulfilment\.replay\./)
    expect(world.kafka.records('orders.fulfilment.retry.1m', 0)).toEqual([])
  })

  it('ends where a record can neither be handled nor put away, and when it is aborted', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    const { service, failing, seen, publish } = newService(world, {
      deadLetter: false,
      retry: { attempts: 1 },
    })
    await using _ = service
    await publish(0, 10)
    failing.add(4)
    await expect(service.replay({ from: 'beginning', dedupe: 'ignore' })).rejects.toMatchObject({
      code: 'MILLRACE_RUNTIME_REPLAY_STOPPED',
    })
    failing.clear()
    seen.length = 0
    const aborting = new AbortController()
    const { signal } = aborting
    const replaying = service.replay({ from: 'beginning', dedupe: 'ignore', signal })
    aborting.abort(new Error('enough'))
    await expect(replaying).rejects.toThrow('enough')
  })

  it('comes to its end where the last offsets of a range hold no records', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    const { service, publish } = newService(world)
    await using _ = service
    await publish(0, 5)
    await abortOne(world, 'orders')
    const result = await service.replay({ from: 'beginning', dedupe: 'ignore' })
    expect(result.handled).toBe(5)
  })
})

/** Leaves an aborted transaction at the end of a topic: offsets without records that anybody reads. */
async function abortOne(world: RuntimeWorld, topic: string) {
  await using client = createClient({ brokers: world.kafka.bootstrap, log: () => undefined })
  const producer = client.transactionalProducer({ transactionalId: 'aborting' })
  const transaction = await producer.begin()
  await transaction.send({ topic, partition: 0, value: 'never read' })
  await transaction.abort()
  await producer.close()
}

import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createService } from '../../transaction/index.ts'
import { createNativeDriver } from '../../driver/index.ts'
import { silentLog } from '../../observe/index.ts'
import type { Log, LogFields } from '../../observe/index.ts'
import { startBroker } from '../../testing/index.ts'
import type { TestBroker } from '../../testing/index.ts'
import {
  orders,
  OrderCreated,
  OrderPaid,
  paidOrders,
  PaymentCompleted,
  payments,
} from '../fixture/shop.ts'
import { memoryStateStores } from '../../store/index.ts'
import type { StateStores } from '../../store/index.ts'
import { createStream, join, tumbling } from '../index.ts'

/** Waits as long as a busy machine may need. */
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })
const log = silentLog
const group = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 200 }

function paidFlow(hasOtherKey = false) {
  const flow = join(orders, payments, {
    ...{ name: 'paid', within: '10m', grace: '2m', unique: 'both' },
    // The key is another one, whatever it is made of.
    ...(hasOtherKey && {
      on: {
        left: ({ data }) => `order ${data.orderId}`,
        right: ({ data }) => `order ${data.orderId}`,
      },
    }),
  })
  flow.send(paidOrders, OrderPaid, ({ left, right }) => ({
    orderId: left.data.orderId,
    orderEvent: left.id,
    paymentEvent: right.id,
  }))
  const revenue = flow
    .window(tumbling('1m'))
    .sum('revenue', ({ left }) => left.data.cents, { by: () => 'all', keep: '1d' })
  return { flow, revenue }
}

async function startShop(): Promise<TestBroker> {
  const kafka = await startBroker({ properties: { 'group.initial.rebalance.delay.ms': '0' } })
  // Behind the services, which are told to end before it.
  onTestFinished(() => kafka[Symbol.asyncDispose]())
  for (const { name } of [orders, payments, paidOrders]) {
    await kafka.createTopic(name, { partitions: 4 })
  }
  return kafka
}

function startRevenue(kafka: TestBroker, hasOtherKey = false, log: Log = silentLog) {
  const { flow, revenue } = paidFlow(hasOtherKey)
  const stream = createStream(flow, { group })
  const service = createService({
    ...{ name: 'shop', metrics: false, signals: false, log },
    kafka: { brokers: kafka.bootstrap, log },
  })
  service.add(stream)
  const running = service.run()
  onTestFinished(async () => {
    await service.stop()
    await running
  })
  return { service, stream, revenue, running }
}

async function publish(kafka: TestBroker, from: number, to: number): Promise<void> {
  await using service = createService({
    ...{ name: 'source', metrics: false, topics: [orders, payments], log },
    kafka: { brokers: kafka.bootstrap, log },
  })
  const numbers = Array.from({ length: to - from }, (_, index) => from + index)
  await service.publishMany(
    numbers.flatMap((number) => {
      const data = { orderId: `o-${number}`, cents: 100 }
      return [
        { event: PaymentCompleted, data, options: { id: `p-${number}` } },
        { event: OrderCreated, data, options: { id: `o-${number}` } },
      ]
    }),
  )
}

async function readPaid(kafka: TestBroker, count: number): Promise<string[]> {
  await using driver = createNativeDriver({ brokers: kafka.bootstrap, log })
  const source = driver.source({ groupId: `readers-${Math.random()}`, offsetReset: 'earliest' })
  source.subscribe([paidOrders.name])
  const found: string[] = []
  await soon(async () => {
    for (const batch of await source.poll({ timeoutMs: 200 })) {
      for (const { value } of batch) {
        const { data } = JSON.parse(String(value)) as { data: Record<string, string> }
        found.push(`${data['orderEvent']}+${data['paymentEvent']}`)
      }
    }
    expect(found.length).toBeGreaterThanOrEqual(count)
  })
  await source.close()
  return found.sort()
}

const pairs = (count: number) =>
  Array.from({ length: count }, (_, number) => `o-${number}+p-${number}`).sort()

describe('a stream in a service', () => {
  it('joins, adds up and can be asked', async () => {
    const kafka = await startShop()
    const { stream, revenue } = startRevenue(kafka)
    await publish(kafka, 0, 200)
    expect(await readPaid(kafka, 200)).toEqual(pairs(200))
    await soon(() => {
      const total = stream.rows(revenue).reduce((sum, { value }) => sum + value, 0)
      expect(total).toBe(200 * 100)
    })
  })

  it('goes on from its changelog where another left off', async () => {
    const kafka = await startShop()
    const first = startRevenue(kafka)
    await publish(kafka, 0, 50)
    await readPaid(kafka, 50)
    await first.service.stop()
    const second = startRevenue(kafka)
    await publish(kafka, 50, 100)
    expect(await readPaid(kafka, 100)).toEqual(pairs(100))
    await soon(() => {
      const total = second.stream.rows(second.revenue).reduce((sum, { value }) => sum + value, 0)
      expect(total).toBe(100 * 100)
    })
  })

  it('names in the log what it puts away, and not what came alone or what is in it', async () => {
    const kafka = await startShop()
    const letters: LogFields[] = []
    const log = (_level: string, message: string, fields: LogFields = {}) => {
      if (message === 'a record became a dead letter') letters.push(fields)
    }
    startRevenue(kafka, false, log)
    const driver = createNativeDriver({ brokers: kafka.bootstrap, log: silentLog })
    onTestFinished(() => driver.close())
    const sink = driver.sink()
    const data = { orderId: 'o-1', cents: 'no number' }
    const value = JSON.stringify({ id: 'o-1', type: OrderCreated.type, timestamp: 1, data })
    await sink.send({ topic: orders.name, partition: 3, key: 'o-1', value })
    await sink.close()
    await soon(() => expect(letters).toHaveLength(1))
    const place = { flow: 'paid', topic: orders.name, partition: 3, offset: 0 }
    expect(letters[0]).toMatchObject({ ...place, reason: 'data-invalid' })
    expect(JSON.stringify(letters)).not.toContain('no number')
  })

  it('shares its tasks out among processes', async () => {
    const kafka = await startShop()
    const first = startRevenue(kafka)
    await publish(kafka, 0, 50)
    await readPaid(kafka, 50)
    const second = startRevenue(kafka)
    await soon(async () => {
      expect(await second.service.health.report('ready')).toMatchObject({ status: 'ok' })
    })
    await publish(kafka, 50, 200)
    expect(await readPaid(kafka, 200)).toEqual(pairs(200))
    await soon(() => {
      const rows = [first, second].flatMap(({ stream, revenue }) => stream.rows(revenue))
      expect(rows.reduce((sum, { value }) => sum + value, 0)).toBe(200 * 100)
    })
  })

  it('brings together by another key than that of the records, and finds what is asked for', async () => {
    const kafka = await startShop()
    const { stream, revenue } = startRevenue(kafka, true)
    await publish(kafka, 0, 100)
    expect(await readPaid(kafka, 100)).toEqual(pairs(100))
    await soon(() => {
      const total = stream.rows(revenue).reduce((sum, { value }) => sum + value, 0)
      expect(total).toBe(100 * 100)
    })
  })

  it('waits for stores that are being opened when it ends', async () => {
    const kafka = await startShop()
    const inMemory = memoryStateStores()
    const told: string[] = []
    let letGo: () => void = () => undefined
    const isLetGo = new Promise<void>((resolve) => (letGo = resolve))
    const stores: StateStores = {
      has: () => false,
      async open(name) {
        told.push('opens')
        await isLetGo
        told.push('opened')
        return inMemory.open(name)
      },
      close() {
        told.push('closed')
        return inMemory.close()
      },
    }
    const service = createService({
      ...{ name: 'shop', metrics: false, signals: false, log },
      kafka: { brokers: kafka.bootstrap, log },
    })
    service.add(createStream(paidFlow().flow, { group, stores }))
    const running = service.run()
    await soon(() => expect(told).toHaveLength(4))
    const stopping = service.stop()
    const closed = vi.waitFor(() => expect(told).toContain('closed'), { timeout: 1_000 })
    await expect(closed).rejects.toThrow()
    letGo()
    await stopping
    await running
    expect(told.at(-1)).toBe('closed')
    expect(told.filter((each) => each === 'closed')).toHaveLength(1)
  })
})

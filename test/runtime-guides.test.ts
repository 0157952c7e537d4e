import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it, vi } from 'vitest'
import { defineEvent, defineTopic, Type } from '../src/contract/index.ts'
import { createProducer, createService, kafkaFromEnv } from '../src/runtime/index.ts'
import type { Service, ServiceOptions } from '../src/runtime/index.ts'
import { startBroker } from '../src/testing/index.ts'
import { createService as createExactlyOnceService } from '../src/transaction/index.ts'
import { ChildService } from './scenario/child-service.ts'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

/** Makes functions of the text of a guide. */
type AsyncFunction<Answer = void> = new (
  ...source: string[]
) => (...given: unknown[]) => Promise<Answer>

/** The first block of code of a guide, or of a section of it. */
function codeIn(guide: string): string {
  return blocksIn(guide)[0] ?? ''
}

/** The blocks of code of a guide, or of a section of it. */
function blocksIn(guide: string, section?: string): string[] {
  const page = read(`docs/guides/${guide}.md`)
  const [, body = page] = new RegExp(`^## ${section}$([^]*?)(?=^## )`, 'm').exec(page) ?? []
  return [...body.matchAll(/```ts\n([^]*?)```/g)].map(([, code = '']) => code)
}

/** What stands in a region of a file, with imports as a user has them. */
function region(path: string): string {
  const [, code = ''] = /\/\/ #region \w+\n([^]*?)\/\/ #endregion/.exec(read(path)) ?? []
  return code.replaceAll(/'(?:\.\.\/)+src\/(\w+)\/index\.ts'/g, "'millrace/$1'")
}

it('the service of the guide to starting and ending ends as the guide says', async () => {
  const path = 'test/scenario/shutdown-guide-service.ts'
  expect(codeIn('shutdown')).toBe(region(path))
  await using broker = await startBroker()
  await broker.createTopic('orders', { partitions: 2 })
  const log = () => undefined
  await using producer = createProducer({ kafka: { brokers: broker.bootstrap, log }, log })
  await producer.send({ topic: 'orders', key: 'o-1', value: 'first' })
  const program = fileURLToPath(new URL(`../${path}`, import.meta.url))
  await using child = new ChildService({ KAFKA_BROKERS: broker.bootstrap }, program)
  await vi.waitFor(() => expect(child.after('stored')).toEqual(['first']), 20_000)
  child.signal('SIGTERM')
  expect(await child.exited).toBe(0)
  expect(child.lines.at(-1)).toBe('closed')
})

it('the guide to security has every variable, and its service is made from them', () => {
  const source = read('src/runtime/service/kafka-from-env.ts')
  const names = new Set(
    [...source.matchAll(/'((?:KAFKA|MILLRACE)_\w+)',?$/gm)].map(([, name]) => name),
  )
  const guide = read('docs/guides/security.md')
  expect(names.size).toBeGreaterThan(8)
  expect([...names].filter((name) => !guide.includes(`\`${name ?? ''}\``))).toEqual([])
  expect(codeIn('security')).toContain(
    "createService({ name: 'fulfilment', kafka: kafkaFromEnv() })",
  )
  const env = { KAFKA_BROKERS: 'k-1:9093', KAFKA_USERNAME: 'u', KAFKA_PASSWORD: 'p' }
  const service = createService({
    name: 'fulfilment',
    kafka: kafkaFromEnv(env),
    log: () => undefined,
  })
  expect(service.name).toBe('fulfilment')
})

it('the service of the guide to consuming works as it stands there', async () => {
  await using broker = await startBroker()
  const OrderCreated = defineEvent('ORDER_CREATED', {
    data: Type.Object({ orderId: Type.String() }),
  })
  const orders = defineTopic('orders', {
    events: [OrderCreated],
    key: ({ data }) => data.orderId,
    partitions: 2,
  })
  const shipped: string[] = []
  const run = (async () => Promise.resolve()).constructor as AsyncFunction<Service>
  const names = ['createService', 'kafka', 'orders', 'OrderCreated', 'ship']
  const service = await new run(...names, `${codeIn('consuming')}\nreturn service`)(
    (options: ServiceOptions) =>
      createService({ ...options, metrics: false, log: () => undefined }),
    { brokers: broker.bootstrap, log: () => undefined },
    orders,
    OrderCreated,
    (orderId: string) => shipped.push(orderId),
  )
  await service.publish(OrderCreated, { orderId: 'o-1' })
  await vi.waitFor(() => expect(shipped).toEqual(['o-1']), 20_000)
  await service.stop()
})

it('the batches of the guide to consuming work as they stand there', async () => {
  await using broker = await startBroker()
  const defineIn = (topic: string, type: string) => {
    const event = defineEvent(type, { data: Type.Object({ id: Type.String() }) })
    return { event, topic: defineTopic(topic, { events: [event], key: ({ data }) => data.id }) }
  }
  const { event: OrderCreated, topic: orders } = defineIn('orders', 'ORDER_CREATED')
  const { event: PaymentCompleted, topic: payments } = defineIn('payments', 'PAYMENT_COMPLETED')
  const inserted: { id: string }[] = []
  const booked: string[] = []
  const log = () => undefined
  await using service = createService({
    ...{ name: 'fulfilment', metrics: false, log },
    kafka: { brokers: broker.bootstrap, log },
  })
  const given = {
    ...{ service, orders, OrderCreated, payments, PaymentCompleted },
    insertOrders: (rows: { id: string }[]) => Promise.resolve(inserted.push(...rows)),
    book: ({ id }: { id: string }) => {
      if (id === 'bad') throw new Error('it cannot be booked')
      booked.push(id)
    },
  }
  const run = (async () => Promise.resolve()).constructor as AsyncFunction
  await new run(...Object.keys(given), blocksIn('consuming', 'Batches').join('\n'))(
    ...Object.values(given),
  )
  await service.start()
  const ids = ['1', '2', '3']
  await service.publishMany(ids.map((id) => ({ event: OrderCreated, data: { id } })))
  await service.publishMany(
    ['1', 'bad', '2'].map((id) => ({ event: PaymentCompleted, data: { id } })),
  )
  await vi.waitFor(() => expect(inserted.map(({ id }) => id).sort()).toEqual(ids), 20_000)
  await vi.waitFor(() => expect(booked.sort()).toEqual(['1', '2']), 20_000)
})

it('the service of the guide to exactly-once works as it stands there', async () => {
  await using broker = await startBroker()
  const log = () => undefined
  const OrderCreated = defineEvent('ORDER_CREATED', {
    data: Type.Object({ orderId: Type.String() }),
  })
  const OrderPriced = defineEvent('ORDER_PRICED', {
    data: Type.Object({ orderId: Type.String(), total: Type.Number() }),
  })
  const orders = defineTopic('orders', { events: [OrderCreated], key: ({ data }) => data.orderId })
  const prices = defineTopic('prices', { events: [OrderPriced], key: ({ data }) => data.orderId })
  await broker.createTopic('audit', { partitions: 1 })
  const kafka = { brokers: broker.bootstrap, log }
  const given = {
    createService: (options: ServiceOptions) =>
      createExactlyOnceService({ ...options, metrics: false, log }),
    ...{ kafka, orders, prices, OrderCreated, OrderPriced },
    priceOf: () => Promise.resolve(12),
  }
  const run = (async () => Promise.resolve()).constructor as AsyncFunction<Service>
  const code = `${blocksIn('exactly-once').join('\n')}\nreturn service`
  const service = await new run(...Object.keys(given), code)(...Object.values(given))
  await service.publish(OrderCreated, { orderId: 'o-2' })
  const priced: string[] = []
  await using reader = createService({ name: 'reader', kafka, metrics: false, log })
  reader.consumer(prices, { start: 'earliest' }).on(OrderPriced, ({ data }) => {
    priced.push(data.orderId)
  })
  await reader.start()
  await vi.waitFor(() => expect(priced.sort()).toEqual(['o-1', 'o-2']), 20_000)
  await service.stop()
})

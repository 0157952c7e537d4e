import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it, vi } from 'vitest'
import { defineEvent, defineTopic, Type } from '../src/contract/index.ts'
import { createProducer, createService, kafkaFromEnv } from '../src/runtime/index.ts'
import type { Service, ServiceOptions } from '../src/runtime/index.ts'
import { startBroker } from '../src/testing/index.ts'
import { ChildService } from './scenario/child-service.ts'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

/** The first block of code of a guide. */
function codeIn(guide: string): string {
  return /```ts\n([^]*?)```/.exec(read(`docs/guides/${guide}.md`))?.[1] ?? ''
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
  const run = (async () => Promise.resolve()).constructor as new (
    ...source: string[]
  ) => (...given: unknown[]) => Promise<Service>
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

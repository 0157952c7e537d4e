/** Promise: the code of the guides to joins, windows and state runs as it stands there. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { transform } from 'esbuild'
import { expect, it, vi } from 'vitest'
import { defineEvent, defineTopic, Type } from '../src/contract/index.ts'
import { lmdbStateStores } from '../src/store/index.ts'
import { createStream, join, streamOf, tumbling } from '../src/stream/index.ts'
import type { FlowDriver } from '../src/testing/index.ts'
import { driveFlow, startBroker } from '../src/testing/index.ts'
import { createService } from '../src/transaction/index.ts'

const blocksIn = (guide: string) => {
  const text = readFileSync(new URL(`../docs/guides/${guide}.md`, import.meta.url), 'utf8')
  return [...text.matchAll(/```ts\n([^]*?)```/g)].map(([, code = '']) => code)
}

const amounts = Type.Object({ orderId: Type.String(), cents: Type.Integer() })
const key = ({ data }: { readonly data: { readonly orderId: string } }) => data.orderId
const OrderCreated = defineEvent('ORDER_CREATED', { data: amounts })
const PaymentCompleted = defineEvent('PAYMENT_COMPLETED', { data: amounts })
const OrderPaid = defineEvent('ORDER_PAID', { data: amounts })
const orders = defineTopic('orders', { events: [OrderCreated], key, partitions: 2 })
const payments = defineTopic('payments', { events: [PaymentCompleted], key, partitions: 2 })
const paidOrders = defineTopic('paid-orders', { events: [OrderPaid], key, partitions: 2 })
const given = { OrderCreated, PaymentCompleted, OrderPaid, orders, payments, paidOrders }

/** Runs a guide's code with what it is told to know; answers the values of these names. */
async function run(code: string, world: object, names: readonly string[]): Promise<unknown[]> {
  const body = code.replaceAll(/^import .*$/gm, '')
  const text = `(async () => {${body}\n; return [${names.join(', ')}] })()`
  const values: unknown[] = Object.values(world)
  const { code: plain } = await transform(text, { loader: 'ts' })
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  return new Function(...Object.keys(world), `return ${plain}`)(...values) as Promise<unknown[]>
}

const log = () => undefined
const serviceOn = (brokers: string) =>
  createService({
    name: 'shop',
    metrics: false,
    log,
    kafka: { brokers, log },
    topics: [orders, payments],
  })

it('the join of the guide brings orders and payments together', async () => {
  await using broker = await startBroker({
    properties: { 'group.initial.rebalance.delay.ms': '0' },
  })
  await using service = serviceOn(broker.bootstrap)
  const world = { ...given, join, tumbling, createStream, service }
  const [declared = '', , asked = ''] = blocksIn('joins-and-windows')
  const [stream, revenue] = await run(declared, world, ['stream', 'revenue'])
  const data = { orderId: 'o-1', cents: 1_200 }
  await service.publish(PaymentCompleted, data)
  await service.publish(OrderCreated, data)
  await vi.waitFor(
    async () => {
      const [rows] = await run(`const rows = ${asked.trim()}`, { stream, revenue }, ['rows'])
      expect(rows).toMatchObject([{ key: 'all', value: 1_200 }])
    },
    { timeout: 20_000 },
  )
})

it('the driver of the guide shows results and letters without a broker', async () => {
  const blocks = blocksIn('joins-and-windows')
  const [declared = ''] = blocks
  const service = { add: () => undefined, start: () => Promise.resolve() }
  const world = { ...given, join, tumbling, createStream, service, driveFlow }
  const code = `${declared}\n${blocks.at(-1) ?? ''}`
  const [driver, invoice, letter] = await run(code, world, ['driver', 'invoice', 'letter'])
  expect(invoice).toMatchObject({ type: 'ORDER_PAID', data: { orderId: 'o-1', cents: 1_200 } })
  expect(letter).toMatchObject({ errorClass: 'UnmatchedRecord', key: 'o-2' })
  expect((driver as FlowDriver).count('matched')).toBe(1)
})

it('the side that the guide writes again under another key is one that can be joined', async () => {
  const [, declared = ''] = blocksIn('joins-and-windows')
  const [flow] = await run(`const flow = ${declared}`, { ...given, join }, ['flow'])
  expect(flow).toMatchObject({ name: 'by-order' })
})

it('the stream of the guide to state keeps it in a folder', async () => {
  const folder = mkdtempSync(joinPath(tmpdir(), 'guide-state-'))
  try {
    await using broker = await startBroker({
      properties: { 'group.initial.rebalance.delay.ms': '0' },
    })
    await using service = serviceOn(broker.bootstrap)
    const flow = streamOf(orders, { name: 'sales' })
    const total = flow.sum('total', ({ data }) => data.cents, { by: () => 'all' })
    const inFolder = () => lmdbStateStores({ path: folder })
    const world = { sales: flow, createStream, service, lmdbStateStores: inFolder }
    const [code = ''] = blocksIn('state')
    const [stream] = (await run(code, world, ['stream'])) as [ReturnType<typeof createStream>]
    await service.publish(OrderCreated, { orderId: 'o-1', cents: 500 })
    await vi.waitFor(() => expect(stream.rows(total)).toMatchObject([{ value: 500 }]), {
      timeout: 20_000,
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

it('the guide to state serves the table that it names', async () => {
  const flow = streamOf(orders, { name: 'paid-orders', events: OrderCreated })
  const revenue = flow.sum('revenue', ({ data }) => data.cents)
  const [, code = ''] = blocksIn('state')
  const [stream] = await run(code, { createStream, paid: flow, revenue }, ['stream'])
  expect(Object.keys((stream as ReturnType<typeof createStream>).routes)).toEqual([
    '/state/paid-orders/',
  ])
})

/** Promise: `npm start` shows the order pipeline, and its account finds nothing lost, doubled or out of order. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { createProducer } from '../src/runtime/index.ts'
import { startBroker } from '../src/testing/index.ts'
import { runPipeline } from './pipeline-run.ts'
import { ChildService } from './scenario/child-service.ts'

const runService = fileURLToPath(
  new URL('../examples/order-pipeline/run-service.ts', import.meta.url),
)

it('the order pipeline keeps its account', { timeout: 120_000 }, async () => {
  const { code, text } = await runPipeline('--for', '4s', '--rate', '300')
  expect(text).toMatch(
    /join +\d\d\d+ orders paid, exactly once: lost 0, duplicated 0, mismatches 0/,
  )
  expect(text).toMatch(/enrichment +\d\d\d+ events, exactly once: lost 0, duplicated 0/)
  expect(text).toContain('All that was promised to be zero is zero.')
  expect(code).toBe(0)
})

it('the order pipeline refuses what it does not understand', { timeout: 60_000 }, async () => {
  const { code, text } = await runPipeline('--for', 'ever')
  expect(text).toContain('--for (ever) must be a time such as 30s or 2m')
  expect(code).toBe(1)
})

it(
  'what draws on a terminal draws, and says the same in the end',
  { timeout: 60_000 },
  async () => {
    const { code, text } = await runPipeline('--for', '2s', '--rate', '100', '--live')
    const frames = text.split('\u001B[?2026h').slice(1)
    expect(frames.length).toBeGreaterThan(2)
    for (const frame of frames) {
      expect(frame).toMatch(/fulfilment +\d+\/s +\d+ +\d+ +\d+ .*127\.0\.0\.1:\d+/)
      expect(frame).toContain('orders paid')
    }
    // The last one shows what the account finds.
    const [, paid] = /join +(\d+) orders paid/.exec(text) ?? []
    expect(frames.at(-1)).toContain(`${Number(paid).toLocaleString('en')} orders paid`)
    expect(text).toContain('All that was promised to be zero is zero.')
    expect(code).toBe(0)
  },
)

it('the services are a whole that can be read', () => {
  const folder = new URL('../examples/order-pipeline/', import.meta.url)
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'))
  const lines = files.flatMap((name) => readFileSync(new URL(name, folder), 'utf8').split('\n'))
  expect(files.length).toBeGreaterThan(5)
  expect(lines.length).toBeLessThan(400 + files.length)
})

/** Where the others put what they have given up. */
const letterTopics = [
  ...['fulfilment', 'enrichment', 'bookkeeping'].map(
    (service) => `orders.events.v1.${service}.dlq`,
  ),
  ...['billing', 'bookkeeping'].map((service) => `payments.events.v1.${service}.dlq`),
]

/** Where a service serves its metrics and its health. */
async function addressOf(child: ChildService): Promise<string> {
  await vi.waitFor(() => expect(child.errors).toMatch(/metrics at http:\S+/), 30_000)
  const [, address = ''] = /metrics at (http:\S+?)\/metrics/.exec(child.errors) ?? []
  return address
}

describe('a service of the pipeline alone', () => {
  it.each(['fulfilment', 'enrichment', 'billing', 'bookkeeping'])(
    '%s runs by its environment, and ends in order at SIGTERM',
    { timeout: 60_000 },
    async (name) => {
      await using broker = await startBroker()
      const env = { KAFKA_BROKERS: broker.bootstrap, METRICS_PORT: '0' }
      await using child = new ChildService(env, runService, [name])
      const address = await addressOf(child)
      await vi.waitFor(async () => {
        expect((await fetch(`${address}/health/ready`)).status).toBe(200)
      }, 30_000)
      expect(await (await fetch(`${address}/metrics`)).text()).toContain(`service="${name}"`)
      child.signal('SIGTERM')
      expect(await child.exited).toBe(0)
    },
  )

  it('dead-letters counts what is there, and ends in order at SIGTERM', async () => {
    await using broker = await startBroker()
    for (const name of letterTopics) await broker.createTopic(name, { partitions: 2 })
    const log = () => undefined
    await using producer = createProducer({ kafka: { brokers: broker.bootstrap, log }, log })
    const headers = { 'consumer-group': 'billing', 'error-class': 'CardRefused' }
    await producer.send(letterTopics.map((topic) => ({ topic, value: 'given up', headers })))
    await using child = new ChildService(
      { KAFKA_BROKERS: broker.bootstrap, METRICS_PORT: '0' },
      runService,
      ['dead-letters'],
    )
    const address = await addressOf(child)
    const sample = `shop_dead_letters_total{service="billing",reason="CardRefused"} ${letterTopics.length}`
    await vi.waitFor(async () => {
      expect((await fetch(`${address}/health/ready`)).status).toBe(200)
      expect(await (await fetch(`${address}/metrics`)).text()).toContain(sample)
    }, 30_000)
    child.signal('SIGTERM')
    expect(await child.exited).toBe(0)
  }, 60_000)

  it('dead-letters refuses to start where nobody has made its topics, and names them', async () => {
    await using broker = await startBroker()
    await using child = new ChildService(
      { KAFKA_BROKERS: broker.bootstrap, METRICS_PORT: '0' },
      runService,
      ['dead-letters'],
    )
    expect(await child.exited).toBe(1)
    for (const name of letterTopics) expect(child.errors).toContain(name)
  }, 60_000)

  it('says which there are where it is told of none', { timeout: 60_000 }, async () => {
    await using child = new ChildService({}, runService, ['sales'])
    expect(await child.exited).toBe(1)
    expect(child.errors).toContain("there is no service 'sales'; known are fulfilment, enrichment")
  })
})

/**
 * Promise: a service whose brokers are gone ends all the same when it is told to, by its deadline: with 0 when nothing was left to
 * be committed, else with 2, and then whoever comes next does all of it, once where it is exactly once.
 *
 * Proves: 3, 8
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { TestContext } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import { silentLog } from '../../src/observe/index.ts'
import { createProducer } from '../../src/runtime/index.ts'
import { startWorld } from '../../src/testing/index.ts'
import { ChildService } from './child-service.ts'
import { OrderCreated, orders, paid, PaymentCompleted, payments } from './paying-service.ts'
import { payingService } from './paying-service.ts'
import type { Mode } from './paying-service.ts'

const fileNamed = (name: string) => join(import.meta.dirname, name)
const modes: readonly Mode[] = ['exactly-once', 'stream']
const orderIds = Array.from({ length: 40 }, (_, index) => `o-${index}`)
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 30_000 })

/** A broker that can be killed and comes back with what it had. */
async function startBrokerProcess({ onTestFinished }: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-without-broker-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const launch = async (port: string) => {
    const child = new ChildService({ DATA: folder, PORT: port }, fileNamed('broker-process.ts'))
    onTestFinished(() => child[Symbol.asyncDispose]())
    await soon(() => expect(child.after('listening')).toHaveLength(1))
    return child
  }
  let child = await launch('0')
  const [bootstrap = ''] = child.after('listening')
  return {
    bootstrap,
    kill: () => child[Symbol.asyncDispose](),
    comeBack: async () => {
      child = await launch(bootstrap.split(':')[1] as string)
    },
  }
}

function startPaying(
  { onTestFinished }: TestContext,
  bootstrap: string,
  mode: Mode,
  commitIntervalMs: number,
): ChildService {
  const env = { KAFKA_BROKERS: bootstrap, MODE: mode, COMMIT_INTERVAL_MS: String(commitIntervalMs) }
  const child = new ChildService(env, fileNamed('paying-service.ts'))
  onTestFinished(() => child[Symbol.asyncDispose]())
  return child
}

async function publishOrders(bootstrap: string): Promise<void> {
  const log = () => undefined
  const topics = [orders, payments]
  await using producer = createProducer({ kafka: { brokers: bootstrap, log }, log, topics })
  const events = [OrderCreated, PaymentCompleted]
  await producer.publishMany(
    orderIds.flatMap((orderId) => events.map((event) => ({ event, data: { orderId } }))),
  )
}

async function paidOrders(bootstrap: string): Promise<string[]> {
  await using client = createClient({ brokers: bootstrap, log: silentLog })
  await using consumer = client.consumer({ offsetReset: 'earliest' })
  const places = [0, 1].map((partition) => ({ topic: paid.name, partition }))
  consumer.assign(places)
  const found: string[] = []
  const ends = await consumer.endOffsets(places)
  while (ends.some(({ offset, ...place }) => (consumer.position(place) ?? 0) < offset)) {
    for (const batch of await consumer.poll({ timeoutMs: 200 })) {
      for (const { key } of batch) found.push(String(key))
    }
  }
  return found
}

describe.concurrent('a process whose broker was killed', { timeout: 60_000 }, () => {
  it.for(modes)('ends with 2 where it owes commits: %s', async (mode, context) => {
    const broker = await startBrokerProcess(context)
    const first = startPaying(context, broker.bootstrap, mode, 600_000)
    await soon(() => expect(first.errors).toContain('partitions are assigned'))
    await publishOrders(broker.bootstrap)
    await soon(() => expect(first.after('worked')).toHaveLength(orderIds.length))
    await broker.kill()
    first.signal('SIGTERM')
    expect(await first.exited).toBe(2)
    expect(first.lines.at(-1)).toBe('the program goes on')
    expect(first.errors).toContain(
      'warn not all that ran has ended and is committed: it runs again',
    )
    await broker.comeBack()
    const next = startPaying(context, broker.bootstrap, mode, 100)
    // Nothing of what the first has worked was taken for committed.
    await soon(() => expect(new Set(next.after('worked'))).toEqual(new Set(orderIds)))
    next.signal('SIGTERM')
    expect(await next.exited).toBe(0)
    expect((await paidOrders(broker.bootstrap)).sort()).toEqual([...orderIds].sort())
  })

  it('ends with 0 where nothing was left to be committed', async (context) => {
    const broker = await startBrokerProcess(context)
    const child = startPaying(context, broker.bootstrap, 'exactly-once', 100)
    await soon(() => expect(child.errors).toContain('a new group begins to read'))
    await broker.kill()
    child.signal('SIGTERM')
    expect(await child.exited).toBe(0)
    expect(child.lines).toEqual(['the program goes on'])
  })
})

describe('a service in a world without brokers', () => {
  it.each<Mode>(['records', ...modes])('ends by its deadline: %s', async (mode) => {
    const worked: string[] = []
    const owing = { mode, commitIntervalMs: 600_000, tell: (id: string) => void worked.push(id) }
    await using world = await startWorld({
      topics: [orders, payments, paid],
      properties: { 'group.min.session.timeout.ms': '500' },
      services: { paying: (environment) => payingService(environment, owing) },
    })
    await world.publishMany(
      orderIds.flatMap((orderId) =>
        [OrderCreated, PaymentCompleted].map((event) => ({ event, data: { orderId } })),
      ),
    )
    await world.until(() => worked.length === orderIds.length)
    world.faults.outage(3_600_000)
    const beganMs = world.nowMs
    await world.stop('paying')
    expect(world.nowMs - beganMs).toBeLessThanOrEqual(1_000 + 5_000 + 10)
    const message = 'not all that ran has ended and is committed: it runs again'
    expect(world.log).toContainEqual(expect.objectContaining({ level: 'warn', message }))
  })
})

import { Kafka, logLevel } from 'kafkajs'
import { expect, it, vi } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import { defineEvent, defineTopic, Type } from '../../src/contract/index.ts'
import { createKafkaJsDriver } from '../../src/driver/index.ts'
import { silentLog } from '../../src/observe/index.ts'
import { createService } from '../../src/runtime/index.ts'
import { startBroker } from '../../src/testing/index.ts'

/*
 * A service on kafkajs loses nothing while members come and go: each event is handled or a dead letter, what fails is tried
 * again, and an event that was published twice is handled once.
 */

const OrderCreated = defineEvent('ORDER_CREATED', { data: Type.Object({ orderId: Type.String() }) })
const orders = defineTopic('orders', {
  events: [OrderCreated],
  key: ({ data }) => data.orderId,
  partitions: 6,
})
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 25_000 })

/** What became of events, in all processes of the service. */
class Ledger {
  readonly handled = new Map<string, number>()
  readonly failed = new Set<string>()
  handle(orderId: string): void {
    if (orderId.endsWith('-poison')) throw new Error('never')
    if (orderId.endsWith('-flaky') && !this.failed.has(orderId)) {
      this.failed.add(orderId)
      throw new Error('once')
    }
    this.handled.set(orderId, (this.handled.get(orderId) ?? 0) + 1)
  }
}

/** Few enough fail that nobody takes it for an outage. */
function kindOf(index: number): string {
  if (index % 20 === 7) return '-poison'
  return index % 20 === 13 ? '-flaky' : ''
}

function member(bootstrap: string, ledger: Ledger) {
  const kafka = new Kafka({ brokers: bootstrap.split(','), logLevel: logLevel.NOTHING })
  const service = createService({
    name: 'fulfilment',
    kafka: createKafkaJsDriver(kafka),
    doWithout: [
      ...(['awaitedRevocation', 'fencedCommits', 'toldOffsetLoss', 'logIdentity'] as const),
      ...(['exactReadCommitted', 'idempotentWrites', 'exactHeaders'] as const),
    ],
    metrics: false,
    log: silentLog,
  })
  const group = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 100 }
  service
    .consumer(orders, { start: 'earliest', retry: { attempts: 2, delayMs: 1 }, group })
    .on(OrderCreated, async ({ data }, { signal }) => {
      await new Promise((resolve) => setTimeout(resolve, 3))
      signal.throwIfAborted()
      ledger.handle(data.orderId)
    })
  return service
}

it('events of two processes that come and go are handled, or dead letters', async () => {
  await using broker = await startBroker({
    properties: { 'group.initial.rebalance.delay.ms': '0' },
  })
  await broker.createTopic('orders', { partitions: 6 })
  const ledger = new Ledger()
  const first = member(broker.bootstrap, ledger)
  const second = member(broker.bootstrap, ledger)
  const all: string[] = []
  const timestamp = Date.now()
  const publish = async (from: number, count: number) => {
    const ids = Array.from({ length: count }, (_, index) => `o-${from + index}${kindOf(index)}`)
    all.push(...ids)
    await first.publishMany(
      ids.map((orderId) => ({
        event: OrderCreated,
        data: { orderId },
        options: { id: orderId, timestamp },
      })),
    )
  }
  await first.start()
  await publish(0, 200)
  await soon(() => expect(ledger.handled.has('o-0')).toBe(true))
  await first.publish(OrderCreated, { orderId: 'o-0' }, { id: 'o-0', timestamp })
  await soon(() => expect(first.metrics.expose()).toMatch(/^millrace_dedupe_hits_total\{.*\} 1$/m))
  expect(ledger.handled.get('o-0')).toBe(1)
  await publish(200, 100)
  // It joins while handlers run: what they do then counts for nothing, and is done again.
  await second.start()
  await publish(300, 100)
  const good = () => all.filter((id) => !id.endsWith('-poison'))
  await soon(() => expect(ledger.handled.size).toBe(good().length))
  await second.stop()
  await publish(400, 50)
  await soon(() => expect(ledger.handled.size).toBe(good().length))
  await using client = createClient({ brokers: broker.bootstrap, log: silentLog })
  const letters = new Set<string>()
  await using consumer = client.consumer({ offsetReset: 'earliest' })
  consumer.assign([...Array(6).keys()].map((partition) => ({ topic: 'orders.dlq', partition })))
  const poison = all.filter((id) => id.endsWith('-poison'))
  while (letters.size < poison.length) {
    for (const batch of await consumer.poll()) {
      for (const { key } of batch) letters.add(key?.toString() ?? '')
    }
  }
  expect(letters).toEqual(new Set(poison))
  await first.stop()
  await soon(async () => {
    const offsets = await client.admin().groups.offsets('fulfilment')
    expect(offsets.reduce((sum, each) => sum + ('offset' in each ? each.offset : 0), 0)).toBe(
      all.length + 1,
    )
  })
}, 90_000)

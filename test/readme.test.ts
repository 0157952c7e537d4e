/** The service that README.md shows, as it stands there. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it, vi } from 'vitest'
import { createClient } from '../src/client/index.ts'
import { silentLog } from '../src/observe/index.ts'
import { startBroker } from '../src/testing/index.ts'
import { ChildService } from './scenario/child-service.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const [, code = ''] = /^## A service\n\n```ts\n([^]*?)```/m.exec(readme) ?? []

function order(orderId: string, total: number) {
  const data = { orderId, total }
  const event = { id: orderId, type: 'ORDER_CREATED', timestamp: 1_700_000_000_000, data }
  const headers = { 'event-type': event.type, 'content-type': 'application/json' }
  return { topic: 'orders.events.v1', key: orderId, value: JSON.stringify(event), headers }
}

it('ships, dead-letters, and ends in order', { timeout: 60_000 }, async () => {
  expect(code.split('\n').length).toBeLessThan(36)
  // Beside node_modules, where it finds what it imports; the port that it would take may be somebody's.
  const folder = fileURLToPath(new URL(`../.cache/readme-${process.pid}`, import.meta.url))
  mkdirSync(folder, { recursive: true })
  const program = `${folder}/service.ts`
  const metrics = "name: 'fulfilment', metrics: { port: 0 },"
  writeFileSync(program, code.replace("name: 'fulfilment',", metrics))
  try {
    await using broker = await startBroker()
    await using child = new ChildService({ KAFKA_BROKERS: broker.bootstrap }, program)
    await vi.waitFor(() => expect(child.errors).toContain('orders.shipped.v1 was created'), 30_000)
    await using client = createClient({ brokers: broker.bootstrap, log: silentLog })
    await using producer = client.producer()
    await producer.send([order('o-1', 12), order('o-2', 0), order('o-3', 7)])
    const shipped = () => expect(child.after('shipped').sort()).toHaveLength(2)
    await vi.waitFor(shipped, 30_000)
    expect(child.after('shipped').sort()).toEqual(['o-1 at attempt 1', 'o-3 at attempt 1'])
    await using reader = client.consumer({ offsetReset: 'earliest' })
    reader.assign(
      (await client.admin().topics.describe('orders.events.v1.dlq')).partitions.map(
        ({ partition }) => ({ topic: 'orders.events.v1.dlq', partition }),
      ),
    )
    const letters: string[] = []
    while (letters.length === 0) {
      for (const batch of await reader.poll()) {
        for (const { key } of batch) letters.push(String(key))
      }
    }
    expect(letters).toEqual(['o-2'])
    child.signal('SIGTERM')
    expect(await child.exited).toBe(0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

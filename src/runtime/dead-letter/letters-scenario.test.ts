/**
 * Promise: a record that is given up is a letter before it has ended, byte for byte as it was.
 *
 * Proves: 4
 */
import { describe, expect, it, vi } from 'vitest'
import { createClient } from '../../client/index.ts'
import { startRuntimeWorld } from '../fixture/runtime-world.ts'
import { createService } from '../service/service.ts'

const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })
const never = () => {
  throw new Error('never')
}

describe('dead letters', () => {
  it('are compressed as their record was, and of the time when they are written', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    await using client = createClient({ brokers: world.kafka.bootstrap, log: () => undefined })
    for (const compression of ['none', 'gzip', 'zstd', 'lz4'] as const) {
      const producer = client.producer({ compression })
      await producer.send({
        ...{ topic: 'orders', key: compression, value: 'a'.repeat(5_000) },
        timestamp: 1_000_000,
      })
      await producer.close()
    }
    await using service = createService({
      ...{ name: 'audit', kafka: world.newDriver(), metrics: false, log: () => undefined },
    })
    service.records('orders', never, { start: 'earliest', retry: { attempts: 1 } })
    const startedMs = world.platform.clock.now()
    await service.start()
    const letters = () => world.kafka.batches('orders.dlq', 0)
    await soon(() => expect(letters()).toHaveLength(4))
    for (const { compression, records } of letters()) {
      expect(records.map(({ key }) => key)).toEqual([compression])
      expect(records[0]?.timestamp).toBeGreaterThanOrEqual(startedMs)
      expect(records[0]?.headers['original-timestamp']).toBe('1000000')
    }
  })

  it('have their topics also where the topic of their records came later', async () => {
    await using world = await startRuntimeWorld({ 'audit.first': 1 })
    const lines: string[] = []
    await using service = createService({
      name: 'audit',
      kafka: { brokers: world.kafka.bootstrap, metadataMaxAgeMs: 200, log: () => undefined },
      metrics: false,
      log: (_, message) => void lines.push(message),
    })
    service.records(/^audit\.[a-z]+$/, never, {
      start: 'earliest',
      retry: { attempts: 1 },
    })
    await service.start()
    await world.kafka.createTopic('audit.second', { partitions: 3 })
    await world.newSink().send({ topic: 'audit.second', partition: 2, key: 'k', value: 'v' })
    await soon(() => expect(world.kafka.records('audit.second.dlq', 2)).toHaveLength(1))
    const { topics } = world.driver.admin()
    expect((await topics.describe('audit.second.dlq')).partitions).toHaveLength(3)
    expect(lines).toContain('the topic audit.second.dlq was created')
  })
})

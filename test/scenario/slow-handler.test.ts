import { expect, it } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import { silentLog } from '../../src/observe/index.ts'
import { startBroker } from '../../src/testing/index.ts'

/*
 * A handler may take many times as long as the session: the member stays in its group, keeps its partitions,
 * and what it commits then counts. (Clients that only give signs of life between handlers are put out.)
 */

const sessionTimeoutMs = 6000
const sessions = 5

/** In the consumer protocol the broker decides. */
const properties = {
  'group.consumer.session.timeout.ms': String(sessionTimeoutMs),
  'group.consumer.min.session.timeout.ms': String(sessionTimeoutMs),
  'group.consumer.heartbeat.interval.ms': '100',
  'group.consumer.min.heartbeat.interval.ms': '100',
}

it.each(['classic', 'consumer'] as const)('in the %s protocol', async (groupProtocol) => {
  await using broker = await startBroker({ properties, recordRequests: true })
  await broker.createTopic('orders', { partitions: 2 })
  await using client = createClient({ brokers: broker.bootstrap, log: silentLog })
  await using producer = client.producer()
  await producer.send([0, 1].map((partition) => ({ topic: 'orders', partition, value: 'v' })))
  const given: string[] = []
  await using consumer = client.consumer({
    ...{ groupId: 'billing', groupProtocol, offsetReset: 'earliest', sessionTimeoutMs },
    ...{ heartbeatIntervalMs: 100 },
    onRevoked: () => void given.push('revoked'),
    onLost: () => void given.push('lost'),
  })
  consumer.subscribe('orders')
  const batches = await consumer.poll()
  const api = groupProtocol === 'classic' ? 'Heartbeat' : 'ConsumerGroupHeartbeat'
  const beats = () => broker.requests(api).length
  // The handler works; the broker's time passes, as far as signs of life come.
  for (let step = 0; step < sessions * 4; step++) {
    const before = beats()
    await expect.poll(beats, { timeout: 10_000 }).toBeGreaterThan(before)
    await broker.advanceTime(sessionTimeoutMs / 4)
  }
  expect(given).toEqual([])
  await consumer.commit()
  const offsets = await consumer.committed(batches)
  expect(offsets).toHaveLength(batches.length)
})

/**
 * Promise: a batch that is thousands of times as large as it was sent is not unpacked: its partition stands, and says so,
 * until an operator goes on behind it; other partitions do not wait.
 */
import { expect, it, vi } from 'vitest'
import { createService } from '../../src/index.ts'
import { createClient } from '../../src/client/index.ts'
import { startBroker } from '../../src/testing/index.ts'

const topic = 'payments'
const log = () => undefined
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })

it('stops its own partition alone', { timeout: 60_000 }, async () => {
  await using broker = await startBroker({
    properties: { 'group.initial.rebalance.delay.ms': '0' },
  })
  await broker.createTopic(topic, { partitions: 2 })
  await using client = createClient({ brokers: broker.bootstrap, log })
  await using producer = client.producer({
    compression: 'gzip',
    requestBytesMax: 100_000_000,
    bufferBytesMax: 200_000_000,
  })
  await producer.send({ topic, partition: 0, value: 'before' })
  await producer.send({ topic, partition: 0, value: Buffer.alloc(70 * 1024 * 1024) })
  await producer.send({ topic, partition: 0, value: 'behind' })
  await producer.send(
    Array.from({ length: 50 }, (_, index) => ({ topic, partition: 1, value: `other ${index}` })),
  )
  const handled: string[] = []
  await using service = createService({
    ...{ name: 'ledger', metrics: false, log },
    kafka: { brokers: broker.bootstrap, log },
  })
  service.records(
    topic,
    ({ value }) => {
      handled.push(String(value))
    },
    { start: 'earliest' },
  )
  await service.start()
  await soon(() => expect(handled).toHaveLength(51))
  expect(handled).toContain('before')
  await soon(() => {
    expect(JSON.stringify(service.health.report('ready'))).toMatch(/payments-0 is stopped/)
  })
  await service.seek({ topic, partition: 0 }, { offset: 2 })
  await soon(() => expect(handled).toContain('behind'))
})

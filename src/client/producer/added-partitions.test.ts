import { expect, it } from 'vitest'
import { createNodePlatform } from '../../platform/index.ts'
import { createPartitionsApi } from '../../protocol/index.ts'
import { ControlledClock, startBroker } from '../../testing/index.ts'
import type { TestBroker } from '../../testing/index.ts'
import { WireClient } from '../../testing/wire-client.ts'
import { TestClient } from './fixture/connect.ts'
import type { SendFailure } from './fixture/failure-of.ts'
import { failureOf } from './fixture/failure-of.ts'

const topic = 'orders'

async function setPartitionCount(kafka: TestBroker, count: number): Promise<void> {
  const platform = createNodePlatform()
  const [host = '', port] = kafka.bootstrap.split(':')
  await using wire = await WireClient.connect({ platform, host, port: Number(port), clientId: 't' })
  await wire.request(createPartitionsApi, 3, {
    topics: [{ name: topic, count, assignments: null }],
    timeoutMs: 10_000,
    validateOnly: false,
  })
}

it('writes to a partition that was added since the metadata came, in order', async () => {
  await using kafka = await startBroker()
  await kafka.createTopic(topic, { partitions: 1 })
  await using client = new TestClient(kafka.bootstrap)
  const producer = client.producer()
  await producer.send({ topic, value: 'known' })
  await setPartitionCount(kafka, 3)
  const values = ['a', 'b', 'c']
  const sent = values.map((value) => producer.send({ topic, partition: 2, value }))
  const together = producer.send([
    { topic, partition: 2, value: 'd' },
    { topic, partition: 0, value: 'e' },
  ])
  expect((await Promise.all(sent)).map(({ offset }) => offset)).toEqual([0, 1, 2])
  expect((await together).toArray().map(({ offset }) => offset)).toEqual([3, 1])
  expect(kafka.records(topic, 2).map(({ value }) => String(value))).toEqual([...values, 'd'])
})

it('refuses a partition that the topic does not have when it has asked for a while', async () => {
  await using kafka = await startBroker({ recordRequests: true })
  await kafka.createTopic(topic, { partitions: 1 })
  const platform = createNodePlatform()
  const clock = new ControlledClock(platform.clock)
  await using client = new TestClient(kafka.bootstrap, {}, { ...platform, clock })
  const producer = client.producer()
  await producer.send({ topic, value: 'known' })
  const before = kafka.requests('Metadata').length
  let error: SendFailure | undefined
  void failureOf(producer.send({ topic, partition: 1, value: 'v' })).then((each) => (error = each))
  while (error === undefined) {
    // The network takes turns of the real event loop.
    for (let turn = 0; turn < 10; turn++) await new Promise((go) => setImmediate(go))
    await clock.advance(100)
  }
  expect(error).toMatchObject({ code: 'MILLRACE_CLIENT_NOT_DELIVERED', definitelyNotWritten: true })
  expect(error.message).toContain('partition (1) must be a whole number from 0 to 0')
  expect(kafka.requests('Metadata').length).toBeGreaterThan(before + 1)
  expect(producer.bufferedBytes).toBe(0)
})

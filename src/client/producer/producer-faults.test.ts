import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { closeConnection, startBroker } from '../../testing/index.ts'
import type { TestBroker } from '../../testing/index.ts'
import { TestClient } from './fixture/connect.ts'
import { failureOf } from './fixture/failure-of.ts'
import { refusal, withFault } from './fixture/produce-answers.ts'

const topic = 'orders'

/** The values of a partition, in order. */
function valuesOf(kafka: TestBroker, partition = 0): string[] {
  return kafka.records(topic, partition).map(({ value }) => String(value))
}

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({ topic, partition: 0, value: `v${from + index}` }))

/** Sends each value for itself, so that each has a batch of its own. */
async function sendOneByOne(
  producer: { send(record: ReturnType<typeof numbered>[0]): Promise<{ offset: number }> },
  count: number,
  from = 0,
): Promise<number[]> {
  const sent = []
  for (const record of numbered(count, from)) {
    sent.push(producer.send(record))
    // Each leaves alone: the sender looks around once a turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return (await Promise.all(sent)).map(({ offset }) => offset)
}

const eachForItself = { lingerMs: 0 } as const

describe('a producer whose answers are lost', () => {
  it('has every record once and in order, also with five batches on their way', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer(eachForItself)
    await producer.send({ topic, partition: 0, value: 'v0' })
    let lost = 0
    using _ = kafka.intercept('Produce', async (_request, proceed) => {
      const outcome = await proceed()
      lost += 1
      return lost % 3 === 0 ? closeConnection : outcome
    })
    const offsets = await sendOneByOne(producer, 20, 1)
    expect(lost).toBeGreaterThan(5)
    expect(offsets).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    expect(valuesOf(kafka)).toEqual(Array.from({ length: 21 }, (_, index) => `v${index}`))
  })

  it('has every record once and in order when requests are lost before they arrive', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer(eachForItself)
    let count = 0
    using _ = kafka.intercept('Produce', (_request, proceed) => {
      count += 1
      return count % 3 === 0 ? closeConnection : proceed()
    })
    await sendOneByOne(producer, 20)
    expect(valuesOf(kafka)).toEqual(Array.from({ length: 20 }, (_, index) => `v${index}`))
  })
})

describe('a producer whose broker refuses for a moment', () => {
  it.each([
    'NOT_LEADER_OR_FOLLOWER',
    'NOT_ENOUGH_REPLICAS',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'REQUEST_TIMED_OUT',
    'CORRUPT_MESSAGE',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'KAFKA_STORAGE_ERROR',
  ] as const)('%s: tries again, before or after the write', async (name) => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer(eachForItself)
    let count = 0
    using _ = kafka.intercept('Produce', async (request, proceed) => {
      count += 1
      const fault = { errorCode: kafkaError[name] }
      if (count % 4 === 1) return refusal(request.body, fault)
      if (count % 4 === 3) return withFault(await proceed(), fault)
      return proceed()
    })
    await sendOneByOne(producer, 8)
    expect(valuesOf(kafka)).toEqual(Array.from({ length: 8 }, (_, index) => `v${index}`))
  })

  it('takes a repeated sequence for success, at an offset that nobody knows', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    using _ = kafka.intercept('Produce', async (_request, proceed) =>
      withFault(await proceed(), { errorCode: kafkaError.DUPLICATE_SEQUENCE_NUMBER }),
    )
    const { offset } = await client.producer().send({ topic, value: 'v0' })
    expect(offset).toBe(-1)
    expect(valuesOf(kafka)).toEqual(['v0'])
  })

  it('sends batches behind a refused one again, after it', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer(eachForItself)
    await producer.send({ topic, partition: 0, value: 'v0' })
    let refused = false
    using _ = kafka.intercept('Produce', (request, proceed) => {
      if (refused) return proceed()
      refused = true
      return refusal(request.body, { errorCode: kafkaError.NOT_ENOUGH_REPLICAS })
    })
    await sendOneByOne(producer, 5, 1)
    expect(valuesOf(kafka)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5'])
    const epochs = kafka.batches(topic).map(({ producerEpoch }) => producerEpoch)
    expect(new Set(epochs)).toEqual(new Set([0]))
  })
})

describe('a producer that the broker does not know', () => {
  it.each([
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'UNKNOWN_PRODUCER_ID',
    'INVALID_PRODUCER_EPOCH',
  ] as const)(
    '%s: goes on in another epoch, from sequence 0, with nothing lost or repeated',
    async (name) => {
      await using kafka = await startBroker()
      await kafka.createTopic(topic, { partitions: 2 })
      await using client = new TestClient(kafka.bootstrap)
      const producer = client.producer(eachForItself)
      await producer.send({ topic, partition: 0, value: 'v0' })
      await producer.send({ topic, partition: 1, value: 'w0' })
      let refused = false
      using _ = kafka.intercept('Produce', (request, proceed) => {
        if (refused) return proceed()
        refused = true
        return refusal(request.body, { errorCode: kafkaError[name], logStartOffset: 1 })
      })
      await sendOneByOne(producer, 5, 1)
      await producer.send({ topic, partition: 1, value: 'w1' })
      expect(valuesOf(kafka)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5'])
      expect(valuesOf(kafka, 1)).toEqual(['w0', 'w1'])
      const stamps = (partition: number) =>
        kafka
          .batches(topic, partition)
          .map(({ producerEpoch, baseSequence }) => `${producerEpoch}:${baseSequence}`)
      expect(stamps(0).slice(0, 2)).toEqual(['0:0', '1:0'])
      expect(stamps(1)).toEqual(['0:0', '1:0'])
    },
  )

  it('asks again while the broker does not say where its log starts', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    let refused = 0
    using _ = kafka.intercept('Produce', (request, proceed) => {
      refused += 1
      const fault = { errorCode: kafkaError.UNKNOWN_PRODUCER_ID, logStartOffset: -1 }
      return refused < 3 ? refusal(request.body, fault) : proceed()
    })
    await client.producer().send({ topic, value: 'v0' })
    expect(kafka.batches(topic).map(({ producerEpoch }) => producerEpoch)).toEqual([0])
  })
})

describe('a producer whose records are refused for good', () => {
  it('splits batches that are too large, and makes smaller ones from then on', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1, configs: { 'max.message.bytes': '2000' } })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer({ lingerMs: 0 })
    const records = Array.from({ length: 100 }, (_, index) => ({
      topic,
      value: `v${index}-${'x'.repeat(80)}`,
    }))
    const first = await producer.send(records)
    expect(first.toArray().map(({ offset }) => offset)).toEqual(records.map((_, index) => index))
    await producer.send(records)
    expect(kafka.records(topic).map(({ value }) => String(value))).toEqual(
      [...records, ...records].map(({ value }) => value),
    )
    const sizes = kafka.batches(topic).map(({ records: { length } }) => length)
    expect(Math.max(...sizes)).toBeLessThan(21)
  })

  it('says of a single record that it is too large, and goes on with others', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1, configs: { 'max.message.bytes': '2000' } })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer(eachForItself)
    const large = failureOf(producer.send({ topic, partition: 0, value: 'x'.repeat(3_000) }))
    await new Promise((resolve) => setImmediate(resolve))
    const rest = sendOneByOne(producer, 4)
    const error = await large
    expect(error.code).toBe('MILLRACE_CLIENT_NOT_DELIVERED')
    expect(error.message).toContain('MESSAGE_TOO_LARGE')
    expect(error.retriable).toBe(false)
    expect(await rest).toEqual([0, 1, 2, 3])
  })

  it('tells which records of a batch were invalid', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer()
    const fault = {
      errorCode: kafkaError.INVALID_RECORD,
      recordErrors: [{ batchIndex: 1, batchIndexErrorMessage: 'no key' }],
    }
    const refusing = kafka.intercept('Produce', (request) => refusal(request.body, fault))
    const error = await failureOf(producer.send(numbered(3)))
    refusing[Symbol.dispose]()
    expect(error.definitelyNotWritten).toBe(true)
    const reasons = error.outcomes.toArray().map((outcome) => 'error' in outcome && outcome.error)
    expect(reasons.map((reason) => reason !== false && reason.message)).toEqual([
      expect.stringContaining('another record of its batch'),
      expect.stringContaining('no key'),
      expect.stringContaining('another record of its batch'),
    ])
    expect(reasons.map((reason) => reason !== false && reason.retriable)).toEqual([
      true,
      false,
      true,
    ])
    expect((await producer.send(numbered(1)[0]!)).offset).toBe(0)
  })

  it('cannot say whether a record was written that the broker failed on', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer()
    const failing = kafka.intercept('Produce', async (_request, proceed) =>
      withFault(await proceed(), { errorCode: kafkaError.UNKNOWN_SERVER_ERROR }),
    )
    const error = await failureOf(producer.send({ topic, value: 'v0' }))
    failing[Symbol.dispose]()
    expect(error.code).toBe('MILLRACE_CLIENT_DELIVERY_UNKNOWN')
    await producer.send({ topic, value: 'v1' })
    expect(valuesOf(kafka)).toEqual(['v0', 'v1'])
  })
})

import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { startBroker } from '../../testing/index.ts'
import { TestClient } from './fixture/connect.ts'
import { failureOf } from './fixture/failure-of.ts'
import { refusal } from './fixture/produce-answers.ts'

const topic = 'orders'

describe('a producer whose leaders move', () => {
  it('has every record once and in order, wherever it has to go', async () => {
    await using kafka = await startBroker({ nodes: 3 })
    await kafka.createTopic(topic, { partitions: 2, replicas: 3 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer({ lingerMs: 0 })
    const sends = []
    for (let index = 0; index < 120; index++) {
      const record = { topic, partition: index % 2, value: `v${index}` }
      sends.push(producer.send(record))
      await new Promise((resolve) => setImmediate(resolve))
      if (index % 10 === 9) {
        const partition = index % 20 < 10 ? 0 : 1
        kafka.moveLeader(topic, partition, 1 + (kafka.leader(topic, partition) % 3))
      }
    }
    await Promise.all(sends)
    for (const partition of [0, 1]) {
      const expected = sends.map((_, index) => `v${index}`).filter((_, i) => i % 2 === partition)
      expect(kafka.records(topic, partition).map(({ value }) => value)).toEqual(expected)
    }
  })

  it('goes to the leader that an answer names, without asking for metadata', async () => {
    await using kafka = await startBroker({ nodes: 3, recordRequests: true })
    await kafka.createTopic(topic, { partitions: 1, replicas: 3 })
    await using client = new TestClient(kafka.bootstrap, {
      retryBackoffMs: 60_000,
      retryBackoffMsMax: 60_000,
    })
    const producer = client.producer()
    await producer.send({ topic, value: 'v0' })
    kafka.moveLeader(topic, 0, 1 + (kafka.leader(topic, 0) % 3))
    // The pause before a retry is a minute: it is not waited for when the leader is another.
    expect((await producer.send({ topic, value: 'v1' })).offset).toBe(1)
  })

  it('has every record once and in order when nodes stop and come back', async () => {
    await using kafka = await startBroker({ nodes: 3 })
    await kafka.createTopic(topic, { partitions: 1, replicas: 3 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer({ lingerMs: 0 })
    const sends = []
    for (let index = 0; index < 60; index++) {
      sends.push(producer.send({ topic, value: `v${index}` }))
      await new Promise((resolve) => setImmediate(resolve))
      if (index % 20 !== 10) continue
      const node = kafka.leader(topic, 0)
      await kafka.stopNode(node, 'abruptly')
      await kafka.startNode(node)
    }
    await Promise.all(sends)
    expect(kafka.records(topic).map(({ value }) => value)).toEqual(sends.map((_, i) => `v${i}`))
  })
})

describe('the identity of a producer', () => {
  it('is asked for until there is one', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    let asked = 0
    using _ = kafka.intercept('InitProducerId', (_request, proceed) => {
      asked += 1
      const errorCode = kafkaError.COORDINATOR_LOAD_IN_PROGRESS
      return asked < 3 ? { errorCode, producerId: -1, producerEpoch: -1 } : proceed()
    })
    await client.producer().send({ topic, value: 'v0' })
    expect(asked).toBe(3)
  })

  it('fails the records at once when it is not allowed, and is asked for again with the next', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer()
    const refusing = kafka.intercept('InitProducerId', () => ({
      errorCode: kafkaError.CLUSTER_AUTHORIZATION_FAILED,
      producerId: -1,
      producerEpoch: -1,
    }))
    const error = await failureOf(producer.send({ topic, value: 'v0' }))
    expect(error.message).toContain('CLUSTER_AUTHORIZATION_FAILED')
    expect(error.definitelyNotWritten).toBe(true)
    refusing[Symbol.dispose]()
    expect((await producer.send({ topic, value: 'v1' })).offset).toBe(0)
  })

  it('is another one after its last epoch', async () => {
    await using kafka = await startBroker()
    await kafka.createTopic(topic, { partitions: 1 })
    await using client = new TestClient(kafka.bootstrap)
    const producer = client.producer()
    let asked = 0
    using _ = kafka.intercept('InitProducerId', async (_request, proceed) => {
      asked += 1
      const answer = (await proceed()) as object
      return asked === 1 ? { ...answer, producerEpoch: 32_767 } : answer
    })
    await producer.send({ topic, value: 'v0' })
    let refused = false
    using _refusing = kafka.intercept('Produce', (request, proceed) => {
      if (refused) return proceed()
      refused = true
      return refusal(request.body, { errorCode: kafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER })
    })
    await producer.send({ topic, value: 'v1' })
    const [first, second] = kafka.batches(topic)
    expect([first?.producerEpoch, second?.producerEpoch, asked]).toEqual([32_767, 0, 2])
    expect(second?.producerId).not.toBe(first?.producerId)
  })
})

import { expect, it } from 'vitest'
import { numbered, startScenario, until, valueOf, valuesOf } from './scenario.ts'

/* A kafkajs group reads every record, and a later member goes on where the group has committed. */

it('a group reads what was produced, and its next member what came since', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders', { partitions: 3 })
  const producer = await clients.producer()
  const read = async (count: number): Promise<string[]> => {
    const values: string[] = []
    const consumer = await clients.consumer({ groupId: 'billing' })
    await consumer.subscribe({ topics: ['orders'], fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => {
        values.push(valueOf(message) ?? '')
        await Promise.resolve()
      },
    })
    await until(`${count} records`, () => values.length >= count)
    await consumer.disconnect()
    return values.sort()
  }
  const first = numbered(50)
  await producer.send({ topic: 'orders', messages: first })
  expect(await read(50)).toEqual(valuesOf(first).sort())
  const second = numbered(50, 50)
  await producer.send({ topic: 'orders', messages: second })
  expect(await read(50)).toEqual(valuesOf(second).sort())
})

it('a new group without fromBeginning reads only what comes after it has joined', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders')
  const producer = await clients.producer()
  await producer.send({ topic: 'orders', messages: [{ value: 'before' }] })
  const values: (string | undefined)[] = []
  const consumer = await clients.consumer({ groupId: 'alerts' })
  await consumer.subscribe({ topic: 'orders' })
  let fetched = false
  consumer.on(consumer.events.FETCH, () => (fetched = true))
  await consumer.run({
    eachMessage: async ({ message }) => {
      values.push(valueOf(message))
      await Promise.resolve()
    },
  })
  await until('it has asked for records', () => fetched)
  await producer.send({ topic: 'orders', messages: [{ value: 'after' }] })
  await until('a record', () => values.length > 0)
  expect(values).toEqual(['after'])
})

it('a topic that nobody made is made when a producer sends to it', async () => {
  await using scenario = await startScenario({ properties: { 'num.partitions': '4' } })
  const { clients } = scenario
  const producer = await clients.producer({ allowAutoTopicCreation: true })
  await producer.send({ topic: 'new', messages: numbered(10) })
  expect(await clients.read('new', 10)).toHaveLength(10)
  const { topics } = await (await clients.admin()).fetchTopicMetadata({ topics: ['new'] })
  expect(topics[0]?.partitions).toHaveLength(4)
})

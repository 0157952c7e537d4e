import type { Consumer } from 'kafkajs'
import { expect, it } from 'vitest'
import type { Cluster } from '../clients/kafkajs/cluster.ts'
import { numbered, startScenario, until, valueOf, valuesOf } from './scenario.ts'

/* A kafkajs consumer reads from where it is told to, and nothing while it is paused. */

interface Reader {
  readonly consumer: Consumer
  readonly values: string[]
}

async function reader(clients: Cluster, topics: string[]): Promise<Reader> {
  const values: string[] = []
  const consumer = await clients.consumer({ groupId: 'billing' })
  await consumer.subscribe({ topics, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      values.push(valueOf(message) ?? '')
      await Promise.resolve()
    },
  })
  return { consumer, values }
}

it('seek goes to any offset, also within a batch', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders')
  const producer = await clients.producer()
  const sent = numbered(20)
  await producer.send({ topic: 'orders', messages: sent })
  const { consumer, values } = await reader(clients, ['orders'])
  await until('20 records', () => values.length === 20)
  consumer.seek({ topic: 'orders', partition: 0, offset: '13' })
  await until('7 records again', () => values.length === 27)
  expect(values.slice(20)).toEqual(valuesOf(sent.slice(13)))
})

it('a paused topic waits, the other one goes on, and nothing is missed', async () => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('paused')
  await broker.createTopic('other')
  const producer = await clients.producer()
  const send = (topic: string, value: string) => producer.send({ topic, messages: [{ value }] })
  await send('paused', 'first')
  await send('other', 'first of other')
  const { consumer, values } = await reader(clients, ['paused', 'other'])
  await until('both', () => values.length === 2)
  consumer.pause([{ topic: 'paused' }])
  expect(consumer.paused()).toEqual([{ topic: 'paused', partitions: [0] }])
  await send('paused', 'second')
  await send('other', 'second of other')
  await until('one more', () => values.length === 3)
  await send('other', 'third of other')
  await until('another one', () => values.length === 4)
  expect(values.slice(2)).toEqual(['second of other', 'third of other'])
  consumer.resume([{ topic: 'paused' }])
  await until('what has waited', () => values.length === 5)
  expect(values[4]).toBe('second')
})

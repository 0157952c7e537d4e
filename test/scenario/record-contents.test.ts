import kafkajs from 'kafkajs'
import { expect, it } from 'vitest'
import { startScenario } from './scenario.ts'

/* Keys, values, headers and timestamps are read as they were sent, compressed or not. */

const codecs = [
  ['none', kafkajs.CompressionTypes.None],
  ['gzip', kafkajs.CompressionTypes.GZIP],
] as const

it.each(codecs)('codec %s', async (_name, compression) => {
  await using scenario = await startScenario()
  const { broker, clients } = scenario
  await broker.createTopic('orders')
  const producer = await clients.producer()
  const bytes = Buffer.from([0, 255, 128, 10])
  const messages = [
    { key: 'text', value: 'größer', timestamp: '1700000000000' },
    { key: bytes, value: bytes, timestamp: '1700000000001' },
    { key: null, value: 'without a key', timestamp: '1700000000002' },
    { key: 'deleted', value: null, timestamp: '1700000000003' },
    { key: '', value: '', timestamp: '1700000000004' },
    { key: 'long', value: 'x'.repeat(100_000), timestamp: '1700000000005' },
    {
      ...{ key: 'headers', value: 'with headers', timestamp: '1700000000006' },
      headers: { one: 'text', binary: bytes, several: ['first', 'second'], empty: '' },
    },
  ]
  await producer.send({ topic: 'orders', compression, messages })
  const read = await clients.read('orders', messages.length)
  const asBytes = (text: string | Buffer | null) => (text === null ? null : Buffer.from(text))
  expect(read.map(({ key, value, timestamp }) => ({ key, value, timestamp }))).toEqual(
    messages.map(({ key, value, timestamp }) => ({
      key: asBytes(key),
      value: asBytes(value),
      timestamp,
    })),
  )
  expect(read.at(-1)?.headers).toEqual({
    one: Buffer.from('text'),
    binary: bytes,
    several: [Buffer.from('first'), Buffer.from('second')],
    empty: Buffer.from(''),
  })
  expect(read.map(({ offset }) => offset)).toEqual(messages.map((_, index) => String(index)))
})

import assert from 'node:assert/strict'
import kafkajs, { type CompressionTypes, type KafkaMessage } from 'kafkajs'
import { valueOf, type Case, type Cluster } from './cluster.ts'

async function roundTrip(cluster: Cluster, compression: CompressionTypes): Promise<void> {
  const topic = await cluster.topic(3)
  const producer = await cluster.producer({ idempotent: true, maxInFlightRequests: 1 })
  const sent = Array.from({ length: 300 }, (_, index) => ({
    key: `key-${index}`,
    value: index % 20 === 0 ? null : `value-${index}`,
    timestamp: String(1_700_000_000_000 + index),
    headers: { number: String(index), many: ['one', 'two'] },
  }))
  for (let from = 0; from < sent.length; from += 100) {
    await producer.send({ topic, compression, messages: sent.slice(from, from + 100) })
  }
  const read = await cluster.read(topic, sent.length)
  assert.equal(read.length, sent.length)
  const byKey = new Map(read.map((message) => [message.key?.toString(), message]))
  for (const { key, value, timestamp, headers } of sent) {
    const message = byKey.get(key)
    assert.ok(message)
    assert.equal(valueOf(message), value ?? undefined)
    assert.equal(message.timestamp, timestamp)
    assert.equal(String(message.headers?.['number']), headers.number)
    assert.deepEqual(many(message), headers.many)
  }
}

function many(message: KafkaMessage): string[] {
  const header = message.headers?.['many']
  return Array.isArray(header) ? header.map(String) : [String(header)]
}

async function offsets(cluster: Cluster): Promise<void> {
  const topic = await cluster.topic(1)
  const producer = await cluster.producer()
  for (let index = 0; index < 20; index++) {
    const [result] = await producer.send({ topic, messages: [{ value: `value-${index}` }] })
    assert.equal(result?.baseOffset, String(index))
  }
  const read = await cluster.read(topic, 20)
  assert.deepEqual(
    read.map(valueOf),
    Array.from({ length: 20 }, (_, index) => `value-${index}`),
  )
}

async function withoutAcknowledgement(cluster: Cluster): Promise<void> {
  const topic = await cluster.topic(1)
  const producer = await cluster.producer()
  for (let index = 0; index < 10; index++) {
    await producer.send({ topic, acks: 0, messages: [{ value: `value-${index}` }] })
  }
  assert.equal((await cluster.read(topic, 10)).length, 10)
}

async function tooLarge(cluster: Cluster): Promise<void> {
  const topic = await cluster.topic(1, { 'max.message.bytes': '1000' })
  const producer = await cluster.producer()
  await assert.rejects(producer.send({ topic, messages: [{ value: 'x'.repeat(2000) }] }), {
    type: 'MESSAGE_TOO_LARGE',
  })
}

async function appendTime(cluster: Cluster): Promise<void> {
  const topic = await cluster.topic(1, { 'message.timestamp.type': 'LogAppendTime' })
  const producer = await cluster.producer()
  const sent = await producer.send({ topic, messages: [{ value: 'value', timestamp: '1000' }] })
  assert.ok(Number(sent[0]?.logAppendTime) > 1_700_000_000_000)
  const [message] = await cluster.read(topic, 1)
  // kafkajs does not look at the kind of timestamp: it takes the batch's first timestamp.
  assert.equal(valueOf(message as KafkaMessage), 'value')
}

export const producerCases: readonly Case[] = [
  {
    name: 'producer, codec none: what was sent is read back',
    body: (cluster) => roundTrip(cluster, kafkajs.CompressionTypes.None),
  },
  {
    name: 'producer, codec gzip: what was sent is read back',
    body: (cluster) => roundTrip(cluster, kafkajs.CompressionTypes.GZIP),
  },
  { name: 'producer: offsets are consecutive', body: offsets },
  { name: 'producer, acks 0: nothing is waited for, all arrives', body: withoutAcknowledgement },
  { name: 'producer: a record above max.message.bytes is refused', body: tooLarge },
  { name: 'producer: LogAppendTime is answered', body: appendTime },
]

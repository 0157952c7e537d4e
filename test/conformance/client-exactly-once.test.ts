/** Groups that read, write and commit in the library's transactions, on the implementation under test. */
import { expect } from 'vitest'
import type { Client } from '../../src/client/index.ts'
import { clientOf, failureOf, numbered, readAll, valuesOfRecords } from './client-steps.ts'
import { conformance, type CaseBody } from './conformance.ts'
import type { Port, Topic } from './port.ts'

/** A commit is answered before its markers are everywhere: it is read a little later. */
async function expectValues(port: Port, client: Client, topic: Topic, values: string[]) {
  const read = await port.eventually(`${values.length} records are read`, async () => {
    const found = valuesOfRecords(await readAll(client, topic))
    return found.length < values.length ? undefined : found
  })
  expect(read).toEqual(values)
}

function record(topic: Topic, value: string) {
  return { topic: topic.name, partition: 0, value }
}

/** Reads at least so much of a topic as a member of a group, and writes what it has read to another. */
async function transform(
  port: Port,
  groupProtocol: 'classic' | 'consumer',
  from: Topic,
  to: Topic,
  count: number,
): Promise<number> {
  await using client = clientOf(port)
  const transactionalId = port.name('transform')
  await using producer = client.transactionalProducer({ transactionalId })
  await using consumer = client.consumer({
    ...{ groupProtocol, groupId: `of-${from.name}`, offsetReset: 'earliest' },
  })
  consumer.subscribe([from.name])
  let done = 0
  while (done < count) {
    const batches = await consumer.poll({ maxRecords: 10 })
    if (batches.length === 0) continue
    await producer.transaction((transaction) => {
      for (const batch of batches) {
        const { topic, partition, nextOffset: offset, leaderEpoch } = batch
        const made = [...batch].map(({ value }) => record(to, `made of ${String(value)}`))
        // The commit awaits them, and fails when they do.
        void transaction.send(made)
        void transaction.sendOffsets(consumer.groupMetadata(), [
          { topic, partition, offset, leaderEpoch },
        ])
        done += made.length
      }
      return Promise.resolve()
    })
  }
  return done
}

const transformCase =
  (groupProtocol: 'classic' | 'consumer'): CaseBody =>
  async (port) => {
    const [from, to] = [await port.topic(), await port.topic()]
    await using client = clientOf(port)
    await using producer = client.producer()
    await producer.send(numbered(from, 40))
    const done = await transform(port, groupProtocol, from, to, 25)
    // Another member, with another transactional id, goes on where the transactions say.
    await transform(port, groupProtocol, from, to, 40 - done)
    const made = numbered(from, 40).map(({ value }) => `made of ${value}`)
    await expectValues(port, client, to, made)
  }

conformance('client: exactly once', {
  'a group of the classic protocol transforms each record once': transformCase('classic'),

  'a group of the consumer protocol transforms each record once': transformCase('consumer'),

  'a zombie is told to close, and the transaction of its successor is not disturbed': async (
    port,
  ) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    const transactionalId = port.name('id')
    const zombie = client.transactionalProducer({ transactionalId })
    const lost = await zombie.begin()
    await lost.send(record(topic, 'zombie'))
    await using successor = client.transactionalProducer({ transactionalId })
    const transaction = await successor.begin()
    await transaction.send(record(topic, 'a'))
    const error = await failureOf(lost.commit(), 'MILLRACE_CLIENT_TRANSACTION_CLOSE')
    expect(error).toMatchObject({ action: 'close', mayBeCommitted: false })
    await zombie.close()
    await transaction.commit()
    await expectValues(port, client, topic, ['a'])
  },

  'a producer whose transaction took too long aborts it and goes on': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = client.transactionalProducer({
      transactionalId: port.name('slow'),
      transactionTimeoutMs: 1_000,
      deliveryTimeoutMs: 20_000,
    })
    const transaction = await producer.begin()
    await transaction.send(record(topic, 'too late'))
    // What comes behind the transaction is read once it is no longer open.
    await using other = client.producer()
    await other.send(record(topic, 'behind'))
    await expectValues(port, client, topic, ['behind'])
    await failureOf(transaction.commit(), 'MILLRACE_CLIENT_TRANSACTION_ABORT')
    await transaction.abort()
    await producer.transaction((next) => next.send(record(topic, 'next')))
    await expectValues(port, client, topic, ['behind', 'next'])
  },
})

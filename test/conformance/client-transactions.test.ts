/** The library's transactions, and its readers of committed records, on the implementation under test. */
import { expect } from 'vitest'
import { TransactionError } from '../../src/client/index.ts'
import type { Client } from '../../src/client/index.ts'
import type { Reader } from './client-steps.ts'
import {
  clientOf,
  failureOf,
  numbered,
  partitionsOf,
  readAll,
  readCount,
  recordsOf,
  valuesOfRecords,
} from './client-steps.ts'
import { conformance } from './conformance.ts'
import type { Port, Topic } from './port.ts'

/** A producer of transactions that takes its id over at once. */
function transactional(port: Port, client: Client, transactionalId = port.name('tx')) {
  return client.transactionalProducer({ transactionalId })
}

function record(topic: Topic, value: string, partition = 0) {
  return { topic: topic.name, partition, key: value, value }
}

/** A value that goes from 0 up to `count` in an order that is always the same and looks like none. */
function shuffled(count: number, seed: number): number {
  return Math.imul(seed + 1, 2_654_435_761) % count
}

conformance('client: transactions', {
  'what is committed is read in every partition, what is aborted in none': async (port) => {
    const topic = await port.topic({ partitions: 3 })
    await using client = clientOf(port)
    await using producer = transactional(port, client)
    for (const kind of ['committed', 'aborted', 'committed again'] as const) {
      const transaction = await producer.begin()
      const records = [0, 1, 2].map((partition) => record(topic, `${kind} ${partition}`, partition))
      const results = await transaction.send(records)
      expect(results.toArray().map(({ partition }) => partition)).toEqual([0, 1, 2])
      await (kind === 'aborted' ? transaction.abort() : transaction.commit())
    }
    const read = await readAll(client, topic, { partitions: 3 })
    expect(valuesOfRecords(read)).toEqual(
      [0, 1, 2].flatMap((partition) => [`committed ${partition}`, `committed again ${partition}`]),
    )
    const all = await readAll(client, topic, { partitions: 3, isolation: 'read_uncommitted' })
    expect(all).toHaveLength(9)
  },

  'transactions of many producers between each other: committed records, exactly and in order':
    async (port) => {
      const topic = await port.topic()
      await using client = clientOf(port)
      await using plain = client.producer()
      const producers = Array.from({ length: 4 }, () => transactional(port, client))
      const wanted: { offset: number; value: string }[] = []
      let total = 0
      const run = async (index: number): Promise<void> => {
        const producer = producers[index]
        for (let round = 0; round < 8; round++) {
          const transaction = await producer?.begin()
          const values = Array.from({ length: 1 + shuffled(5, round + index) }, () => `v${total++}`)
          const results = await transaction?.send(values.map((value) => record(topic, value)))
          if (shuffled(3, round * 7 + index) === 0) {
            await transaction?.abort()
            continue
          }
          await transaction?.commit()
          const offsets = Array.from(results ?? [], ({ offset }) => offset)
          wanted.push(...values.map((value, at) => ({ value, offset: offsets[at] ?? -1 })))
          const value = `v${total++}`
          const { offset } = await plain.send(record(topic, value))
          wanted.push({ value, offset })
        }
        await producer?.close()
      }
      await Promise.all(producers.map((_, index) => run(index)))
      wanted.sort((one, other) => one.offset - other.offset)
      const read = await readAll(client, topic)
      expect(read.map(({ value, offset }) => ({ value, offset }))).toEqual(wanted)
      const all = await readAll(client, topic, { isolation: 'read_uncommitted' })
      expect(new Set(valuesOfRecords(all)).size).toBe(total)
      await expectSameFromEveryOffset(client, topic, wanted)
    },

  'an open transaction holds readers of committed records back, also from what is behind it':
    async (port) => {
      const topic = await port.topic()
      await using client = clientOf(port)
      await using producer = transactional(port, client)
      await using plain = client.producer()
      const transaction = await producer.begin()
      await transaction.send(record(topic, 'open'))
      await plain.send(record(topic, 'behind'))
      await using committed = client.consumer({ offsetReset: 'earliest' })
      committed.assign(partitionsOf(topic))
      expect(await committed.poll({ timeoutMs: 500 })).toEqual([])
      expect(await committed.endOffsets(partitionsOf(topic))).toMatchObject([{ offset: 0 }])
      await using uncommitted = client.consumer({
        offsetReset: 'earliest',
        isolation: 'read_uncommitted',
      })
      uncommitted.assign(partitionsOf(topic))
      expect(valuesOfRecords(await readCount(uncommitted, 2))).toEqual(['open', 'behind'])
      await transaction.commit()
      expect(valuesOfRecords(await readCount(committed, 2))).toEqual(['open', 'behind'])
    },

  'a reader comes to the end of a partition that ends with aborted records and markers': async (
    port,
  ) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = transactional(port, client)
    for (let round = 0; round < 3; round++) {
      const transaction = await producer.begin()
      await transaction.send(numbered(topic, 10))
      await transaction.abort()
    }
    expect(await readAll(client, topic)).toEqual([])
  },

  'a transaction whose work fails is aborted, and the next one goes on': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    await using producer = transactional(port, client)
    const failing = producer.transaction(async (transaction) => {
      await transaction.send(record(topic, 'failed'))
      throw new Error('the work failed')
    })
    await expect(failing).rejects.toThrow('the work failed')
    const offset = await producer.transaction(async (transaction) => {
      const result = await transaction.send(record(topic, 'done'))
      return result.offset
    })
    expect(offset).toBe(2)
    expect(valuesOfRecords(await readAll(client, topic))).toEqual(['done'])
  },

  'a hundred transactions one after another, with empty ones between': async (port) => {
    const topic = await port.topic({ partitions: 2 })
    await using client = clientOf(port)
    await using producer = transactional(port, client)
    for (let round = 0; round < 100; round++) {
      const transaction = await producer.begin()
      if (round % 10 === 9) {
        await (round % 20 === 9 ? transaction.commit() : transaction.abort())
        continue
      }
      await transaction.send([record(topic, `${round}`, 0), record(topic, `${round}`, 1)])
      await (round % 5 === 4 ? transaction.abort() : transaction.commit())
    }
    const read = await readAll(client, topic, { partitions: 2 })
    const wanted = Array.from({ length: 100 }, (_, round) => round).filter(
      (round) => round % 5 !== 4,
    )
    for (const partition of [0, 1]) {
      const own = read.filter((each) => each.partition === partition)
      expect(valuesOfRecords(own).map(Number)).toEqual(wanted)
    }
  },

  'a record that the broker refuses fails the commit, and nothing of the transaction counts':
    async (port) => {
      const topic = await port.topic()
      const compacted = await port.topic({ configs: { 'cleanup.policy': 'compact' } })
      await using client = clientOf(port)
      await using producer = transactional(port, client)
      const transaction = await producer.begin()
      await transaction.send(record(topic, 'refused with it'))
      const keyless = { topic: compacted.name, value: 'no key' }
      await expect(transaction.send(keyless)).rejects.toBeInstanceOf(TransactionError)
      await failureOf(transaction.commit(), 'MILLRACE_CLIENT_TRANSACTION_ABORT')
      await transaction.abort()
      await producer.transaction((next) => next.send(record(topic, 'next')))
      expect(valuesOfRecords(await readAll(client, topic))).toEqual(['next'])
    },
})

/** A reader of committed records sees the same from wherever it starts. */
async function expectSameFromEveryOffset(
  client: Client,
  topic: Topic,
  wanted: readonly { readonly offset: number; readonly value: string }[],
): Promise<void> {
  await using consumer = client.consumer({ offsetReset: 'none', partitionFetchBytesMax: 400 })
  const partition = { topic: topic.name, partition: 0 }
  consumer.assign([partition])
  const [end] = await consumer.endOffsets([partition])
  for (let from = 0; from < (end?.offset ?? 0); from += 3) {
    consumer.seek(partition, from)
    const rest = wanted.filter(({ offset }) => offset >= from).slice(0, 4)
    const read = rest.length === 0 ? [] : await readUpTo(consumer, rest.length)
    expect(read.map(({ offset }) => offset)).toEqual(rest.map(({ offset }) => offset))
  }
}

async function readUpTo(consumer: Reader['consumer'], count: number) {
  const records = []
  while (records.length < count) {
    records.push(...recordsOf(await consumer.poll({ maxRecords: count - records.length })))
  }
  return records
}

conformance('client: fencing', {
  'who comes later with the same transactional id takes over, and what was open is aborted': async (
    port,
  ) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    const id = port.name('tx')
    await using first = transactional(port, client, id)
    const open = await first.begin()
    await open.send(record(topic, 'of the first'))
    await using second = transactional(port, client, id)
    await second.transaction((transaction) => transaction.send(record(topic, 'of the second')))
    await failureOf(open.commit(), 'MILLRACE_CLIENT_TRANSACTION_CLOSE')
    await failureOf(first.begin(), 'MILLRACE_CLIENT_TRANSACTION_CLOSE')
    await second.transaction((transaction) => transaction.send(record(topic, 'again')))
    expect(valuesOfRecords(await readAll(client, topic))).toEqual(['of the second', 'again'])
  },

  'a fenced producer writes nothing more': async (port) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    const id = port.name('tx')
    await using first = transactional(port, client, id)
    await first.transaction((transaction) => transaction.send(record(topic, 'before')))
    const open = await first.begin()
    await using second = transactional(port, client, id)
    await second.transaction((transaction) => transaction.send(record(topic, 'after')))
    await expect(open.send(record(topic, 'late'))).rejects.toBeInstanceOf(TransactionError)
    await expect(open.commit()).rejects.toBeInstanceOf(TransactionError)
    const all = await readAll(client, topic, { isolation: 'read_uncommitted' })
    expect(valuesOfRecords(all)).toEqual(['before', 'after'])
  },

  'a transaction that takes too long is aborted by the broker, and is not committed later': async (
    port,
  ) => {
    const topic = await port.topic()
    await using client = clientOf(port)
    const transactionalId = port.name('tx')
    await using producer = client.transactionalProducer({
      transactionalId,
      transactionTimeoutMs: 1000,
    })
    const transaction = await producer.begin()
    await transaction.send(record(topic, 'too late'))
    await using consumer = client.consumer({ offsetReset: 'earliest' })
    await port.eventually('the broker has aborted it', async () => {
      const [end] = await consumer.endOffsets(partitionsOf(topic))
      return end?.offset === 2 ? true : undefined
    })
    await expect(transaction.commit()).rejects.toMatchObject({ mayBeCommitted: false })
    await using next = transactional(port, client, transactionalId)
    await next.transaction((again) => again.send(record(topic, 'next')))
    expect(valuesOfRecords(await readAll(client, topic))).toEqual(['next'])
  },
})

conformance('client: offsets in transactions', {
  'records and the offsets that they come from are committed together or not at all': async (
    port,
  ) => {
    const source = await port.topic()
    const target = await port.topic()
    await using client = clientOf(port)
    await using plain = client.producer()
    await plain.send(numbered(source, 30))
    const groupId = port.name('group')
    await using producer = transactional(port, client)
    let attempts = 0
    for (let done = false; !done;) {
      // Each attempt is a new member: it starts where the last committed transaction has ended.
      await using consumer = client.consumer({ groupId, offsetReset: 'earliest' })
      consumer.subscribe(source.name)
      const records = recordsOf(await consumer.poll({ maxRecords: 7 }))
      const last = records.at(-1)?.offset ?? -1
      attempts += 1
      const transaction = await producer.begin()
      await transaction.send(records.map(({ value }) => record(target, value ?? '')))
      const next = { topic: source.name, partition: 0, offset: last + 1 }
      await transaction.sendOffsets(consumer.groupMetadata(), [
        { ...next, leaderEpoch: -1, metadata: `attempt ${attempts}` },
      ])
      if (attempts % 2 === 1) {
        await transaction.abort()
        continue
      }
      await transaction.commit()
      const committed = await consumer.committed(partitionsOf(source))
      expect(committed).toMatchObject([{ ...next, metadata: `attempt ${attempts}` }])
      done = last === 29
    }
    const read = valuesOfRecords(await readAll(client, target))
    expect(read).toEqual(numbered(source, 30).map(({ value }) => value))
  },

  'offsets of a member that the group has given up are refused, and the transaction aborts': async (
    port,
  ) => {
    const source = await port.topic()
    const target = await port.topic()
    await using client = clientOf(port)
    await using plain = client.producer()
    await plain.send(numbered(source, 5))
    const groupId = port.name('group')
    await using producer = transactional(port, client)
    await using consumer = client.consumer({ groupId, offsetReset: 'earliest' })
    consumer.subscribe(source.name)
    await consumer.poll()
    const stale = consumer.groupMetadata()
    await consumer.close()
    await using other = client.consumer({ groupId, offsetReset: 'earliest' })
    other.subscribe(source.name)
    await other.poll()
    const transaction = await producer.begin()
    await transaction.send(record(target, 'of a zombie'))
    const offsets = [{ topic: source.name, partition: 0, offset: 5, leaderEpoch: -1, metadata: '' }]
    await failureOf(transaction.sendOffsets(stale, offsets), 'MILLRACE_CLIENT_TRANSACTION_ABORT')
    await transaction.abort()
    expect(await other.committed(partitionsOf(source))).toEqual([])
    expect(await readAll(client, target)).toEqual([])
  },
})

import { expect } from 'vitest'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port } from './port.ts'
import {
  beginTransaction,
  endTransaction,
  fetch,
  latestTimestamp,
  listOffset,
  produce,
  produceVerified,
  readCommitted,
  readUncommitted,
  transactionalBatch,
  transactionalProducer,
  untilStable,
  valuesOf,
  type Producer,
} from './steps.ts'

const endlessMs = 300_000

/**
 * A producer that has had a transaction, so that brokers and its coordinator know each other: before,
 * a leader may not know why a transaction could not be verified.
 */
async function finishedProducer(port: Port): Promise<Producer> {
  const topic = await port.topic()
  const { producer, coordinator } = await transactionalProducer(port)
  await beginTransaction(port, coordinator, producer, topic, 'first')
  await endTransaction(coordinator, producer, true)
  await untilStable(port, await port.leader(topic.name), topic)
  return producer
}

conformance('isolation', {
  'an open transaction holds the last stable offset at its first record': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    await produce(leader, topic, {})
    await beginTransaction(port, coordinator, producer, topic, 'open')
    await produce(leader, topic, {})
    const fetched = await fetch(leader, topic, 0)
    expect(fetched.lastStableOffset).toBe(1)
    expect(fetched.highWatermark).toBe(3)
  },

  'read_committed gets nothing at or above the last stable offset': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    await produce(leader, topic, { records: [{ value: 'before' }] })
    await beginTransaction(port, coordinator, producer, topic, 'open')
    await produce(leader, topic, { records: [{ value: 'behind' }] })
    expect(await valuesOf(leader, topic, readCommitted)).toEqual(['before'])
    expect(await valuesOf(leader, topic, readUncommitted)).toEqual(['before', 'open', 'behind'])
  },

  'a commit marker follows the records and moves the last stable offset': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    await beginTransaction(port, coordinator, producer, topic, 'committed')
    expectError(await endTransaction(coordinator, producer, true), 'NONE')
    await untilStable(port, leader, topic)
    const { batches, lastStableOffset } = await fetch(leader, topic, 0, {
      isolationLevel: readCommitted,
    })
    expect(lastStableOffset).toBe(2)
    expect(batches.map((batch) => batch.control)).toEqual([false, true])
    expect(batches[1]?.values).toEqual(['commit'])
    expect(batches[1]?.producerId).toBe(producer.producerId)
    expect(batches[1]?.transactional).toBe(true)
  },

  'an aborted transaction is listed with its first offset, under read_committed only': async (
    port,
  ) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    await produce(leader, topic, {})
    await beginTransaction(port, coordinator, producer, topic, 'aborted')
    expectError(await endTransaction(coordinator, producer, false), 'NONE')
    await untilStable(port, leader, topic)
    const committed = await fetch(leader, topic, 0, { isolationLevel: readCommitted })
    const { producerId } = producer
    expect(committed.abortedTransactions).toEqual([{ producerId, firstOffset: 1 }])
    expect(committed.batches.at(-1)?.values).toEqual(['abort'])
    const uncommitted = await fetch(leader, topic, 0)
    expect(uncommitted.abortedTransactions).toBeNull()
  },

  'without aborted transactions the list is empty, not null, under read_committed': async (
    port,
  ) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, {})
    const fetched = await fetch(leader, topic, 0, { isolationLevel: readCommitted })
    expect(fetched.abortedTransactions).toEqual([])
  },

  'aborted transactions that do not overlap what is fetched are not listed': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    await beginTransaction(port, coordinator, producer, topic, 'aborted')
    await endTransaction(coordinator, producer, false)
    await untilStable(port, leader, topic)
    const { baseOffset } = await produce(leader, topic, {})
    const after = await fetch(leader, topic, baseOffset, { isolationLevel: readCommitted })
    expect(after.abortedTransactions).toEqual([])
    const marker = await fetch(leader, topic, 1, { isolationLevel: readCommitted })
    expect(marker.abortedTransactions).toHaveLength(1)
  },

  'transactions of several producers end each for itself': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const one = await transactionalProducer(port)
    const two = await transactionalProducer(port)
    await beginTransaction(port, one.coordinator, one.producer, topic, 'one')
    await beginTransaction(port, two.coordinator, two.producer, topic, 'two')
    await endTransaction(two.coordinator, two.producer, true)
    await port.eventually('the marker of the second', async () => {
      const { highWatermark } = await fetch(leader, topic, 0)
      return highWatermark === 3 ? true : undefined
    })
    expect((await fetch(leader, topic, 0)).lastStableOffset).toBe(0)
    await endTransaction(one.coordinator, one.producer, false)
    await untilStable(port, leader, topic)
    const { abortedTransactions } = await fetch(leader, topic, 0, { isolationLevel: readCommitted })
    const { producerId } = one.producer
    expect(abortedTransactions).toEqual([{ producerId, firstOffset: 0 }])
  },

  'the end for read_committed is the last stable offset': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    await produce(leader, topic, {})
    await beginTransaction(port, coordinator, producer, topic, 'open')
    const end = async (isolationLevel: number) =>
      (await listOffset(leader, topic, latestTimestamp, { isolationLevel })).offset
    expect(await end(readCommitted)).toBe(1)
    expect(await end(readUncommitted)).toBe(2)
  },

  'a wait under read_committed is ended by the marker, not by the records': async (port) => {
    const topic = await port.topic()
    const reader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    const waiting = fetch(reader, topic, 0, {
      isolationLevel: readCommitted,
      maxWaitMs: endlessMs,
      minBytes: 1,
    })
    await beginTransaction(port, coordinator, producer, topic, 'committed')
    await endTransaction(coordinator, producer, true)
    const { batches } = await waiting
    expect(batches[0]?.values).toEqual(['committed'])
  },

  'a plain batch of a producer with an open transaction is INVALID_TXN_STATE': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    await beginTransaction(port, coordinator, producer, topic, 'open')
    const plain = await produce(leader, topic, { ...producer, baseSequence: 1 })
    expectError(plain.errorCode, 'INVALID_TXN_STATE')
  },

  'a batch without a transaction is INVALID_TXN_STATE, TRANSACTION_ABORTABLE from Produce 11 on':
    async (port) => {
      for (const [version, error] of [
        [9, 'INVALID_TXN_STATE'],
        [11, 'TRANSACTION_ABORTABLE'],
      ] as const) {
        const topic = await port.topic()
        const leader = await port.leader(topic.name)
        const producer = await finishedProducer(port)
        const { transactionalId } = producer
        const batch = transactionalBatch(producer, 0, 'stray')
        const options = { transactionalId, version }
        const refused = await produceVerified(port, leader, topic, batch, options)
        expectError(refused.errorCode, error)
      }
    },

  'a finished transaction takes no more records': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    const { transactionalId } = producer
    await beginTransaction(port, coordinator, producer, topic, 'first')
    await endTransaction(coordinator, producer, true)
    await untilStable(port, leader, topic)
    const batch = transactionalBatch(producer, 1, 'late')
    const late = await produceVerified(port, leader, topic, batch, { transactionalId })
    expectError(late.errorCode, 'INVALID_TXN_STATE')
  },

  'the next transaction of a producer goes on with its sequence': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    await beginTransaction(port, coordinator, producer, topic, 'first')
    await endTransaction(coordinator, producer, true)
    await untilStable(port, leader, topic)
    const second = await beginTransaction(port, coordinator, producer, topic, 'second', 1)
    expectError(second.errorCode, 'NONE')
  },
})

/** Transactions of the second version (KIP-890, part 2): each has an epoch of its own. */
import { expect } from 'vitest'
import {
  addOffsetsToTxnApi,
  apiVersionsApi,
  endTxnApi,
  txnOffsetCommitApi,
} from '../../src/protocol/index.ts'
import type { WireClient } from '../../src/testing/wire-client.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port, Topic } from './port.ts'
import {
  committed,
  fetch,
  initProducerId,
  produceVerified,
  readCommitted,
  transactionalBatch,
  transactionalProducer,
  untilStable,
  valuesOf,
  type ProducedPartition,
  type Producer,
} from './steps.ts'

const produceVersion = 12

/** Writes one record; the first one of a transaction adds its partition by itself. */
async function write(
  port: Port,
  producer: Producer,
  topic: Topic,
  value: string,
  baseSequence = 0,
): Promise<ProducedPartition> {
  const leader = await port.leader(topic.name)
  const { transactionalId } = producer
  const batch = transactionalBatch(producer, baseSequence, value)
  const options = { transactionalId, version: produceVersion }
  return produceVerified(port, leader, topic, batch, options)
}

/** Ends a transaction with version 5; the answer has the epoch of the next one. */
function end(port: Port, coordinator: WireClient, producer: Producer, isCommitted: boolean) {
  const { transactionalId, producerId, producerEpoch } = producer
  const request = { transactionalId, producerId, producerEpoch, committed: isCommitted }
  return port.settled(
    () => coordinator.request(endTxnApi, 5, request),
    (answer) => answer.errorCode,
    ['CONCURRENT_TRANSACTIONS'],
  )
}

conformance('transactions of the second version', {
  'they are told of by the finalized feature transaction.version': async (port) => {
    const client = await port.any()
    const request = { clientSoftwareName: 'conformance', clientSoftwareVersion: '1' }
    const response = await client.request(apiVersionsApi, 4, request)
    const feature = response.finalizedFeatures.find((one) => one.name === 'transaction.version')
    expect(feature?.maxVersionLevel).toBe(2)
  },

  'a partition is added by its first record, and the end answers the next epoch': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port, { version: 5 })
    expectError((await write(port, producer, topic, 'first')).errorCode, 'NONE')
    const ended = await end(port, coordinator, producer, true)
    expectError(ended.errorCode, 'NONE')
    expect(ended.producerId).toBe(producer.producerId)
    expect(ended.producerEpoch).toBe(producer.producerEpoch + 1)
    await untilStable(port, leader, topic)
    expect(await valuesOf(leader, topic, readCommitted)).toEqual(['first'])
  },

  'markers carry the next epoch, and the next transaction starts at sequence 0': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port, { version: 5 })
    await write(port, producer, topic, 'first')
    const { producerEpoch } = await end(port, coordinator, producer, true)
    await untilStable(port, leader, topic)
    const { batches } = await fetch(leader, topic, 0)
    expect(batches[1]?.producerEpoch).toBe(producerEpoch)
    const next = { ...producer, producerEpoch }
    const wrong = await write(port, next, topic, 'second', 1)
    expectError(wrong.errorCode, 'OUT_OF_ORDER_SEQUENCE_NUMBER')
    expectError((await write(port, next, topic, 'second')).errorCode, 'NONE')
  },

  'a late record of the last transaction is INVALID_PRODUCER_EPOCH': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port, { version: 5 })
    await write(port, producer, topic, 'first')
    await end(port, coordinator, producer, true)
    await untilStable(port, leader, topic)
    const late = await write(port, producer, topic, 'late', 1)
    expectError(late.errorCode, 'INVALID_PRODUCER_EPOCH')
  },

  'a repeated end is recognized by its epoch, and answered alike': async (port) => {
    const topic = await port.topic()
    for (const isCommitted of [true, false]) {
      const { producer, coordinator } = await transactionalProducer(port, { version: 5 })
      await write(port, producer, topic, 'value')
      const first = await end(port, coordinator, producer, isCommitted)
      const again = await end(port, coordinator, producer, isCommitted)
      expectError(again.errorCode, 'NONE')
      expect([again.producerId, again.producerEpoch]).toEqual([
        first.producerId,
        first.producerEpoch,
      ])
    }
  },

  'an empty abort is answered with the next epoch, an empty commit is INVALID_TXN_STATE': async (
    port,
  ) => {
    const { producer, coordinator } = await transactionalProducer(port, { version: 5 })
    const commit = await end(port, coordinator, producer, true)
    expectError(commit.errorCode, 'INVALID_TXN_STATE')
    const abort = await end(port, coordinator, producer, false)
    expectError(abort.errorCode, 'NONE')
    expect(abort.producerEpoch).toBe(producer.producerEpoch + 1)
  },

  'an end of an old epoch is PRODUCER_FENCED': async (port) => {
    const topic = await port.topic()
    const { producer, coordinator } = await transactionalProducer(port, { version: 5 })
    await write(port, producer, topic, 'value')
    const { transactionalId } = producer
    await transactionalProducer(port, { transactionalId, version: 5 })
    const ended = await end(port, coordinator, producer, true)
    expectError(ended.errorCode, 'PRODUCER_FENCED')
  },

  'a producer that a partition does not know must start at sequence 0': async (port) => {
    const topic = await port.topic()
    const { producer } = await transactionalProducer(port, { version: 5 })
    const wrong = await write(port, producer, topic, 'value', 5)
    expectError(wrong.errorCode, 'OUT_OF_ORDER_SEQUENCE_NUMBER')
  },

  'offsets add their group by themselves': async (port) => {
    const topic = await port.topic()
    const groupId = port.name('group')
    const group = await port.coordinator('group', groupId)
    const { producer, coordinator } = await transactionalProducer(port, { version: 5 })
    const { transactionalId, producerId, producerEpoch } = producer
    const answer = await port.settled(
      () =>
        group.request(txnOffsetCommitApi, 5, {
          transactionalId,
          groupId,
          producerId,
          producerEpoch,
          topics: [
            {
              name: topic.name,
              partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }],
            },
          ],
        }),
      (response) => response.topics[0]?.partitions[0]?.errorCode ?? 0,
      ['CONCURRENT_TRANSACTIONS'],
    )
    expectError(answer.topics[0]?.partitions[0]?.errorCode, 'NONE')
    expectError((await end(port, coordinator, producer, true)).errorCode, 'NONE')
    await port.eventually('the offset is committed', async () => {
      const { committedOffset } = await committed(group, groupId, topic)
      return committedOffset === 7 ? true : undefined
    })
  },

  'AddOffsetsToTxn still works': async (port) => {
    const { producer, coordinator } = await transactionalProducer(port, { version: 5 })
    const { transactionalId, producerId, producerEpoch } = producer
    const answer = await coordinator.request(addOffsetsToTxnApi, 4, {
      transactionalId,
      producerId,
      producerEpoch,
      groupId: port.name('group'),
    })
    expectError(answer.errorCode, 'NONE')
  },

  'a producer that starts again goes on from the epoch it was answered': async (port) => {
    const topic = await port.topic()
    const { producer, coordinator } = await transactionalProducer(port, { version: 5 })
    await write(port, producer, topic, 'value')
    const { producerEpoch } = await end(port, coordinator, producer, true)
    const { transactionalId, producerId } = producer
    const known = { version: 5, producerId, producerEpoch }
    const answer = await port.settled(
      () => initProducerId(coordinator, transactionalId, known),
      (response) => response.errorCode,
      ['CONCURRENT_TRANSACTIONS'],
    )
    expectError(answer.errorCode, 'NONE')
    expect([answer.producerId, answer.producerEpoch]).toEqual([producerId, producerEpoch + 1])
  },
})

import { expect } from 'vitest'
import {
  addPartitionsToTxnApi,
  describeTransactionsApi,
  listTransactionsApi,
} from '../../src/protocol/index.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import {
  addOffsets,
  addPartitions,
  beginTransaction,
  endTransaction,
  fetch,
  initProducerId,
  produce,
  produceVerified,
  readCommitted,
  transactionalBatch,
  transactionalProducer,
  untilStable,
  valuesOf,
  type Producer,
} from './steps.ts'

conformance('transactions', {
  'a producer without a transactional id gets a new id and epoch 0': async (port) => {
    const client = await port.any()
    const ids = new Set<number>()
    for (let index = 0; index < 3; index++) {
      const answer = await port.settled(
        () => initProducerId(client, null),
        (response) => response.errorCode,
      )
      expect(answer.producerEpoch).toBe(0)
      ids.add(answer.producerId)
    }
    expect(ids.size).toBe(3)
  },

  'an empty transactional id is INVALID_REQUEST': async (port) => {
    const client = await port.any()
    const answer = await initProducerId(client, '')
    expectError(answer.errorCode, 'INVALID_REQUEST')
  },

  'a timeout above transaction.max.timeout.ms is INVALID_TRANSACTION_TIMEOUT': async (port) => {
    const transactionalId = port.name('tx')
    const coordinator = await port.coordinator('transaction', transactionalId)
    for (const timeoutMs of [900_001, 0, -1]) {
      const answer = await port.settled(
        () => initProducerId(coordinator, transactionalId, { timeoutMs }),
        (response) => response.errorCode,
      )
      expectError(answer.errorCode, 'INVALID_TRANSACTION_TIMEOUT')
    }
  },

  'each start of a transactional id has a higher epoch of the same producer id': async (port) => {
    const { producer } = await transactionalProducer(port)
    expect(producer.producerEpoch).toBe(0)
    const { transactionalId } = producer
    const { producer: again } = await transactionalProducer(port, { transactionalId })
    expect(again.producerId).toBe(producer.producerId)
    expect(again.producerEpoch).toBe(1)
  },

  'a start with its own producer id and epoch keeps the id': async (port) => {
    const { producer, coordinator } = await transactionalProducer(port)
    const { transactionalId, producerId, producerEpoch } = producer
    const answer = await initProducerId(coordinator, transactionalId, {
      producerId,
      producerEpoch,
    })
    expectError(answer.errorCode, 'NONE')
    expect([answer.producerId, answer.producerEpoch]).toEqual([producerId, producerEpoch + 1])
  },

  'a start with an old epoch is PRODUCER_FENCED, INVALID_PRODUCER_EPOCH before version 4': async (
    port,
  ) => {
    const { producer, coordinator } = await transactionalProducer(port)
    const { transactionalId } = producer
    for (let index = 0; index < 3; index++) await transactionalProducer(port, { transactionalId })
    const fenced = await initProducerId(coordinator, transactionalId, { ...producer, version: 4 })
    expectError(fenced.errorCode, 'PRODUCER_FENCED')
    const old = await initProducerId(coordinator, transactionalId, { ...producer, version: 3 })
    expectError(old.errorCode, 'INVALID_PRODUCER_EPOCH')
  },

  'a start with a producer id of another is refused': async (port) => {
    const { producer, coordinator } = await transactionalProducer(port)
    const answer = await initProducerId(coordinator, producer.transactionalId, {
      producerId: producer.producerId + 1_000_000,
      producerEpoch: 0,
    })
    expectError(answer.errorCode, 'PRODUCER_FENCED')
  },

  'a new transactional id with a producer id of its own is granted one': async (port) => {
    const transactionalId = port.name('tx')
    const coordinator = await port.coordinator('transaction', transactionalId)
    const answer = await port.settled(
      () => initProducerId(coordinator, transactionalId, { producerId: 987_654, producerEpoch: 3 }),
      (response) => response.errorCode,
    )
    expectError(answer.errorCode, 'NONE')
    expect(answer.producerId).toBeGreaterThanOrEqual(0)
  },

  'a start during a transaction aborts it, and says CONCURRENT_TRANSACTIONS first': async (
    port,
  ) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    await beginTransaction(port, coordinator, producer, topic, 'open')
    const first = await initProducerId(coordinator, producer.transactionalId)
    expectError(first.errorCode, 'CONCURRENT_TRANSACTIONS')
    const { transactionalId } = producer
    const { producer: next } = await transactionalProducer(port, { transactionalId })
    expect(next.producerEpoch).toBeGreaterThan(producer.producerEpoch)
    await untilStable(port, leader, topic)
    expect(await valuesOf(leader, topic)).toEqual(['open'])
    const { abortedTransactions } = await fetch(leader, topic, 0, { isolationLevel: readCommitted })
    expect(abortedTransactions).toHaveLength(1)
  },

  'the fenced producer cannot write, add or end': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    await beginTransaction(port, coordinator, producer, topic, 'of the first')
    const { transactionalId } = producer
    const { producer: second } = await transactionalProducer(port, { transactionalId })
    await untilStable(port, leader, topic)
    await beginTransaction(port, coordinator, second, topic, 'of the second')
    const batch = transactionalBatch(producer, 1, 'late')
    const written = await produceVerified(port, leader, topic, batch, { transactionalId })
    expectError(written.errorCode, 'INVALID_PRODUCER_EPOCH')
    const partitions = [{ name: topic.name, partitions: [0] }]
    const added = await addPartitions(port, coordinator, producer, partitions)
    expectError(added[0]?.errorCode, 'PRODUCER_FENCED')
    expectError(await endTransaction(coordinator, producer, true), 'PRODUCER_FENCED')
    expectError(await addOffsets(coordinator, producer, 'group'), 'PRODUCER_FENCED')
    expectError(await endTransaction(coordinator, second, true), 'NONE')
  },

  'old versions are told INVALID_PRODUCER_EPOCH in place of PRODUCER_FENCED': async (port) => {
    const topic = await port.topic()
    const { producer, coordinator } = await transactionalProducer(port)
    const { transactionalId } = producer
    await transactionalProducer(port, { transactionalId })
    const partitions = [{ name: topic.name, partitions: [0] }]
    for (const version of [0, 1]) {
      const added = await addPartitions(port, coordinator, producer, partitions, version)
      expectError(added[0]?.errorCode, 'INVALID_PRODUCER_EPOCH')
      const ended = await endTransaction(coordinator, producer, true, version)
      expectError(ended, 'INVALID_PRODUCER_EPOCH')
      const offsets = await addOffsets(coordinator, producer, 'group', version)
      expectError(offsets, 'INVALID_PRODUCER_EPOCH')
    }
    const added = await addPartitions(port, coordinator, producer, partitions, 2)
    expectError(added[0]?.errorCode, 'PRODUCER_FENCED')
    expectError(await endTransaction(coordinator, producer, true, 2), 'PRODUCER_FENCED')
    expectError(await addOffsets(coordinator, producer, 'group', 2), 'PRODUCER_FENCED')
  },

  'an unknown transactional id is INVALID_PRODUCER_ID_MAPPING': async (port) => {
    const topic = await port.topic()
    const transactionalId = port.name('tx')
    const coordinator = await port.coordinator('transaction', transactionalId)
    const stranger: Producer = { transactionalId, producerId: 5, producerEpoch: 0 }
    const partitions = [{ name: topic.name, partitions: [0] }]
    const [added] = await port.settled(
      () => addPartitions(port, coordinator, stranger, partitions),
      (results) => results[0]?.errorCode ?? 0,
    )
    expectError(added?.errorCode, 'INVALID_PRODUCER_ID_MAPPING')
    const ended = await endTransaction(coordinator, stranger, true)
    expectError(ended, 'INVALID_PRODUCER_ID_MAPPING')
    const offsets = await addOffsets(coordinator, stranger, 'group')
    expectError(offsets, 'INVALID_PRODUCER_ID_MAPPING')
  },

  'the producer id of another is INVALID_PRODUCER_ID_MAPPING': async (port) => {
    const topic = await port.topic()
    const { producer, coordinator } = await transactionalProducer(port)
    const other = { ...producer, producerId: producer.producerId + 1_000_000 }
    const partitions = [{ name: topic.name, partitions: [0] }]
    const [added] = await addPartitions(port, coordinator, other, partitions)
    expectError(added?.errorCode, 'INVALID_PRODUCER_ID_MAPPING')
  },

  'partitions are added all or none: the others are OPERATION_NOT_ATTEMPTED': async (port) => {
    const topic = await port.topic()
    const { producer, coordinator } = await transactionalProducer(port)
    const missing = port.name('missing')
    const results = await port.eventually('an answer', async () => {
      const response = await coordinator.request(addPartitionsToTxnApi, 3, {
        v3AndBelowTransactionalId: producer.transactionalId,
        v3AndBelowProducerId: producer.producerId,
        v3AndBelowProducerEpoch: producer.producerEpoch,
        v3AndBelowTopics: [
          { name: topic.name, partitions: [0] },
          { name: missing, partitions: [0] },
        ],
      })
      return response.resultsByTopicV3AndBelow
    })
    const errorOf = (name: string) =>
      results.find((one) => one.name === name)?.resultsByPartition[0]?.partitionErrorCode
    expectError(errorOf(topic.name), 'OPERATION_NOT_ATTEMPTED')
    expectError(errorOf(missing), 'UNKNOWN_TOPIC_OR_PARTITION')
  },

  'adding a partition twice is no error': async (port) => {
    const topic = await port.topic()
    const { producer, coordinator } = await transactionalProducer(port)
    const partitions = [{ name: topic.name, partitions: [0] }]
    for (let index = 0; index < 2; index++) {
      const [added] = await addPartitions(port, coordinator, producer, partitions)
      expectError(added?.errorCode, 'NONE')
    }
  },

  'an end without a transaction is INVALID_TXN_STATE': async (port) => {
    const { producer, coordinator } = await transactionalProducer(port)
    for (const committed of [true, false]) {
      expectError(await endTransaction(coordinator, producer, committed), 'INVALID_TXN_STATE')
    }
  },

  'a repeated end is answered alike, the opposite is INVALID_TXN_STATE': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port)
    for (const committed of [true, false]) {
      await beginTransaction(port, coordinator, producer, topic, 'value', committed ? 0 : 1)
      expectError(await endTransaction(coordinator, producer, committed), 'NONE')
      await untilStable(port, leader, topic)
      const again = await port.settled(
        () => endTransaction(coordinator, producer, committed),
        (code) => code,
        ['CONCURRENT_TRANSACTIONS'],
      )
      expectError(again, 'NONE')
      const opposite = await endTransaction(coordinator, producer, !committed)
      expectError(opposite, 'INVALID_TXN_STATE')
    }
  },

  'a transaction over several partitions ends on all of them': async (port) => {
    const topic = await port.topic({ partitions: 3 })
    const { producer, coordinator } = await transactionalProducer(port)
    const { transactionalId } = producer
    const partitions = [{ name: topic.name, partitions: [0, 1, 2] }]
    await addPartitions(port, coordinator, producer, partitions)
    for (const partition of [0, 1, 2]) {
      const leader = await port.leader(topic.name, partition)
      const batch = transactionalBatch(producer, 0, `on ${partition}`)
      await produce(leader, topic, batch, { transactionalId, partition })
    }
    await endTransaction(coordinator, producer, true)
    for (const partition of [0, 1, 2]) {
      const leader = await port.leader(topic.name, partition)
      await port.eventually(`a marker on ${partition}`, async () => {
        const { batches } = await fetch(leader, topic, 0, { partition, isolationLevel: 1 })
        return batches[1]?.values[0] === 'commit' ? true : undefined
      })
    }
  },

  'a transaction that takes too long is aborted, and its producer fenced': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const { producer, coordinator } = await transactionalProducer(port, { timeoutMs: 300 })
    const { transactionalId } = producer
    await beginTransaction(port, coordinator, producer, topic, 'slow')
    await untilStable(port, leader, topic)
    const { batches } = await fetch(leader, topic, 0)
    expect(batches[1]?.values).toEqual(['abort'])
    expect(batches[1]?.producerEpoch).toBe(producer.producerEpoch + 1)
    const batch = transactionalBatch(producer, 1, 'late')
    const late = await produceVerified(port, leader, topic, batch, { transactionalId })
    expectError(late.errorCode, 'INVALID_PRODUCER_EPOCH')
    expectError(await endTransaction(coordinator, producer, true), 'PRODUCER_FENCED')
  },

  'transactions are described while they go on and when they are complete': async (port) => {
    const topic = await port.topic()
    const { producer, coordinator } = await transactionalProducer(port)
    const { transactionalId } = producer
    await beginTransaction(port, coordinator, producer, topic, 'value')
    const describe = async () => {
      const request = { transactionalIds: [transactionalId] }
      const response = await coordinator.request(describeTransactionsApi, 0, request)
      return response.transactionStates[0]
    }
    const open = await describe()
    expect(open?.transactionState).toBe('Ongoing')
    expect(open?.producerId).toBe(producer.producerId)
    expect(open?.topics.map((one) => one.topic)).toEqual([topic.name])
    await endTransaction(coordinator, producer, true)
    await port.eventually('it is complete', async () => {
      const state = await describe()
      return state?.transactionState === 'CompleteCommit' ? true : undefined
    })
    expect((await describe())?.topics).toEqual([])
  },

  'transactions are listed, and filtered by state and producer': async (port) => {
    const topic = await port.topic()
    const { producer, coordinator } = await transactionalProducer(port)
    await beginTransaction(port, coordinator, producer, topic, 'value')
    const isListed = async (stateFilters: string[], producerIdFilters: number[]) => {
      const request = { stateFilters, producerIdFilters }
      const response = await coordinator.request(listTransactionsApi, 0, request)
      return response.transactionStates.some(
        (one) => one.transactionalId === producer.transactionalId,
      )
    }
    expect(await isListed([], [])).toBe(true)
    expect(await isListed(['Ongoing'], [producer.producerId])).toBe(true)
    expect(await isListed(['CompleteCommit'], [])).toBe(false)
    expect(await isListed([], [producer.producerId + 1_000_000])).toBe(false)
  },

  'an unknown transactional id is TRANSACTIONAL_ID_NOT_FOUND when described': async (port) => {
    const transactionalId = port.name('tx')
    const coordinator = await port.coordinator('transaction', transactionalId)
    const answer = await port.settled(
      () =>
        coordinator.request(describeTransactionsApi, 0, { transactionalIds: [transactionalId] }),
      (response) => response.transactionStates[0]?.errorCode ?? 0,
    )
    expectError(answer.transactionStates[0]?.errorCode, 'TRANSACTIONAL_ID_NOT_FOUND')
  },
})

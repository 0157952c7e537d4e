/** What operators do beside topics and groups: hanging transactions, brokers' defaults, the quorum. */
import { expect } from 'vitest'
import {
  addPartitionsToTxnApi,
  describeConfigsApi,
  describeProducersApi,
  describeQuorumApi,
  describeTransactionsApi,
  incrementalAlterConfigsApi,
  listTransactionsApi,
  writeTxnMarkersApi,
} from '../../src/protocol/index.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port, Topic } from './port.ts'
import { beginTransaction, listOffset, transactionalProducer } from './steps.ts'

/** An open transaction with a record at offset 0. */
async function openTransaction(port: Port) {
  const topic = await port.topic()
  const leader = await port.leader(topic.name)
  const transactionalId = port.name('tx')
  // The second one has an epoch before its own.
  await transactionalProducer(port, { transactionalId })
  const { producer, coordinator } = await transactionalProducer(port, { transactionalId })
  await beginTransaction(port, coordinator, producer, topic, 'open')
  return { topic, leader, producer, coordinator }
}

type Open = Awaited<ReturnType<typeof openTransaction>>

/** Ends the transaction in its partition, as `kafka-transactions abort` does. */
async function writeMarker({ leader, topic, producer }: Open, epochs: object, index = 0) {
  const answer = await leader.request(writeTxnMarkersApi, 1, {
    markers: [
      {
        producerId: producer.producerId,
        producerEpoch: producer.producerEpoch,
        transactionResult: false,
        topics: [{ name: topic.name, partitionIndexes: [index] }],
        coordinatorEpoch: 0,
        ...epochs,
      },
    ],
  })
  return answer.markers[0]?.topics[0]?.partitions[0]?.errorCode
}

async function producerIn({ leader, topic, producer }: Open) {
  const answer = await leader.request(describeProducersApi, 0, {
    topics: [{ name: topic.name, partitionIndexes: [0] }],
  })
  const active = answer.topics[0]?.partitions[0]?.activeProducers
  return active?.find(({ producerId }) => producerId === producer.producerId)
}

async function stableOffset(port: Port, topic: Topic): Promise<number> {
  const leader = await port.leader(topic.name)
  const { offset } = await listOffset(leader, topic, -1, { isolationLevel: 1 })
  return offset
}

interface Entry {
  readonly value: string | null
  readonly configSource: number
}

/** A broker's property, of one (`'1'`) or of all (`''`). */
async function brokerConfig(
  port: Port,
  resourceName: string,
  name: string,
): Promise<Entry | undefined> {
  const client = await port.any()
  const { results } = await client.request(describeConfigsApi, 4, {
    resources: [{ resourceType: 4, resourceName, configurationKeys: null }],
  })
  expectError(results[0]?.errorCode, 'NONE')
  return results[0]?.configs.find((config) => config.name === name)
}

/** Sets a property of all brokers, or takes it away again. */
async function setDefault(port: Port, name: string, value: string | null): Promise<number> {
  const client = await port.any()
  const { responses } = await client.request(incrementalAlterConfigsApi, 1, {
    resources: [
      {
        resourceType: 4,
        resourceName: '',
        configs: [{ name, configOperation: value === null ? 1 : 0, value }],
      },
    ],
    validateOnly: false,
  })
  return responses[0]?.errorCode ?? -1
}

conformance('operating', {
  'a transaction that hangs in a partition is ended there by a marker': async (port) => {
    const open = await openTransaction(port)
    expect(await producerIn(open)).toMatchObject({ currentTxnStartOffset: 0 })
    expect(await stableOffset(port, open.topic)).toBe(0)
    expectError(await writeMarker(open, {}), 'NONE')
    await port.eventually('the partition is stable', async () =>
      (await stableOffset(port, open.topic)) === 2 ? true : undefined,
    )
    expect(await producerIn(open)).toMatchObject({ currentTxnStartOffset: -1 })
  },

  'a marker of an old epoch is INVALID_PRODUCER_EPOCH, in a missing partition unknown': async (
    port,
  ) => {
    const open = await openTransaction(port)
    const old = await writeMarker(open, { producerEpoch: open.producer.producerEpoch - 1 })
    expectError(old, 'INVALID_PRODUCER_EPOCH')
    expectError(await writeMarker(open, {}, 7), 'UNKNOWN_TOPIC_OR_PARTITION')
    expect(await producerIn(open)).toMatchObject({ currentTxnStartOffset: 0 })
  },

  'partitions of the coordinators are TOPIC_AUTHORIZATION_FAILED, the others not attempted': async (
    port,
  ) => {
    const { name } = await port.topic()
    const { producer, coordinator } = await transactionalProducer(port)
    const answer = await coordinator.request(addPartitionsToTxnApi, 3, {
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [
        { name: '__transaction_state', partitions: [0] },
        { name, partitions: [0] },
      ],
    })
    const codes = new Map(
      answer.resultsByTopicV3AndBelow.map(({ name: topic, resultsByPartition }) => [
        topic,
        resultsByPartition[0]?.partitionErrorCode,
      ]),
    )
    expectError(codes.get('__transaction_state'), 'TOPIC_AUTHORIZATION_FAILED')
    expectError(codes.get(name), 'OPERATION_NOT_ATTEMPTED')
  },

  'transactions are listed and described while they are open': async (port) => {
    const open = await openTransaction(port)
    const { coordinator, producer, topic } = open
    const byProducer = await coordinator.request(listTransactionsApi, 1, {
      stateFilters: ['Ongoing'],
      producerIdFilters: [producer.producerId],
    })
    expectError(byProducer.errorCode, 'NONE')
    const [listed] = byProducer.transactionStates
    expect(listed).toMatchObject({ transactionState: 'Ongoing' })
    const id = listed?.transactionalId ?? ''
    const { transactionStates } = await coordinator.request(describeTransactionsApi, 0, {
      transactionalIds: [id],
    })
    expect(transactionStates[0]).toMatchObject({
      errorCode: 0,
      transactionState: 'Ongoing',
      producerId: producer.producerId,
      topics: [{ topic: topic.name, partitions: [0] }],
    })
    const missing = `${id}-missing`
    const its = await port.coordinator('transaction', missing)
    const unknown = await its.request(describeTransactionsApi, 0, { transactionalIds: [missing] })
    expectError(unknown.transactionStates[0]?.errorCode, 'TRANSACTIONAL_ID_NOT_FOUND')
    const young = await coordinator.request(listTransactionsApi, 1, {
      stateFilters: [],
      producerIdFilters: [producer.producerId],
      durationFilter: 3_600_000,
    })
    expect(young.transactionStates).toEqual([])
    const odd = await coordinator.request(listTransactionsApi, 1, {
      stateFilters: ['Odd'],
      producerIdFilters: [],
    })
    expect(odd.unknownStateFilters).toEqual(['Odd'])
  },

  'a default of all brokers is kept, described for all and for each, and taken away': async (
    port,
  ) => {
    const name = 'log.segment.delete.delay.ms'
    const before = await brokerConfig(port, '1', name)
    expect(await setDefault(port, name, '61000')).toBe(0)
    await port.eventually('it is described for all', async () =>
      (await brokerConfig(port, '', name))?.value === '61000' ? true : undefined,
    )
    const ofOne = await port.eventually('it is described for one', async () => {
      const config = await brokerConfig(port, '1', name)
      return config?.value === '61000' ? config : undefined
    })
    const dynamicDefault = 3
    expect(ofOne.configSource).toBe(dynamicDefault)
    expect(await setDefault(port, name, null)).toBe(0)
    await port.eventually('it is gone', async () =>
      (await brokerConfig(port, '1', name))?.value === before?.value ? true : undefined,
    )
  },

  'a default that no broker can change while it runs is refused': async (port) => {
    expectError(await setDefault(port, 'broker.id', '7'), 'INVALID_REQUEST')
    expectError(await setDefault(port, 'log.retention.ms', 'soon'), 'INVALID_REQUEST')
  },

  'the quorum has a leader, who is a voter and has all': async (port) => {
    const client = await port.any()
    const { errorCode, topics } = await client.request(describeQuorumApi, 1, {
      topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
    })
    expectError(errorCode, 'NONE')
    const quorum = topics[0]?.partitions[0]
    expectError(quorum?.errorCode, 'NONE')
    const leader = quorum?.currentVoters.find(({ replicaId }) => replicaId === quorum.leaderId)
    expect(leader?.logEndOffset).toBeGreaterThan(0)
    expect(quorum?.highWatermark).toBeGreaterThan(0)
  },

  'the quorum of any other topic is unknown': async (port) => {
    const client = await port.any()
    const { topics } = await client.request(describeQuorumApi, 1, {
      topics: [{ topicName: 'orders', partitions: [{ partitionIndex: 0 }] }],
    })
    expectError(topics[0]?.partitions[0]?.errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')
  },
})

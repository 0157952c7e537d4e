import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { addPartitionsToTxn } from './24-add-partitions-to-txn.ts'
import { createTransactionHandlers } from './transaction-fixture.ts'

function request(topics: { name: string; partitions: number[] }[], producerEpoch = 0) {
  return {
    v3AndBelowTransactionalId: 'payments',
    v3AndBelowProducerId: 0,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: topics,
  }
}

const orders = [{ name: 'orders', partitions: [0, 1] }]

function answer(errors: readonly [partition: number, error: number][], name = 'orders') {
  return {
    name,
    resultsByPartition: errors.map(([partitionIndex, partitionErrorCode]) => ({
      partitionIndex,
      partitionErrorCode,
    })),
  }
}

describe('AddPartitionsToTxn', () => {
  it.each([0, 1, 2, 3])('adds partitions in version %i', async (version) => {
    const { around, ask } = await createTransactionHandlers()
    await around.producer()
    const { resultsByTopicV3AndBelow: results } = await ask(
      addPartitionsToTxn,
      version,
      request(orders),
    )
    expect(results).toEqual([
      answer([
        [0, kafkaError.NONE],
        [1, kafkaError.NONE],
      ]),
    ])
    expect(around.state()).toBe('Ongoing')
  })

  it('adds none when one does not exist', async () => {
    const { around, ask } = await createTransactionHandlers()
    await around.producer()
    const topics = [
      { name: 'orders', partitions: [0, 9] },
      { name: 'gone', partitions: [0] },
    ]
    const answered = await ask(addPartitionsToTxn, 3, request(topics))
    expect(answered.resultsByTopicV3AndBelow).toEqual([
      answer([
        [0, kafkaError.OPERATION_NOT_ATTEMPTED],
        [9, kafkaError.UNKNOWN_TOPIC_OR_PARTITION],
      ]),
      answer([[0, kafkaError.UNKNOWN_TOPIC_OR_PARTITION]], 'gone'),
    ])
    expect(around.state()).toBe('Empty')
  })

  it.each([
    [1, 'INVALID_PRODUCER_EPOCH'],
    [2, 'PRODUCER_FENCED'],
  ] as const)('fences in version %i with %s', async (version, error) => {
    const { around, ask } = await createTransactionHandlers()
    await around.producer()
    const answered = await ask(addPartitionsToTxn, version, request(orders, 5))
    expect(answered.resultsByTopicV3AndBelow).toEqual([
      answer([
        [0, kafkaError[error]],
        [1, kafkaError[error]],
      ]),
    ])
  })

  it('sends clients on to the coordinator', async () => {
    const { ask } = await createTransactionHandlers()
    const answered = await ask(addPartitionsToTxn, 3, request(orders), 2)
    expect(answered.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]).toMatchObject({
      partitionErrorCode: kafkaError.NOT_COORDINATOR,
    })
  })
})

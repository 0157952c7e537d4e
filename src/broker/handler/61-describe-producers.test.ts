import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import type { Partition } from '../cluster/cluster.ts'
import { describeProducers } from './61-describe-producers.ts'
import { createTransactionHandlers } from './transaction-fixture.ts'

const producer = {
  producerId: 7,
  producerEpoch: 2,
  lastSequence: 41,
  lastTimestamp: 1_700_000_000_000,
  coordinatorEpoch: 3,
  currentTxnStartOffset: 12,
  transactionOpen: true,
}

const log = { producers: () => [producer] } as unknown as Partition['log']

async function errorOf(name: string, partition: number, nodeId = 1): Promise<number | undefined> {
  const { ask } = await createTransactionHandlers({ partitions: { 'orders-0': { log } } })
  const topics = [{ name, partitionIndexes: [partition] }]
  const answer = await ask(describeProducers, 0, { topics }, nodeId)
  return answer.topics[0]?.partitions[0]?.errorCode
}

describe('DescribeProducers', () => {
  it('lists what the log remembers', async () => {
    const { ask } = await createTransactionHandlers({ partitions: { 'orders-0': { log } } })
    const topics = [{ name: 'orders', partitionIndexes: [0] }]
    const { transactionOpen, ...listed } = producer
    expect(transactionOpen).toBe(true)
    expect((await ask(describeProducers, 0, { topics })).topics).toEqual([
      {
        name: 'orders',
        partitions: [
          {
            partitionIndex: 0,
            errorCode: kafkaError.NONE,
            errorMessage: null,
            activeProducers: [listed],
          },
        ],
      },
    ])
  })

  it('refuses what does not exist, what cannot, and what is elsewhere', async () => {
    expect(await errorOf('orders', 9)).toBe(kafkaError.UNKNOWN_TOPIC_OR_PARTITION)
    expect(await errorOf('no/topic', 0)).toBe(kafkaError.INVALID_TOPIC_EXCEPTION)
    expect(await errorOf('orders', 0, 2)).toBe(kafkaError.NOT_LEADER_OR_FOLLOWER)
  })
})

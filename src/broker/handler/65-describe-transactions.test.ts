import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { describeTransactions } from './65-describe-transactions.ts'
import { createTransactionHandlers } from './transaction-fixture.ts'

describe('DescribeTransactions', () => {
  it('describes each id by itself', async () => {
    const { around, ask } = await createTransactionHandlers()
    await around.add(await around.producer(), ['orders-0', 'orders-1'])
    const transactionalIds = ['payments', 'other']
    const answer = await ask(describeTransactions, 0, { transactionalIds })
    expect(answer.transactionStates).toEqual([
      {
        errorCode: kafkaError.NONE,
        transactionalId: 'payments',
        transactionState: 'Ongoing',
        transactionTimeoutMs: 60_000,
        transactionStartTimeMs: around.clock.now(),
        producerId: 0,
        producerEpoch: 0,
        topics: [{ topic: 'orders', partitions: [0, 1] }],
      },
      expect.objectContaining({
        errorCode: kafkaError.TRANSACTIONAL_ID_NOT_FOUND,
        transactionalId: 'other',
      }),
    ])
  })

  it('sends clients on to the coordinator', async () => {
    const { ask } = await createTransactionHandlers()
    const answer = await ask(describeTransactions, 0, { transactionalIds: ['payments'] }, 2)
    expect(answer.transactionStates[0]?.errorCode).toBe(kafkaError.NOT_COORDINATOR)
  })
})

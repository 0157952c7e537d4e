import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { addOffsetsToTxn } from './25-add-offsets-to-txn.ts'
import { createTransactionHandlers } from './transaction-fixture.ts'

const request = {
  transactionalId: 'payments',
  producerId: 0,
  producerEpoch: 0,
  groupId: 'billing',
}

describe('AddOffsetsToTxn', () => {
  it.each([0, 1, 2, 3, 4])("adds the partition of the group's offsets (%i)", async (version) => {
    const { around, ask } = await createTransactionHandlers()
    await around.producer()
    expect(await ask(addOffsetsToTxn, version, request)).toMatchObject({ errorCode: 0 })
    expect(around.coordinator.describe('payments')).toMatchObject({
      partitions: new Map([['__consumer_offsets', new Set([0])]]),
    })
  })

  it.each([
    [1, 'INVALID_PRODUCER_EPOCH'],
    [2, 'PRODUCER_FENCED'],
  ] as const)('fences in version %i with %s', async (version, error) => {
    const { around, ask } = await createTransactionHandlers()
    await around.producer()
    const answer = await ask(addOffsetsToTxn, version, { ...request, producerEpoch: 5 })
    expect(answer.errorCode).toBe(kafkaError[error])
  })

  it('makes the topic for offsets when nobody has needed it before', async () => {
    const { around, ask } = await createTransactionHandlers({ names: ['orders-0'] })
    await around.producer()
    expect(await ask(addOffsetsToTxn, 4, request)).toMatchObject({ errorCode: 0 })
    expect(around.state()).toBe('Ongoing')
  })

  it('sends clients on to the coordinator', async () => {
    const { ask } = await createTransactionHandlers()
    const answer = await ask(addOffsetsToTxn, 4, request, 2)
    expect(answer.errorCode).toBe(kafkaError.NOT_COORDINATOR)
  })
})

import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { idle } from '../transaction/coordinator-fixture.ts'
import { endTxn } from './26-end-txn.ts'
import { createTransactionHandlers } from './transaction-fixture.ts'

const commit = { transactionalId: 'payments', producerId: 0, producerEpoch: 0, committed: true }

async function open() {
  const { around, ask } = await createTransactionHandlers()
  await around.add(await around.producer(), ['orders-0'])
  return { around, ask }
}

describe('EndTxn', () => {
  it.each([0, 1, 2, 3, 4])('keeps the epoch in version %i', async (version) => {
    const { around, ask } = await open()
    expect(await ask(endTxn, version, commit)).toEqual({
      throttleTimeMs: 0,
      errorCode: kafkaError.NONE,
      producerId: -1,
      producerEpoch: -1,
    })
    expect(around.identity()).toEqual({ producerId: 0, producerEpoch: 0 })
  })

  it('answers with a new epoch in version 5, and again when asked again', async () => {
    const { ask } = await open()
    for (let times = 0; times < 2; times += 1) {
      expect(await ask(endTxn, 5, commit)).toEqual({
        throttleTimeMs: 0,
        errorCode: kafkaError.NONE,
        producerId: 0,
        producerEpoch: 1,
      })
      await idle()
    }
  })

  it.each([
    [1, 'INVALID_PRODUCER_EPOCH'],
    [2, 'PRODUCER_FENCED'],
    [5, 'PRODUCER_FENCED'],
  ] as const)('fences in version %i with %s', async (version, error) => {
    const { ask } = await open()
    const answer = await ask(endTxn, version, { ...commit, producerEpoch: 5 })
    expect(answer).toMatchObject({
      errorCode: kafkaError[error],
      producerId: -1,
      producerEpoch: -1,
    })
  })

  it('sends clients on to the coordinator', async () => {
    const { ask } = await open()
    expect((await ask(endTxn, 4, commit, 2)).errorCode).toBe(kafkaError.NOT_COORDINATOR)
  })
})

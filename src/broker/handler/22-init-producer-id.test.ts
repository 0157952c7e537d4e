import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { initProducerId } from './22-init-producer-id.ts'
import { createTransactionHandlers } from './transaction-fixture.ts'

const request = { transactionalId: 'payments', transactionTimeoutMs: 60_000 }

describe('InitProducerId', () => {
  it.each([0, 1, 2, 3, 4, 5])('grants a producer id in version %i', async (version) => {
    const { ask } = await createTransactionHandlers()
    expect(await ask(initProducerId, version, request)).toMatchObject({
      errorCode: kafkaError.NONE,
      producerId: 0,
      producerEpoch: 0,
    })
  })

  it('sends clients on to the coordinator, but not those without a transactional id', async () => {
    const { ask } = await createTransactionHandlers()
    expect(await ask(initProducerId, 5, request, 2)).toMatchObject({
      errorCode: kafkaError.NOT_COORDINATOR,
      producerId: -1,
      producerEpoch: -1,
    })
    const idempotent = { ...request, transactionalId: null }
    expect(await ask(initProducerId, 5, idempotent, 2)).toMatchObject({ errorCode: 0 })
  })

  it('refuses an empty transactional id on any node', async () => {
    const { ask } = await createTransactionHandlers()
    const answer = await ask(initProducerId, 5, { ...request, transactionalId: '' }, 2)
    expect(answer.errorCode).toBe(kafkaError.INVALID_REQUEST)
  })

  it.each([
    [7, -1],
    [-1, 3],
  ])('refuses producer id %i with epoch %i', async (producerId, producerEpoch) => {
    const { ask } = await createTransactionHandlers()
    const answer = await ask(initProducerId, 3, { ...request, producerId, producerEpoch })
    expect(answer).toMatchObject({ errorCode: kafkaError.INVALID_REQUEST, producerId: -1 })
  })

  it.each([
    [3, 'INVALID_PRODUCER_EPOCH'],
    [4, 'PRODUCER_FENCED'],
  ] as const)('fences in version %i with %s', async (version, error) => {
    const { ask } = await createTransactionHandlers()
    await ask(initProducerId, version, request)
    await ask(initProducerId, version, request)
    const old = { ...request, producerId: 0, producerEpoch: 0 }
    const answer = await ask(initProducerId, version, old)
    expect(answer.errorCode).toBe(kafkaError[error])
  })
})

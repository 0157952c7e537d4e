import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { listTransactions } from './66-list-transactions.ts'
import { createTransactionHandlers } from './transaction-fixture.ts'

const everything = { stateFilters: [], producerIdFilters: [] }

async function withTwo() {
  const { around, ask } = await createTransactionHandlers()
  await around.add(await around.producer(), ['orders-0'])
  await around.producer('refunds')
  return { around, ask }
}

const payments = { transactionalId: 'payments', producerId: 0, transactionState: 'Ongoing' }
const refunds = { transactionalId: 'refunds', producerId: 1, transactionState: 'Empty' }

describe('ListTransactions', () => {
  it.each([0, 1, 2])('lists what the node coordinates, in version %i', async (version) => {
    const { ask } = await withTwo()
    expect(await ask(listTransactions, version, everything)).toEqual({
      throttleTimeMs: 0,
      errorCode: kafkaError.NONE,
      unknownStateFilters: [],
      transactionStates: [payments, refunds],
    })
    expect((await ask(listTransactions, version, everything, 2)).transactionStates).toEqual([])
  })

  it('filters', async () => {
    const { around, ask } = await withTwo()
    const list = (filter: object, version = 2) =>
      ask(listTransactions, version, { ...everything, ...filter })
    const states = await list({ stateFilters: ['Ongoing', 'Asleep'] })
    expect(states.transactionStates).toEqual([payments])
    expect(states.unknownStateFilters).toEqual(['Asleep'])
    const ids = await list({ producerIdFilters: [1] })
    expect(ids.transactionStates).toEqual([refunds])
    around.clock.advance(500)
    const old = await list({ stateFilters: ['Ongoing'], durationFilter: 500 })
    expect(old.transactionStates).toEqual([])
    const pattern = await list({ transactionalIdPattern: 're.*' })
    expect(pattern.transactionStates).toEqual([refunds])
  })

  it('refuses a pattern that is none', async () => {
    const { ask } = await withTwo()
    const request = { ...everything, transactionalIdPattern: '[' }
    const answer = await ask(listTransactions, 2, request)
    expect(answer.errorCode).toBe(kafkaError.INVALID_REGULAR_EXPRESSION)
    expect(answer.transactionStates).toEqual([])
  })
})

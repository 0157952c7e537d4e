import { describe, expect, it } from 'vitest'
import { isRefusal } from '../refusal.ts'
import { TestCluster, errorOf } from './coordinator-fixture.ts'
import type { TransactionFilter } from './listing.ts'

const everything: TransactionFilter = {
  states: [],
  producerIds: [],
  durationMs: -1,
  transactionalIdPattern: null,
}

async function withThree(): Promise<TestCluster> {
  const cluster = await TestCluster.started()
  for (const id of ['payments', 'orders-a', 'orders-b']) await cluster.producer(id)
  await cluster.add({ producerId: 0, producerEpoch: 0 }, ['orders-0'])
  return cluster
}

function ids(cluster: TestCluster, filter: Partial<TransactionFilter>): string[] {
  const listing = cluster.coordinator.list({ ...everything, ...filter }, () => true)
  if (isRefusal(listing)) throw new Error(listing.message)
  return listing.transactions.map(({ transactionalId }) => transactionalId)
}

describe('the list of transactions', () => {
  it('has all of them', async () => {
    const cluster = await withThree()
    expect(cluster.coordinator.list(everything, () => true)).toEqual({
      unknownStates: [],
      transactions: [
        { transactionalId: 'payments', producerId: 0, state: 'Ongoing' },
        { transactionalId: 'orders-a', producerId: 1, state: 'Empty' },
        { transactionalId: 'orders-b', producerId: 2, state: 'Empty' },
      ],
    })
  })

  it('has only those of the node', async () => {
    const cluster = await withThree()
    const listing = cluster.coordinator.list(everything, (id) => id === 'payments')
    expect(listing).toMatchObject({ transactions: [{ transactionalId: 'payments' }] })
  })

  it('filters by state, and names the states that do not exist', async () => {
    const cluster = await withThree()
    expect(ids(cluster, { states: ['Ongoing'] })).toEqual(['payments'])
    expect(ids(cluster, { states: ['Dead'] })).toEqual([])
    const states = ['Empty', 'Asleep']
    expect(cluster.coordinator.list({ ...everything, states }, () => true)).toMatchObject({
      unknownStates: ['Asleep'],
      transactions: [{ transactionalId: 'orders-a' }, { transactionalId: 'orders-b' }],
    })
    expect(ids(cluster, { states: ['Asleep'] })).toEqual([])
  })

  it('filters by producer id', async () => {
    const cluster = await withThree()
    expect(ids(cluster, { producerIds: [2, 77] })).toEqual(['orders-b'])
  })

  it('filters by duration', async () => {
    const cluster = await withThree()
    cluster.clock.advance(1_000)
    expect(ids(cluster, { states: ['Ongoing'], durationMs: 1_000 })).toEqual([])
    expect(ids(cluster, { states: ['Ongoing'], durationMs: 999 })).toEqual(['payments'])
  })

  it('filters by a pattern of the whole id', async () => {
    const cluster = await withThree()
    expect(ids(cluster, { transactionalIdPattern: 'orders-.' })).toEqual(['orders-a', 'orders-b'])
    expect(ids(cluster, { transactionalIdPattern: 'orders' })).toEqual([])
    expect(ids(cluster, { transactionalIdPattern: '' })).toHaveLength(3)
  })

  it('refuses what is no pattern', async () => {
    const cluster = await withThree()
    const result = cluster.coordinator.list(
      { ...everything, transactionalIdPattern: '(orders' },
      () => true,
    )
    expect(errorOf(result)).toBe('INVALID_REGULAR_EXPRESSION')
  })
})

describe('the description of a transaction', () => {
  it('says what there is', async () => {
    const cluster = await withThree()
    expect(cluster.coordinator.describe('payments')).toEqual({
      transactionalId: 'payments',
      producerId: 0,
      producerEpoch: 0,
      state: 'Ongoing',
      timeoutMs: 60_000,
      startTimestamp: cluster.clock.now(),
      partitions: new Map([['orders', new Set([0])]]),
    })
  })

  it('refuses an unknown and an empty id', async () => {
    const cluster = await withThree()
    expect(errorOf(cluster.coordinator.describe('other'))).toBe('TRANSACTIONAL_ID_NOT_FOUND')
    expect(errorOf(cluster.coordinator.describe(''))).toBe('INVALID_REQUEST')
  })
})

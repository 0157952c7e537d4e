/**
 * Promise: a transaction that follows another at once is not written to before that one is over for all brokers,
 * which would let the write wait at the broker; and whether that can be told has no effect on what is committed.
 */
import { describe, expect, it } from 'vitest'
import { describeTransactionsApi, kafkaError } from '../../../protocol/index.ts'
import { closeConnection } from '../../../testing/index.ts'
import { topic, TransactionWorld } from './fixture/transaction-world.ts'
import { TransactionalProducer } from './transactional-producer.ts'

const group = { groupId: 'g', generation: -1, memberId: '', groupInstanceId: undefined }
const offsets = [{ topic, partition: 0, offset: 7 }]
const { name } = describeTransactionsApi

/** A producer that has just committed a transaction. */
async function afterCommit(world: TransactionWorld): Promise<TransactionalProducer> {
  const producer = new TransactionalProducer(world.cluster, { transactionalId: 'billing' })
  await producer.transaction((first) => first.send({ topic, partition: 0, value: 'first' }))
  return producer
}

describe('the markers of the transaction before', () => {
  it.each([
    ['records', 'Produce'],
    ['offsets', 'TxnOffsetCommit'],
  ] as const)('are awaited by %s', async (what, request) => {
    await using world = await TransactionWorld.start(2)
    await using producer = await afterCommit(world)
    const before = world.kafka.requests(request).length
    const writtenWhenAsked: number[] = []
    using _ = world.kafka.intercept(name, async (_request, proceed) => {
      writtenWhenAsked.push(world.kafka.requests(request).length - before)
      const answer = await proceed()
      const [state] = (answer as { transactionStates: { transactionState: string }[] })
        .transactionStates
      if (state !== undefined && writtenWhenAsked.length < 3)
        state.transactionState = 'PrepareCommit'
      return answer
    })
    await producer.transaction(async (second) => {
      if (what === 'records') await second.send({ topic, partition: 0, value: 'second' })
      else await second.sendOffsets(group, offsets)
      await second.send({ topic, partition: 1, value: 'third' })
    })
    expect(writtenWhenAsked).toEqual([0, 0, 0])
    expect(await world.committed(1)).toEqual(['third'])
  })

  it.each(['not answered', 'refused'])('do not matter when the question is %s', async (outcome) => {
    await using world = await TransactionWorld.start(2)
    await using producer = await afterCommit(world)
    let asked = 0
    using _ = world.kafka.intercept(name, () => {
      asked += 1
      if (outcome === 'not answered') return closeConnection
      const errorCode = kafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
      return { transactionStates: [{ errorCode, transactionalId: 'billing', topics: [] }] }
    })
    await producer.transaction((second) => second.send({ topic, partition: 0, value: 'second' }))
    expect(asked).toBe(1)
    expect(await world.committed(0)).toEqual(['first', 'second'])
  })

  it('are asked for no more once they must be there', async () => {
    await using world = await TransactionWorld.start(2)
    await using producer = await afterCommit(world)
    await world.clock.advance(1_000)
    await producer.transaction((second) => second.send({ topic, partition: 0, value: 'second' }))
    expect(world.kafka.requests(name)).toEqual([])
  })

  it('are not awaited by a transaction that is aborted meanwhile', async () => {
    await using world = await TransactionWorld.start(2)
    await using producer = await afterCommit(world)
    let ask: () => void = () => undefined
    const asked = new Promise<void>((resolve) => (ask = resolve))
    using _ = world.kafka.intercept(name, async (_request, proceed) => {
      ask()
      const answer = await proceed()
      const [state] = (answer as { transactionStates: { transactionState: string }[] })
        .transactionStates
      if (state !== undefined) state.transactionState = 'PrepareCommit'
      return answer
    })
    const second = await producer.begin()
    const sent = second.send({ topic, partition: 0, value: 'second' })
    sent.catch(() => undefined)
    await asked
    await second.abort()
    await expect(sent).rejects.toMatchObject({ action: 'abort' })
    expect(await world.committed(0)).toEqual(['first'])
    expect(world.kafka.requests('EndTxn').length).toBe(1)
  })
})

import { describe, expect, it } from 'vitest'
import { TransactionalWriter } from '../consumer/fixture/writer.ts'
import { startWorld } from './fixture/world.ts'

const partition = { topic: 'orders', partition: 0 }

describe('transactions', () => {
  it('are listed and described by their coordinators, and told of by partitions', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    const { transactions } = world.admin
    const open = new TransactionalWriter(world.cluster, 'open', 'orders')
    const done = new TransactionalWriter(world.cluster, 'done', 'orders')
    await done.write(['a'])
    await done.end(true)
    const startOffset = await open.write(['b'])

    const listed = await transactions.list()
    expect(listed.map(({ transactionalId }) => transactionalId)).toEqual(['done', 'open'])
    expect(await transactions.list({ states: ['Ongoing'] })).toMatchObject([
      { transactionalId: 'open', state: 'Ongoing' },
    ])
    const described = await transactions.describeMany(['open', 'absent'])
    expect(described.get('open')).toMatchObject({
      state: 'Ongoing',
      partitions: [partition],
      timeoutMs: 60_000,
    })
    expect(described.get('absent')?.error).toMatchObject({
      kafkaName: 'TRANSACTIONAL_ID_NOT_FOUND',
    })
    const { producerId } = await transactions.describe('open')
    const producers = await transactions.producers(partition)
    expect(producers.find((each) => each.producerId === producerId)).toMatchObject({
      lastSequence: 0,
      transactionStartOffset: startOffset,
    })
    const [result] = await transactions.producersOfMany([{ topic: 'absent', partition: 0 }])
    expect(result?.error).toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })

  it('that hang are found where no coordinator knows of them', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    const writer = new TransactionalWriter(world.cluster, 'open', 'orders')
    const startOffset = await writer.write(['a'])
    const { transactions } = world.admin
    const options = { topics: ['orders'], openLongerThanMs: 0 }
    expect(await transactions.findHanging(options)).toEqual({ transactions: [], unchecked: [] })
    // The coordinator has forgotten it.
    using _ = world.kafka.intercept('ListTransactions', () => {
      return { throttleTimeMs: 0, errorCode: 0, unknownStateFilters: [], transactionStates: [] }
    })
    const found = await transactions.findHanging(options)
    expect(found.transactions).toMatchObject([{ ...partition, startOffset }])
    expect((await transactions.findHanging({ topics: ['orders'] })).transactions).toMatchObject([
      // Its record says that it was written in 1970.
      { startOffset },
    ])
    for (const transaction of found.transactions) await transactions.abort(transaction)
    expect((await transactions.findHanging(options)).transactions).toEqual([])
    const latest = { ...partition, at: 'latest' } as const
    const stable = await world.admin.offsets.find(latest, { isolation: 'read_committed' })
    expect(stable.offset).toBe(startOffset + 2)
  })

  it('are aborted once, whatever becomes of the answer', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    const writer = new TransactionalWriter(world.cluster, 'open', 'orders')
    const startOffset = await writer.write(['a'])
    let next = -1
    let isFirst = true
    using _ = world.kafka.intercept('WriteTxnMarkers', async (_request, proceed) => {
      const outcome = await proceed()
      if (!isFirst) return outcome
      isFirst = false
      // The producer goes on with its next transaction, of the same epoch, before we ask again.
      next = await writer.write(['b'])
      world.kafka.dropConnections()
      return outcome
    })
    const aborted = await world.admin.transactions.abort({ ...partition, startOffset })
    expect(aborted).toMatchObject({ answerWasLost: true })
    const producers = await world.admin.transactions.producers(partition)
    expect(producers.map((each) => each.transactionStartOffset)).toEqual([next])
  })

  it('that are not open are refused with those that are', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    const writer = new TransactionalWriter(world.cluster, 'open', 'orders')
    const startOffset = await writer.write(['a'])
    const wrong = { ...partition, startOffset: 77 }
    const other = { topic: 'absent', partition: 0, startOffset: 1 }
    const results = await world.admin.transactions.abortMany([wrong, other])
    expect(results[0]?.error).toMatchObject({
      kafkaName: 'INVALID_TXN_STATE',
      message: new RegExp(`no transaction begins there; open are those at ${startOffset}`),
    })
    expect(results[1]?.error).toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' })
    expect(world.kafka.requests('WriteTxnMarkers')).toEqual([])
  })

  it('are refused by name where brokers do not list them', async () => {
    await using world = await startWorld({ versions: { ListTransactions: 0 } })
    await world.admin.transactions.list()
    await expect(world.admin.transactions.list({ openLongerThanMs: 5 })).rejects.toThrow(
      /by how long they are open \(Kafka 3\.8\)/,
    )
    await expect(world.admin.transactions.list({ pattern: 'o.*' })).rejects.toThrow(/Kafka 4\.1/)
  })
})

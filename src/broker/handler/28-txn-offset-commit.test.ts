import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { refuse } from '../refusal.ts'
import { txnOffsetCommit } from './28-txn-offset-commit.ts'
import { GroupHandlers } from './group-fixture.ts'

const commit = {
  transactionalId: 'x',
  groupId: 'g',
  producerId: 1,
  producerEpoch: 0,
  topics: [
    {
      name: 't',
      partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: null }],
    },
  ],
}

async function codes(
  asking: Promise<{ topics: { partitions: { errorCode: number }[] }[] }>,
): Promise<number[]> {
  return (await asking).topics.flatMap(({ partitions }) =>
    partitions.map(({ errorCode }) => errorCode),
  )
}

describe('TxnOffsetCommit', () => {
  it('stores offsets that count when the transaction is committed', async () => {
    const handlers = new GroupHandlers()
    expect(await codes(handlers.ask(txnOffsetCommit, 3, commit))).toEqual([kafkaError.NONE])
    expect(await handlers.bench.offset('t:0')).toBe(-1)
    await handlers.bench.endTransaction(1, true)
    expect(await handlers.bench.offset('t:0')).toBe(7)
  })

  it('stores nothing in a transaction that does not admit it', async () => {
    const handlers = new GroupHandlers()
    handlers.admission = refuse('INVALID_TXN_STATE', 'not open')
    expect(await codes(handlers.ask(txnOffsetCommit, 3, commit))).toEqual([
      kafkaError.INVALID_TXN_STATE,
    ])
    handlers.admission = undefined
    expect(handlers.bench.log.records).toEqual([])
  })

  it('stores nothing in a transaction that has ended while the commit waited for its turn', async () => {
    const handlers = new GroupHandlers()
    const { bench } = handlers
    bench.log.hold()
    void bench.memberId()
    const asking = codes(handlers.ask(txnOffsetCommit, 5, commit))
    await bench.settled()
    handlers.admission = refuse('TRANSACTION_ABORTABLE', 'ended')
    bench.log.unhold()
    expect(await asking).toEqual([kafkaError.TRANSACTION_ABORTABLE])
    expect(await bench.offset('t:0', { stable: true })).toBe(-1)
  })

  it('tells each partition what is wrong with it', async () => {
    const handlers = new GroupHandlers()
    const [topic] = commit.topics
    const topics = [...commit.topics, { name: 'no', partitions: topic?.partitions ?? [] }]
    expect(await codes(handlers.ask(txnOffsetCommit, 3, { ...commit, topics }))).toEqual([
      kafkaError.NONE,
      kafkaError.UNKNOWN_TOPIC_OR_PARTITION,
    ])
    const stranger = { ...commit, memberId: 'x', generationId: 4 }
    expect(await codes(handlers.ask(txnOffsetCommit, 3, stranger))).toEqual([
      kafkaError.UNKNOWN_MEMBER_ID,
    ])
    expect(await codes(handlers.ask(txnOffsetCommit, 3, { ...commit, groupId: '' }))).toEqual([
      kafkaError.INVALID_GROUP_ID,
    ])
  })
})

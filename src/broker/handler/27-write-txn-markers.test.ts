import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { writeTxnMarkers } from './27-write-txn-markers.ts'
import { createTransactionHandlers } from './transaction-fixture.ts'

const marker = {
  producerId: 9,
  producerEpoch: 3,
  transactionResult: false,
  topics: [{ name: 'orders', partitionIndexes: [0, 9] }],
  coordinatorEpoch: 7,
}

describe('WriteTxnMarkers', () => {
  it('ends a transaction of which nobody knows', async () => {
    const { around, ask } = await createTransactionHandlers()
    await around.partition('orders-0').write(marker, 'left open')
    const answer = await ask(writeTxnMarkers, 1, { markers: [marker] })
    expect(answer.markers).toEqual([
      {
        producerId: 9,
        topics: [
          {
            name: 'orders',
            partitions: [
              { partitionIndex: 0, errorCode: kafkaError.NONE },
              { partitionIndex: 9, errorCode: kafkaError.UNKNOWN_TOPIC_OR_PARTITION },
            ],
          },
        ],
      },
    ])
    expect(around.partition('orders-0').markers).toMatchObject([
      { producerId: 9, producerEpoch: 3, coordinatorEpoch: 7, commit: false },
    ])
    expect(around.partition('orders-0').hasOpenTransaction).toBe(false)
  })

  it('says what a partition refuses', async () => {
    const { around, ask } = await createTransactionHandlers()
    await around.partition('orders-0').write({ ...marker, producerEpoch: 4 }, 'later')
    const { markers } = await ask(writeTxnMarkers, 1, { markers: [marker] })
    expect(markers[0]?.topics[0]?.partitions[0]).toEqual({
      partitionIndex: 0,
      errorCode: kafkaError.INVALID_PRODUCER_EPOCH,
    })
  })

  it('writes only where the node leads', async () => {
    const { around, ask } = await createTransactionHandlers()
    const { markers } = await ask(writeTxnMarkers, 1, { markers: [marker] }, 2)
    expect(markers[0]?.topics[0]?.partitions[0]?.errorCode).toBe(kafkaError.NOT_LEADER_OR_FOLLOWER)
    expect(around.partition('orders-0').markers).toEqual([])
  })
})

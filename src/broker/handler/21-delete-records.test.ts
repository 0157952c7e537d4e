import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import type { Partition } from '../cluster/cluster.ts'
import { refuse } from '../refusal.ts'
import { deleteRecords } from './21-delete-records.ts'
import { createTransactionHandlers } from './transaction-fixture.ts'

/** A log of ten records. */
const log = {
  deleteRecordsBefore: (offset: number) => {
    if (offset > 10) return Promise.resolve(refuse('OFFSET_OUT_OF_RANGE', 'there are ten'))
    return Promise.resolve(offset === -1 ? 10 : offset)
  },
} as unknown as Partition['log']

async function answerTo(name: string, partitionIndex: number, offset: number, nodeId = 1) {
  const partitions = { 'orders-0': { log }, '__consumer_offsets-0': { log } }
  const { ask } = await createTransactionHandlers({ partitions })
  const topics = [{ name, partitions: [{ partitionIndex, offset }] }]
  const answer = await ask(deleteRecords, 2, { topics, timeoutMs: 1_000 }, nodeId)
  expect(answer.topics).toMatchObject([{ name, partitions: [{ partitionIndex }] }])
  const { lowWatermark, errorCode } = answer.topics[0]?.partitions[0] ?? {}
  return { lowWatermark, errorCode }
}

describe('DeleteRecords', () => {
  it('answers with the new start of the log', async () => {
    expect(await answerTo('orders', 0, 4)).toEqual({ lowWatermark: 4, errorCode: 0 })
    expect(await answerTo('orders', 0, -1)).toEqual({ lowWatermark: 10, errorCode: 0 })
  })

  it.each([0, 1, 2])('serves version %i', async (version) => {
    const { ask } = await createTransactionHandlers({ partitions: { 'orders-0': { log } } })
    const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0, offset: 3 }] }]
    const answer = await ask(deleteRecords, version, { topics, timeoutMs: 1_000 })
    expect(answer.topics[0]?.partitions[0]?.lowWatermark).toBe(3)
  })

  it('refuses what the log refuses', async () => {
    expect(await answerTo('orders', 0, 11)).toEqual({
      lowWatermark: -1,
      errorCode: kafkaError.OFFSET_OUT_OF_RANGE,
    })
  })

  it("refuses the coordinators' topics, what does not exist, and what is led elsewhere", async () => {
    const errorOf = async (...request: Parameters<typeof answerTo>) =>
      (await answerTo(...request)).errorCode
    expect(await errorOf('__consumer_offsets', 0, 1)).toBe(kafkaError.INVALID_TOPIC_EXCEPTION)
    expect(await errorOf('orders', 9, 1)).toBe(kafkaError.UNKNOWN_TOPIC_OR_PARTITION)
    expect(await errorOf('gone', 0, 1)).toBe(kafkaError.UNKNOWN_TOPIC_OR_PARTITION)
    expect(await errorOf('orders', 0, 1, 2)).toBe(kafkaError.NOT_LEADER_OR_FOLLOWER)
  })
})

/**
 * Promise: a request that arrives late, when its producer has long repeated it or given it up, neither ends the next
 * transaction nor gets into it (M8, M20: KAFKA-17754, KIP-890).
 */
import { describe, expect, it } from 'vitest'
import { closeConnection } from '../../../testing/index.ts'
import type { TestBroker } from '../../../testing/index.ts'
import type { FaultyApi } from './fixture/faults.ts'
import { topic, TransactionWorld } from './fixture/transaction-world.ts'

/** Keeps the next request of an API on its way: its connection is lost, and it arrives when it is let go. */
function delayNext(kafka: TestBroker, api: FaultyApi) {
  let isHeld = false
  let release: (() => Promise<unknown>) | undefined
  const removal = kafka.intercept(api, (_request, proceed) => {
    if (isHeld) return proceed()
    isHeld = true
    release = proceed
    return closeConnection
  })
  return {
    arrive: async () => {
      if (release === undefined) throw new Error(`no ${api} was sent`)
      await release()
    },
    [Symbol.dispose]: () => removal[Symbol.dispose](),
  }
}

describe.each([1, 2] as const)('in transactions of version %i', (version) => {
  it.each(['commit', 'abort'] as const)('a late %s does not end the next one', async (outcome) => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    const other = outcome === 'commit' ? 'abort' : 'commit'
    using delayed = delayNext(world.kafka, 'EndTxn')
    await session.begin()
    await writer.send(topic, 0, 'first')
    await session[outcome](() => writer.flush())
    await session.begin()
    await writer.send(topic, 0, 'second')
    await delayed.arrive()
    await session[other](() => writer.flush())
    const committed = outcome === 'commit' ? 'first' : 'second'
    expect(await world.committed(0)).toEqual([committed])
  })

  it('a late record does not get into the next one', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    await session.begin()
    await writer.send(topic, 0, 'first')
    using delayed = delayNext(world.kafka, 'Produce')
    // Its repetitions are refused for good: nobody knows what became of the first attempt.
    using _ = world.kafka.intercept('Produce', (request, proceed) => {
      const { topicData } = request.body as {
        topicData: readonly { name: string; topicId: string }[]
      }
      if (attempts++ !== 1) return proceed()
      const partitionResponses = [{ index: 0, errorCode: 10, baseOffset: -1 }]
      return {
        responses: topicData.map(({ name, topicId }) => ({ name, topicId, partitionResponses })),
      }
    })
    let attempts = 0
    await expect(writer.send(topic, 0, 'late')).rejects.toThrow(/MESSAGE_TOO_LARGE/)
    await session.abort(() => writer.flush())
    await session.begin()
    await writer.send(topic, 0, 'second')
    await delayed.arrive()
    await session.commit(() => writer.flush())
    expect(await world.committed(0)).toEqual(['second'])
  })
})

describe('in transactions of version 1', () => {
  it('a partition that is announced late is not in the next one', async () => {
    await using world = await TransactionWorld.start(1)
    const { session, writer } = world.open()
    using delayed = delayNext(world.kafka, 'AddPartitionsToTxn')
    await session.begin()
    await writer.send(topic, 0, 'first')
    await session.commit(() => writer.flush())
    await session.begin()
    await delayed.arrive()
    await writer.send(topic, 1, 'second')
    await session.commit(() => writer.flush())
    const added = world.kafka.batches(topic, 0).filter(({ control }) => control)
    expect(added.length).toBe(1)
    expect(await world.committed(1)).toEqual(['second'])
  })
})

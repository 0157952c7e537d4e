/**
 * Promise: what is committed is there as a whole, what is aborted is not there at all, whatever is lost between
 * client and broker; and where it cannot be known, that is what the error says.
 */
import { describe, expect, it } from 'vitest'
import { closeConnection } from '../../../testing/index.ts'
import { topic, TransactionWorld } from './fixture/transaction-world.ts'

describe.each([1, 2] as const)('transactions of version %i', (version) => {
  it('commits records and offsets together', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    await session.begin()
    await Promise.all([0, 1, 2].map((partition) => writer.send(topic, partition, `a${partition}`)))
    const group = { groupId: 'g', generation: -1, memberId: '', groupInstanceId: undefined }
    const offset = { topic, partition: 1, offset: 7, leaderEpoch: -1, metadata: 'm' }
    await session.sendOffsets(group, [offset])
    await session.commit(() => writer.flush())
    expect(session.state).toBe('idle')
    expect(await world.committed(0)).toEqual(['a0'])
    expect(await world.committed(2)).toEqual(['a2'])
    expect(await world.committedOffset('g', 1)).toBe(7)
  })

  it('aborts', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    await session.begin()
    await writer.send(topic, 0, 'a')
    await session.abort(() => writer.flush())
    await session.begin()
    await writer.send(topic, 0, 'b')
    await session.commit(() => writer.flush())
    expect(await world.committed(0)).toEqual(['b'])
  })

  it('repeats a commit whose answer was lost', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    await session.begin()
    await writer.send(topic, 0, 'a')
    let lost = 0
    using _ = world.kafka.intercept('EndTxn', async (_request, proceed) => {
      const answer = await proceed()
      return lost++ === 0 ? closeConnection : answer
    })
    await session.commit(() => writer.flush())
    expect(await world.committed(0)).toEqual(['a'])
    await session.begin()
    await writer.send(topic, 0, 'b')
    await session.commit(() => writer.flush())
    expect(await world.committed(0)).toEqual(['a', 'b'])
  })
})

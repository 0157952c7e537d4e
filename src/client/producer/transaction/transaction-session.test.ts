/**
 * Promise: what is committed is there as a whole, what is aborted is not there at all, whatever is lost between
 * client and broker; and where it cannot be known, that is what the error says.
 */
import { describe, expect, it } from 'vitest'
import { befall } from './fixture/faults.ts'
import { topic, TransactionWorld } from './fixture/transaction-world.ts'

const group = { groupId: 'g', generation: -1, memberId: '', groupInstanceId: undefined }
const offset = { topic, partition: 0, offset: 7, leaderEpoch: -1, metadata: 'm' }

describe.each([1, 2] as const)('transactions of version %i', (version) => {
  it('commits records and offsets together', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    await session.begin()
    await Promise.all([0, 1, 2].map((partition) => writer.send(topic, partition, `a${partition}`)))
    await session.sendOffsets(group, [{ ...offset, partition: 1 }])
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

  it('has an epoch of its own from version 2 on', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    const epochs: unknown[] = []
    for (const end of ['commit', 'abort', 'commit'] as const) {
      await session.begin()
      epochs.push(session.identity?.producerEpoch)
      await expect(session.sendOffsets(group, [offset])).resolves.toBeUndefined()
      await session[end](() => writer.flush())
    }
    expect(epochs).toEqual(version === 1 ? [0, 0, 0] : [0, 1, 2])
    expect(world.kafka.requests('InitProducerId').length).toBe(1)
  })

  it('costs nothing while nothing is in it', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    await session.begin()
    await session.commit(() => writer.flush())
    await session.begin()
    await session.sendOffsets(group, [])
    await session.abort(() => writer.flush())
    expect(world.kafka.requests('EndTxn')).toEqual([])
    expect(world.kafka.requests('InitProducerId').length).toBe(1)
  })

  it('keeps the offsets of calls that overlap, in their order (M3)', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    await session.begin()
    const calls = [0, 1, 2].flatMap((partition) =>
      [1, 2].map((step) =>
        session.sendOffsets(group, [{ ...offset, partition, offset: 10 * partition + step }]),
      ),
    )
    const other = session.sendOffsets({ ...group, groupId: 'other' }, [offset])
    // Nobody awaits them: the commit does.
    await session.commit(() => writer.flush())
    await Promise.all([...calls, other])
    for (const partition of [0, 1, 2]) {
      expect(await world.committedOffset('g', partition)).toBe(10 * partition + 2)
    }
    expect(await world.committedOffset('other', 0)).toBe(offset.offset)
  })

  it('is not committed once a record has failed, also when nobody looked', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    await session.begin()
    await writer.send(topic, 0, 'a')
    using _ = befall(world.kafka, 'Produce', { kind: 'refused', error: 'MESSAGE_TOO_LARGE' })
    const failing = writer.send(topic, 1, 'b')
    const commit = session.commit(() => writer.flush())
    await expect(failing).rejects.toThrow(/MESSAGE_TOO_LARGE/)
    await expect(commit).rejects.toMatchObject({ action: 'abort', mayBeCommitted: false })
    await session.abort(() => writer.flush())
    await session.begin()
    await writer.send(topic, 1, 'c')
    await session.commit(() => writer.flush())
    expect(await world.committed(0)).toEqual([])
    expect(await world.committed(1)).toEqual(['c'])
  })

  it('is one at a time, and says what to do instead', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    const invalid = (advice: RegExp): unknown =>
      expect.objectContaining({
        code: 'MILLRACE_CLIENT_STATE_INVALID',
        message: expect.stringMatching(advice) as string,
      })
    expect(() => session.commit(() => writer.flush())).toThrow(invalid(/begin one/))
    const beginning = session.begin()
    expect(() => session.begin()).toThrow(invalid(/being begun/))
    await beginning
    expect(() => session.begin()).toThrow(invalid(/commit or abort it first/))
    const committing = session.commit(() => writer.flush())
    expect(() => session.abort(() => writer.flush())).toThrow(invalid(/being committed/))
    expect(() => session.sendOffsets(group, [offset])).toThrow(invalid(/being committed/))
    await committing
    session.close()
    expect(() => session.begin()).toThrow(/'billing' was closed/)
  })

  it('ends what waits when it is closed', async () => {
    await using world = await TransactionWorld.start(version)
    const { session } = world.open()
    await session.begin()
    const fault = { kind: 'refused', error: 'COORDINATOR_LOAD_IN_PROGRESS' } as const
    using befallen = befall(world.kafka, 'TxnOffsetCommit', fault, Infinity)
    const waiting = session.sendOffsets(group, [offset])
    while (befallen.count < 3) await world.cluster.platform.clock.sleep(1)
    session.close()
    await expect(waiting).rejects.toMatchObject({ code: 'MILLRACE_CLIENT_CLOSED' })
  })

  it('survives its coordinators moving and its leader stopping', async () => {
    const properties = { 'offsets.topic.replication.factor': '3' }
    await using world = await TransactionWorld.start(version, { nodes: 3, properties })
    const { session, writer } = world.open()
    for (const round of [1, 2, 3]) {
      await session.begin()
      await writer.send(topic, 0, `a${round}`)
      const coordinator = await world.cluster.coordinator('transaction', 'billing', 'transaction')
      await session.sendOffsets(group, [{ ...offset, offset: round }])
      await world.kafka.stopNode(coordinator.nodeId, round === 2 ? 'gently' : 'abruptly')
      await writer.send(topic, 0, `b${round}`)
      await session.commit(() => writer.flush())
      await world.kafka.startNode(coordinator.nodeId)
    }
    expect(await world.committed(0)).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3'])
    expect(await world.committedOffset('g', 0)).toBe(3)
  })
})

describe('partitions of a transaction of version 1', () => {
  it('are announced together, once, before they are written to', async () => {
    await using world = await TransactionWorld.start(1)
    const { session, writer } = world.open()
    await session.begin()
    const admissions = [0, 1, 2, 0].map(async (partition) => {
      await session.admit([{ topic, partition }])
    })
    await Promise.all(admissions)
    expect(session.admit([{ topic, partition: 1 }])).toBeUndefined()
    const requests = world.kafka.requests('AddPartitionsToTxn')
    expect(requests.length).toBe(1)
    expect(requests[0]?.version).toBe(3)
    await session.abort(() => writer.flush())
  })
})

/**
 * Promise: a producer whose transactional id was taken over, or whose transaction the broker gave up, changes
 * nothing any more; its error says what to do, and harms nobody else.
 */
import { describe, expect, it } from 'vitest'
import { befall, outlast } from './fixture/faults.ts'
import { setTransactionVersion, topic, TransactionWorld } from './fixture/transaction-world.ts'

const group = { groupId: 'g', generation: -1, memberId: '', groupInstanceId: undefined }
const offsets = [{ topic, partition: 0, offset: 1, leaderEpoch: -1, metadata: '' }]

describe.each([1, 2] as const)('in transactions of version %i', (version) => {
  it('the one that is hanging is aborted when its producer starts again', async () => {
    await using world = await TransactionWorld.start(version)
    const before = world.open()
    await before.session.begin()
    await before.writer.send(topic, 0, 'left open')
    const after = world.open()
    await after.session.begin()
    await after.writer.send(topic, 0, 'a')
    await after.session.commit(() => after.writer.flush())
    expect(await world.committed(0)).toEqual(['a'])
  })

  it('a zombie that commits is told to close, and disturbs no transaction of its successor', async () => {
    await using world = await TransactionWorld.start(version)
    const zombie = world.open()
    await zombie.session.begin()
    await zombie.writer.send(topic, 0, 'zombie')
    const successor = world.open()
    await successor.session.begin()
    await successor.writer.send(topic, 0, 'a')
    const commit = zombie.session.commit(() => zombie.writer.flush())
    await expect(commit).rejects.toMatchObject({
      action: 'close',
      mayBeCommitted: false,
      message: expect.stringMatching(/is fenced.*another producer/) as string,
    })
    expect(() => zombie.session.begin()).toThrow(/is fenced/)
    expect(() => zombie.session.abort(() => Promise.resolve())).toThrow(/is fenced/)
    await successor.session.commit(() => successor.writer.flush())
    expect(await world.committed(0)).toEqual(['a'])
  })

  it('a zombie that writes is told to abort, and then to close', async () => {
    await using world = await TransactionWorld.start(version)
    const zombie = world.open()
    await zombie.session.begin()
    await zombie.writer.send(topic, 0, 'zombie')
    const successor = world.open()
    await successor.session.begin()
    await successor.writer.send(topic, 0, 'a')
    await expect(zombie.writer.send(topic, 0, 'late')).rejects.toThrow(/INVALID_PRODUCER_EPOCH/)
    const commit = () => zombie.session.commit(() => zombie.writer.flush())
    expect(commit).toThrow(expect.objectContaining({ action: 'abort' }))
    const abort = zombie.session.abort(() => zombie.writer.flush())
    await expect(abort).rejects.toMatchObject({ action: 'close' })
    await successor.session.commit(() => successor.writer.flush())
    expect(await world.committed(0)).toEqual(['a'])
  })

  it('a zombie between transactions is told to close', async () => {
    await using world = await TransactionWorld.start(version)
    const zombie = world.open()
    await zombie.session.begin()
    await zombie.writer.send(topic, 0, 'a')
    await zombie.session.commit(() => zombie.writer.flush())
    const successor = world.open()
    await successor.session.begin()
    await successor.writer.send(topic, 0, 'b')
    await zombie.session.begin()
    await expect(zombie.writer.send(topic, 0, 'zombie')).rejects.toThrow(/FENCED|EPOCH/)
    if (zombie.session.state !== 'closed') {
      const abort = zombie.session.abort(() => zombie.writer.flush())
      await expect(abort).rejects.toMatchObject({ action: 'close' })
    }
    await successor.session.commit(() => successor.writer.flush())
    expect(await world.committed(0)).toEqual(['a', 'b'])
  })

  it('a commit without answer whose producer is then fenced is not known', async () => {
    await using world = await TransactionWorld.start(version)
    const zombie = world.open()
    await zombie.session.begin()
    await zombie.writer.send(topic, 0, 'a')
    {
      using lost = befall(world.kafka, 'EndTxn', { kind: 'lost-answer' }, Infinity)
      const commit = zombie.session.commit(() => zombie.writer.flush())
      await expect(outlast(world.clock, lost, commit)).rejects.toMatchObject({ action: 'retry' })
    }
    await world.open().session.begin()
    const commit = zombie.session.commit(() => zombie.writer.flush())
    await expect(commit).rejects.toMatchObject({
      action: 'close',
      mayBeCommitted: true,
      message: expect.stringContaining('not known') as string,
    })
    expect(await world.committed(0)).toEqual(['a'])
  })

  it.each([
    'ILLEGAL_GENERATION',
    'UNKNOWN_MEMBER_ID',
    'FENCED_INSTANCE_ID',
    'STALE_MEMBER_EPOCH',
    'REBALANCE_IN_PROGRESS',
    'OFFSET_METADATA_TOO_LARGE',
    'GROUP_AUTHORIZATION_FAILED',
  ] as const)('offsets refused with %s abort the transaction', async (error) => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    await session.begin()
    await writer.send(topic, 0, 'a')
    {
      using _ = befall(world.kafka, 'TxnOffsetCommit', { kind: 'refused', error })
      await expect(session.sendOffsets(group, offsets)).rejects.toMatchObject({
        action: 'abort',
        cause: { kafkaName: error },
      })
    }
    // Also when nobody looked at the failure.
    expect(() => session.commit(() => writer.flush())).toThrow(/cannot be committed/)
    await session.abort(() => writer.flush())
    await session.begin()
    await session.sendOffsets(group, offsets)
    await session.commit(() => writer.flush())
    expect(await world.committed(0)).toEqual([])
    expect(await world.committedOffset('g', 0)).toBe(1)
  })

  it('offsets of a generation that is over are refused by the broker itself (M2)', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    await session.begin()
    const stale = { groupId: 'g', generation: 3, memberId: 'gone', groupInstanceId: undefined }
    await expect(session.sendOffsets(stale, offsets)).rejects.toMatchObject({
      action: 'abort',
      cause: { kafkaName: expect.stringMatching(/UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION/) as string },
    })
    await session.abort(() => writer.flush())
    expect(await world.committedOffset('g', 0)).toBe(-1)
  })

  it.each(['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED'] as const)(
    'a producer that gets %s begins nothing, until it may',
    async (error) => {
      await using world = await TransactionWorld.start(version)
      const { session } = world.open()
      {
        using _ = befall(world.kafka, 'InitProducerId', { kind: 'refused', error })
        await expect(session.begin()).rejects.toMatchObject({
          action: 'close',
          cause: { kafkaName: error },
        })
      }
      await session.begin()
    },
  )

  it('a timeout that the broker does not allow is named', async () => {
    await using world = await TransactionWorld.start(version)
    const { session } = world.open({ transactionTimeoutMs: 1_000_000 })
    await expect(session.begin()).rejects.toThrow(
      'transactionTimeoutMs (1000000) must be positive and at most',
    )
  })

  it('an identity that the coordinator has forgotten is replaced after the abort', async () => {
    const properties = { 'transactional.id.expiration.ms': '5000' }
    await using world = await TransactionWorld.start(version, { properties })
    const { session, writer } = world.open()
    await session.begin()
    await writer.send(topic, 0, 'a')
    await session.commit(() => writer.flush())
    await world.committed(0)
    await session.begin()
    await world.kafka.advanceTime(4_000_000)
    await expect(session.sendOffsets(group, offsets)).rejects.toMatchObject({
      action: 'abort',
      cause: { kafkaName: 'INVALID_PRODUCER_ID_MAPPING' },
    })
    await session.abort(() => writer.flush())
    await session.begin()
    await writer.send(topic, 0, 'b')
    await session.commit(() => writer.flush())
    expect(await world.committed(0)).toEqual(['a', 'b'])
  })
})

describe('a transaction that was open for too long', () => {
  it('of version 2 is aborted, and the producer goes on', async () => {
    await using world = await TransactionWorld.start(2)
    const { session, writer } = world.open({ transactionTimeoutMs: 1_000 })
    await session.begin()
    await writer.send(topic, 0, 'a')
    await world.kafka.advanceTime(2_000)
    await world.kafka.abortTimedOutTransactions()
    await expect(writer.send(topic, 0, 'late')).rejects.toThrow(/INVALID_PRODUCER_EPOCH/)
    await session.abort(() => writer.flush())
    await session.begin()
    await writer.send(topic, 0, 'b')
    await session.commit(() => writer.flush())
    expect(await world.committed(0)).toEqual(['b'])
  })

  it('of version 2 is not committed, and says so', async () => {
    await using world = await TransactionWorld.start(2)
    const { session, writer } = world.open({ transactionTimeoutMs: 1_000 })
    await session.begin()
    await writer.send(topic, 0, 'a')
    await world.kafka.advanceTime(2_000)
    await world.kafka.abortTimedOutTransactions()
    const commit = session.commit(() => writer.flush())
    await expect(commit).rejects.toMatchObject({ action: 'abort', mayBeCommitted: false })
    await session.abort(() => writer.flush())
    await session.begin()
    await writer.send(topic, 0, 'b')
    await session.commit(() => writer.flush())
    expect(await world.committed(0)).toEqual(['b'])
  })

  it('of version 1 closes the producer, which cannot be told from a fenced one', async () => {
    await using world = await TransactionWorld.start(1)
    const { session, writer } = world.open({ transactionTimeoutMs: 1_000 })
    await session.begin()
    await writer.send(topic, 0, 'a')
    await world.kafka.advanceTime(2_000)
    await world.kafka.abortTimedOutTransactions()
    const commit = session.commit(() => writer.flush())
    await expect(commit).rejects.toMatchObject({
      action: 'close',
      message: expect.stringContaining('transactionTimeoutMs is 1000') as string,
    })
    expect(await world.committed(0)).toEqual([])
  })
})

describe('a producer that must renew its identity', () => {
  it('does not take the transactional id back from who has it now', async () => {
    await using world = await TransactionWorld.start(1)
    const zombie = world.open()
    await zombie.session.begin()
    await zombie.writer.send(topic, 0, 'a')
    {
      using _ = befall(world.kafka, 'EndTxn', { kind: 'lost-answer' })
      await zombie.session.commit(() => zombie.writer.flush())
    }
    const successor = world.open()
    await successor.session.begin()
    await expect(zombie.session.begin()).rejects.toMatchObject({ action: 'close' })
    await successor.writer.send(topic, 0, 'b')
    await successor.session.commit(() => successor.writer.flush())
    expect(await world.committed(0)).toEqual(['a', 'b'])
  })
})

describe('a cluster that gets newer transactions', () => {
  it.each([
    [1, 2],
    [2, 1],
  ] as const)('from version %i to %i has the epoch moved on', async (from, to) => {
    await using world = await TransactionWorld.start(from)
    const { session, writer } = world.open()
    await session.begin()
    await writer.send(topic, 0, 'a')
    await session.commit(() => writer.flush())
    await setTransactionVersion(world.cluster, to)
    // The level is learned with the next connection.
    world.kafka.dropConnections()
    const coordinator = await world.cluster.coordinator('transaction', 'billing', 'transaction')
    while ((await coordinator.featureLevel('transaction.version')) !== to) {
      await world.cluster.platform.clock.sleep(1)
    }
    const asked = world.kafka.requests('InitProducerId').length
    await session.begin()
    expect(session.version).toBe(to)
    expect(world.kafka.requests('InitProducerId').length).toBe(asked + 1)
    await writer.send(topic, 0, 'b')
    await session.commit(() => writer.flush())
    expect(await world.committed(0)).toEqual(['a', 'b'])
  })
})

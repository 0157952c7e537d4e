/**
 * Promise: whatever request or answer of a transaction is lost, and whatever passing error is answered in its
 * place, the transaction is committed once and as a whole, and the next one is not touched by it (M7, M8).
 */
import { describe, expect, it } from 'vitest'
import { befall, faultyApis, outlast } from './fixture/faults.ts'
import type { Fault, FaultyApi } from './fixture/faults.ts'
import { topic, TransactionWorld } from './fixture/transaction-world.ts'

const group = { groupId: 'g', generation: -1, memberId: '', groupInstanceId: undefined }

const faults: readonly Fault[] = [
  { kind: 'lost-request' },
  { kind: 'lost-answer' },
  { kind: 'refused', error: 'COORDINATOR_LOAD_IN_PROGRESS' },
  { kind: 'refused', error: 'COORDINATOR_NOT_AVAILABLE' },
  { kind: 'refused', error: 'NOT_COORDINATOR' },
  { kind: 'refused', error: 'CONCURRENT_TRANSACTIONS' },
  { kind: 'denied', error: 'COORDINATOR_NOT_AVAILABLE' },
  { kind: 'denied', error: 'NOT_COORDINATOR' },
]

/** What only TV1 sends, and what brokers do not answer. */
function happens(version: number, api: FaultyApi, fault: Fault): boolean {
  if (version === 2 && (api === 'AddPartitionsToTxn' || api === 'AddOffsetsToTxn')) return false
  const isError = fault.kind === 'refused' || fault.kind === 'denied'
  if (api === 'FindCoordinator') {
    return fault.kind === 'lost-request' || (isError && fault.error === 'COORDINATOR_NOT_AVAILABLE')
  }
  return api !== 'Produce' || !isError
}

const nameOf = (fault: Fault) => ('error' in fault ? `${fault.kind} ${fault.error}` : fault.kind)

describe.each([1, 2] as const)('in transactions of version %i', (version) => {
  const cases = faultyApis.flatMap((api) =>
    faults
      .filter((fault) => happens(version, api, fault))
      .map((fault) => ({ name: `${api}: ${nameOf(fault)}`, api, fault })),
  )
  it.each(cases)('$name changes nothing', async ({ api, fault }) => {
    await using world = await TransactionWorld.start(version)
    using befallen = befall(world.kafka, api, fault, 2)
    const { session, writer } = world.open()
    for (const round of [1, 2]) {
      await session.begin()
      await writer.send(topic, 0, `a${round}`)
      await session.sendOffsets(group, [
        { topic, partition: 0, offset: round, leaderEpoch: -1, metadata: '' },
      ])
      await session.commit(() => writer.flush())
      expect(await world.committedOffset('g', 0)).toBe(round)
    }
    await session.begin()
    await writer.send(topic, 0, 'aborted')
    await session.abort(() => writer.flush())
    expect(await world.committed(0)).toEqual(['a1', 'a2'])
    expect(befallen.count).toBe(2)
  })

  it('EndTxn with UNKNOWN_SERVER_ERROR is repeated, whether it took effect or not (M7)', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    for (const kind of ['refused', 'denied'] as const) {
      await session.begin()
      await writer.send(topic, 0, kind)
      using befallen = befall(world.kafka, 'EndTxn', { kind, error: 'UNKNOWN_SERVER_ERROR' }, 2)
      await session.commit(() => writer.flush())
      expect(befallen.count).toBe(2)
    }
    expect(await world.committed(0)).toEqual(['refused', 'denied'])
  })

  it.each(['lost-request', 'lost-answer'] as const)(
    'a commit that is never answered (%s) is neither reported nor aborted, and found out later',
    async (kind) => {
      await using world = await TransactionWorld.start(version)
      const { session, writer } = world.open()
      const flush = () => writer.flush()
      await session.begin()
      await writer.send(topic, 0, 'a')
      {
        using lost = befall(world.kafka, 'EndTxn', { kind }, Infinity)
        const failure = { action: 'retry', mayBeCommitted: true }
        await expect(outlast(world.clock, lost, session.commit(flush))).rejects.toMatchObject(
          failure,
        )
        expect(session.state).toBe('commit-unknown')
        expect(() => session.abort(flush)).toThrow(/call commit\(\) again/)
        expect(() => session.begin()).toThrow(/call commit\(\) again/)
        await expect(outlast(world.clock, lost, session.commit(flush))).rejects.toMatchObject(
          failure,
        )
      }
      await session.commit(flush)
      expect(await world.committed(0)).toEqual(['a'])
    },
  )

  it('an abort that is never answered can be repeated', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open()
    const flush = () => writer.flush()
    await session.begin()
    await writer.send(topic, 0, 'a')
    {
      using lost = befall(world.kafka, 'EndTxn', { kind: 'lost-answer' }, Infinity)
      const failure = { action: 'retry', mayBeCommitted: false }
      await expect(outlast(world.clock, lost, session.abort(flush))).rejects.toMatchObject(failure)
    }
    await session.abort(flush)
    await session.begin()
    await writer.send(topic, 0, 'b')
    await session.commit(flush)
    expect(await world.committed(0)).toEqual(['b'])
  })

  it('a commit that certainly did not happen leaves the choice', async () => {
    await using world = await TransactionWorld.start(version)
    const { session, writer } = world.open({ callTimeoutMs: 1_000 })
    const flush = () => writer.flush()
    await session.begin()
    await writer.send(topic, 0, 'a')
    {
      const fault = { kind: 'refused', error: 'COORDINATOR_LOAD_IN_PROGRESS' } as const
      using _ = befall(world.kafka, 'EndTxn', fault, Infinity)
      const failure = { action: 'retry', mayBeCommitted: false }
      await expect(session.commit(flush)).rejects.toMatchObject(failure)
    }
    await session.abort(flush)
    expect(await world.committed(0)).toEqual([])
  })
})

describe('an answer that was lost in transactions of version 1', () => {
  it.each(['AddPartitionsToTxn', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn'] as const)(
    'to %s moves the epoch on before the next transaction (M8)',
    async (api) => {
      await using world = await TransactionWorld.start(1)
      const { session, writer } = world.open()
      const epochs: unknown[] = []
      for (const round of [1, 2, 3]) {
        await session.begin()
        epochs.push(session.identity?.producerEpoch)
        using _ = befall(world.kafka, api, { kind: 'lost-answer' }, round === 2 ? 1 : 0)
        await writer.send(topic, 0, `a${round}`)
        await session.sendOffsets(group, [
          { topic, partition: 0, offset: round, leaderEpoch: -1, metadata: '' },
        ])
        await session.commit(() => writer.flush())
      }
      expect(epochs).toEqual([0, 0, 1])
      expect(await world.committed(0)).toEqual(['a1', 'a2', 'a3'])
    },
  )
})

describe('an offset whose commit was not answered', () => {
  it('is not followed by another one, which it could undo', async () => {
    await using world = await TransactionWorld.start(1)
    const { session, writer } = world.open()
    await session.begin()
    const offset = { topic, partition: 0, offset: 1, leaderEpoch: -1, metadata: '' }
    {
      using _ = befall(world.kafka, 'TxnOffsetCommit', { kind: 'lost-answer' })
      await session.sendOffsets(group, [offset])
    }
    await session.sendOffsets(group, [offset, { ...offset, partition: 1, offset: 9 }])
    const later = session.sendOffsets(group, [{ ...offset, offset: 2 }])
    await expect(later).rejects.toMatchObject({ action: 'abort' })
    await session.abort(() => writer.flush())
    expect(await world.committedOffset('g', 0)).toBe(-1)
  })
})

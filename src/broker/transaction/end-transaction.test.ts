import { describe, expect, it } from 'vitest'
import { TestCluster, errorOf, idle } from './coordinator-fixture.ts'
import type { ProducerIdentity, TransactionVersion } from './transaction-metadata.ts'

async function open(): Promise<{ cluster: TestCluster; producer: ProducerIdentity }> {
  const cluster = await TestCluster.started()
  const producer = await cluster.producer()
  await cluster.add(producer, ['orders-0', 'orders-1'])
  await cluster.partition('orders-0').write(producer, 'value')
  return { cluster, producer }
}

async function ended(outcome: 'commit' | 'abort', version: TransactionVersion) {
  const { cluster, producer } = await open()
  const next = await cluster.end(producer, outcome, version)
  await idle()
  if (errorOf(next) !== 'NONE') throw new Error(errorOf(next))
  return { cluster, producer, next: next as ProducerIdentity }
}

describe.each([0, 2] as const)('EndTxn of version %i', (version) => {
  it.each(['commit', 'abort'] as const)('writes the markers of a %s', async (outcome) => {
    const { cluster, producer } = await ended(outcome, version)
    const marker = {
      producerId: producer.producerId,
      producerEpoch: producer.producerEpoch + (version === 2 ? 1 : 0),
      coordinatorEpoch: cluster.coordinatorEpoch,
      commit: outcome === 'commit',
      transactionVersion: version,
    }
    expect(cluster.partition('orders-0').markers).toEqual([marker])
    expect(cluster.partition('orders-1').markers).toEqual([marker])
    expect(cluster.state()).toBe(outcome === 'commit' ? 'CompleteCommit' : 'CompleteAbort')
  })

  it('refuses an unknown transactional id, and another producer id', async () => {
    const cluster = await TestCluster.started()
    const nobody = { producerId: 5, producerEpoch: 0 }
    expect(await cluster.endError(nobody, 'commit', version)).toBe('INVALID_PRODUCER_ID_MAPPING')
    await cluster.producer()
    expect(await cluster.endError(nobody, 'commit', version)).toBe('INVALID_PRODUCER_ID_MAPPING')
  })

  it.each([-1, 1])('refuses an epoch that is off by %i', async (by) => {
    const { cluster, producer } = await open()
    const other = { ...producer, producerEpoch: producer.producerEpoch + by }
    expect(await cluster.endError(other, 'commit', version)).toBe('PRODUCER_FENCED')
    expect(cluster.state()).toBe('Ongoing')
  })

  it('refuses to commit nothing', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    expect(await cluster.endError(producer, 'commit', version)).toBe('INVALID_TXN_STATE')
  })

  it('refuses while the last change is not durable', async () => {
    const { cluster, producer } = await open()
    cluster.stateLog.held = true
    const first = cluster.endError(producer, 'commit', version)
    await idle()
    expect(await cluster.endError(producer, 'abort', version)).toBe('CONCURRENT_TRANSACTIONS')
    expect(cluster.partition('orders-0').markers).toEqual([])
    cluster.stateLog.sync()
    expect(await first).toBe('NONE')
  })

  it('answers when the decision is durable, before the markers are', async () => {
    const { cluster, producer } = await open()
    cluster.partition('orders-1').log.held = true
    expect(await cluster.endError(producer, 'commit', version)).toBe('NONE')
    expect(cluster.state()).toBe('PrepareCommit')
    expect(await cluster.endError(producer, 'commit', version)).toBe('CONCURRENT_TRANSACTIONS')
    cluster.partition('orders-1').log.sync()
    await idle()
    expect(cluster.state()).toBe('CompleteCommit')
  })

  it('leaves the transaction open when the log fails', async () => {
    const { cluster, producer } = await open()
    cluster.stateLog.failing = true
    expect(await cluster.endError(producer, 'commit', version)).toBe('COORDINATOR_NOT_AVAILABLE')
    cluster.stateLog.failing = false
    expect(cluster.state()).toBe('Ongoing')
    expect(await cluster.endError(producer, 'commit', version)).toBe('NONE')
  })
})

describe('EndTxn that does not move the epoch', () => {
  it('keeps the epoch', async () => {
    const { cluster, producer } = await ended('commit', 0)
    expect(cluster.identity()).toEqual(producer)
  })

  it.each(['commit', 'abort'] as const)('repeats a %s', async (outcome) => {
    const { cluster, producer } = await ended(outcome, 0)
    expect(await cluster.endError(producer, outcome, 0)).toBe('NONE')
    const opposite = outcome === 'commit' ? 'abort' : 'commit'
    expect(await cluster.endError(producer, opposite, 0)).toBe('INVALID_TXN_STATE')
    expect(cluster.partition('orders-0').markers).toHaveLength(1)
  })

  it('refuses to abort nothing', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    expect(await cluster.endError(producer, 'abort', 0)).toBe('INVALID_TXN_STATE')
  })
})

describe('EndTxn that moves the epoch', () => {
  it('answers with the epoch of the next transaction', async () => {
    const { cluster, producer, next } = await ended('commit', 2)
    const { producerId, producerEpoch } = producer
    expect(next).toMatchObject({ producerId, producerEpoch: producerEpoch + 1 })
    expect(await cluster.add(next, ['orders-0'], 2)).toBe('NONE')
    expect(await cluster.add(producer, ['orders-0'], 2)).toBe('PRODUCER_FENCED')
  })

  it.each(['commit', 'abort'] as const)('recognises a repeated %s', async (outcome) => {
    const { cluster, producer, next } = await ended(outcome, 2)
    const { producerId, producerEpoch } = next
    for (const restarted of [false, true]) {
      if (restarted) await cluster.restart()
      const again = await cluster.end(producer, outcome, 2)
      expect(again).toEqual({ producerId, producerEpoch })
      const opposite = outcome === 'commit' ? 'abort' : 'commit'
      expect(await cluster.endError(producer, opposite, 2)).toBe('INVALID_TXN_STATE')
    }
    expect(cluster.partition('orders-0').markers).toHaveLength(1)
  })

  it('does not take a late request for one about the next transaction', async () => {
    const { cluster, producer, next } = await ended('commit', 2)
    await cluster.add(next, ['orders-0'], 2)
    expect(await cluster.endError(producer, 'abort', 2)).toBe('PRODUCER_FENCED')
    expect(await cluster.endError(producer, 'commit', 2)).toBe('PRODUCER_FENCED')
    expect(cluster.state()).toBe('Ongoing')
  })

  it('does not give a zombie the epoch of a successor whose transactions are of the first version', async () => {
    const cluster = await TestCluster.started()
    const zombie = await cluster.producer()
    const successor = await cluster.producer()
    await cluster.add(successor, ['orders-0'], 0)
    expect(await cluster.endError(successor, 'abort', 0)).toBe('NONE')
    await idle()
    expect(await cluster.endError(zombie, 'abort', 2)).toBe('PRODUCER_FENCED')
    expect(cluster.identity()).toEqual(successor)
  })

  it('aborts nothing when asked to, with a new epoch', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    let current = producer
    for (let times = 1; times <= 2; times += 1) {
      const result = await cluster.end(current, 'abort', 2)
      expect(result).toMatchObject({ producerId: 0, producerEpoch: times })
      current = result as ProducerIdentity
      await idle()
      expect(cluster.state()).toBe('CompleteAbort')
    }
  })

  it('aborts nothing after a commit, and refuses to commit nothing', async () => {
    const { cluster, next } = await ended('commit', 2)
    expect(await cluster.endError(next, 'commit', 2)).toBe('INVALID_TXN_STATE')
    expect(await cluster.endError(next, 'abort', 2)).toBe('NONE')
  })

  it('is fenced after another producer took over', async () => {
    const { cluster, producer, next } = await ended('commit', 2)
    await cluster.producer()
    expect(await cluster.endError(producer, 'commit', 2)).toBe('PRODUCER_FENCED')
    expect(await cluster.endError(next, 'abort', 2)).toBe('PRODUCER_FENCED')
  })

  it('tells a commit after a timeout that the state is wrong, and an abort that it is done', async () => {
    const { cluster, producer } = await open()
    cluster.clock.advance(60_001)
    await cluster.coordinator.abortTimedOut()
    await idle()
    expect(await cluster.endError(producer, 'commit', 2)).toBe('INVALID_TXN_STATE')
    expect(await cluster.end(producer, 'abort', 2)).toEqual(cluster.identity())
  })

  it('goes on with a new producer id when epochs run out, across a restart', async () => {
    const cluster = await TestCluster.withoutEpochsLeft()
    const current = cluster.identity()
    await cluster.add(current, ['orders-0'], 2)
    await cluster.partition('orders-0').write(current, 'value')
    cluster.partition('orders-0').log.held = true
    const next = await cluster.end(current, 'commit', 2)
    expect(next).toEqual({ producerId: 1, producerEpoch: 0 })
    await cluster.restart()
    cluster.partition('orders-0').log.held = false
    cluster.partition('orders-0').log.sync()
    await idle()
    expect(cluster.partition('orders-0').markers.at(-1)).toMatchObject({
      producerId: 0,
      producerEpoch: 0x7fff,
      commit: true,
    })
    expect(cluster.identity()).toEqual({ producerId: 1, producerEpoch: 0 })
    expect(await cluster.end(current, 'commit', 2)).toEqual({ producerId: 1, producerEpoch: 0 })
    expect(await cluster.init('payments', current)).toEqual({ producerId: 1, producerEpoch: 0 })
  })
})

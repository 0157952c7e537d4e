import { describe, expect, it } from 'vitest'
import { refuse } from '../refusal.ts'
import { TestCluster, errorOf, idle } from './coordinator-fixture.ts'
import type { ProducerIdentity } from './transaction-metadata.ts'

async function open(): Promise<{ cluster: TestCluster; producer: ProducerIdentity }> {
  const cluster = await TestCluster.started()
  const producer = await cluster.producer()
  await cluster.add(producer, ['orders-0', 'orders-1', '__consumer_offsets-0'])
  await cluster.partition('orders-0').write(producer, 'value')
  return { cluster, producer }
}

describe('the end of a transaction', () => {
  it('writes no marker before the decision is durable', async () => {
    const { cluster, producer } = await open()
    cluster.stateLog.held = true
    void cluster.end(producer, 'commit', 2)
    await idle()
    await cluster.restart()
    expect(cluster.state()).toBe('Ongoing')
    expect(cluster.partition('orders-0').markers).toEqual([])
  })

  it('is complete only when all markers are durable, those of offsets as well', async () => {
    const { cluster, producer } = await open()
    const names = ['orders-0', 'orders-1', '__consumer_offsets-0']
    for (const name of names) cluster.partition(name).log.held = true
    await cluster.end(producer, 'commit', 2)
    for (const name of names) {
      await idle()
      expect(cluster.state()).toBe('PrepareCommit')
      cluster.partition(name).log.sync()
    }
    await idle()
    expect(cluster.state()).toBe('CompleteCommit')
  })

  it('skips partitions that were deleted', async () => {
    const { cluster, producer } = await open()
    cluster.partitions.delete('orders-1')
    await cluster.end(producer, 'abort', 2)
    await idle()
    expect(cluster.state()).toBe('CompleteAbort')
    expect(cluster.partition('orders-0').markers).toHaveLength(1)
  })

  it('tries again what was refused, until the partition takes it', async () => {
    const { cluster, producer } = await open()
    cluster.markerRefusal = refuse('NOT_LEADER_OR_FOLLOWER', 'no leader')
    await cluster.end(producer, 'commit', 2)
    for (let tries = 0; tries < 3; tries += 1) {
      cluster.clock.advance(10_000)
      await idle()
      expect(cluster.state()).toBe('PrepareCommit')
    }
    cluster.markerRefusal = undefined
    cluster.clock.advance(10_000)
    await idle()
    expect(cluster.state()).toBe('CompleteCommit')
    expect(cluster.problems).not.toEqual([])
  })

  it('tries again only where the marker is missing', async () => {
    const { cluster, producer } = await open()
    cluster.partition('orders-1').log.failing = true
    await cluster.end(producer, 'commit', 2)
    await idle()
    expect(cluster.coordinator.describe('payments')).toMatchObject({
      state: 'PrepareCommit',
      partitions: new Map([['orders', new Set([1])]]),
    })
    cluster.partition('orders-1').log.failing = false
    cluster.clock.advance(100)
    await idle()
    expect(cluster.state()).toBe('CompleteCommit')
    expect(cluster.partition('orders-0').markers).toHaveLength(1)
    expect(cluster.partition('orders-1').markers).toHaveLength(1)
  })

  it('leaves a partition alone that has seen a later epoch', async () => {
    const { cluster, producer } = await open()
    const later = { ...producer, producerEpoch: 9 }
    await cluster.partition('orders-1').write(later, 'of the next transaction')
    await cluster.end(producer, 'commit', 2)
    await idle()
    expect(cluster.state()).toBe('CompleteCommit')
    expect(cluster.partition('orders-1').markers).toEqual([])
  })

  it('tries again to record the end', async () => {
    const { cluster, producer } = await open()
    cluster.partition('orders-0').log.held = true
    await cluster.end(producer, 'commit', 2)
    cluster.stateLog.failing = true
    cluster.partition('orders-0').log.sync()
    await idle()
    expect(cluster.state()).toBe('PrepareCommit')
    cluster.stateLog.failing = false
    cluster.clock.advance(100)
    await idle()
    expect(cluster.state()).toBe('CompleteCommit')
  })

  it.each(['commit', 'abort'] as const)('is found again after a restart: %s', async (outcome) => {
    const { cluster, producer } = await open()
    cluster.partition('orders-0').log.held = true
    await cluster.end(producer, outcome, 2)
    await cluster.restart()
    cluster.partition('orders-0').log.sync()
    await idle()
    expect(cluster.state()).toBe(outcome === 'commit' ? 'CompleteCommit' : 'CompleteAbort')
    expect(cluster.partition('orders-0').markers).toMatchObject([
      { producerEpoch: 1, coordinatorEpoch: 2, commit: outcome === 'commit' },
    ])
    // orders-1 got its marker before the restart and another one after it, which is harmless.
    expect(cluster.partition('orders-1').markers).toHaveLength(2)
  })

  it('refuses changes while it goes on after a restart', async () => {
    const { cluster, producer } = await open()
    cluster.partition('orders-0').log.held = true
    await cluster.end(producer, 'commit', 0)
    await cluster.restart()
    expect(errorOf(await cluster.init())).toBe('CONCURRENT_TRANSACTIONS')
    expect(await cluster.add(producer, ['orders-0'])).toBe('CONCURRENT_TRANSACTIONS')
  })
})

describe('a coordinator that moves', () => {
  it('reads what its predecessor had on the way', async () => {
    const { cluster, producer } = await open()
    cluster.stateLog.held = true
    const ending = cluster.end(producer, 'commit', 2)
    await idle()
    const loading = cluster.load()
    await idle()
    expect(errorOf(await cluster.init())).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    expect(errorOf(cluster.coordinator.list(everything, () => true))).toBe(
      'COORDINATOR_LOAD_IN_PROGRESS',
    )
    cluster.stateLog.held = false
    cluster.stateLog.sync()
    expect(errorOf(await ending)).toBe('NOT_COORDINATOR')
    await loading
    await idle()
    expect(cluster.state()).toBe('CompleteCommit')
    expect(cluster.partition('orders-0').markers).toMatchObject([{ coordinatorEpoch: 2 }])
  })

  it('answers NOT_COORDINATOR once it is gone', async () => {
    const { cluster, producer } = await open()
    cluster.coordinator.unload(0)
    expect(await cluster.endError(producer, 'commit', 2)).toBe('NOT_COORDINATOR')
    expect(cluster.state()).toBe('NOT_COORDINATOR')
  })

  it('stops writing markers', async () => {
    const { cluster, producer } = await open()
    cluster.markerRefusal = refuse('NOT_LEADER_OR_FOLLOWER', 'no leader')
    await cluster.end(producer, 'commit', 2)
    await idle()
    cluster.markerRefusal = undefined
    cluster.coordinator.unload(0)
    cluster.clock.advance(100)
    await idle()
    expect(cluster.partition('orders-0').markers).toEqual([])
  })

  it('records nothing when its markers are durable at last', async () => {
    const { cluster, producer } = await open()
    cluster.partition('orders-0').log.held = true
    await cluster.end(producer, 'commit', 2)
    const written = cluster.stateLog.entries.length
    cluster.coordinator.unload(0)
    cluster.partition('orders-0').log.sync()
    await idle()
    expect(cluster.stateLog.entries).toHaveLength(written)
  })

  it('may be gone before it was loaded', async () => {
    const { cluster, producer } = await open()
    cluster.stateLog.held = true
    void cluster.end(producer, 'commit', 2)
    await idle()
    const loading = cluster.load()
    cluster.coordinator.unload(0)
    cluster.stateLog.sync()
    await loading
    expect(cluster.state()).toBe('NOT_COORDINATOR')
  })

  it('leaves nothing behind when it closes', async () => {
    const { cluster, producer } = await open()
    cluster.coordinator.start()
    cluster.markerRefusal = refuse('NOT_LEADER_OR_FOLLOWER', 'no leader')
    await cluster.end(producer, 'commit', 2)
    await idle()
    expect(cluster.clock.pendingTimers).toBeGreaterThan(0)
    await cluster.coordinator.close()
    expect(cluster.clock.pendingTimers).toBe(0)
  })
})

const everything = {
  states: [],
  producerIds: [],
  durationMs: -1,
  transactionalIdPattern: null,
}

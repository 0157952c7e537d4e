import { describe, expect, it } from 'vitest'
import { TestCluster, idle } from './coordinator-fixture.ts'

describe('AddPartitionsToTxn', () => {
  it('opens a transaction and adds to it', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    expect(await cluster.add(producer, ['orders-0'])).toBe('NONE')
    expect(await cluster.add(producer, ['orders-1'])).toBe('NONE')
    await cluster.restart()
    expect(cluster.coordinator.describe('payments')).toMatchObject({
      state: 'Ongoing',
      partitions: new Map([['orders', new Set([0, 1])]]),
      startTimestamp: cluster.clock.now(),
    })
  })

  it('keeps the time at which the transaction began', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    const startTimestamp = cluster.clock.now()
    await cluster.add(producer, ['orders-0'])
    cluster.clock.advance(5)
    await cluster.add(producer, ['orders-1'])
    expect(cluster.coordinator.describe('payments')).toMatchObject({ startTimestamp })
  })

  it('writes nothing for partitions that are in', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    await cluster.add(producer, ['orders-0', 'orders-1'])
    const written = cluster.stateLog.entries.length
    expect(await cluster.add(producer, ['orders-1'])).toBe('NONE')
    expect(cluster.stateLog.entries).toHaveLength(written)
  })

  it('refuses an unknown transactional id, and another producer id', async () => {
    const cluster = await TestCluster.started()
    const nobody = { producerId: 5, producerEpoch: 0 }
    expect(await cluster.add(nobody, ['orders-0'])).toBe('INVALID_PRODUCER_ID_MAPPING')
    await cluster.producer()
    expect(await cluster.add(nobody, ['orders-0'])).toBe('INVALID_PRODUCER_ID_MAPPING')
  })

  it.each([-1, 1])('refuses an epoch that is off by %i', async (by) => {
    const cluster = await TestCluster.started()
    await cluster.producer()
    const { producerId, producerEpoch } = await cluster.producer()
    const other = { producerId, producerEpoch: producerEpoch + by }
    expect(await cluster.add(other, ['orders-0'])).toBe('PRODUCER_FENCED')
  })

  it('refuses while the last change is not durable', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    cluster.stateLog.held = true
    const first = cluster.add(producer, ['orders-0'])
    await idle()
    expect(await cluster.add(producer, ['orders-1'])).toBe('CONCURRENT_TRANSACTIONS')
    expect(cluster.state()).toBe('Empty')
    cluster.stateLog.sync()
    expect(await first).toBe('NONE')
    expect(cluster.state()).toBe('Ongoing')
  })

  it('refuses while markers are being written', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    await cluster.add(producer, ['orders-0'])
    cluster.partition('orders-0').log.held = true
    await cluster.end(producer, 'commit', 0)
    expect(await cluster.add(producer, ['orders-1'])).toBe('CONCURRENT_TRANSACTIONS')
  })

  it('is open to the next transaction at once when nothing has to be waited for', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    await cluster.add(producer, ['orders-0'])
    await cluster.end(producer, 'commit', 0)
    await idle()
    expect(await cluster.add(producer, ['orders-1'])).toBe('NONE')
  })

  it('adds the partition of a group for AddOffsetsToTxn', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    const request = { ...producer, transactionalId: 'payments', groupId: 'billing' }
    expect(await cluster.coordinator.addOffsets(request)).toBeUndefined()
    expect(cluster.coordinator.describe('payments')).toMatchObject({
      state: 'Ongoing',
      partitions: new Map([['__consumer_offsets', new Set([0])]]),
    })
  })

  it('refuses the offsets of a group while there is no topic for them', async () => {
    const cluster = await TestCluster.started(['orders-0'])
    const producer = await cluster.producer()
    const request = { ...producer, transactionalId: 'payments', groupId: 'billing' }
    const refused = { error: 'COORDINATOR_NOT_AVAILABLE' }
    expect(await cluster.coordinator.addOffsets(request)).toMatchObject(refused)
    const write = { ...request, version: 5 }
    expect(await cluster.coordinator.verifyOrAddOffsets(write)).toMatchObject(refused)
    expect(cluster.state()).toBe('Empty')
  })

  it('refuses an empty transactional id', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    const request = { ...producer, transactionalId: '', groupId: 'billing' }
    expect(await cluster.coordinator.addOffsets(request)).toMatchObject({
      error: 'INVALID_REQUEST',
    })
  })
})

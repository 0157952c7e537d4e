import { describe, expect, it } from 'vitest'
import { TestCluster, errorOf, idle } from './coordinator-fixture.ts'

const day = 86_400_000

describe('a transaction that is open for too long', () => {
  it('is aborted when its timeout has passed, not before', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer('payments', 1_000)
    await cluster.add(producer, ['orders-0'])
    cluster.clock.advance(1_000)
    await cluster.coordinator.abortTimedOut()
    expect(cluster.state()).toBe('Ongoing')
    cluster.clock.advance(1)
    await cluster.coordinator.abortTimedOut()
    await idle()
    expect(cluster.state()).toBe('CompleteAbort')
    expect(cluster.partition('orders-0').markers).toMatchObject([
      { producerEpoch: 1, commit: false },
    ])
  })

  it.each([1, 2] as const)('fences its producer under version %i', async (version) => {
    const cluster = await TestCluster.started()
    cluster.settings.transactionVersion = version
    const producer = await cluster.producer()
    await cluster.add(producer, ['orders-0'])
    cluster.clock.advance(60_001)
    await cluster.coordinator.abortTimedOut()
    await idle()
    expect(cluster.identity().producerEpoch).toBe(1)
    expect(await cluster.add(producer, ['orders-0'])).toBe('PRODUCER_FENCED')
    expect(await cluster.endError(producer, 'commit', 0)).toBe('PRODUCER_FENCED')
    expect(await cluster.produce(producer, ['orders-0'], 9)).toEqual(['INVALID_PRODUCER_EPOCH'])
  })

  it('does not run out while its end is being written', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    await cluster.add(producer, ['orders-0'])
    cluster.clock.advance(60_001)
    cluster.stateLog.held = true
    const ending = cluster.end(producer, 'commit', 2)
    await idle()
    await cluster.coordinator.abortTimedOut()
    cluster.stateLog.sync()
    cluster.stateLog.held = false
    expect(errorOf(await ending)).toBe('NONE')
    await idle()
    expect(cluster.state()).toBe('CompleteCommit')
  })

  it('is found by a scan at every interval', async () => {
    const cluster = await TestCluster.started()
    cluster.settings.abortTimedOutIntervalMs = 50
    cluster.coordinator.start()
    const producer = await cluster.producer('payments', 120)
    await cluster.add(producer, ['orders-0'])
    for (let scans = 0; scans < 2; scans += 1) {
      cluster.clock.advance(50)
      await idle()
      expect(cluster.state()).toBe('Ongoing')
    }
    cluster.clock.advance(50)
    await idle()
    expect(cluster.state()).toBe('CompleteAbort')
    await cluster.coordinator.close()
  })
})

describe('a transactional id that nobody uses', () => {
  it('is forgotten, for good', async () => {
    const cluster = await TestCluster.started()
    await cluster.producer()
    cluster.clock.advance(7 * day - 1)
    await cluster.coordinator.removeExpired()
    expect(cluster.state()).toBe('Empty')
    cluster.clock.advance(1)
    await cluster.coordinator.removeExpired()
    expect(cluster.state()).toBe('TRANSACTIONAL_ID_NOT_FOUND')
    await cluster.restart()
    expect(cluster.state()).toBe('TRANSACTIONAL_ID_NOT_FOUND')
    expect(await cluster.init()).toMatchObject({ producerEpoch: 0 })
  })

  it('is kept while a transaction is open', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    await cluster.add(producer, ['orders-0'])
    cluster.clock.advance(8 * day)
    await cluster.coordinator.removeExpired()
    expect(cluster.state()).toBe('Ongoing')
  })

  it('is kept when the log fails', async () => {
    const cluster = await TestCluster.started()
    await cluster.producer()
    cluster.clock.advance(8 * day)
    cluster.stateLog.failing = true
    await cluster.coordinator.removeExpired()
    cluster.stateLog.failing = false
    expect(cluster.state()).toBe('Empty')
    expect(await cluster.init()).toEqual({ producerId: 0, producerEpoch: 1 })
  })

  it('cannot be taken while it is being forgotten', async () => {
    const cluster = await TestCluster.started()
    await cluster.producer()
    cluster.clock.advance(8 * day)
    cluster.stateLog.held = true
    const removing = cluster.coordinator.removeExpired()
    expect(errorOf(await cluster.init())).toBe('CONCURRENT_TRANSACTIONS')
    cluster.stateLog.held = false
    cluster.stateLog.sync()
    await removing
    expect(await cluster.init()).toMatchObject({ producerEpoch: 0 })
  })
})

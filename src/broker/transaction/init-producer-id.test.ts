import { describe, expect, it } from 'vitest'
import { TestCluster, errorOf, idle } from './coordinator-fixture.ts'

describe('InitProducerId without a transactional id', () => {
  it('grants a new producer id with epoch 0 each time', async () => {
    const cluster = await TestCluster.started()
    expect(await cluster.init(null)).toEqual({ producerId: 0, producerEpoch: 0 })
    expect(await cluster.init(null)).toEqual({ producerId: 1, producerEpoch: 0 })
  })

  it('does not look at the timeout or at who the producer was', async () => {
    const cluster = await TestCluster.started()
    const result = await cluster.init(null, { producerId: 5, producerEpoch: 3 }, 2 ** 31 - 1)
    expect(result).toEqual({ producerId: 0, producerEpoch: 0 })
  })

  it('works while there is no transaction log', async () => {
    const cluster = new TestCluster()
    expect(await cluster.init(null)).toEqual({ producerId: 0, producerEpoch: 0 })
  })
})

describe('InitProducerId with a transactional id', () => {
  it('refuses an empty id', async () => {
    const cluster = await TestCluster.started()
    expect(errorOf(await cluster.init(''))).toBe('INVALID_REQUEST')
  })

  it.each([0, -1, 900_001])('refuses a timeout of %i', async (timeoutMs) => {
    const cluster = await TestCluster.started()
    const result = await cluster.init('payments', undefined, timeoutMs)
    expect(errorOf(result)).toBe('INVALID_TRANSACTION_TIMEOUT')
  })

  it('takes a timeout of exactly the maximum', async () => {
    const cluster = await TestCluster.started()
    expect(errorOf(await cluster.init('payments', undefined, 900_000))).toBe('NONE')
  })

  it('refuses while the partition is not loaded', async () => {
    const cluster = new TestCluster()
    expect(errorOf(await cluster.init())).toBe('NOT_COORDINATOR')
  })

  it('begins at epoch 0 and moves on by one each time, also after a restart', async () => {
    const cluster = await TestCluster.started()
    expect(await cluster.init()).toEqual({ producerId: 0, producerEpoch: 0 })
    expect(await cluster.init()).toEqual({ producerId: 0, producerEpoch: 1 })
    await cluster.restart()
    expect(await cluster.init()).toEqual({ producerId: 0, producerEpoch: 2 })
  })

  it('moves on after a complete transaction', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    await cluster.add(producer, ['orders-0'])
    await cluster.end(producer, 'commit', 0)
    await idle()
    expect(await cluster.init()).toEqual({ producerId: 0, producerEpoch: 1 })
    expect(cluster.state()).toBe('Empty')
  })

  it('aborts an open transaction first, and lets the producer ask again', async () => {
    const cluster = await TestCluster.started()
    const old = await cluster.producer()
    await cluster.add(old, ['orders-0'])
    expect(errorOf(await cluster.init())).toBe('CONCURRENT_TRANSACTIONS')
    await idle()
    expect(cluster.state()).toBe('CompleteAbort')
    expect(cluster.partition('orders-0').markers).toMatchObject([
      { producerId: 0, producerEpoch: 1, commit: false },
    ])
    expect(await cluster.init()).toEqual({ producerId: 0, producerEpoch: 2 })
    expect(await cluster.endError(old, 'commit', 0)).toBe('PRODUCER_FENCED')
  })

  it('refuses while markers are being written', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    await cluster.add(producer, ['orders-0'])
    cluster.partition('orders-0').log.held = true
    await cluster.end(producer, 'commit', 0)
    await idle()
    expect(cluster.state()).toBe('PrepareCommit')
    expect(errorOf(await cluster.init())).toBe('CONCURRENT_TRANSACTIONS')
    cluster.partition('orders-0').log.sync()
    await idle()
    expect(errorOf(await cluster.init())).toBe('NONE')
  })

  it('refuses a second request while the first is not durable', async () => {
    const cluster = await TestCluster.started()
    await cluster.producer()
    cluster.stateLog.held = true
    const first = cluster.init()
    await idle()
    expect(errorOf(await cluster.init())).toBe('CONCURRENT_TRANSACTIONS')
    cluster.stateLog.sync()
    expect(await first).toEqual({ producerId: 0, producerEpoch: 1 })
  })

  it('changes nothing when the log fails', async () => {
    const cluster = await TestCluster.started()
    await cluster.producer()
    cluster.stateLog.failing = true
    expect(errorOf(await cluster.init())).toBe('COORDINATOR_NOT_AVAILABLE')
    cluster.stateLog.failing = false
    expect(await cluster.init()).toEqual({ producerId: 0, producerEpoch: 1 })
  })
})

describe('InitProducerId of a producer that says who it was', () => {
  it('grants an id when nobody knows the transactional id', async () => {
    const cluster = await TestCluster.started()
    const result = await cluster.init('payments', { producerId: 77, producerEpoch: 3 })
    expect(result).toEqual({ producerId: 0, producerEpoch: 0 })
  })

  it('moves on from the current epoch', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    expect(await cluster.init('payments', producer)).toEqual({ producerId: 0, producerEpoch: 1 })
  })

  it('answers a retry with what was granted', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    const granted = await cluster.init('payments', producer)
    expect(await cluster.init('payments', producer)).toEqual(granted)
    expect(await cluster.init('payments', producer)).toEqual(granted)
  })

  it('fences a retry once somebody else has taken over', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    await cluster.init('payments', producer)
    await cluster.producer()
    expect(errorOf(await cluster.init('payments', producer))).toBe('PRODUCER_FENCED')
  })

  it('fences a producer whose successor has just taken over', async () => {
    const cluster = await TestCluster.started()
    const old = await cluster.producer()
    await cluster.producer()
    expect(errorOf(await cluster.init('payments', old))).toBe('PRODUCER_FENCED')
  })

  it('fences another producer id', async () => {
    const cluster = await TestCluster.started()
    const { producerEpoch } = await cluster.producer()
    const result = await cluster.init('payments', { producerId: 9, producerEpoch })
    expect(errorOf(result)).toBe('PRODUCER_FENCED')
  })

  it('aborts its own open transaction and goes on', async () => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    await cluster.add(producer, ['orders-0'])
    expect(errorOf(await cluster.init('payments', producer))).toBe('CONCURRENT_TRANSACTIONS')
    await idle()
    expect(await cluster.init('payments', producer)).toEqual({ producerId: 0, producerEpoch: 1 })
  })

  it("does not abort its successor's open transaction", async () => {
    const cluster = await TestCluster.started()
    const old = await cluster.producer()
    const current = await cluster.producer()
    await cluster.add(current, ['orders-0'])
    expect(errorOf(await cluster.init('payments', old))).toBe('PRODUCER_FENCED')
    expect(cluster.state()).toBe('Ongoing')
  })

  it.each([false, true])('goes on after a timeout (restarted: %s)', async (restarted) => {
    const cluster = await TestCluster.started()
    const producer = await cluster.producer()
    await cluster.add(producer, ['orders-0'])
    cluster.clock.advance(60_001)
    await cluster.coordinator.abortTimedOut()
    await idle()
    if (restarted) await cluster.restart()
    expect(await cluster.init('payments', producer)).toEqual({ producerId: 0, producerEpoch: 1 })
  })

  it('fences it after a timeout under version 1, which cannot tell it from a zombie', async () => {
    const cluster = await TestCluster.started()
    cluster.settings.transactionVersion = 1
    const producer = await cluster.producer()
    await cluster.add(producer, ['orders-0'])
    cluster.clock.advance(60_001)
    await cluster.coordinator.abortTimedOut()
    await idle()
    expect(errorOf(await cluster.init('payments', producer))).toBe('PRODUCER_FENCED')
  })
})

describe('a producer id without epochs left', () => {
  it('is replaced', async () => {
    const cluster = await TestCluster.withoutEpochsLeft()
    expect(await cluster.init()).toEqual({ producerId: 1, producerEpoch: 0 })
  })

  it('is replaced for its own producer, whose retry gets the same', async () => {
    const cluster = await TestCluster.withoutEpochsLeft()
    const old = cluster.identity()
    const granted = await cluster.init('payments', old)
    expect(granted).toEqual({ producerId: 1, producerEpoch: 0 })
    expect(await cluster.init('payments', old)).toEqual(granted)
    expect(await cluster.init('payments', old)).toEqual(granted)
  })

  it('is not replaced for an older epoch', async () => {
    const cluster = await TestCluster.withoutEpochsLeft()
    const { producerId } = cluster.identity()
    const result = await cluster.init('payments', { producerId, producerEpoch: 17 })
    expect(errorOf(result)).toBe('PRODUCER_FENCED')
  })

  it('can still be fenced, and then be replaced for the producer that was', async () => {
    const cluster = await TestCluster.withoutEpochsLeft()
    const producer = cluster.identity()
    await cluster.add(producer, ['orders-0'])
    cluster.clock.advance(60_001)
    await cluster.coordinator.abortTimedOut()
    await idle()
    expect(cluster.identity().producerEpoch).toBe(0x7fff)
    expect(await cluster.init('payments', producer)).toEqual({ producerId: 1, producerEpoch: 0 })
  })
})

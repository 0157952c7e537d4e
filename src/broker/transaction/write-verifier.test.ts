import { describe, expect, it } from 'vitest'
import { refuse } from '../refusal.ts'
import { TestCluster, errorOf, idle } from './coordinator-fixture.ts'
import type { ProducerIdentity } from './transaction-metadata.ts'

const before = 10
const knowsAbortable = 11
const adds = 12

async function started(): Promise<{ cluster: TestCluster; producer: ProducerIdentity }> {
  const cluster = await TestCluster.started()
  return { cluster, producer: await cluster.producer() }
}

describe.each([
  [before, 'INVALID_TXN_STATE'],
  [knowsAbortable, 'TRANSACTION_ABORTABLE'],
])('Produce of version %i', (version, notAdded) => {
  it('writes to partitions of the transaction and to no others', async () => {
    const { cluster, producer } = await started()
    await cluster.add(producer, ['orders-0'])
    const results = await cluster.produce(producer, ['orders-1', 'orders-0'], version)
    expect(results).toEqual([notAdded, 'NONE'])
    expect(cluster.partition('orders-1').log.entries).toEqual([])
  })

  it('does not write into a finished transaction', async () => {
    const { cluster, producer } = await started()
    await cluster.add(producer, ['orders-0'])
    await cluster.produce(producer, ['orders-0'], version)
    await cluster.end(producer, 'commit', 0)
    await idle()
    expect(await cluster.produce(producer, ['orders-0'], version)).toEqual([notAdded])
  })

  it('repeats while a transaction ends or the coordinator is away', async () => {
    const { cluster, producer } = await started()
    await cluster.add(producer, ['orders-0', 'orders-1'])
    cluster.partition('orders-1').log.held = true
    await cluster.end(producer, 'commit', 0)
    await idle()
    expect(await cluster.produce(producer, ['orders-0'], version)).toEqual(['NOT_ENOUGH_REPLICAS'])
    cluster.coordinator.unload(0)
    expect(await cluster.produce(producer, ['orders-0'], version)).toEqual(['NOT_ENOUGH_REPLICAS'])
  })

  it('asks the coordinator only for the first write to a partition', async () => {
    const { cluster, producer } = await started()
    await cluster.add(producer, ['orders-0'])
    await cluster.produce(producer, ['orders-0'], version)
    cluster.coordinator.unload(0)
    expect(await cluster.produce(producer, ['orders-0'], version)).toEqual(['NONE'])
  })

  it('answers at once, so that no marker comes between the answer and the write', async () => {
    const { cluster, producer } = await started()
    await cluster.add(producer, ['orders-0'])
    const admission = cluster.coordinator.prepareProduce({
      ...producer,
      transactionalId: 'payments',
      partitions: [{ topic: 'orders', partition: 0 }],
      version,
    })
    expect(admission).toEqual([undefined])
  })

  it('is not looked at when verification is switched off', async () => {
    const { cluster, producer } = await started()
    cluster.settings.verifiesPartitions = false
    expect(await cluster.produce(producer, ['orders-0'], version)).toEqual(['NONE'])
  })
})

describe('Produce of version 12', () => {
  it('makes its partitions a part of the transaction, durably, before it writes', async () => {
    const { cluster, producer } = await started()
    cluster.stateLog.held = true
    const producing = cluster.produce(producer, ['orders-0', 'orders-1'], adds)
    await idle()
    expect(cluster.partition('orders-0').log.entries).toEqual([])
    cluster.stateLog.sync()
    expect(await producing).toEqual(['NONE', 'NONE'])
    await cluster.restart()
    expect(cluster.coordinator.describe('payments')).toMatchObject({
      state: 'Ongoing',
      partitions: new Map([['orders', new Set([0, 1])]]),
    })
  })

  it('asks the coordinator only for the first write to a partition', async () => {
    const { cluster, producer } = await started()
    await cluster.produce(producer, ['orders-0'], adds)
    const written = cluster.stateLog.entries.length
    const admission = cluster.coordinator.prepareProduce({
      ...producer,
      transactionalId: 'payments',
      partitions: [{ topic: 'orders', partition: 0 }],
      version: adds,
    })
    expect(admission).toEqual([undefined])
    expect(cluster.stateLog.entries).toHaveLength(written)
  })

  it('waits for the markers of the last transaction', async () => {
    const { cluster, producer } = await started()
    await cluster.produce(producer, ['orders-0'], adds)
    cluster.partition('orders-0').log.held = true
    const next = (await cluster.end(producer, 'commit', 2)) as ProducerIdentity
    const producing = cluster.produce(next, ['orders-1'], adds)
    await idle()
    expect(cluster.partition('orders-1').log.entries).toEqual([])
    cluster.clock.advance(99)
    cluster.partition('orders-0').log.sync()
    expect(await producing).toEqual(['NONE'])
    expect(cluster.state()).toBe('Ongoing')
    expect(cluster.clock.pendingTimers).toBe(0)
  })

  it('waits for them in the same partition, where the last transaction is still open', async () => {
    const { cluster, producer } = await started()
    await cluster.produce(producer, ['orders-0'], adds)
    cluster.markerRefusal = refuse('NOT_LEADER_OR_FOLLOWER', 'no leader')
    const next = (await cluster.end(producer, 'commit', 2)) as ProducerIdentity
    const producing = cluster.produce(next, ['orders-0'], adds)
    await idle()
    expect(cluster.partition('orders-0').log.entries).toHaveLength(1)
    cluster.clock.advance(100)
    expect(await producing).toEqual(['CONCURRENT_TRANSACTIONS'])
  })

  it('waits no more when the coordinator goes', async () => {
    const { cluster, producer } = await started()
    await cluster.produce(producer, ['orders-0'], adds)
    cluster.partition('orders-0').log.held = true
    const next = (await cluster.end(producer, 'commit', 2)) as ProducerIdentity
    const producing = cluster.produce(next, ['orders-1'], adds)
    await idle()
    cluster.coordinator.unload(0)
    expect(await producing).toEqual(['NOT_ENOUGH_REPLICAS'])
  })

  it('waits no longer than it is told to', async () => {
    const { cluster, producer } = await started()
    await cluster.produce(producer, ['orders-0'], adds)
    cluster.partition('orders-0').log.held = true
    const next = (await cluster.end(producer, 'commit', 2)) as ProducerIdentity
    const producing = cluster.produce(next, ['orders-1'], adds)
    await idle()
    cluster.clock.advance(100)
    expect(await producing).toEqual(['CONCURRENT_TRANSACTIONS'])
  })

  it('adds partitions that are written to at the same time', async () => {
    const { cluster, producer } = await started()
    const both = [
      cluster.produce(producer, ['orders-0'], adds),
      cluster.produce(producer, ['orders-1'], adds),
    ]
    expect(await Promise.all(both)).toEqual([['NONE'], ['NONE']])
    expect(cluster.coordinator.describe('payments')).toMatchObject({
      partitions: new Map([['orders', new Set([0, 1])]]),
    })
  })

  it('of a late epoch comes into no later transaction', async () => {
    const { cluster, producer } = await started()
    await cluster.produce(producer, ['orders-0'], adds)
    const next = (await cluster.end(producer, 'commit', 2)) as ProducerIdentity
    await idle()
    await cluster.produce(next, ['orders-0'], adds)
    for (const name of ['orders-0', 'orders-1']) {
      expect(await cluster.produce(producer, [name], adds)).toEqual(['INVALID_PRODUCER_EPOCH'])
    }
  })
})

describe('any transactional Produce', () => {
  it.each([before, knowsAbortable, adds])('needs a transactional id (version %i)', (version) => {
    const { coordinator } = new TestCluster()
    const admission = coordinator.prepareProduce({
      producerId: 0,
      producerEpoch: 0,
      transactionalId: null,
      partitions: [{ topic: 'orders', partition: 0 }],
      version,
    })
    expect(admission).toMatchObject([{ error: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' }])
  })

  it.each([before, knowsAbortable, adds])(
    'of another producer is refused (%i)',
    async (version) => {
      const { cluster } = await started()
      const other = { producerId: 99, producerEpoch: 0 }
      expect(await cluster.produce(other, ['orders-0'], version)).toEqual([
        'INVALID_PRODUCER_ID_MAPPING',
      ])
    },
  )
})

describe('TxnOffsetCommit', () => {
  const offsets = async (cluster: TestCluster, producer: ProducerIdentity, version: number) =>
    errorOf(
      await cluster.coordinator.verifyOrAddOffsets({
        ...producer,
        transactionalId: 'payments',
        groupId: 'billing',
        version,
      }),
    )

  it.each([
    [3, 'INVALID_TXN_STATE'],
    [4, 'TRANSACTION_ABORTABLE'],
  ])('of version %i needs AddOffsetsToTxn before it', async (version, notAdded) => {
    const { cluster, producer } = await started()
    expect(await offsets(cluster, producer, version)).toBe(notAdded)
    await cluster.coordinator.addOffsets({
      ...producer,
      transactionalId: 'payments',
      groupId: 'billing',
    })
    expect(await offsets(cluster, producer, version)).toBe('NONE')
  })

  it('of version 5 adds the partition of the group', async () => {
    const { cluster, producer } = await started()
    expect(await offsets(cluster, producer, 5)).toBe('NONE')
    expect(cluster.coordinator.describe('payments')).toMatchObject({
      partitions: new Map([['__consumer_offsets', new Set([0])]]),
    })
  })

  it('of a fenced producer is refused with the epoch error its clients know', async () => {
    const { cluster, producer } = await started()
    await cluster.producer()
    for (const version of [3, 4, 5]) {
      expect(await offsets(cluster, producer, version)).toBe('INVALID_PRODUCER_EPOCH')
    }
  })

  it('says when the transaction coordinator is away', async () => {
    const { cluster, producer } = await started()
    cluster.coordinator.unload(0)
    expect(await offsets(cluster, producer, 4)).toBe('NOT_COORDINATOR')
  })
})

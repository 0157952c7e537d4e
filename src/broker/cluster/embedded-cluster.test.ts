import { describe, expect, it } from 'vitest'
import { createAdministration } from '../handler/administration-fixture.ts'
import type { Administration } from '../handler/administration-fixture.ts'
import { isRefusal } from '../refusal.ts'

const nodes = 2

async function withTopic(): Promise<Administration> {
  const administration = await createAdministration({ nodes })
  const made = await administration.cluster.createTopic({
    name: 'orders',
    partitions: 1,
    replicationFactor: 2,
    configs: new Map(),
  })
  expect(isRefusal(made)).toBe(false)
  return administration
}

/** The topic as it is after another start. */
async function restarted({ records }: Administration) {
  const { cluster } = await createAdministration({ nodes, records })
  return cluster.topic('orders')
}

/** Lets the other replica lead; its record is written while others are on their way. */
function moveLeader({ cluster }: Administration): void {
  const partition = cluster.partition('orders', 0)
  if (partition !== undefined) cluster.moveLeader(partition, partition.leader === 1 ? 2 : 1)
}

describe('changes of a topic that overlap', () => {
  it('keep partitions that are added while the leader changes', async () => {
    const administration = await withTopic()
    const adding = administration.cluster.addPartitions('orders', 3, undefined, false)
    moveLeader(administration)
    expect(await adding).toBeUndefined()
    expect((await restarted(administration))?.partitions).toHaveLength(3)
  })

  it('keep what is set while partitions are added', async () => {
    const administration = await withTopic()
    const { cluster } = administration
    await Promise.all([
      cluster.setTopicConfigs('orders', new Map([['retention.ms', '5']])),
      cluster.addPartitions('orders', 2, undefined, false),
    ])
    expect(cluster.topic('orders')).toMatchObject({ config: { retentionMs: 5 } })
    expect(cluster.topic('orders')?.partitions).toHaveLength(2)
    const again = await restarted(administration)
    expect(again?.config.retentionMs).toBe(5)
    expect(again?.partitions).toHaveLength(2)
  })

  it('keep replicas that are given while the leader changes', async () => {
    const administration = await withTopic()
    const partition = administration.cluster.partition('orders', 0)
    if (partition === undefined) throw new Error('no partition')
    const reassigning = administration.cluster.reassign(partition, [2])
    moveLeader(administration)
    expect(await reassigning).toBeUndefined()
    expect((await restarted(administration))?.partitions[0]?.replicas).toEqual([2])
  })

  it('count partitions from those that are being added', async () => {
    const administration = await withTopic()
    const { cluster } = administration
    const [first, second, same] = await Promise.all([
      cluster.addPartitions('orders', 2, undefined, false),
      cluster.addPartitions('orders', 4, undefined, false),
      cluster.addPartitions('orders', 4, undefined, false),
    ])
    expect([first, second, same?.error]).toEqual([undefined, undefined, 'INVALID_PARTITIONS'])
    const indexes = cluster.topic('orders')?.partitions.map(({ index }) => index)
    expect(indexes).toEqual([0, 1, 2, 3])
    expect((await restarted(administration))?.partitions).toHaveLength(4)
  })

  it.each<[string, (administration: Administration) => Promise<unknown>]>([
    ['partitions', ({ cluster }) => cluster.addPartitions('orders', 2, undefined, false)],
    ['configuration', ({ cluster }) => cluster.setTopicConfigs('orders', new Map())],
    [
      'replicas',
      ({ cluster }) => {
        const partition = cluster.partition('orders', 0)
        return partition === undefined ? Promise.resolve() : cluster.reassign(partition, [2])
      },
    ],
  ])('do not bring back a topic that is deleted while its %s change', async (_what, change) => {
    const administration = await withTopic()
    const { cluster } = administration
    const changing = change(administration)
    await cluster.deleteTopic('orders')
    await changing
    expect(cluster.topic('orders')).toBeUndefined()
    expect(await restarted(administration)).toBeUndefined()
  })
})

describe('leader epochs', () => {
  it('are never used again, even when changes of the leader were not recorded', async () => {
    const administration = await withTopic()
    const recorded = [...administration.records]
    for (let change = 0; change < 5; change++) moveLeader(administration)
    const used = administration.cluster.partition('orders', 0)?.leaderEpoch ?? 0
    const { cluster } = await createAdministration({ nodes, records: recorded })
    expect(cluster.partition('orders', 0)?.leaderEpoch).toBeGreaterThan(used)
  })
})

import { describe, expect, it } from 'vitest'
import { batchOf, write } from '../consumer/fixture/writer.ts'
import { startWorld } from './fixture/world.ts'

const partition = { topic: 'orders', partition: 0 }

describe('the cluster', () => {
  it('is described with its brokers and features', async () => {
    await using world = await startWorld()
    const described = await world.admin.cluster.describe({ authorizedOperations: true })
    expect(described.brokers.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3])
    expect(described.controllerId).toBeGreaterThan(0)
    expect(described.clusterId).toMatch(/\w/)
    expect(described.authorizedOperations).toContain('alter')
    const features = await world.admin.cluster.features()
    expect(features.finalized.get('transaction.version')?.max).toBe(2)
    expect(features.supported.get('transaction.version')).toEqual({ min: 0, max: 2 })
  })

  it('refuses what a broker is too old for, by name', async () => {
    await using world = await startWorld({ versions: { DescribeCluster: 1 } })
    await world.admin.cluster.describe()
    await expect(world.admin.cluster.describe({ includeFenced: true })).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_UNSUPPORTED',
      message: /fenced brokers \(Kafka 4\.0\) is missing/,
    })
  })

  it('tells what each broker keeps where', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders', { partitions: 3 })
    await write(world.cluster, 'orders', 0, batchOf(['x'.repeat(1000)]))
    const leader = world.kafka.leader('orders', 0)
    const [directory] = await world.admin.cluster.logDirs(leader, { partitions: [partition] })
    expect(directory?.replicas).toMatchObject([{ ...partition, offsetLag: 0, isFuture: false }])
    expect(directory?.replicas[0]?.sizeBytes).toBeGreaterThan(1000)
    const all = await world.admin.cluster.logDirsOfMany()
    expect([...all.keys()]).toEqual([1, 2, 3])
    expect(Object.values(world.requestsByNode('DescribeLogDirs')).length).toBe(3)
    await expect(world.admin.cluster.logDirs(9)).rejects.toMatchObject({
      kafkaName: 'BROKER_NOT_AVAILABLE',
    })
  })
})

describe('elections and reassignments', () => {
  it('elect the preferred leader where another one leads', async () => {
    await using world = await startWorld()
    await world.admin.topics.create({ name: 'orders', assignments: [[1, 2, 3]] })
    world.kafka.moveLeader('orders', 0, 3)
    const { elections } = world.admin
    expect(await elections.preferred(partition)).toMatchObject({ wasNeeded: true })
    expect(world.kafka.leader('orders', 0)).toBe(1)
    expect(await elections.preferred(partition)).toMatchObject({ wasNeeded: false })
    world.kafka.moveLeader('orders', 0, 2)
    expect(await elections.preferredOfMany('all')).toEqual([{ ...partition, wasNeeded: true }])
    const unclean = await elections.uncleanOfMany([partition, { topic: 'absent', partition: 0 }])
    expect(unclean[0]).toEqual({ ...partition, wasNeeded: false })
    expect(unclean[1]?.error).toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })

  it('move partitions, each for itself', async () => {
    await using world = await startWorld()
    await world.admin.topics.create({ name: 'orders', assignments: [[1, 2]] })
    const { reassignments, topics } = world.admin
    const results = await reassignments.alterMany([
      { ...partition, replicas: [3, 2] },
      { topic: 'orders', partition: 5, replicas: [1] },
    ])
    expect(results[0]).toEqual(partition)
    expect(results[1]?.error).toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' })
    await expect.poll(async () => (await reassignments.list()).length).toBe(0)
    expect((await topics.describe('orders')).partitions[0]?.replicas).toEqual([3, 2])
    await expect(reassignments.cancel(partition)).rejects.toMatchObject({
      kafkaName: 'NO_REASSIGNMENT_IN_PROGRESS',
    })
    await expect(reassignments.alter({ ...partition, replicas: [] })).rejects.toThrow(/replicas/)
  })
})

describe('quotas', () => {
  it('are set for an entity, found by a filter, and taken away', async () => {
    await using world = await startWorld()
    const { quotas } = world.admin
    const entity = { user: 'alice', clientId: null }
    await quotas.alter({ entity, set: { producer_byte_rate: 1000, consumer_byte_rate: 2000 } })
    await quotas.alter({ entity, set: { producer_byte_rate: 5 } }, { validateOnly: true })
    const found = await quotas.describe({ user: { name: 'alice' }, clientId: 'default' })
    expect(found).toEqual([
      {
        entity,
        quotas: new Map([
          ['consumer_byte_rate', 2000],
          ['producer_byte_rate', 1000],
        ]),
      },
    ])
    expect(await quotas.describe({ user: 'any' })).toHaveLength(1)
    expect(await quotas.describe({ user: 'any', strict: true })).toEqual([])
    const results = await quotas.alterMany([
      { entity, reset: ['producer_byte_rate', 'consumer_byte_rate'] },
      { entity: { user: 'bob' }, set: { no_such_quota: 1 } },
    ])
    expect(results[0]).toEqual({ entity })
    expect(results[1]?.error).toMatchObject({ kafkaName: 'INVALID_REQUEST' })
    expect(await quotas.describe()).toEqual([])
    await expect(quotas.alter({ entity: {}, set: { a: 1 } })).rejects.toThrow(/entity must have/)
  })
})

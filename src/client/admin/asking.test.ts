import { describe, expect, it } from 'vitest'
import { closeConnection } from '../../testing/index.ts'
import { startWorld } from './fixture/world.ts'

const notController = {
  throttleTimeMs: 0,
  topics: [{ name: 'orders', topicId: 'A'.repeat(22), errorCode: 41, errorMessage: null }],
}

describe('a call', () => {
  it('asks anew when the controller has moved', async () => {
    await using world = await startWorld()
    let count = 0
    using _ = world.kafka.intercept('CreateTopics', (_request, proceed) => {
      count += 1
      return count <= 2 ? notController : proceed()
    })
    await world.admin.topics.create({ name: 'orders' })
    expect(count).toBe(3)
    expect(world.kafka.requests('Metadata').length).toBeGreaterThan(2)
  })

  it('asks each leader for its partitions only, and follows those that move', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders', { partitions: 6, replicas: 3 })
    const leaders = [0, 1, 2, 3, 4, 5].map((partition) => world.kafka.leader('orders', partition))
    await world.admin.offsets.findInTopic('orders', 'latest')
    expect(Object.keys(world.requestsByNode('ListOffsets')).map(Number)).toEqual(
      [...new Set(leaders)].sort(),
    )
    let moved = false
    using _ = world.kafka.intercept('ListOffsets', (_request, proceed) => {
      if (!moved)
        for (const [partition, leader] of leaders.entries()) {
          world.kafka.moveLeader('orders', partition, (leader % 3) + 1)
        }
      moved = true
      return proceed()
    })
    const found = await world.admin.offsets.findInTopic('orders', 'latest')
    expect(found.map((each) => each.error ?? each.offset)).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('asks each coordinator for its groups only, and follows those that move', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    const ids = Array.from({ length: 12 }, (_, index) => `group-${index}`)
    const offset = { topic: 'orders', partition: 0, offset: 7 }
    for (const id of ids) await world.admin.groups.alterOffsets(id, [offset])
    const before = world.kafka.requests('OffsetFetch').length
    const lookups = world.kafka.requests('FindCoordinator').length
    let moved = false
    using _ = world.kafka.intercept('OffsetFetch', ({ nodeId }, proceed) => {
      if (!moved) for (const id of ids) world.kafka.moveCoordinator('group', id, (nodeId % 3) + 1)
      moved = true
      return proceed()
    })
    const results = await world.admin.groups.offsetsOfMany(ids.map((groupId) => ({ groupId })))
    for (const id of ids) {
      expect(results.get(id)).toMatchObject({ offsets: [offset] })
    }
    // Groups of a coordinator go together: three at first, one where all went, and one in between at most.
    expect(world.kafka.requests('OffsetFetch').length - before).toBeLessThan(12)
    expect(world.kafka.requests('FindCoordinator').length - lookups).toBeLessThan(12)
  })

  it('looks for a coordinator again that is none any more', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    const { groups } = world.admin
    const offset = { topic: 'orders', partition: 0, offset: 7 }
    await groups.alterOffsets('billing', [offset])
    const { coordinatorId } = await groups.describe('billing')
    world.kafka.moveCoordinator('group', 'billing', (coordinatorId % 3) + 1)
    const before = world.kafka.requests('OffsetFetch').length
    expect(await groups.offsets('billing', { timeoutMs: 10_000 })).toMatchObject([offset])
    expect(world.kafka.requests('OffsetFetch').length - before).toBe(2)
  })

  it('holds up nobody for a broker that does not answer', async () => {
    await using world = await startWorld({ client: { requestTimeoutMs: 5_000 } })
    await world.kafka.createTopic('orders', { partitions: 3 })
    const silent = world.kafka.leader('orders', 0)
    const order: string[] = []
    let letGo = (): void => undefined
    using _ = world.kafka.intercept('ListOffsets', ({ nodeId, body }, proceed) => {
      const partitions = JSON.stringify(body).match(/"partitionIndex":\d/g)?.length ?? 0
      order.push(`${nodeId === silent ? 'silent' : 'other'} ${partitions}`)
      if (nodeId !== silent) return proceed()
      return new Promise((resolve) => (letGo = () => resolve(proceed())))
    })
    const all = world.admin.offsets.findInTopic('orders', 'latest')
    await expect.poll(() => order.length).toBe(3)
    letGo()
    expect((await all).every(({ error }) => error === undefined)).toBe(true)
  })

  it('ends with its time, each item with its own error', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders', { partitions: 3 })
    const silent = world.kafka.leader('orders', 1)
    using _ = world.kafka.intercept('ListOffsets', ({ nodeId }, proceed) =>
      nodeId === silent ? new Promise(() => undefined) : proceed(),
    )
    const found = await world.admin.offsets.findInTopic('orders', 'latest', { timeoutMs: 150 })
    expect(found[0]?.error).toBeUndefined()
    expect(found[1]?.error).toMatchObject({
      code: 'MILLRACE_CLIENT_NO_ANSWER',
      message: /offsets\.find: given up after \d+ attempts in 150 ms/,
    })
  })

  it('says at the end of its time that a request before the last may have taken effect', async () => {
    await using world = await startWorld({ client: { connectTimeoutMs: 50 } })
    let count = 0
    using _ = world.kafka.intercept('CreateTopics', () => {
      count += 1
      return count === 1 ? closeConnection : notController
    })
    await expect(
      world.admin.topics.create({ name: 'orders' }, { timeoutMs: 150 }),
    ).rejects.toMatchObject({ code: 'MILLRACE_CLIENT_NO_ANSWER', wasSent: true })
  })

  it('rejects as soon as its signal aborts', async () => {
    await using world = await startWorld()
    const controller = new AbortController()
    let asked = (): void => undefined
    const isAsked = new Promise<void>((resolve) => (asked = resolve))
    using _ = world.kafka.intercept('CreateTopics', () => {
      asked()
      return new Promise(() => undefined)
    })
    const created = world.admin.topics.createMany([{ name: 'orders' }], {
      signal: controller.signal,
    })
    await isAsked
    controller.abort(new Error('enough'))
    await expect(created).rejects.toThrow('enough')
    await expect(world.admin.topics.list({ signal: controller.signal })).rejects.toThrow('enough')
  })

  it('fails as a whole when the client is closed', async () => {
    await using world = await startWorld()
    await world.admin.topics.list()
    await world.cluster.close()
    await expect(world.admin.topics.describeMany(['orders'])).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_CLOSED',
    })
  })

  it('takes silence about an item for an error of that item', async () => {
    await using world = await startWorld()
    using _ = world.kafka.intercept('CreateTopics', () => ({ throttleTimeMs: 0, topics: [] }))
    await expect(world.admin.topics.create({ name: 'orders' })).rejects.toMatchObject({
      kafkaName: 'UNKNOWN_SERVER_ERROR',
      message: /topic orders.*said nothing of it/,
    })
  })

  it('goes on without a broker that stops, and asks all again who has its groups', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    const ids = Array.from({ length: 9 }, (_, index) => `group-${index}`)
    for (const id of ids) {
      await world.admin.groups.alterOffsets(id, [{ topic: 'orders', partition: 0, offset: 1 }])
    }
    let stopped = false
    using _ = world.kafka.intercept('ListGroups', async ({ nodeId }, proceed) => {
      if (nodeId === 2 && !stopped) {
        stopped = true
        await world.kafka.stopNode(2, 'abruptly')
      }
      return proceed()
    })
    const groups = await world.admin.groups.list({ timeoutMs: 20_000 })
    expect(groups.map(({ groupId }) => groupId)).toEqual([...ids].sort())
    expect(groups.every(({ coordinatorId }) => coordinatorId !== 2)).toBe(true)
  })
})

describe('brokers that are older', () => {
  it('are asked for one coordinator at a time, and for one group at a time', async () => {
    await using world = await startWorld({ versions: { FindCoordinator: 3, OffsetFetch: 7 } })
    await world.kafka.createTopic('orders')
    const offset = { topic: 'orders', partition: 0, offset: 3 }
    for (const id of ['a', 'b', 'c']) await world.admin.groups.alterOffsets(id, [offset])
    const groups = ['a', 'b', 'c'].map((groupId) => ({ groupId }))
    const results = await world.admin.groups.offsetsOfMany(groups)
    for (const result of results.values()) expect(result).toMatchObject({ offsets: [offset] })
    expect(world.kafka.requests('FindCoordinator').every(({ version }) => version <= 3)).toBe(true)
    expect(world.kafka.requests('OffsetFetch').length).toBe(3)
  })

  it('are asked for all topics where they find none by id', async () => {
    await using world = await startWorld({ versions: { Metadata: 11 } })
    const { id = '' } = await world.admin.topics.create({ name: 'orders' })
    expect((await world.admin.topics.describe({ id })).name).toBe('orders')
  })

  it('delete topics by name, and refuse ids with what is missing', async () => {
    await using world = await startWorld({ versions: { DeleteTopics: 5 } })
    const { id = '' } = await world.admin.topics.create({ name: 'orders' })
    await expect(world.admin.topics.delete({ id })).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_UNSUPPORTED',
      message: /topics\.delete: .*topics by their id \(Kafka 2\.8\) is missing/,
    })
    await world.admin.topics.delete('orders')
    expect(await world.admin.topics.list()).toEqual([])
  })

  it('answer what they can, and fail only what they cannot', async () => {
    await using world = await startWorld({ versions: { ListOffsets: 6, ListGroups: 4 } })
    await world.kafka.createTopic('orders', { partitions: 2 })
    const [latest, highest] = await world.admin.offsets.findMany([
      { topic: 'orders', partition: 0, at: 'latest' },
      { topic: 'orders', partition: 1, at: 'max-timestamp' },
    ])
    expect(latest).toMatchObject({ offset: 0 })
    expect(highest?.error).toMatchObject({
      code: 'MILLRACE_CLIENT_UNSUPPORTED',
      message: /highest timestamp \(Kafka 3\.0\)/,
    })
    expect(await world.admin.groups.list({ types: ['classic'] })).toEqual([])
    await expect(world.admin.groups.list({ types: ['consumer'] })).rejects.toThrow(
      /groups by type \(Kafka 3\.8\)/,
    )
  })

  it('describe classic groups where they have no others', async () => {
    await using world = await startWorld({
      versions: { ConsumerGroupDescribe: -1, DescribeGroups: 5 },
    })
    await world.kafka.createTopic('orders')
    await world.admin.groups.alterOffsets('billing', [{ topic: 'orders', partition: 0, offset: 1 }])
    const { type, state } = await world.admin.groups.describe('billing')
    expect({ type, state }).toEqual({ type: 'classic', state: 'Empty' })
    await expect(world.admin.groups.describe('absent')).rejects.toMatchObject({
      kafkaName: 'GROUP_ID_NOT_FOUND',
    })
  })
})

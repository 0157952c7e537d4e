import { describe, expect, it } from 'vitest'
import { createTopics } from './19-create-topics.ts'
import { createPartitions } from './37-create-partitions.ts'
import { createAdministration, newTopic } from './administration-fixture.ts'
import type { Administration } from './administration-fixture.ts'

interface Wanted {
  readonly name: string
  readonly count: number
  readonly assignments?: readonly (readonly number[])[]
}

async function withTopics(topics: readonly ReturnType<typeof newTopic>[]): Promise<Administration> {
  const administration = await createAdministration({ nodes: 3 })
  await administration.ask(createTopics, 7, { topics, timeoutMs: 1000 })
  return administration
}

async function extend(
  { ask }: Administration,
  wanted: readonly Wanted[],
  options: { readonly version?: number; readonly validateOnly?: boolean } = {},
) {
  const { version = 3, validateOnly = false } = options
  const topics = wanted.map(({ name, count, assignments }) => ({
    name,
    count,
    assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
  }))
  const { results } = await ask(createPartitions, version, {
    topics,
    timeoutMs: 1000,
    validateOnly,
  })
  return results.map(({ name, errorCode }) => [name, errorCode])
}

describe('CreatePartitions', () => {
  it.each([0, 1, 2, 3])('raises the number of partitions (version %i)', async (version) => {
    const administration = await withTopics([newTopic('orders', { replicationFactor: 2 })])
    const answers = await extend(administration, [{ name: 'orders', count: 3 }], { version })
    expect(answers).toEqual([['orders', 0]])
    const { partitions = [] } = administration.cluster.topic('orders') ?? {}
    expect(partitions.map(({ replicas }) => replicas.length)).toEqual([2, 2, 2])
  })

  it('places the new partitions as they are assigned', async () => {
    const administration = await withTopics([newTopic('orders', { replicationFactor: 2 })])
    const wanted = {
      name: 'orders',
      count: 3,
      assignments: [
        [3, 1],
        [2, 3],
      ],
    }
    expect(await extend(administration, [wanted])).toEqual([['orders', 0]])
    const { partitions = [] } = administration.cluster.topic('orders') ?? {}
    expect(partitions.slice(1).map(({ replicas }) => replicas)).toEqual([
      [3, 1],
      [2, 3],
    ])
  })

  it('validates without adding anything', async () => {
    const administration = await withTopics([newTopic('orders')])
    const wanted = [{ name: 'orders', count: 9 }]
    expect(await extend(administration, wanted, { validateOnly: true })).toEqual([['orders', 0]])
    expect(administration.cluster.topic('orders')?.partitions).toHaveLength(1)
  })

  it.each([
    ['as many as there are', { count: 2 }, 37],
    ['fewer than there are', { count: 1 }, 37],
    ['none', { count: 0 }, 37],
    ['far too many', { count: 100_000 }, 44],
    ['too few assignments', { count: 4, assignments: [[1, 2]] }, 39],
    ['no assignments at all', { count: 3, assignments: [] }, 39],
    ['a broker that does not exist', { count: 3, assignments: [[1, 9]] }, 39],
    ['a broker twice', { count: 3, assignments: [[1, 1]] }, 39],
    ['fewer replicas than the topic has', { count: 3, assignments: [[1]] }, 39],
  ])('refuses %s', async (_what, wanted, error) => {
    const administration = await withTopics([
      newTopic('orders', { partitions: 2, replicationFactor: 2 }),
    ])
    expect(await extend(administration, [{ name: 'orders', ...wanted }])).toEqual([
      ['orders', error],
    ])
    expect(administration.cluster.topic('orders')?.partitions).toHaveLength(2)
  })

  it('refuses a topic that does not exist', async () => {
    const administration = await withTopics([])
    expect(await extend(administration, [{ name: 'nope', count: 3 }])).toEqual([['nope', 3]])
  })

  it('refuses a topic that the request has twice, once', async () => {
    const administration = await withTopics([newTopic('orders'), newTopic('payments')])
    const wanted = [
      { name: 'orders', count: 2 },
      { name: 'orders', count: 3 },
      { name: 'payments', count: 2 },
    ]
    expect(await extend(administration, wanted)).toEqual([
      ['orders', 42],
      ['payments', 0],
    ])
  })

  it("leaves the coordinators' own topics as they are", async () => {
    const administration = await withTopics([])
    await administration.cluster.prepareCoordinators('group')
    const wanted = [{ name: '__consumer_offsets', count: 100 }]
    expect(await extend(administration, wanted)).toEqual([['__consumer_offsets', 37]])
  })

  it('keeps what was set on a topic while partitions are added to it', async () => {
    const administration = await withTopics([
      newTopic('orders', { configs: { 'retention.ms': '5' } }),
    ])
    await extend(administration, [{ name: 'orders', count: 2 }])
    const again = await createAdministration({ nodes: 3, records: administration.records })
    expect(again.cluster.topic('orders')?.partitions).toHaveLength(2)
    expect(again.cluster.topic('orders')?.config.retentionMs).toBe(5)
  })
})

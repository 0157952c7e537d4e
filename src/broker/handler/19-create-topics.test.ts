import { describe, expect, it } from 'vitest'
import { createTopics } from './19-create-topics.ts'
import { createAdministration, newTopic } from './administration-fixture.ts'
import type { Administration } from './administration-fixture.ts'

async function create(
  { ask }: Administration,
  topics: readonly ReturnType<typeof newTopic>[],
  options: { readonly version?: number; readonly validateOnly?: boolean } = {},
) {
  const { version = 7, validateOnly = false } = options
  return (await ask(createTopics, version, { topics, timeoutMs: 1000, validateOnly })).topics
}

async function errorOf(
  topic: ReturnType<typeof newTopic>,
  options: { readonly nodes?: number } = {},
): Promise<number | undefined> {
  const administration = await createAdministration(options)
  const [answer] = await create(administration, [topic])
  return answer?.errorCode
}

describe('CreateTopics', () => {
  it('makes a topic, and answers its id, partitions, replicas and configuration', async () => {
    const administration = await createAdministration({ nodes: 3 })
    const wanted = newTopic('orders', {
      partitions: 4,
      replicationFactor: 2,
      configs: { 'cleanup.policy': 'compact' },
    })
    const [answer] = await create(administration, [wanted])
    const made = administration.cluster.topic('orders')
    expect(answer).toMatchObject({
      name: 'orders',
      topicId: made?.id,
      errorCode: 0,
      errorMessage: null,
      topicConfigErrorCode: 0,
      numPartitions: 4,
      replicationFactor: 2,
    })
    expect(answer?.configs).toContainEqual({
      name: 'cleanup.policy',
      value: 'compact',
      readOnly: false,
      configSource: 1,
      isSensitive: false,
    })
    expect(made?.config.compacted).toBe(true)
  })

  it('never answers null for the configuration of a topic it made, nor an unknown source', async () => {
    const administration = await createAdministration()
    for (const version of [5, 6, 7]) {
      const [answer] = await create(administration, [newTopic(`v${version}`)], { version })
      expect(answer?.configs).toHaveLength(33)
      expect(answer?.configs?.every(({ configSource }) => configSource > 0)).toBe(true)
    }
  })

  it.each([2, 3, 4])('serves version %i, which knows no configuration', async (version) => {
    const administration = await createAdministration()
    const [answer] = await create(administration, [newTopic('orders')], { version })
    expect(answer).toMatchObject({ name: 'orders', errorCode: 0 })
  })

  it('takes -1 for the numbers that the broker is configured with', async () => {
    const administration = await createAdministration({
      nodes: 2,
      properties: { 'num.partitions': '3', 'default.replication.factor': '2' },
    })
    const [answer] = await create(administration, [newTopic('orders')])
    expect(answer).toMatchObject({ numPartitions: 3, replicationFactor: 2 })
  })

  it('validates without making anything', async () => {
    const administration = await createAdministration({ properties: { 'num.partitions': '3' } })
    const [answer, refused] = await create(
      administration,
      [newTopic('orders'), newTopic('others', { partitions: 0 })],
      { validateOnly: true },
    )
    expect(answer).toMatchObject({ errorCode: 0, numPartitions: 3, replicationFactor: 1 })
    expect(answer?.configs).toHaveLength(33)
    expect(refused?.errorCode).toBe(37)
    expect([...administration.cluster.topics()]).toEqual([])
  })

  it('refuses a topic that exists, also when it only validates', async () => {
    const administration = await createAdministration()
    await create(administration, [newTopic('orders')])
    for (const validateOnly of [false, true]) {
      const [answer] = await create(administration, [newTopic('orders')], { validateOnly })
      expect(answer).toMatchObject({ errorCode: 36, numPartitions: -1, configs: [] })
    }
  })

  it('refuses a name that the request has twice, once, and makes the others', async () => {
    const administration = await createAdministration()
    const topics = [newTopic('twice'), newTopic('once'), newTopic('twice', { partitions: 2 })]
    const answers = await create(administration, topics)
    expect(answers.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['once', 0],
      ['twice', 42],
    ])
  })

  it('makes one of two topics whose names collide in metrics', async () => {
    const administration = await createAdministration()
    const answers = await create(administration, [newTopic('a.b'), newTopic('a_b')])
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([0, 17])
  })

  it.each(['', '.', '..', 'a b', 'é', 'x'.repeat(250)])('refuses the name %j', async (name) => {
    expect(await errorOf(newTopic(name))).toBe(17)
  })

  it("refuses the name of the cluster's own log", async () => {
    expect(await errorOf(newTopic('__cluster_metadata'))).toBe(42)
  })

  it.each([
    [{ partitions: 0 }, 37],
    [{ partitions: -2 }, 37],
    [{ replicationFactor: 0 }, 38],
    [{ replicationFactor: -2 }, 38],
    [{ replicationFactor: 3 }, 38],
    [{ configs: { nope: '1' } }, 40],
    [{ configs: { 'retention.ms': 'soon' } }, 40],
    [{ configs: { 'retention.ms': null } }, 40],
    [{ partitions: 10_001 }, 44],
  ] as const)('refuses %o with error %i', async (given, error) => {
    expect(await errorOf(newTopic('orders', given))).toBe(error)
  })

  it('places partitions as they are assigned, in whatever order they are listed', async () => {
    const administration = await createAdministration({ nodes: 3 })
    const assignments = [
      [1, [3, 1]],
      [0, [2, 3]],
    ] as const
    const [answer] = await create(administration, [newTopic('orders', { assignments })])
    expect(answer).toMatchObject({ errorCode: 0, numPartitions: 2, replicationFactor: 2 })
    const made = administration.cluster.topic('orders')?.partitions ?? []
    expect(made.map(({ replicas, leader }) => [replicas, leader])).toEqual([
      [[2, 3], 2],
      [[3, 1], 3],
    ])
  })

  it.each([
    ['a number of partitions beside it', { partitions: 1, assignments: [[0, [1]]] }, 42],
    ['a replication factor beside it', { replicationFactor: 1, assignments: [[0, [1]]] }, 42],
    ['a gap', { assignments: [[1, [1]]] }, 39],
    [
      'a partition twice',
      {
        assignments: [
          [0, [1]],
          [0, [2]],
        ],
      },
      39,
    ],
    ['a broker that does not exist', { assignments: [[0, [7]]] }, 39],
    ['a broker twice', { assignments: [[0, [1, 1]]] }, 39],
    ['a partition without replicas', { assignments: [[0, []]] }, 39],
    [
      'partitions with different numbers of replicas',
      {
        assignments: [
          [0, [1]],
          [1, [1, 2]],
        ],
      },
      39,
    ],
  ] as const)('refuses an assignment with %s', async (_what, given, error) => {
    expect(await errorOf(newTopic('orders', given), { nodes: 2 })).toBe(error)
  })
})

import { describe, expect, it } from 'vitest'
import { createTopics } from './19-create-topics.ts'
import { describeTopicPartitions } from './75-describe-topic-partitions.ts'
import { createAdministration, newTopic } from './administration-fixture.ts'
import type { Administration } from './administration-fixture.ts'

async function withTopics(
  properties: Readonly<Record<string, string>> = {},
): Promise<Administration> {
  const administration = await createAdministration({ nodes: 2, properties })
  const topics = ['c', 'a', 'b'].map((name) =>
    newTopic(name, { partitions: name === 'c' ? 1 : 3, replicationFactor: 2 }),
  )
  await administration.ask(createTopics, 7, { topics, timeoutMs: 1000 })
  return administration
}

interface Asked {
  readonly topics?: readonly string[]
  readonly limit?: number
  readonly cursor?: readonly [topicName: string, partitionIndex: number]
}

async function page({ ask }: Administration, { topics = [], limit = 2000, cursor }: Asked) {
  const answer = await ask(describeTopicPartitions, 0, {
    topics: topics.map((name) => ({ name })),
    responsePartitionLimit: limit,
    cursor: cursor === undefined ? null : { topicName: cursor[0], partitionIndex: cursor[1] },
  })
  const { nextCursor } = answer
  return {
    topics: answer.topics.map(({ name, errorCode, partitions }) => [
      name,
      errorCode,
      partitions.map(({ partitionIndex }) => partitionIndex),
    ]),
    next: nextCursor === null ? undefined : [nextCursor.topicName, nextCursor.partitionIndex],
  }
}

describe('DescribeTopicPartitions', () => {
  it('describes a topic, without any null that clients would look into', async () => {
    const { ask, cluster, nodes } = await withTopics()
    const [first] = nodes
    if (first !== undefined) first.running = false
    cluster.followNodes()
    const answer = await ask(describeTopicPartitions, 0, { topics: [{ name: 'c' }] })
    const topic = cluster.topic('c')
    expect(answer.topics).toEqual([
      {
        errorCode: 0,
        name: 'c',
        topicId: topic?.id,
        isInternal: false,
        topicAuthorizedOperations: 3576,
        partitions: [
          {
            errorCode: 0,
            partitionIndex: 0,
            leaderId: 2,
            leaderEpoch: topic?.partitions[0]?.leaderEpoch,
            replicaNodes: topic?.partitions[0]?.replicas,
            isrNodes: [2],
            eligibleLeaderReplicas: [],
            lastKnownElr: [],
            offlineReplicas: [1],
          },
        ],
      },
    ])
  })

  it('lists topics by name, each once; none named stands for all', async () => {
    const administration = await withTopics()
    const all = {
      topics: [
        ['a', 0, [0, 1, 2]],
        ['b', 0, [0, 1, 2]],
        ['c', 0, [0]],
      ],
      next: undefined,
    }
    expect(await page(administration, {})).toEqual(all)
    expect(await page(administration, { topics: ['c', 'b', 'a', 'b'] })).toEqual(all)
  })

  it('refuses, for themselves, topics that do not or cannot exist', async () => {
    const administration = await withTopics()
    const { topics } = await page(administration, { topics: ['a', 'zzz', 'a b', ''] })
    expect(topics).toEqual([
      ['', 17, []],
      ['a', 0, [0, 1, 2]],
      ['a b', 17, []],
      ['zzz', 3, []],
    ])
  })

  it.each([
    [2, [['a', 0, [0, 1]]], ['a', 2]],
    [3, [['a', 0, [0, 1, 2]]], ['b', 0]],
    [
      4,
      [
        ['a', 0, [0, 1, 2]],
        ['b', 0, [0]],
      ],
      ['b', 1],
    ],
    [0, [['a', 0, [0]]], ['a', 1]],
  ])('ends after %i partitions, and says where to go on', async (limit, topics, next) => {
    const administration = await withTopics()
    expect(await page(administration, { topics: ['a', 'b'], limit })).toEqual({ topics, next })
  })

  it('never lists more than the broker allows', async () => {
    const administration = await withTopics({ 'max.request.partition.size.limit': '2' })
    expect((await page(administration, {})).next).toEqual(['a', 2])
  })

  it.each([1, 2, 3, 4, 5])('lists everything once in pages of %i', async (limit) => {
    const administration = await withTopics()
    const seen: string[] = []
    let cursor: readonly [string, number] | undefined
    do {
      const { topics, next } = await page(administration, cursor ? { limit, cursor } : { limit })
      for (const [name, , partitions] of topics) {
        seen.push(...(partitions as number[]).map((index) => `${String(name)}-${index}`))
      }
      cursor = next as [string, number] | undefined
    } while (cursor !== undefined)
    expect(seen).toEqual(['a-0', 'a-1', 'a-2', 'b-0', 'b-1', 'b-2', 'c-0'])
  })

  it('goes on after a topic that is gone by now, when all are asked for', async () => {
    const administration = await withTopics()
    const { topics } = await page(administration, { cursor: ['aa', 2] })
    expect(topics).toEqual([
      ['b', 0, [0, 1, 2]],
      ['c', 0, [0]],
    ])
  })

  it.each([
    ['in a topic that is not asked for', ['aa', 2]],
    ['before the first partition', ['a', -1]],
  ] as const)('refuses a cursor %s', async (_what, cursor) => {
    const administration = await withTopics()
    const { topics, next } = await page(administration, { topics: ['a', 'b'], cursor })
    expect({ topics, next }).toEqual({
      topics: [
        ['a', 42, []],
        ['b', 42, []],
      ],
      next: undefined,
    })
  })
})

import { describe, expect, it } from 'vitest'
import { createTopics } from './19-create-topics.ts'
import { alterPartitionReassignments } from './45-alter-partition-reassignments.ts'
import { listPartitionReassignments } from './46-list-partition-reassignments.ts'
import { createAdministration, newTopic } from './administration-fixture.ts'
import type { Administration } from './administration-fixture.ts'

async function withTopic(): Promise<Administration> {
  const administration = await createAdministration({ nodes: 3 })
  const topics = [
    newTopic('orders', {
      assignments: [
        [0, [1, 2]],
        [1, [2, 3]],
      ],
    }),
  ]
  await administration.ask(createTopics, 7, { topics, timeoutMs: 1000 })
  return administration
}

async function reassign(
  { ask }: Administration,
  partitions: readonly (readonly [partition: number, replicas: readonly number[] | null])[],
  { version = 1, name = 'orders', allowReplicationFactorChange = true } = {},
): Promise<(number | undefined)[]> {
  const { errorCode, responses } = await ask(alterPartitionReassignments, version, {
    timeoutMs: 1000,
    allowReplicationFactorChange,
    topics: [
      {
        name,
        partitions: partitions.map(([partitionIndex, replicas]) => ({ partitionIndex, replicas })),
      },
    ],
  })
  expect(errorCode).toBe(0)
  return responses.flatMap((topic) => topic.partitions.map((each) => each.errorCode))
}

describe('AlterPartitionReassignments', () => {
  it.each([0, 1])('gives partitions other replicas at once (version %i)', async (version) => {
    const administration = await withTopic()
    expect(
      await reassign(
        administration,
        [
          [0, [2, 3]],
          [1, [3, 2, 1]],
        ],
        { version },
      ),
    ).toEqual([0, 0])
    const { partitions = [] } = administration.cluster.topic('orders') ?? {}
    expect(partitions.map(({ replicas, inSync }) => [replicas, inSync])).toEqual([
      [
        [2, 3],
        [2, 3],
      ],
      [
        [3, 2, 1],
        [3, 2, 1],
      ],
    ])
    const listed = await administration.ask(listPartitionReassignments, 0, { topics: null })
    expect(listed).toMatchObject({ errorCode: 0, topics: [] })
  })

  it('moves the leader, and raises its epoch, only when it is no replica any more', async () => {
    const administration = await withTopic()
    const partition = administration.cluster.partition('orders', 0)
    const epoch = partition?.leaderEpoch ?? 0
    await reassign(administration, [[0, [2, 1]]])
    expect([partition?.leader, partition?.leaderEpoch]).toEqual([1, epoch])
    await reassign(administration, [[0, [3, 2]]])
    expect([partition?.leader, partition?.leaderEpoch]).toEqual([3, epoch + 1])
  })

  it('is kept when the cluster is started again', async () => {
    const administration = await withTopic()
    await reassign(administration, [[0, [3]]])
    const again = await createAdministration({ nodes: 3, records: administration.records })
    expect(again.cluster.partition('orders', 0)).toMatchObject({ replicas: [3], leader: 3 })
  })

  it.each([
    ['a partition that does not exist', [9, [1]], 3],
    ['a broker that does not exist', [0, [9]], 39],
    ['a broker twice', [0, [1, 1]], 39],
    ['no replicas', [0, []], 39],
    ['the end of what never began', [0, null], 85],
  ] as const)('refuses %s', async (_what, partition, error) => {
    const administration = await withTopic()
    expect(await reassign(administration, [partition])).toEqual([error])
    expect(administration.cluster.partition('orders', 0)?.replicas).toEqual([1, 2])
  })

  it('refuses another number of replicas when that is not allowed', async () => {
    const administration = await withTopic()
    const strict = { allowReplicationFactorChange: false }
    expect(
      await reassign(
        administration,
        [
          [0, [1]],
          [1, [3, 1]],
        ],
        strict,
      ),
    ).toEqual([38, 0])
  })

  it('refuses a topic that does not exist', async () => {
    const administration = await withTopic()
    expect(await reassign(administration, [[0, [1]]], { name: 'nope' })).toEqual([3])
  })
})

import { describe, expect, it } from 'vitest'
import { createTopics } from './19-create-topics.ts'
import { electLeaders } from './43-elect-leaders.ts'
import { createAdministration, newTopic } from './administration-fixture.ts'
import type { Administration } from './administration-fixture.ts'

const preferred = 0
const unclean = 1

/** Partition 0 is led by its preferred replica, 1 by the other one. */
async function withTopic(): Promise<Administration> {
  const administration = await createAdministration({ nodes: 2 })
  const topics = [
    newTopic('orders', {
      assignments: [
        [0, [1, 2]],
        [1, [1, 2]],
      ],
    }),
  ]
  await administration.ask(createTopics, 7, { topics, timeoutMs: 1000 })
  const second = administration.cluster.partition('orders', 1)
  if (second !== undefined) administration.cluster.moveLeader(second, 2)
  return administration
}

async function elect(
  { ask }: Administration,
  electionType: number,
  partitions: readonly number[] | null,
  { version = 2, topic = 'orders' } = {},
) {
  const { errorCode, replicaElectionResults } = await ask(electLeaders, version, {
    electionType,
    topicPartitions: partitions === null ? null : [{ topic, partitions }],
    timeoutMs: 1000,
  })
  const results = replicaElectionResults.flatMap((each) => each.partitionResult)
  return { errorCode, results: results.map((each) => [each.partitionId, each.errorCode]) }
}

describe('ElectLeaders', () => {
  it.each([1, 2])('lets the preferred replica lead again (version %i)', async (version) => {
    const administration = await withTopic()
    const before = administration.cluster.partition('orders', 1)?.leaderEpoch ?? 0
    const answer = await elect(administration, preferred, [0, 1], { version })
    expect(answer).toEqual({
      errorCode: 0,
      results: [
        [0, 84],
        [1, 0],
      ],
    })
    const after = administration.cluster.partition('orders', 1)
    expect([after?.leader, after?.leaderEpoch]).toEqual([1, before + 1])
  })

  it('means preferred replicas in version 0, which cannot say', async () => {
    const administration = await withTopic()
    const answer = await elect(administration, preferred, [1], { version: 0 })
    expect(answer.results).toEqual([[1, 0]])
  })

  it('answers, of all partitions, those for which something was done', async () => {
    const administration = await withTopic()
    expect((await elect(administration, preferred, null)).results).toEqual([[1, 0]])
    expect((await elect(administration, preferred, null)).results).toEqual([])
  })

  it('cannot elect a preferred replica whose node does not run', async () => {
    const administration = await withTopic()
    const [first] = administration.nodes
    if (first !== undefined) first.running = false
    administration.cluster.followNodes()
    expect((await elect(administration, preferred, [1])).results).toEqual([[1, 80]])
  })

  it('has no unclean election to hold', async () => {
    const administration = await withTopic()
    expect((await elect(administration, unclean, [0, 1])).results).toEqual([
      [0, 84],
      [1, 84],
    ])
    for (const node of administration.nodes) node.running = false
    administration.cluster.followNodes()
    expect((await elect(administration, unclean, [0])).results).toEqual([[0, 83]])
  })

  it('refuses partitions that do not exist, and types that nobody knows', async () => {
    const administration = await withTopic()
    expect((await elect(administration, preferred, [9])).results).toEqual([[9, 3]])
    const unknown = await elect(administration, preferred, [0], { topic: 'nope' })
    expect(unknown.results).toEqual([[0, 3]])
    expect(await elect(administration, 7, [0])).toEqual({ errorCode: 42, results: [[0, 42]] })
  })
})

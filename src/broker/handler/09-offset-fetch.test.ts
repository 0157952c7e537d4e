import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { offsetFetch } from './09-offset-fetch.ts'
import { GroupHandlers } from './group-fixture.ts'

const unknownId = 'Z'.repeat(21) + 'A'

async function withOffsets(): Promise<GroupHandlers> {
  const handlers = new GroupHandlers({ t: 2, u: 1 })
  await handlers.bench.commit({ 't:0': 7 }, { metadata: 'mine' })
  await handlers.bench.commit({ 'u:0': 8 })
  return handlers
}

describe('OffsetFetch', () => {
  it('answers -1 where nothing is committed, and that is no error', async () => {
    const handlers = await withOffsets()
    const topics = [{ name: 't', partitionIndexes: [0, 1] }]
    const response = await handlers.ask(offsetFetch, 5, { groupId: 'g', topics })
    expect(response.errorCode).toBe(kafkaError.NONE)
    expect(response.topics[0]?.partitions).toEqual([
      {
        partitionIndex: 0,
        committedOffset: 7,
        committedLeaderEpoch: 5,
        metadata: 'mine',
        errorCode: 0,
      },
      {
        partitionIndex: 1,
        committedOffset: -1,
        committedLeaderEpoch: -1,
        metadata: '',
        errorCode: 0,
      },
    ])
    const unknown = await handlers.ask(offsetFetch, 1, { groupId: 'nobody', topics })
    expect(unknown.topics[0]?.partitions.map(({ committedOffset }) => committedOffset)).toEqual([
      -1, -1,
    ])
  })

  it('answers all topics when none are named', async () => {
    const handlers = await withOffsets()
    const response = await handlers.ask(offsetFetch, 2, { groupId: 'g', topics: null })
    expect(response.topics.map(({ name }) => name)).toEqual(['t', 'u'])
  })

  it('answers for several groups, each with an error of its own', async () => {
    const handlers = await withOffsets()
    await handlers.bench.consumerHeartbeat({
      groupId: 'next',
      rebalanceTimeoutMs: 1000,
      subscribedTopicNames: ['t'],
      topicPartitions: [],
    })
    const { groups } = await handlers.ask(offsetFetch, 9, {
      groups: [
        { groupId: 'g', topics: null },
        { groupId: 'next', memberId: 'm', memberEpoch: 9, topics: null },
        { groupId: 'next', memberId: 'x', memberEpoch: 1, topics: null },
        { groupId: 'nobody', topics: null },
      ],
    })
    expect(groups.map(({ errorCode, topics }) => [errorCode, topics.length])).toEqual([
      [kafkaError.NONE, 2],
      [kafkaError.STALE_MEMBER_EPOCH, 0],
      [kafkaError.UNKNOWN_MEMBER_ID, 0],
      [kafkaError.NONE, 0],
    ])
  })

  it('knows topics by their ids from version 10 on, and leaves out those that are gone', async () => {
    const handlers = await withOffsets()
    await handlers.bench.commit({ 'gone:0': 9 })
    const { id } = handlers.bench.topic('t')
    const { groups } = await handlers.ask(offsetFetch, 10, {
      groups: [
        { groupId: 'g', topics: null },
        {
          groupId: 'g',
          topics: [
            { topicId: id, partitionIndexes: [0] },
            { topicId: unknownId, partitionIndexes: [0] },
          ],
        },
      ],
    })
    const [all, some] = groups
    expect(all?.topics.map(({ topicId }) => topicId)).toEqual([id, handlers.bench.topic('u').id])
    expect(
      some?.topics.map(({ topicId, partitions }) => [
        topicId,
        partitions[0]?.committedOffset,
        partitions[0]?.errorCode,
      ]),
    ).toEqual([
      [id, 7, kafkaError.NONE],
      [unknownId, -1, kafkaError.UNKNOWN_TOPIC_ID],
    ])
  })

  it('tells of an error of the whole as each version can', async () => {
    const handlers = await withOffsets()
    const topics = [{ name: 't', partitionIndexes: [0] }]
    const request = { groupId: 'g', topics }
    const one = await handlers.ask(offsetFetch, 1, request, 2)
    expect(one.topics[0]?.partitions[0]).toMatchObject({
      committedOffset: -1,
      errorCode: kafkaError.NOT_COORDINATOR,
    })
    const two = await handlers.ask(offsetFetch, 2, request, 2)
    expect([two.errorCode, two.topics]).toEqual([kafkaError.NOT_COORDINATOR, []])
    const eight = await handlers.ask(offsetFetch, 8, { groups: [request] }, 2)
    expect(eight.groups[0]?.errorCode).toBe(kafkaError.NOT_COORDINATOR)
  })

  it('holds back what a transaction may replace, when it is asked to', async () => {
    const handlers = await withOffsets()
    await handlers.bench.commitInTransaction(1, { 't:0': 9 })
    const topics = [{ name: 't', partitionIndexes: [0] }]
    const fetch = async (requireStable: boolean) => {
      const request = { groupId: 'g', topics, requireStable }
      return (await handlers.ask(offsetFetch, 7, request)).topics[0]?.partitions[0]
    }
    expect(await fetch(false)).toMatchObject({ committedOffset: 7, errorCode: 0 })
    expect(await fetch(true)).toMatchObject({
      committedOffset: -1,
      errorCode: kafkaError.UNSTABLE_OFFSET_COMMIT,
    })
  })
})

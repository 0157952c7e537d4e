import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { offsetCommit } from './08-offset-commit.ts'
import { GroupHandlers } from './group-fixture.ts'

const unknownId = 'Z'.repeat(21) + 'A'

function partition(
  partitionIndex: number,
  committedOffset: number,
  committedMetadata: string | null = null,
) {
  return { partitionIndex, committedOffset, committedMetadata }
}

describe('OffsetCommit', () => {
  it('stores what there is a partition for, and says what there is none for', async () => {
    const handlers = new GroupHandlers({ t: 1 })
    const { topics } = await handlers.ask(offsetCommit, 9, {
      groupId: 'g',
      topics: [
        { name: 't', partitions: [partition(0, 7, 'mine'), partition(1, 8)] },
        { name: 'no', partitions: [partition(0, 9)] },
      ],
    })
    expect(topics.map(({ name, partitions }) => [name, partitions])).toEqual([
      [
        't',
        [
          { partitionIndex: 0, errorCode: kafkaError.NONE },
          { partitionIndex: 1, errorCode: kafkaError.UNKNOWN_TOPIC_OR_PARTITION },
        ],
      ],
      ['no', [{ partitionIndex: 0, errorCode: kafkaError.UNKNOWN_TOPIC_OR_PARTITION }]],
    ])
    expect(await handlers.bench.offset('t:0')).toBe(7)
    expect(await handlers.bench.offset('no:0')).toBe(-1)
  })

  it('knows topics by their ids from version 10 on', async () => {
    const handlers = new GroupHandlers({ t: 1 })
    const { id } = handlers.bench.topic('t')
    const { topics } = await handlers.ask(offsetCommit, 10, {
      groupId: 'g',
      topics: [
        { topicId: id, partitions: [partition(0, 7)] },
        { topicId: unknownId, partitions: [partition(0, 8)] },
      ],
    })
    expect(topics.map(({ topicId, partitions }) => [topicId, partitions[0]?.errorCode])).toEqual([
      [id, kafkaError.NONE],
      [unknownId, kafkaError.UNKNOWN_TOPIC_ID],
    ])
    expect(await handlers.bench.offset('t:0')).toBe(7)
  })

  it('says of each partition what is wrong with it, also when the group refuses the others', async () => {
    const handlers = new GroupHandlers({ t: 1 })
    await handlers.bench.stableGroup(1)
    const { topics } = await handlers.ask(offsetCommit, 9, {
      groupId: 'g',
      generationIdOrMemberEpoch: 7,
      memberId: 'x',
      topics: [
        { name: 't', partitions: [partition(0, 7)] },
        { name: 'no', partitions: [partition(0, 9)] },
      ],
    })
    expect(topics.map(({ partitions }) => partitions[0]?.errorCode)).toEqual([
      kafkaError.UNKNOWN_MEMBER_ID,
      kafkaError.UNKNOWN_TOPIC_OR_PARTITION,
    ])
  })

  it('makes no group when there is nothing to store', async () => {
    const handlers = new GroupHandlers({ t: 1 })
    const topics = [{ name: 'no', partitions: [partition(0, 9)] }]
    await handlers.ask(offsetCommit, 9, { groupId: 'g', topics })
    await handlers.ask(offsetCommit, 9, { groupId: 'g', topics: [] })
    expect(handlers.bench.coordinator.listGroups({ states: [], types: [] })).toEqual([])
  })
})

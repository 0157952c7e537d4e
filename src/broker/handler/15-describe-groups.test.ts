import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { describeGroups } from './15-describe-groups.ts'
import { listGroups } from './16-list-groups.ts'
import { deleteGroups } from './42-delete-groups.ts'
import { offsetDelete } from './47-offset-delete.ts'
import { consumerGroupDescribe } from './69-consumer-group-describe.ts'
import { GroupHandlers } from './group-fixture.ts'

/** READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS and ALTER_CONFIGS, one bit each. */
const allGroupOperations = (1 << 3) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 11)
const notAsked = -0x8000_0000

describe('DescribeGroups', () => {
  it('tells what is allowed only when it is asked, and only of groups that exist', async () => {
    const handlers = new GroupHandlers()
    await handlers.bench.stableGroup(1)
    const operations = async (version: number, includeAuthorizedOperations: boolean) => {
      const request = {
        groups: ['g', 'no'],
        ...(version < 3 ? {} : { includeAuthorizedOperations }),
      }
      const { groups } = await handlers.ask(describeGroups, version, request)
      return groups.map(({ authorizedOperations }) => authorizedOperations)
    }
    expect(await operations(2, true)).toEqual([notAsked, notAsked])
    expect(await operations(6, false)).toEqual([notAsked, notAsked])
    expect(await operations(6, true)).toEqual([allGroupOperations, notAsked])
  })

  it('takes a group that does not exist for dead, and for an error from version 6 on', async () => {
    const handlers = new GroupHandlers()
    const describeIn = async (version: number) =>
      (await handlers.ask(describeGroups, version, { groups: ['no'] })).groups[0]
    expect(await describeIn(5)).toMatchObject({ errorCode: 0, groupState: 'Dead' })
    expect(await describeIn(6)).toMatchObject({
      errorCode: kafkaError.GROUP_ID_NOT_FOUND,
      errorMessage: 'Group no not found.',
      groupState: 'Dead',
    })
  })

  it('shows members with what they have said and were assigned once the group is stable', async () => {
    const handlers = new GroupHandlers()
    const { ids } = await handlers.bench.stableGroup(1)
    const { groups } = await handlers.ask(describeGroups, 6, { groups: ['g'] })
    expect(groups[0]).toMatchObject({
      groupState: 'Stable',
      protocolType: 'consumer',
      protocolData: 'range',
      members: [{ memberId: ids[0], clientId: 'client', clientHost: '/127.0.0.1' }],
    })
    expect(groups[0]?.members[0]?.memberMetadata.length).toBeGreaterThan(0)
    expect(groups[0]?.members[0]?.memberAssignment).toEqual(Buffer.from([0]))
    void handlers.bench.join({ memberId: ids[0] ?? '', protocols: [] })
  })
})

describe('ConsumerGroupDescribe', () => {
  it('tells what is allowed only of groups that exist', async () => {
    const handlers = new GroupHandlers()
    const join = { rebalanceTimeoutMs: 1, subscribedTopicNames: ['t'], topicPartitions: [] }
    await handlers.bench.consumerHeartbeat(join)
    const { groups } = await handlers.ask(consumerGroupDescribe, 1, {
      groupIds: ['g', 'no', ''],
      includeAuthorizedOperations: true,
    })
    expect(
      groups.map(({ errorCode, authorizedOperations }) => [errorCode, authorizedOperations]),
    ).toEqual([
      [kafkaError.NONE, allGroupOperations],
      [kafkaError.GROUP_ID_NOT_FOUND, notAsked],
      [kafkaError.INVALID_GROUP_ID, notAsked],
    ])
  })
})

describe('ListGroups', () => {
  it('lists the groups of the node that is asked', async () => {
    const handlers = new GroupHandlers()
    await handlers.bench.stableGroup(1)
    const list = async (nodeId: number, typesFilter: string[] = []) =>
      (await handlers.ask(listGroups, 5, { typesFilter }, nodeId)).groups
    expect(await list(1)).toEqual([
      { groupId: 'g', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' },
    ])
    expect(await list(1, ['consumer'])).toEqual([])
    expect(await list(2)).toEqual([])
  })
})

describe('DeleteGroups', () => {
  it('deletes each group once, and says what was wrong with the others', async () => {
    const handlers = new GroupHandlers()
    await handlers.bench.commit({ 't:0': 1 }, { groupId: 'simple' })
    await handlers.bench.stableGroup(1)
    const groupsNames = ['simple', 'simple', 'g', 'no']
    const { results } = await handlers.ask(deleteGroups, 2, { groupsNames })
    expect(results).toEqual([
      { groupId: 'simple', errorCode: kafkaError.NONE },
      { groupId: 'g', errorCode: kafkaError.NON_EMPTY_GROUP },
      { groupId: 'no', errorCode: kafkaError.GROUP_ID_NOT_FOUND },
    ])
  })
})

describe('OffsetDelete', () => {
  it('deletes what it can, partition by partition', async () => {
    const handlers = new GroupHandlers({ t: 1, u: 1 })
    await handlers.bench.commit({ 't:0': 1 })
    await handlers.bench.commit({ 'u:0': 1 })
    await handlers.bench.stableGroup(1)
    const places = (...indexes: number[]) => indexes.map((partitionIndex) => ({ partitionIndex }))
    const response = await handlers.ask(offsetDelete, 0, {
      groupId: 'g',
      topics: [
        { name: 't', partitions: places(0) },
        { name: 'u', partitions: places(0, 1) },
        { name: 'no', partitions: places(0) },
      ],
    })
    expect(response.errorCode).toBe(kafkaError.NONE)
    expect(response.topics.map(({ partitions }) => partitions.map((one) => one.errorCode))).toEqual(
      [
        [kafkaError.GROUP_SUBSCRIBED_TO_TOPIC],
        [kafkaError.NONE, kafkaError.UNKNOWN_TOPIC_OR_PARTITION],
        [kafkaError.UNKNOWN_TOPIC_OR_PARTITION],
      ],
    )
    expect(await handlers.bench.offset('u:0')).toBe(-1)
  })

  it('needs a group that exists', async () => {
    const handlers = new GroupHandlers()
    const code = async (groupId: string) =>
      (await handlers.ask(offsetDelete, 0, { groupId, topics: [] })).errorCode
    expect(await code('no')).toBe(kafkaError.GROUP_ID_NOT_FOUND)
    expect(await code('')).toBe(kafkaError.INVALID_GROUP_ID)
  })
})

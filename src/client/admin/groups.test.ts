import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import type { consumerGroupDescribeApi, ResponseOf } from '../../protocol/index.ts'
import { joinClassicGroup, joinConsumerGroup } from './fixture/members.ts'
import { startWorld } from './fixture/world.ts'

const first = { topic: 'orders', partition: 0 }
const second = { topic: 'orders', partition: 1 }

describe('groups', () => {
  it('of both protocols are listed by state and type, and described alike', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders', { partitions: 2 })
    const { groups } = world.admin
    const classic = await joinClassicGroup(world.cluster, 'classic', [first, second])
    const modern = await joinConsumerGroup(world.cluster, 'modern', ['orders'])
    await groups.alterOffsets('empty', [{ ...first, offset: 1 }])

    expect((await groups.list()).map(({ groupId, type }) => [groupId, type])).toEqual([
      ['classic', 'classic'],
      ['empty', 'classic'],
      ['modern', 'consumer'],
    ])
    const names = async (options: Parameters<typeof groups.list>[0]) =>
      (await groups.list(options)).map(({ groupId }) => groupId)
    expect(await names({ types: ['consumer'] })).toEqual(['modern'])
    expect(await names({ states: ['Empty'] })).toEqual(['empty'])
    expect(await names({ states: ['Stable'], types: ['classic'] })).toEqual(['classic'])

    const described = await groups.describeMany(['classic', 'modern', 'absent'])
    expect(described.get('classic')).toMatchObject({
      type: 'classic',
      protocolType: 'consumer',
      state: 'Stable',
      assignor: 'range',
      groupEpoch: undefined,
      members: [{ memberId: classic, topics: ['orders'], assignment: [first, second] }],
    })
    expect(described.get('modern')).toMatchObject({
      type: 'consumer',
      protocolType: 'consumer',
      members: [{ memberId: modern, topics: ['orders'], targetAssignment: [first, second] }],
    })
    expect(described.get('absent')?.error).toMatchObject({ kafkaName: 'GROUP_ID_NOT_FOUND' })
    const allowed = await groups.describe('classic', { authorizedOperations: true })
    expect(allowed.authorizedOperations).toContain('read')
  })

  it('are described though a broker also answers for them where it does not know them', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    await joinConsumerGroup(world.cluster, 'modern', ['orders'])
    for (const isKnownLast of [true, false]) {
      using _ = world.kafka.intercept('ConsumerGroupDescribe', async (_request, proceed) => {
        const { groups, ...rest } = (await proceed()) as ResponseOf<typeof consumerGroupDescribeApi>
        const refused = groups.map(({ groupId }) => ({
          groupId,
          errorCode: kafkaError.GROUP_ID_NOT_FOUND,
          members: [],
        }))
        return { ...rest, groups: isKnownLast ? [...refused, ...groups] : [...groups, ...refused] }
      })
      expect((await world.admin.groups.describe('modern')).members).toHaveLength(1)
    }
  })

  it('are deleted when they are empty', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    const { groups } = world.admin
    await joinClassicGroup(world.cluster, 'busy', [first])
    await groups.alterOffsets('empty', [{ ...first, offset: 1 }])
    const results = await groups.deleteMany(['busy', 'empty', 'absent'])
    expect(results.get('busy')?.error).toMatchObject({ kafkaName: 'NON_EMPTY_GROUP' })
    expect(results.get('empty')).toEqual({ answerWasLost: false })
    expect(results.get('absent')?.error).toMatchObject({ kafkaName: 'GROUP_ID_NOT_FOUND' })
  })

  it('that are gone after a lost answer count as deleted', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    const { groups } = world.admin
    await groups.alterOffsets('empty', [{ ...first, offset: 1 }])
    using _ = world.loseFirstAnswer('DeleteGroups')
    expect(await groups.delete('empty')).toEqual({ answerWasLost: true })
  })

  it('lose the members that are removed, one or all', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    const { groups } = world.admin
    await joinClassicGroup(world.cluster, 'static', [first], 'instance-1')
    const memberId = await joinClassicGroup(world.cluster, 'dynamic', [first])
    await expect(groups.removeMember('dynamic', { memberId: 'nobody' })).rejects.toMatchObject({
      kafkaName: 'UNKNOWN_MEMBER_ID',
    })
    await groups.removeMember('dynamic', { memberId }, { reason: 'maintenance' })
    expect((await groups.describe('dynamic')).members).toEqual([])
    expect(await groups.removeMembers('static', 'all')).toEqual([
      { groupInstanceId: 'instance-1', answerWasLost: false },
    ])
    expect((await groups.describe('static')).state).toBe('Empty')
    expect(await groups.removeMembers('static', 'all')).toEqual([])
  })

  it('lose a member also when the answer is lost', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    const memberId = await joinClassicGroup(world.cluster, 'dynamic', [first])
    using _ = world.loseFirstAnswer('LeaveGroup')
    const removed = await world.admin.groups.removeMember('dynamic', { memberId })
    expect(removed.answerWasLost).toBe(true)
  })
})

describe('offsets of groups', () => {
  it('are set, read and deleted', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders', { partitions: 2 })
    const { groups } = world.admin
    const altered = await groups.alterOffsets('billing', [
      { ...first, offset: 7, leaderEpoch: 0, metadata: 'by hand' },
      { ...second, offset: 8 },
      { topic: 'absent', partition: 0, offset: 1 },
    ])
    expect(altered.map(({ error }) => error?.code)).toEqual([
      undefined,
      undefined,
      'MILLRACE_CLIENT_REFUSED',
    ])
    expect(await groups.offsets('billing')).toEqual([
      { ...first, offset: 7, leaderEpoch: 0, metadata: 'by hand' },
      { ...second, offset: 8, leaderEpoch: undefined, metadata: '' },
    ])
    expect(await groups.offsets('billing', { partitions: [second] })).toMatchObject([{ offset: 8 }])
    expect(await groups.deleteOffsets('billing', [first])).toEqual([first])
    expect(await groups.offsets('billing')).toMatchObject([second])
    expect(await groups.offsets('absent')).toEqual([])
  })

  it('belong to the members while there are any', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    await joinClassicGroup(world.cluster, 'busy', [first])
    const [altered] = await world.admin.groups.alterOffsets('busy', [{ ...first, offset: 1 }])
    expect(altered?.error).toMatchObject({
      kafkaName: 'UNKNOWN_MEMBER_ID',
      message: /the group has members/,
    })
    const [deleted] = await world.admin.groups.deleteOffsets('busy', [first])
    expect(deleted?.error).toMatchObject({ kafkaName: 'GROUP_SUBSCRIBED_TO_TOPIC' })
  })
})

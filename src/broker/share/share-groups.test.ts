import { describe, expect, it } from 'vitest'
import {
  alterShareGroupOffsetsApi,
  deleteGroupsApi,
  deleteShareGroupOffsetsApi,
  joinGroupApi,
  kafkaError,
  listGroupsApi,
  offsetCommitApi,
  shareGroupDescribeApi,
  updateFeaturesApi,
} from '../../protocol/index.ts'
import { acknowledgeType } from './share-state.ts'
import {
  createTopic,
  groupName,
  onMachine,
  Sharer,
  startSharing,
  topicName,
} from './share-fixture.ts'
import type { Platform } from '../../platform/index.ts'
import type { EmbeddedBroker } from '../embedded-broker.ts'

const { accept, release, reject, gap } = acknowledgeType

/** Two members of a group that begins at the earliest record, of which there are ten in two batches. */
async function twoMembers(
  platform: Platform,
  properties: Readonly<Record<string, string>> = {},
): Promise<{ broker: EmbeddedBroker; one: Sharer; two: Sharer }> {
  const broker = await startSharing(platform, properties)
  const one = await Sharer.connect(platform, broker, 'one')
  const two = await Sharer.connect(platform, broker, 'two')
  await one.configure('share.auto.offset.reset', 'earliest')
  await one.produce(5, 5)
  return { broker, one, two }
}

describe('a share session', () => {
  it('goes on with each epoch, and answers any other with an error', () =>
    onMachine(async (platform) => {
      const { broker, one } = await twoMembers(platform)
      const codeOf = async (epoch: number) => (await one.rawFetch({ epoch })).errorCode
      expect(await codeOf(1)).toBe(kafkaError.SHARE_SESSION_NOT_FOUND)
      expect(await one.acknowledgeIn(0)).toBe(kafkaError.INVALID_SHARE_SESSION_EPOCH)
      expect(await codeOf(0)).toBe(kafkaError.NONE)
      expect(await codeOf(2)).toBe(kafkaError.INVALID_SHARE_SESSION_EPOCH)
      expect(await codeOf(1)).toBe(kafkaError.NONE)
      expect(await one.acknowledgeIn(2)).toBe(kafkaError.NONE)
      expect(await codeOf(3)).toBe(kafkaError.NONE)
      const said = [[0, 0, accept]] as const
      expect((await one.rawFetch({ epoch: 0, said })).errorCode).toBe(kafkaError.INVALID_REQUEST)
      expect(await codeOf(-1)).toBe(kafkaError.NONE)
      expect(await codeOf(-1)).toBe(kafkaError.SHARE_SESSION_NOT_FOUND)
      await broker.close()
    }))

  it('gives back what the member has when it ends, as if it had not been delivered', () =>
    onMachine(async (platform) => {
      const { broker, one, two } = await twoMembers(platform)
      expect(await one.fetch()).toEqual([{ first: 0, last: 9, count: 1 }])
      expect(await two.fetch()).toEqual([])
      expect(await one.acknowledgeIn(-1, [0, 1, accept])).toBe(kafkaError.NONE)
      expect(await two.fetch()).toEqual([{ first: 2, last: 9, count: 1 }])
      await broker.close()
    }))

  it('ends with one node, and leaves the member what it has of the others', () =>
    onMachine(async (platform) => {
      const broker = await startSharing(platform, {}, 2)
      const first = await Sharer.connect(platform, broker, 'one', 0)
      const second = await Sharer.connect(platform, broker, 'one', 1)
      await first.configure('share.auto.offset.reset', 'earliest')
      for (const sharer of [first, second]) {
        await sharer.produce(3)
        expect(await sharer.fetch()).toEqual([{ first: 0, last: 2, count: 1 }])
      }
      expect(await first.acknowledgeIn(-1, [0, 0, accept])).toBe(kafkaError.NONE)
      expect(await second.acknowledge([0, 2, accept])).toBe(kafkaError.NONE)
      expect(await second.startOffset()).toBe(3)
      await broker.close()
    }))

  it('ends with its connection, also for a reader that waits', () =>
    onMachine(async (platform) => {
      const { broker, one, two } = await twoMembers(platform)
      await one.fetch()
      await two.fetch()
      const waiting = two.fetch({ maxWaitMs: 60_000 })
      await one.client[Symbol.asyncDispose]()
      expect(await waiting).toEqual([{ first: 0, last: 9, count: 1 }])
      await broker.close()
    }))

  it('is refused to one too many', () =>
    onMachine(async (platform) => {
      const { broker, one, two } = await twoMembers(platform, {
        'group.share.max.share.sessions': '1',
      })
      await one.fetch()
      expect((await two.rawFetch()).errorCode).toBe(kafkaError.SHARE_SESSION_LIMIT_REACHED)
      await broker.close()
    }))
})

describe('records of a share group', () => {
  it('go to whoever asks first, and to others what is released', () =>
    onMachine(async (platform) => {
      const { broker, one, two } = await twoMembers(platform)
      expect(await one.fetch({ maxRecords: 1 })).toEqual([{ first: 0, last: 4, count: 1 }])
      expect(await two.fetch()).toEqual([{ first: 5, last: 9, count: 1 }])
      expect(
        await one.acknowledge([0, 0, accept], [1, 2, release], [3, 3, reject], [4, 4, gap]),
      ).toBe(0)
      expect(await two.fetch()).toEqual([{ first: 1, last: 2, count: 2 }])
      expect(await one.startOffset()).toBe(1)
      expect(await two.fetch({ said: [[1, 2, accept]] })).toEqual([])
      expect(await one.startOffset()).toBe(5)
      await broker.close()
    }))

  it('are not acknowledged by who does not have them, nor half of them', () =>
    onMachine(async (platform) => {
      const { broker, one, two } = await twoMembers(platform)
      await one.fetch({ maxRecords: 1 })
      await two.fetch()
      expect(await one.acknowledge([0, 5, accept])).toBe(kafkaError.INVALID_RECORD_STATE)
      expect(await one.acknowledge([0, 10, accept])).toBe(kafkaError.INVALID_REQUEST)
      expect(await one.acknowledge([3, 2, accept])).toBe(kafkaError.INVALID_REQUEST)
      expect(await one.acknowledge([0, 2, accept], [2, 4, accept])).toBe(kafkaError.INVALID_REQUEST)
      expect(await one.acknowledge([0, 4, 4])).toBe(kafkaError.INVALID_REQUEST)
      expect(await one.startOffset()).toBe(0)
      expect(await one.acknowledge([0, 4, accept])).toBe(kafkaError.NONE)
      expect(await one.acknowledge([0, 4, accept])).toBe(kafkaError.NONE)
      expect(await one.startOffset()).toBe(5)
      await broker.close()
    }))

  it('are taken back when their lock runs out, and given up after the last delivery', () =>
    onMachine(async (platform) => {
      const { broker, one, two } = await twoMembers(platform, {
        'group.share.delivery.count.limit': '2',
      })
      await one.configure('share.record.lock.duration.ms', '2000')
      expect((await one.rawFetch({ maxRecords: 1 })).acquisitionLockTimeoutMs).toBe(2000)
      expect(await two.fetch()).toEqual([{ first: 5, last: 9, count: 1 }])
      const beganMs = platform.clock.elapsedMs()
      expect(await two.fetch({ maxWaitMs: 60_000 })).toEqual([{ first: 0, last: 4, count: 2 }])
      expect(platform.clock.elapsedMs() - beganMs).toBeLessThan(2_100)
      expect(await one.acknowledge([0, 4, accept])).toBe(kafkaError.INVALID_RECORD_STATE)
      // Twice is as often as is allowed here.
      expect(await two.fetch({ maxWaitMs: 1_500 })).toEqual([{ first: 5, last: 9, count: 2 }])
      expect(await two.fetch({ maxWaitMs: 10_000 })).toEqual([])
      expect(await one.startOffset()).toBe(10)
      await broker.close()
    }))

  it('are no more in flight than is allowed', () =>
    onMachine(async (platform) => {
      const { broker, one, two } = await twoMembers(platform, {
        'group.share.partition.max.record.locks': '100',
      })
      await one.produce(90, 10)
      expect(await one.fetch({ maxRecords: 100 })).toEqual([{ first: 0, last: 99, count: 1 }])
      expect(await two.fetch()).toEqual([])
      const waiting = two.fetch({ maxWaitMs: 20_000 })
      await one.acknowledge([0, 0, accept])
      expect(await waiting).toEqual([{ first: 100, last: 109, count: 1 }])
      await broker.close()
    }))

  it('that are deleted from the log are passed over', () =>
    onMachine(async (platform) => {
      const { broker, one, two } = await twoMembers(platform)
      await one.fetch({ maxRecords: 1 })
      await one.acknowledge([0, 4, release])
      await broker.cluster.partition(topicName, 0)?.log.deleteRecordsBefore(3)
      expect(await two.fetch()).toEqual([
        { first: 3, last: 4, count: 2 },
        { first: 5, last: 9, count: 1 },
      ])
      await broker.close()
    }))

  it('are waited for by nobody who wants none', () =>
    onMachine(async (platform) => {
      const { broker, one } = await twoMembers(platform)
      const beganMs = platform.clock.elapsedMs()
      expect(await one.fetch({ maxRecords: 0, maxWaitMs: 60_000 })).toEqual([])
      expect(platform.clock.elapsedMs() - beganMs).toBeLessThan(1_000)
      await broker.close()
    }))

  it('wait for whoever asks before they are there', () =>
    onMachine(async (platform) => {
      const { broker, one, two } = await twoMembers(platform)
      await one.fetch()
      const waiting = one.fetch({ maxWaitMs: 60_000 })
      await two.produce(2)
      expect(await waiting).toEqual([{ first: 10, last: 11, count: 1 }])
      await broker.close()
    }))

  it('begin where the group is configured to, and the group remembers that it has begun', () =>
    onMachine(async (platform) => {
      const { broker, one } = await twoMembers(platform)
      await one.configure('share.auto.offset.reset', 'latest')
      expect(await one.fetch()).toEqual([])
      await broker.close()
      const again = await startSharing(platform)
      const member = await Sharer.connect(platform, again, 'one')
      await member.produce(1)
      expect(await member.fetch()).toEqual([{ first: 10, last: 10, count: 1 }])
      await again.close()
    }))

  it('are known after a restart: what is done, and how often the rest was delivered', () =>
    onMachine(async (platform) => {
      const { broker, one } = await twoMembers(platform)
      await one.fetch()
      await one.acknowledge([0, 1, accept], [2, 2, release], [4, 4, accept], [6, 7, reject])
      expect(await one.fetch()).toEqual([{ first: 2, last: 2, count: 2 }])
      await one.acknowledge([2, 2, release])
      await broker.close()
      const again = await startSharing(platform)
      const member = await Sharer.connect(platform, again, 'one')
      expect(await member.startOffset()).toBe(2)
      expect(await member.fetch()).toEqual([
        { first: 2, last: 2, count: 3 },
        { first: 3, last: 3, count: 1 },
        { first: 5, last: 5, count: 1 },
        { first: 8, last: 9, count: 1 },
      ])
      await again.close()
    }))
})

describe('a share group', () => {
  it('is listed and described with its members, and is no other kind of group', () =>
    onMachine(async (platform) => {
      const { broker, one } = await twoMembers(platform)
      const joined = await one.heartbeat()
      expect(joined.assignment?.topicPartitions).toEqual([
        { topicId: one.topicId, partitions: [0] },
      ])
      const { groups } = await one.client.request(shareGroupDescribeApi, 1, {
        groupIds: [groupName, 'other'],
        includeAuthorizedOperations: true,
      })
      expect(groups).toMatchObject([
        {
          groupState: 'Stable',
          assignorName: 'simple',
          groupEpoch: joined.memberEpoch,
          members: [{ memberId: 'one', subscribedTopicNames: [topicName] }],
        },
        { errorCode: kafkaError.GROUP_ID_NOT_FOUND },
      ])
      const listed = await one.client.request(listGroupsApi, 5, { typesFilter: ['Share'] })
      expect(listed.groups).toEqual([
        { groupId: groupName, protocolType: 'share', groupState: 'Stable', groupType: 'share' },
      ])
      const join = await one.client.request(joinGroupApi, 5, {
        ...{
          groupId: groupName,
          sessionTimeoutMs: 10_000,
          rebalanceTimeoutMs: 10_000,
          memberId: '',
        },
        ...{ protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.alloc(4) }] },
      })
      expect(join.errorCode).toBe(kafkaError.INCONSISTENT_GROUP_PROTOCOL)
      const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }]
      const commit = await one.client.request(offsetCommitApi, 9, {
        groupId: groupName,
        topics: [{ name: topicName, partitions }],
      })
      const code = commit.topics[0]?.partitions[0]?.errorCode
      expect(code).toBe(kafkaError.GROUP_ID_NOT_FOUND)
      await broker.close()
    }))

  it('lets a member that leaves say what it has done, and gives others the rest', () =>
    onMachine(async (platform) => {
      const { broker, one, two } = await twoMembers(platform)
      await one.heartbeat()
      await two.heartbeat()
      await one.fetch({ maxRecords: 1 })
      await two.fetch()
      await one.heartbeat(-1)
      expect(await two.fetch()).toEqual([])
      expect(await one.acknowledgeIn(-1, [0, 2, accept])).toBe(kafkaError.NONE)
      expect(await two.fetch()).toEqual([{ first: 3, last: 4, count: 1 }])
      expect((await one.rawFetch({ epoch: 2 })).errorCode).toBe(kafkaError.SHARE_SESSION_NOT_FOUND)
      await broker.close()
    }))

  it('gives what a member has acquired to others when it is not heard of', () =>
    onMachine(async (platform) => {
      const { broker, one, two } = await twoMembers(platform)
      await one.configure('share.record.lock.duration.ms', '60000')
      await one.heartbeat()
      await one.fetch()
      await two.fetch()
      const beganMs = platform.clock.elapsedMs()
      // After 45 seconds without a heartbeat of the other one.
      expect(await two.fetch({ maxWaitMs: 58_000 })).toEqual([{ first: 0, last: 9, count: 1 }])
      expect(platform.clock.elapsedMs() - beganMs).toBeLessThan(46_000)
      expect((await one.rawFetch()).errorCode).toBe(kafkaError.SHARE_SESSION_NOT_FOUND)
      await broker.close()
    }))

  it('fences members of another epoch, and knows its members after a restart', () =>
    onMachine(async (platform) => {
      const { broker, one } = await twoMembers(platform)
      await one.heartbeat()
      expect((await one.heartbeat(one.memberEpoch + 1)).errorCode).toBe(
        kafkaError.FENCED_MEMBER_EPOCH,
      )
      await broker.close()
      const again = await startSharing(platform)
      const member = await Sharer.connect(platform, again, 'one')
      expect((await member.heartbeat(one.memberEpoch)).errorCode).toBe(kafkaError.NONE)
      const stranger = await Sharer.connect(platform, again, 'two')
      expect((await stranger.heartbeat(1)).errorCode).toBe(kafkaError.UNKNOWN_MEMBER_ID)
      await again.close()
    }))

  it('goes on from other offsets, forgets a topic and is deleted only while nobody is a member', () =>
    onMachine(async (platform) => {
      const { broker, one } = await twoMembers(platform)
      await one.heartbeat()
      await one.fetch()
      await one.acknowledge([0, 9, accept])
      const partitions = [
        { partitionIndex: 0, startOffset: 7 },
        { partitionIndex: 1, startOffset: 0 },
      ]
      const alter = async () =>
        one.client.request(alterShareGroupOffsetsApi, 0, {
          groupId: groupName,
          topics: [{ topicName, partitions }],
        })
      const forget = () =>
        one.client.request(deleteShareGroupOffsetsApi, 0, {
          groupId: groupName,
          topics: [{ topicName }, { topicName: 'other' }],
        })
      const remove = async () => {
        const names = { groupsNames: [groupName] }
        return (await one.client.request(deleteGroupsApi, 2, names)).results[0]?.errorCode
      }
      expect((await alter()).errorCode).toBe(kafkaError.NON_EMPTY_GROUP)
      expect((await forget()).errorCode).toBe(kafkaError.NON_EMPTY_GROUP)
      expect(await remove()).toBe(kafkaError.NON_EMPTY_GROUP)
      await one.heartbeat(-1)
      const { responses } = await alter()
      const codes = responses[0]?.partitions.map(({ errorCode }) => errorCode)
      expect(codes).toEqual([kafkaError.NONE, kafkaError.UNKNOWN_TOPIC_OR_PARTITION])
      expect(await one.startOffset()).toBe(7)
      one.epoch = 0
      expect(await one.fetch()).toEqual([{ first: 7, last: 9, count: 1 }])
      expect((await forget()).responses.map(({ errorCode }) => errorCode)).toEqual([
        kafkaError.NONE,
        kafkaError.UNKNOWN_TOPIC_OR_PARTITION,
      ])
      expect(await one.startOffset()).toBe(-1)
      expect(await remove()).toBe(kafkaError.NONE)
      expect(await remove()).toBe(kafkaError.GROUP_ID_NOT_FOUND)
      await broker.close()
    }))

  it('leaves nothing behind for a topic or a group that is made again under the same name', () =>
    onMachine(async (platform) => {
      const { broker, one } = await twoMembers(platform)
      await one.heartbeat()
      await one.fetch()
      await one.acknowledge([0, 9, accept])
      await one.heartbeat(-1)
      await one.client.request(deleteGroupsApi, 2, { groupsNames: [groupName] })
      one.epoch = 0
      expect(await one.fetch()).toEqual([{ first: 0, last: 9, count: 1 }])
      await broker.cluster.deleteTopic(topicName)
      const gone = await one.rawFetch()
      expect(gone.responses[0]?.partitions[0]?.errorCode).toBe(kafkaError.UNKNOWN_TOPIC_ID)
      await createTopic(broker)
      await one.produce(2)
      expect(await one.fetch({ epoch: 0 })).toEqual([{ first: 0, last: 1, count: 1 }])
      await broker.close()
    }))

  it('is not to be had while share.version is 0', () =>
    onMachine(async (platform) => {
      const { broker, one } = await twoMembers(platform)
      await one.fetch()
      const level = (maxVersionLevel: number, upgradeType: number) =>
        one.client.request(updateFeaturesApi, 1, {
          featureUpdates: [{ feature: 'share.version', maxVersionLevel, upgradeType }],
        })
      expect((await level(0, 2)).errorCode).toBe(kafkaError.NONE)
      expect((await one.rawFetch()).errorCode).toBe(kafkaError.UNSUPPORTED_VERSION)
      expect((await one.heartbeat()).errorCode).toBe(kafkaError.UNSUPPORTED_VERSION)
      expect((await level(1, 1)).errorCode).toBe(kafkaError.NONE)
      expect((await one.rawFetch()).errorCode).toBe(kafkaError.SHARE_SESSION_NOT_FOUND)
      await broker.close()
    }))
})

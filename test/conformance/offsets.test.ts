import { expect } from 'vitest'
import {
  deleteTopicsApi,
  offsetCommitApi,
  offsetDeleteApi,
  offsetFetchApi,
} from '../../src/protocol/index.ts'
import type { WireClient } from '../../src/testing/wire-client.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port, Topic } from './port.ts'
import { commit, committed, join, joinNew, leave, stableGroup } from './steps.ts'

async function emptyGroup(
  port: Port,
): Promise<{ groupId: string; client: WireClient; topic: Topic }> {
  const topic = await port.topic()
  const groupId = port.name('group')
  return { groupId, client: await port.coordinator('group', groupId), topic }
}

conformance('offsets', {
  'a committed offset is fetched with its metadata and leader epoch': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    const error = await commit(client, groupId, topic, 5, { metadata: 'äöü', leaderEpoch: 0 })
    expectError(error, 'NONE')
    const answer = await committed(client, groupId, topic)
    expect(answer.committedOffset).toBe(5)
    expect(answer.metadata).toBe('äöü')
    expect(answer.committedLeaderEpoch).toBe(0)
  },

  'offsets may go backwards': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    for (const offset of [9, 4, 0]) {
      expectError(await commit(client, groupId, topic, offset), 'NONE')
      expect((await committed(client, groupId, topic)).committedOffset).toBe(offset)
    }
  },

  'null metadata is fetched as empty': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    expectError(await commit(client, groupId, topic, 5, { metadata: null }), 'NONE')
    expect((await committed(client, groupId, topic)).metadata).toBe('')
  },

  'an unknown group or partition has offset -1, empty metadata and no error': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    for (const name of [topic.name, port.name('missing')]) {
      const answer = await committed(client, groupId, { name })
      expectError(answer.errorCode, 'NONE')
      expect([answer.committedOffset, answer.metadata]).toEqual([-1, ''])
      expect(answer.committedLeaderEpoch).toBe(-1)
    }
  },

  'from version 2 on null topics fetch all, and none for an unknown group': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    const all = () => client.request(offsetFetchApi, 7, { groupId, topics: null })
    const unknown = await all()
    expectError(unknown.errorCode, 'NONE')
    expect(unknown.topics).toEqual([])
    await commit(client, groupId, topic, 5)
    const known = await all()
    expect(known.topics.map((one) => one.name)).toEqual([topic.name])
  },

  'version 8 fetches several groups at once': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    await commit(client, groupId, topic, 5)
    const topics = [{ name: topic.name, partitionIndexes: [0] }]
    const response = await client.request(offsetFetchApi, 8, {
      groups: [
        { groupId, topics },
        { groupId, topics: null },
      ],
    })
    expect(response.groups.map((group) => group.topics[0]?.partitions[0]?.committedOffset)).toEqual(
      [5, 5],
    )
  },

  'version 9 checks the member and its epoch': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    await commit(client, groupId, topic, 5)
    const response = await client.request(offsetFetchApi, 9, {
      groups: [{ groupId, memberId: 'stranger', memberEpoch: 3, topics: null }],
    })
    // The group is a classic one: its members have no epochs to check.
    expectError(response.groups[0]?.errorCode, 'NONE')
  },

  'metadata above 4096 bytes is OFFSET_METADATA_TOO_LARGE': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    const at = (length: number) =>
      commit(client, groupId, topic, 1, { metadata: 'x'.repeat(length) })
    expectError(await at(4096), 'NONE')
    expectError(await at(4097), 'OFFSET_METADATA_TOO_LARGE')
  },

  'an unknown topic or partition is UNKNOWN_TOPIC_OR_PARTITION': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    const missing = { name: port.name('missing') }
    expectError(await commit(client, groupId, missing, 1), 'UNKNOWN_TOPIC_OR_PARTITION')
    const partition = await commit(client, groupId, topic, 1, { partition: 9 })
    expectError(partition, 'UNKNOWN_TOPIC_OR_PARTITION')
  },

  'one bad partition does not spoil the others': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    const response = await client.request(offsetCommitApi, 8, {
      groupId,
      topics: [
        {
          name: topic.name,
          partitions: [
            { partitionIndex: 0, committedOffset: 5, committedMetadata: '' },
            { partitionIndex: 7, committedOffset: 5, committedMetadata: '' },
          ],
        },
      ],
    })
    const partitions = response.topics.flatMap((one) => one.partitions)
    const errorOf = (index: number) =>
      partitions.find((one) => one.partitionIndex === index)?.errorCode
    expectError(errorOf(0), 'NONE')
    expectError(errorOf(7), 'UNKNOWN_TOPIC_OR_PARTITION')
  },

  'a commit without member is taken when the group is empty, else UNKNOWN_MEMBER_ID': async (
    port,
  ) => {
    const topic = await port.topic()
    const { groupId, client, member } = await stableGroup(port)
    expectError(await commit(client, groupId, topic, 1), 'UNKNOWN_MEMBER_ID')
    await leave(client, groupId, [member])
    expectError(await commit(client, groupId, topic, 1), 'NONE')
  },

  'a member commits with its generation': async (port) => {
    const topic = await port.topic()
    const { groupId, client, member } = await stableGroup(port)
    expectError(await commit(client, groupId, topic, 1, member), 'NONE')
    const old = await commit(client, groupId, topic, 1, { ...member, generationId: 0 })
    expectError(old, 'ILLEGAL_GENERATION')
    const stranger = await commit(client, groupId, topic, 1, { ...member, memberId: 'stranger' })
    expectError(stranger, 'UNKNOWN_MEMBER_ID')
  },

  'a generation for an unknown group is ILLEGAL_GENERATION': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    const error = await commit(client, groupId, topic, 1, { memberId: 'a', generationId: 3 })
    expectError(error, 'ILLEGAL_GENERATION')
  },

  'a commit before the assignment is REBALANCE_IN_PROGRESS': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    const joined = await joinNew(port, client, groupId)
    expectError(await commit(client, groupId, topic, 1, joined), 'REBALANCE_IN_PROGRESS')
  },

  'a commit while others join is taken': async (port) => {
    const topic = await port.topic()
    const { groupId, client, member } = await stableGroup(port)
    const second = await port.coordinator('group', groupId)
    const given = await join(second, groupId)
    const joining = join(second, groupId, { memberId: given.memberId })
    await port.eventually('the group is rebalancing', async () => {
      const error = await commit(client, groupId, topic, 1, member)
      expectError(error, 'NONE')
      return true
    })
    await join(client, groupId, { memberId: member.memberId })
    await joining
  },

  'deleting a topic deletes its offsets': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    await commit(client, groupId, topic, 5)
    const any = await port.any()
    await any.request(deleteTopicsApi, 6, {
      topics: [{ name: topic.name }],
      timeoutMs: 10_000,
    })
    await port.eventually('the offset is gone', async () => {
      const answer = await committed(client, groupId, topic)
      return answer.committedOffset === -1 ? true : undefined
    })
  },

  'OffsetDelete: offsets of topics that are not subscribed are deleted': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    await commit(client, groupId, topic, 5)
    const response = await client.request(offsetDeleteApi, 0, {
      groupId,
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0 }] }],
    })
    expectError(response.errorCode, 'NONE')
    expectError(response.topics[0]?.partitions[0]?.errorCode, 'NONE')
    expect((await committed(client, groupId, topic)).committedOffset).toBe(-1)
  },

  'OffsetDelete: a topic that members subscribe to is GROUP_SUBSCRIBED_TO_TOPIC': async (port) => {
    const topic = await port.topic()
    const { groupId, client, member } = await stableGroup(port, { subscribedTopic: topic.name })
    expectError(await commit(client, groupId, topic, 5, member), 'NONE')
    const response = await client.request(offsetDeleteApi, 0, {
      groupId,
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0 }] }],
    })
    expectError(response.topics[0]?.partitions[0]?.errorCode, 'GROUP_SUBSCRIBED_TO_TOPIC')
  },

  'OffsetDelete: an unknown group is GROUP_ID_NOT_FOUND': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    const response = await client.request(offsetDeleteApi, 0, {
      groupId,
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0 }] }],
    })
    expectError(response.errorCode, 'GROUP_ID_NOT_FOUND')
  },

  'every version of OffsetCommit and OffsetFetch says the same': async (port) => {
    const { groupId, client, topic } = await emptyGroup(port)
    for (let version = 2; version <= 9; version++) {
      expectError(await commit(client, groupId, topic, version, { version }), 'NONE')
      if (version > 7) continue
      const answer = await committed(client, groupId, topic, { version })
      expect(answer.committedOffset, `version ${version}`).toBe(version)
    }
  },
})

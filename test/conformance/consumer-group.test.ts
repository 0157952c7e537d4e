import { expect } from 'vitest'
import {
  consumerGroupDescribeApi,
  consumerGroupHeartbeatApi,
  describeGroupsApi,
  listGroupsApi,
  offsetFetchApi,
  type ResponseOf,
} from '../../src/protocol/index.ts'
import type { WireClient } from '../../src/testing/wire-client.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port, Topic } from './port.ts'
import { commit, join } from './steps.ts'

type Answer = ResponseOf<typeof consumerGroupHeartbeatApi>
type Owned = readonly { topicId: string; partitions: readonly number[] }[]

const leavingEpoch = -1
const staticLeavingEpoch = -2

interface Beat {
  readonly memberId?: string
  readonly memberEpoch?: number
  readonly instanceId?: string
  readonly topics?: readonly string[] | null
  readonly regex?: string
  readonly assignor?: string | null
  readonly rebalanceTimeoutMs?: number
  readonly owned?: Owned | null
  readonly version?: number
}

/** One heartbeat; with epoch 0 it joins and says everything that a joining member must say. */
function beat(client: WireClient, groupId: string, options: Beat): Promise<Answer> {
  const { memberEpoch = 0, version = 0 } = options
  const joins = memberEpoch === 0
  const owned = options.owned === undefined ? (joins ? [] : null) : options.owned
  const topics = options.topics ?? null
  return client.request(consumerGroupHeartbeatApi, version, {
    groupId,
    memberId: options.memberId ?? '',
    memberEpoch,
    instanceId: options.instanceId ?? null,
    rackId: null,
    rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? (joins ? 30_000 : -1),
    subscribedTopicNames: topics === null ? null : [...topics],
    ...(version >= 1 && { subscribedTopicRegex: options.regex ?? null }),
    serverAssignor: options.assignor ?? null,
    topicPartitions:
      owned?.map(({ topicId, partitions }) => ({ topicId, partitions: [...partitions] })) ?? null,
  })
}

/** A member as a client keeps it: heartbeats until it owns what it is told to own. */
class Member {
  readonly client: WireClient
  readonly groupId: string
  topics: readonly string[]
  memberId: string
  memberEpoch: number
  owned: Owned = []

  constructor(client: WireClient, groupId: string, topics: readonly string[], joined: Answer) {
    expectError(joined.errorCode, 'NONE')
    this.client = client
    this.groupId = groupId
    this.topics = topics
    this.memberId = joined.memberId ?? ''
    this.memberEpoch = joined.memberEpoch
    this.#take(joined)
  }

  /** A heartbeat that tells what is owned; the answer is followed at once. */
  async beat(): Promise<Answer> {
    const { memberId, memberEpoch, topics, owned } = this
    const answer = await beat(this.client, this.groupId, { memberId, memberEpoch, topics, owned })
    if (answer.errorCode === 0) {
      this.memberEpoch = answer.memberEpoch
      this.#take(answer)
    }
    return answer
  }

  get partitions(): number[] {
    return this.owned.flatMap((topic) => topic.partitions).sort((one, other) => one - other)
  }

  #take({ assignment }: Answer): void {
    if (assignment !== null) this.owned = assignment.topicPartitions
  }
}

async function newGroup(port: Port): Promise<{ groupId: string; client: WireClient }> {
  const groupId = port.name('group')
  return { groupId, client: await port.coordinator('group', groupId) }
}

async function joinTo(
  client: WireClient,
  groupId: string,
  topic: Topic,
  more: Beat = {},
): Promise<Member> {
  const topics = [topic.name]
  return new Member(client, groupId, topics, await beat(client, groupId, { topics, ...more }))
}

async function untilOwned(port: Port, members: readonly Member[], counts: readonly number[]) {
  await port.eventually(`${counts.join(' and ')} partitions are owned`, async () => {
    for (const member of members) await member.beat()
    const owned = members.map((member) => member.partitions.length)
    return owned.every((count, index) => count === counts[index]) ? true : undefined
  })
}

conformance('consumer groups', {
  'a member joins with epoch 0 and is given an id, an epoch, an interval and partitions': async (
    port,
  ) => {
    const topic = await port.topic({ partitions: 3 })
    const { groupId, client } = await newGroup(port)
    const answer = await beat(client, groupId, { topics: [topic.name] })
    expectError(answer.errorCode, 'NONE')
    expect(answer.memberId).toMatch(/^[\w-]{22}$/)
    expect(answer.memberEpoch).toBeGreaterThan(0)
    expect(answer.heartbeatIntervalMs).toBe(5000)
    const member = new Member(client, groupId, [topic.name], answer)
    await untilOwned(port, [member], [3])
    expect(member.owned[0]?.topicId).toBe(topic.id)
  },

  'from version 1 on the member makes its id itself': async (port) => {
    const topic = await port.topic()
    const { groupId, client } = await newGroup(port)
    const none = await beat(client, groupId, { topics: [topic.name], version: 1 })
    expectError(none.errorCode, 'INVALID_REQUEST')
    const memberId = port.name('member')
    const own = await beat(client, groupId, { topics: [topic.name], version: 1, memberId })
    expectError(own.errorCode, 'NONE')
    expect(own.memberId).toBe(memberId)
  },

  'a heartbeat without changes is answered with the epoch and no assignment': async (port) => {
    const topic = await port.topic()
    const { groupId, client } = await newGroup(port)
    const member = await joinTo(client, groupId, topic)
    await untilOwned(port, [member], [1])
    const { memberId, memberEpoch } = member
    const answer = await beat(client, groupId, { memberId, memberEpoch })
    expectError(answer.errorCode, 'NONE')
    expect(answer.memberEpoch).toBe(memberEpoch)
    expect(answer.assignment).toBeNull()
  },

  'joining without saying everything is INVALID_REQUEST': async (port) => {
    const topic = await port.topic()
    const { groupId, client } = await newGroup(port)
    const topics = [topic.name]
    const unsaid = await beat(client, groupId, {})
    expectError(unsaid.errorCode, 'INVALID_REQUEST')
    const owned = await beat(client, groupId, { topics, owned: null })
    expectError(owned.errorCode, 'INVALID_REQUEST')
    const timeout = await beat(client, groupId, { topics, rebalanceTimeoutMs: -1 })
    expectError(timeout.errorCode, 'INVALID_REQUEST')
    expectError((await beat(client, '', { topics })).errorCode, 'INVALID_REQUEST')
  },

  'an assignor that does not exist is UNSUPPORTED_ASSIGNOR': async (port) => {
    const topic = await port.topic()
    const { groupId, client } = await newGroup(port)
    const topics = [topic.name]
    const answer = await beat(client, groupId, { topics, assignor: 'no-such-assignor' })
    expectError(answer.errorCode, 'UNSUPPORTED_ASSIGNOR')
    for (const assignor of ['uniform', 'range']) {
      expectError((await beat(client, groupId, { topics, assignor })).errorCode, 'NONE')
    }
  },

  'an unknown member is UNKNOWN_MEMBER_ID, an unknown group GROUP_ID_NOT_FOUND': async (port) => {
    const topic = await port.topic()
    const { groupId, client } = await newGroup(port)
    const stranger = { memberId: 'stranger', memberEpoch: 3 }
    expectError((await beat(client, groupId, stranger)).errorCode, 'GROUP_ID_NOT_FOUND')
    await joinTo(client, groupId, topic)
    expectError((await beat(client, groupId, stranger)).errorCode, 'UNKNOWN_MEMBER_ID')
  },

  'an epoch that is not the own one is FENCED_MEMBER_EPOCH': async (port) => {
    const topic = await port.topic()
    const { groupId, client } = await newGroup(port)
    const member = await joinTo(client, groupId, topic)
    await untilOwned(port, [member], [1])
    const { memberId, memberEpoch } = member
    const higher = await beat(client, groupId, { memberId, memberEpoch: memberEpoch + 1 })
    expectError(higher.errorCode, 'FENCED_MEMBER_EPOCH')
  },

  'partitions are revoked from one before another gets them': async (port) => {
    const topic = await port.topic({ partitions: 4 })
    const { groupId, client } = await newGroup(port)
    const first = await joinTo(client, groupId, topic)
    await untilOwned(port, [first], [4])
    const second = await joinTo(client, groupId, topic)
    await second.beat()
    expect(second.partitions).toEqual([])
    const kept = await port.eventually('the first is told to give two up', async () => {
      const { memberId, memberEpoch, topics, owned } = first
      const answer = await beat(client, groupId, { memberId, memberEpoch, topics, owned })
      return answer.assignment?.topicPartitions
    })
    expect(kept.flatMap((one) => one.partitions)).toHaveLength(2)
    // The first has not said that it gave them up: the second still waits.
    await second.beat()
    expect(second.partitions).toEqual([])
    first.owned = kept
    await untilOwned(port, [first, second], [2, 2])
    expect([...first.partitions, ...second.partitions].sort()).toEqual([0, 1, 2, 3])
    expect(first.memberEpoch).toBe(second.memberEpoch)
  },

  'a member that leaves frees its partitions': async (port) => {
    const topic = await port.topic({ partitions: 2 })
    const { groupId, client } = await newGroup(port)
    const first = await joinTo(client, groupId, topic)
    const second = await joinTo(client, groupId, topic)
    await untilOwned(port, [first, second], [1, 1])
    const { memberId } = second
    const left = await beat(client, groupId, { memberId, memberEpoch: leavingEpoch })
    expectError(left.errorCode, 'NONE')
    expect(left.memberEpoch).toBe(leavingEpoch)
    await untilOwned(port, [first], [2])
  },

  'a static member that returns has its partitions back': async (port) => {
    const topic = await port.topic({ partitions: 2 })
    const { groupId, client } = await newGroup(port)
    const instanceId = port.name('instance')
    const first = await joinTo(client, groupId, topic, { instanceId })
    await untilOwned(port, [first], [2])
    const used = await beat(client, groupId, { topics: [topic.name], instanceId })
    expectError(used.errorCode, 'UNRELEASED_INSTANCE_ID')
    const { memberId } = first
    const memberEpoch = staticLeavingEpoch
    const left = await beat(client, groupId, { memberId, memberEpoch, instanceId })
    expectError(left.errorCode, 'NONE')
    expect(left.memberEpoch).toBe(staticLeavingEpoch)
    const second = await beat(client, groupId, { topics: [topic.name], instanceId })
    expectError(second.errorCode, 'NONE')
    expect(second.memberId).not.toBe(memberId)
    expect(second.assignment?.topicPartitions[0]?.partitions).toHaveLength(2)
    const old = await beat(client, groupId, { memberId, memberEpoch: 1, instanceId })
    expectError(old.errorCode, 'FENCED_INSTANCE_ID')
  },

  'a member that subscribes to more is assigned more': async (port) => {
    const { groupId, client } = await newGroup(port)
    const one = await port.topic()
    const two = await port.topic({ partitions: 2 })
    const member = await joinTo(client, groupId, one)
    await untilOwned(port, [member], [1])
    member.topics = [one.name, two.name]
    await untilOwned(port, [member], [3])
  },

  'a regular expression subscribes to what it matches': async (port) => {
    const topic = await port.topic({ partitions: 2 })
    const { groupId, client } = await newGroup(port)
    const memberId = port.name('member')
    const options = { memberId, topics: [], version: 1 }
    const regex = `${topic.name.slice(0, -1)}.`
    let answer = await beat(client, groupId, { ...options, regex })
    const partitions = await port.eventually('its partitions', async () => {
      const assigned = answer.assignment?.topicPartitions.flatMap((one) => one.partitions) ?? []
      if (assigned.length === 2) return assigned
      const { memberEpoch } = answer
      answer = await beat(client, groupId, { memberId, memberEpoch, version: 1, owned: [] })
      return undefined
    })
    expect([...partitions].sort()).toEqual([0, 1])
  },

  'a regular expression that is none is INVALID_REGULAR_EXPRESSION': async (port) => {
    const { groupId, client } = await newGroup(port)
    const memberId = port.name('member')
    const answer = await beat(client, groupId, { memberId, topics: [], regex: '[', version: 1 })
    expectError(answer.errorCode, 'INVALID_REGULAR_EXPRESSION')
  },

  'offsets are committed with the member epoch; another one is STALE_MEMBER_EPOCH': async (
    port,
  ) => {
    const topic = await port.topic()
    const { groupId, client } = await newGroup(port)
    const member = await joinTo(client, groupId, topic)
    await untilOwned(port, [member], [1])
    const { memberId, memberEpoch } = member
    const at = (generationId: number, id = memberId) =>
      commit(client, groupId, topic, 5, { memberId: id, generationId, version: 9 })
    expectError(await at(memberEpoch), 'NONE')
    expectError(await at(memberEpoch + 1), 'STALE_MEMBER_EPOCH')
    expectError(await at(memberEpoch, 'stranger'), 'UNKNOWN_MEMBER_ID')
    expectError(await at(-1, ''), 'UNKNOWN_MEMBER_ID')
  },

  'offsets are fetched with the member epoch; another one is STALE_MEMBER_EPOCH': async (port) => {
    const topic = await port.topic()
    const { groupId, client } = await newGroup(port)
    const member = await joinTo(client, groupId, topic)
    await untilOwned(port, [member], [1])
    const fetchAt = async (memberEpoch: number, memberId: string) => {
      const response = await client.request(offsetFetchApi, 9, {
        groups: [{ groupId, memberId, memberEpoch, topics: null }],
      })
      return response.groups[0]?.errorCode
    }
    expectError(await fetchAt(member.memberEpoch, member.memberId), 'NONE')
    const stale = await fetchAt(member.memberEpoch + 1, member.memberId)
    expectError(stale, 'STALE_MEMBER_EPOCH')
    expectError(await fetchAt(1, 'stranger'), 'UNKNOWN_MEMBER_ID')
  },

  'described: state, epochs, members with what they have and are to have': async (port) => {
    const topic = await port.topic({ partitions: 2 })
    const { groupId, client } = await newGroup(port)
    const member = await joinTo(client, groupId, topic)
    await untilOwned(port, [member], [2])
    await member.beat()
    const request = { groupIds: [groupId], includeAuthorizedOperations: false }
    const response = await client.request(consumerGroupDescribeApi, 0, request)
    const [group] = response.groups
    expectError(group?.errorCode, 'NONE')
    expect(group?.groupState).toBe('Stable')
    expect(group?.groupEpoch).toBe(group?.assignmentEpoch)
    expect(group?.assignorName).toBe('uniform')
    const [described] = group?.members ?? []
    expect(described?.memberId).toBe(member.memberId)
    expect(described?.subscribedTopicNames).toEqual([topic.name])
    expect(described?.assignment.topicPartitions[0]?.partitions).toHaveLength(2)
    expect(described?.targetAssignment.topicPartitions[0]?.topicName).toBe(topic.name)
  },

  'described: an unknown group is GROUP_ID_NOT_FOUND': async (port) => {
    const { groupId, client } = await newGroup(port)
    const request = { groupIds: [groupId], includeAuthorizedOperations: false }
    const response = await client.request(consumerGroupDescribeApi, 0, request)
    expectError(response.groups[0]?.errorCode, 'GROUP_ID_NOT_FOUND')
  },

  'the classic description does not know it: it is Dead': async (port) => {
    const topic = await port.topic()
    const { groupId, client } = await newGroup(port)
    await joinTo(client, groupId, topic)
    const response = await client.request(describeGroupsApi, 5, { groups: [groupId] })
    expectError(response.groups[0]?.errorCode, 'NONE')
    expect(response.groups[0]?.groupState).toBe('Dead')
  },

  'listed: by type from version 5 on': async (port) => {
    const topic = await port.topic()
    const { groupId, client } = await newGroup(port)
    await joinTo(client, groupId, topic)
    const list = async (typesFilter: string[]) => {
      const response = await client.request(listGroupsApi, 5, { statesFilter: [], typesFilter })
      return response.groups.find((group) => group.groupId === groupId)
    }
    expect((await list(['consumer']))?.groupType).toBe('consumer')
    expect(await list(['classic'])).toBeUndefined()
  },

  'a classic member with another protocol type is INCONSISTENT_GROUP_PROTOCOL': async (port) => {
    const topic = await port.topic()
    const { groupId, client } = await newGroup(port)
    await joinTo(client, groupId, topic)
    const answer = await join(client, groupId, { protocolType: 'connect', version: 3 })
    expectError(answer.errorCode, 'INCONSISTENT_GROUP_PROTOCOL')
  },
})

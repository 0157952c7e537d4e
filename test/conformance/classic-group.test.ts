import { expect } from 'vitest'
import { deleteGroupsApi, describeGroupsApi, listGroupsApi } from '../../src/protocol/index.ts'
import type { WireClient } from '../../src/testing/wire-client.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port } from './port.ts'
import {
  heartbeat,
  join,
  joinedOf,
  joinNew,
  leave,
  stableGroup,
  subscriptionTo,
  sync,
  type Joined,
} from './steps.ts'

async function newGroup(port: Port): Promise<{ groupId: string; client: WireClient }> {
  const groupId = port.name('group')
  return { groupId, client: await port.coordinator('group', groupId) }
}

interface TwoMembers {
  readonly groupId: string
  readonly leader: { client: WireClient; joined: Joined }
  readonly follower: { client: WireClient; joined: Joined }
}

/** A stable group of two members. */
async function twoMembers(port: Port): Promise<TwoMembers> {
  const { groupId, client: firstClient, member: first } = await stableGroup(port)
  const secondClient = await port.coordinator('group', groupId)
  const given = await join(secondClient, groupId)
  const joining = join(secondClient, groupId, { memberId: given.memberId })
  await untilRebalancing(port, firstClient, groupId, first)
  const rejoined = joinedOf(await join(firstClient, groupId, { memberId: first.memberId }))
  const second = joinedOf(await joining)
  const syncing = sync(secondClient, groupId, { ...second, memberIds: [] })
  await sync(firstClient, groupId, rejoined)
  await syncing
  return {
    groupId,
    leader: { client: firstClient, joined: rejoined },
    follower: { client: secondClient, joined: second },
  }
}

async function untilRebalancing(
  port: Port,
  client: WireClient,
  groupId: string,
  member: Joined,
): Promise<void> {
  await port.eventually('a rebalance', async () => {
    const error = await heartbeat(client, groupId, member)
    return error === 27 ? true : undefined
  })
}

async function stateOf(client: WireClient, groupId: string, version = 5) {
  const response = await client.request(describeGroupsApi, version, { groups: [groupId] })
  return response.groups[0]
}

conformance('classic groups', {
  'a session timeout outside the bounds is INVALID_SESSION_TIMEOUT': async (port) => {
    const { groupId, client } = await newGroup(port)
    for (const sessionTimeoutMs of [5_999, 1_800_001]) {
      const answer = await join(client, groupId, { sessionTimeoutMs })
      expectError(answer.errorCode, 'INVALID_SESSION_TIMEOUT')
    }
  },

  'an empty group id is INVALID_GROUP_ID': async (port) => {
    const { client } = await newGroup(port)
    expectError((await join(client, '')).errorCode, 'INVALID_GROUP_ID')
  },

  'a dynamic member is given an id first: MEMBER_ID_REQUIRED from version 4 on': async (port) => {
    const { groupId, client } = await newGroup(port)
    const answer = await join(client, groupId, { version: 4 })
    expectError(answer.errorCode, 'MEMBER_ID_REQUIRED')
    expect(answer.memberId).toMatch(/^conformance-/)
    const joined = await join(client, groupId, { version: 4, memberId: answer.memberId })
    expectError(joined.errorCode, 'NONE')
    expect(joined.generationId).toBe(1)
  },

  'before version 4 a member joins at once': async (port) => {
    const { groupId, client } = await newGroup(port)
    const joined = await join(client, groupId, { version: 3 })
    expectError(joined.errorCode, 'NONE')
    expect(joined.leader).toBe(joined.memberId)
  },

  'an unknown member id is UNKNOWN_MEMBER_ID': async (port) => {
    const { groupId, client } = await newGroup(port)
    const answer = await join(client, groupId, { memberId: 'stranger' })
    expectError(answer.errorCode, 'UNKNOWN_MEMBER_ID')
  },

  'the first member leads and is told the members': async (port) => {
    const { groupId, client } = await newGroup(port)
    const joined = await joinNew(port, client, groupId)
    expect(joined.leader).toBe(joined.memberId)
    expect(joined.memberIds).toEqual([joined.memberId])
  },

  'only the leader is told the members; all get what it assigns': async (port) => {
    const { groupId, leader, follower } = await twoMembers(port)
    expect(leader.joined.memberIds).toHaveLength(2)
    expect(follower.joined.memberIds).toEqual([])
    expect(follower.joined.generationId).toBe(leader.joined.generationId)
    const { assignment } = await sync(follower.client, groupId, follower.joined)
    expect(assignment.toString()).toBe(`for ${follower.joined.memberId}`)
  },

  'the protocol that all members know is chosen, by their votes': async (port) => {
    const { groupId, client } = await newGroup(port)
    const first = await joinNew(port, client, groupId, { protocols: ['a', 'b'] })
    await sync(client, groupId, first, 5, { name: 'a' })
    const second = await port.coordinator('group', groupId)
    const given = await join(second, groupId, { protocols: ['b', 'c'] })
    const joining = join(second, groupId, { protocols: ['b', 'c'], memberId: given.memberId })
    await untilRebalancing(port, client, groupId, first)
    const rejoined = await join(client, groupId, {
      protocols: ['a', 'b'],
      memberId: first.memberId,
    })
    expect(rejoined.protocolName).toBe('b')
    expect((await joining).protocolName).toBe('b')
  },

  'a member without a common protocol is INCONSISTENT_GROUP_PROTOCOL': async (port) => {
    const { groupId } = await stableGroup(port)
    const client = await port.coordinator('group', groupId)
    const other = await join(client, groupId, { protocols: ['other'] })
    expectError(other.errorCode, 'INCONSISTENT_GROUP_PROTOCOL')
    const type = await join(client, groupId, { protocolType: 'connect' })
    expectError(type.errorCode, 'INCONSISTENT_GROUP_PROTOCOL')
  },

  'no protocols are INCONSISTENT_GROUP_PROTOCOL': async (port) => {
    const { groupId, client } = await newGroup(port)
    const answer = await join(client, groupId, { protocols: [], version: 3 })
    expectError(answer.errorCode, 'INCONSISTENT_GROUP_PROTOCOL')
  },

  'heartbeats: known members are well, others are told why not': async (port) => {
    const { groupId, client, member } = await stableGroup(port)
    expectError(await heartbeat(client, groupId, member), 'NONE')
    const old = await heartbeat(client, groupId, { ...member, generationId: 0 })
    expectError(old, 'ILLEGAL_GENERATION')
    const stranger = await heartbeat(client, groupId, { ...member, memberId: 'stranger' })
    expectError(stranger, 'UNKNOWN_MEMBER_ID')
  },

  'a heartbeat to an unknown group is UNKNOWN_MEMBER_ID': async (port) => {
    const { groupId, client } = await newGroup(port)
    const error = await heartbeat(client, groupId, { memberId: 'a', generationId: 1 })
    expectError(error, 'UNKNOWN_MEMBER_ID')
  },

  'a heartbeat while members join is REBALANCE_IN_PROGRESS': async (port) => {
    const { groupId, client, member } = await stableGroup(port)
    const second = await port.coordinator('group', groupId)
    const given = await join(second, groupId)
    const joining = join(second, groupId, { memberId: given.memberId })
    await untilRebalancing(port, client, groupId, member)
    const syncing = await sync(client, groupId, member)
    expectError(syncing.errorCode, 'REBALANCE_IN_PROGRESS')
    await join(client, groupId, { memberId: member.memberId })
    expectError((await joining).errorCode, 'NONE')
  },

  'a heartbeat before the assignment is well': async (port) => {
    const { groupId, client } = await newGroup(port)
    const joined = await joinNew(port, client, groupId)
    expectError(await heartbeat(client, groupId, joined), 'NONE')
  },

  'a sync with another generation, member or protocol is refused': async (port) => {
    const { groupId, client, member } = await stableGroup(port)
    const generation = await sync(client, groupId, { ...member, generationId: 99 })
    expectError(generation.errorCode, 'ILLEGAL_GENERATION')
    const stranger = await sync(client, groupId, { ...member, memberId: 'stranger' })
    expectError(stranger.errorCode, 'UNKNOWN_MEMBER_ID')
    const protocol = await sync(client, groupId, member, 5, { name: 'other' })
    expectError(protocol.errorCode, 'INCONSISTENT_GROUP_PROTOCOL')
    const type = await sync(client, groupId, member, 5, { type: 'other' })
    expectError(type.errorCode, 'INCONSISTENT_GROUP_PROTOCOL')
  },

  'a follower that joins again unchanged is answered at once with its generation': async (port) => {
    const { groupId, leader, follower } = await twoMembers(port)
    const { memberId } = follower.joined
    const again = joinedOf(await join(follower.client, groupId, { memberId }))
    expect(again.generationId).toBe(follower.joined.generationId)
    expectError(await heartbeat(leader.client, groupId, leader.joined), 'NONE')
  },

  'a follower that joins again changed starts a rebalance': async (port) => {
    const { groupId, leader, follower } = await twoMembers(port)
    const { memberId } = follower.joined
    const joining = join(follower.client, groupId, { memberId, subscribedTopic: 'changed' })
    await untilRebalancing(port, leader.client, groupId, leader.joined)
    const { memberId: leaderId } = leader.joined
    const again = joinedOf(await join(leader.client, groupId, { memberId: leaderId }))
    expect(again.generationId).toBe(leader.joined.generationId + 1)
    expectError((await joining).errorCode, 'NONE')
  },

  'a leader that joins again starts a rebalance': async (port) => {
    const { groupId, client, member } = await stableGroup(port)
    const again = joinedOf(await join(client, groupId, { memberId: member.memberId }))
    expect(again.generationId).toBe(member.generationId + 1)
  },

  'a member that leaves starts a rebalance at once': async (port) => {
    const { groupId, leader, follower } = await twoMembers(port)
    const left = await leave(follower.client, groupId, [follower.joined])
    expectError(left.errorCode, 'NONE')
    expectError(left.members[0]?.errorCode, 'NONE')
    const error = await heartbeat(leader.client, groupId, leader.joined)
    expectError(error, 'REBALANCE_IN_PROGRESS')
  },

  'leaving is answered for each member': async (port) => {
    const { groupId, client, member } = await stableGroup(port)
    const left = await leave(client, groupId, [{ memberId: 'stranger' }, member])
    expectError(left.errorCode, 'NONE')
    expect(left.members.map((one) => one.errorCode)).toEqual([25, 0])
  },

  'a member without heartbeats is removed after its session timeout': async (port) => {
    const { groupId, client, member } = await stableGroup(port, { sessionTimeoutMs: 6000 })
    await port.eventually('it is removed', async () => {
      const group = await stateOf(client, groupId)
      return group?.members.length === 0 ? true : undefined
    })
    expectError(await heartbeat(client, groupId, member), 'UNKNOWN_MEMBER_ID')
  },

  'a member that does not sync in time is removed': async (port) => {
    const { groupId, client } = await newGroup(port)
    const joined = await joinNew(port, client, groupId, { rebalanceTimeoutMs: 1000 })
    await port.eventually('it is removed', async () => {
      const error = await heartbeat(client, groupId, joined)
      return error === 25 ? true : undefined
    })
  },

  'a member that does not join again in time is left out': async (port) => {
    const { groupId, client, member } = await stableGroup(port, { rebalanceTimeoutMs: 1000 })
    const second = await port.coordinator('group', groupId)
    const options = { rebalanceTimeoutMs: 1000 }
    const given = await join(second, groupId, options)
    const joined = joinedOf(await join(second, groupId, { ...options, memberId: given.memberId }))
    expect(joined.memberIds).toEqual([joined.memberId])
    expectError(await heartbeat(client, groupId, member), 'UNKNOWN_MEMBER_ID')
  },

  'describe: a stable group has its members with metadata and assignment': async (port) => {
    const { groupId, client, member } = await stableGroup(port)
    const group = await stateOf(client, groupId)
    expect(group?.groupState).toBe('Stable')
    expect(group?.protocolType).toBe('consumer')
    expect(group?.protocolData).toBe('range')
    const [described] = group?.members ?? []
    expect(described?.memberId).toBe(member.memberId)
    expect(described?.clientId).toBe('conformance')
    expect(described?.clientHost).toMatch(/^\//)
    expect(described?.memberMetadata).toEqual(subscriptionTo('subscribed'))
  },

  'describe: an unknown group is Dead, without an error': async (port) => {
    const { groupId, client } = await newGroup(port)
    const described = await stateOf(client, groupId)
    expectError(described?.errorCode, 'NONE')
    expect(described?.groupState).toBe('Dead')
  },

  'describe: from version 6 on an unknown group is GROUP_ID_NOT_FOUND': async (port) => {
    const { groupId, client } = await newGroup(port)
    const newer = await stateOf(client, groupId, 6)
    expectError(newer?.errorCode, 'GROUP_ID_NOT_FOUND')
    expect(newer?.groupState).toBe('Dead')
  },

  'list: groups with their state, filtered by state': async (port) => {
    const { groupId, client } = await stableGroup(port)
    const list = async (statesFilter: string[]) => {
      const response = await client.request(listGroupsApi, 4, { statesFilter })
      return response.groups.find((group) => group.groupId === groupId)
    }
    expect((await list([]))?.groupState).toBe('Stable')
    expect((await list(['Stable']))?.protocolType).toBe('consumer')
    expect(await list(['Empty'])).toBeUndefined()
  },

  'delete: a group at work is NON_EMPTY_GROUP, an unknown one GROUP_ID_NOT_FOUND': async (port) => {
    const { groupId, client, member } = await stableGroup(port)
    const remove = async (name: string) => {
      const response = await client.request(deleteGroupsApi, 2, { groupsNames: [name] })
      return response.results[0]?.errorCode
    }
    expectError(await remove(groupId), 'NON_EMPTY_GROUP')
    await leave(client, groupId, [member])
    expectError(await remove(groupId), 'NONE')
    expectError(await remove(groupId), 'GROUP_ID_NOT_FOUND')
  },
})

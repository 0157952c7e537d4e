import { expect } from 'vitest'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import { commit, heartbeat, join, joinedOf, leave, stableGroup, sync } from './steps.ts'

conformance('static members', {
  'a static member joins without being given an id first': async (port) => {
    const groupInstanceId = port.name('instance')
    const { member } = await stableGroup(port, { groupInstanceId })
    expect(member.memberId).toMatch(new RegExp(`^${groupInstanceId}-`))
    expect(member.generationId).toBe(1)
  },

  'one that returns has a new member id, its assignment, and no rebalance': async (port) => {
    const groupInstanceId = port.name('instance')
    const { groupId, client, member } = await stableGroup(port, { groupInstanceId })
    const again = await join(client, groupId, { groupInstanceId })
    expectError(again.errorCode, 'NONE')
    expect(again.memberId).not.toBe(member.memberId)
    expect(again.generationId).toBe(member.generationId)
    const { memberId, generationId } = again
    const synced = await sync(client, groupId, { memberId, generationId, groupInstanceId })
    expectError(synced.errorCode, 'NONE')
    expect(synced.assignment.toString()).toBe(`for ${member.memberId}`)
  },

  'from version 9 on a returning leader is told to skip the assignment': async (port) => {
    const groupInstanceId = port.name('instance')
    const { groupId, client } = await stableGroup(port, { groupInstanceId })
    const again = await join(client, groupId, { groupInstanceId, version: 9 })
    expect(again.skipAssignment).toBe(true)
    expect(again.leader).toBe(again.memberId)
  },

  'the id it had before is FENCED_INSTANCE_ID everywhere': async (port) => {
    const topic = await port.topic()
    const groupInstanceId = port.name('instance')
    const { groupId, client, member } = await stableGroup(port, { groupInstanceId })
    await join(client, groupId, { groupInstanceId })
    const old = { ...member, groupInstanceId }
    expectError(await heartbeat(client, groupId, old), 'FENCED_INSTANCE_ID')
    expectError((await sync(client, groupId, old)).errorCode, 'FENCED_INSTANCE_ID')
    expectError(await commit(client, groupId, topic, 1, old), 'FENCED_INSTANCE_ID')
    const joined = await join(client, groupId, { memberId: member.memberId, groupInstanceId })
    expectError(joined.errorCode, 'FENCED_INSTANCE_ID')
    const left = await leave(client, groupId, [old])
    expectError(left.members[0]?.errorCode, 'FENCED_INSTANCE_ID')
  },

  'an instance id that nobody has is UNKNOWN_MEMBER_ID': async (port) => {
    const { groupId, client, member } = await stableGroup(port)
    const error = await heartbeat(client, groupId, { ...member, groupInstanceId: 'nobody' })
    expectError(error, 'UNKNOWN_MEMBER_ID')
  },

  'it leaves by its instance id alone': async (port) => {
    const groupInstanceId = port.name('instance')
    const { groupId, client, member } = await stableGroup(port, { groupInstanceId })
    const left = await leave(client, groupId, [{ groupInstanceId }])
    expectError(left.members[0]?.errorCode, 'NONE')
    const error = await heartbeat(client, groupId, { ...member, groupInstanceId })
    expectError(error, 'UNKNOWN_MEMBER_ID')
  },

  'one that returns changed starts no rebalance: only the chosen protocol counts': async (port) => {
    const groupInstanceId = port.name('instance')
    const { groupId, client, member } = await stableGroup(port, { groupInstanceId })
    const again = joinedOf(
      await join(client, groupId, { groupInstanceId, subscribedTopic: 'changed' }),
    )
    expect(again.generationId).toBe(member.generationId)
  },

  'one that returns and prefers another protocol starts a rebalance': async (port) => {
    const groupInstanceId = port.name('instance')
    const { groupId, client, member } = await stableGroup(port, { groupInstanceId })
    const protocols = ['other', 'range']
    const again = joinedOf(await join(client, groupId, { groupInstanceId, protocols }))
    expect(again.generationId).toBe(member.generationId + 1)
  },
})

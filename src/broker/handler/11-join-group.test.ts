import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { subscription } from '../group/fixture/group-bench.ts'
import { joinGroup } from './11-join-group.ts'
import { heartbeat } from './12-heartbeat.ts'
import { leaveGroup } from './13-leave-group.ts'
import { syncGroup } from './14-sync-group.ts'
import { GroupHandlers } from './group-fixture.ts'

const join = {
  groupId: 'g',
  sessionTimeoutMs: 10_000,
  memberId: '',
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: subscription(['t']) }],
}

describe('the requests of a classic member', () => {
  it('take it in and out again in the oldest version of each', async () => {
    const handlers = new GroupHandlers()
    const joining = handlers.ask(joinGroup, 0, join)
    await handlers.bench.advance(0)
    const { memberId, generationId, leader, members } = await joining
    expect([generationId, leader, members.length]).toEqual([1, memberId, 1])
    const member = { groupId: 'g', memberId, generationId }
    const assignments = [{ memberId, assignment: Buffer.from('a') }]
    const synced = await handlers.ask(syncGroup, 0, { ...member, assignments })
    expect(synced.assignment.toString()).toBe('a')
    expect((await handlers.ask(heartbeat, 0, member)).errorCode).toBe(kafkaError.NONE)
    const leave = () => handlers.ask(leaveGroup, 0, { groupId: 'g', memberId })
    expect((await leave()).errorCode).toBe(kafkaError.NONE)
    expect((await leave()).errorCode).toBe(kafkaError.UNKNOWN_MEMBER_ID)
  })

  it('are answered without a protocol name as each version can', async () => {
    const handlers = new GroupHandlers()
    for (const [version, protocolName] of [
      [4, ''],
      [9, null],
    ] as const) {
      const response = await handlers.ask(joinGroup, version, join)
      expect(response).toMatchObject({ errorCode: kafkaError.MEMBER_ID_REQUIRED, protocolName })
      const elsewhere = await handlers.ask(joinGroup, version, join, 2)
      expect(elsewhere).toMatchObject({ errorCode: kafkaError.NOT_COORDINATOR, protocolName })
    }
  })

  it('must say from version 5 of SyncGroup on which protocol they mean', async () => {
    const handlers = new GroupHandlers()
    const request = { groupId: 'g', memberId: 'm', generationId: 1, assignments: [] }
    const code = async (version: number, more: object = {}) =>
      (await handlers.ask(syncGroup, version, { ...request, ...more })).errorCode
    expect(await code(4)).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    expect(await code(5)).toBe(kafkaError.INCONSISTENT_GROUP_PROTOCOL)
    expect(await code(5, { protocolType: 'consumer', protocolName: 'range' })).toBe(
      kafkaError.UNKNOWN_MEMBER_ID,
    )
  })

  it('need the name of a group, whatever node is asked', async () => {
    const handlers = new GroupHandlers()
    const member = { groupId: '', memberId: 'm', generationId: 1 }
    const codes = [
      (await handlers.ask(joinGroup, 4, { ...join, groupId: '' }, 2)).errorCode,
      (await handlers.ask(syncGroup, 0, { ...member, assignments: [] }, 2)).errorCode,
      (await handlers.ask(heartbeat, 0, member, 2)).errorCode,
      (await handlers.ask(leaveGroup, 0, { groupId: '', memberId: 'm' }, 2)).errorCode,
    ]
    expect(new Set(codes)).toEqual(new Set([kafkaError.INVALID_GROUP_ID]))
  })

  it('leave many at once from version 3 of LeaveGroup on', async () => {
    const handlers = new GroupHandlers()
    const { ids } = await handlers.bench.stableGroup(2)
    const members = [...ids, 'x'].map((memberId) => ({ memberId }))
    const response = await handlers.ask(leaveGroup, 5, { groupId: 'g', members })
    expect(response.members.map(({ errorCode }) => errorCode)).toEqual([
      kafkaError.NONE,
      kafkaError.NONE,
      kafkaError.UNKNOWN_MEMBER_ID,
    ])
  })
})

import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../../protocol/index.ts'
import { GroupBench } from '../fixture/group-bench.ts'

const { NONE } = kafkaError

/** A stable group of two static members, `i0` (the leader) and `i1`. */
async function staticGroup(
  bench: GroupBench,
): Promise<{ leader: string; follower: string; generation: number }> {
  const joining = ['i0', 'i1'].map((groupInstanceId) => bench.join({ groupInstanceId }))
  await bench.advance(0)
  await bench.advance(0)
  const [one, two] = await Promise.all(joining)
  const leader = one?.memberId ?? ''
  const follower = two?.memberId ?? ''
  const generation = one?.generationId ?? -1
  const assignments = [
    { memberId: leader, assignment: Buffer.from('0') },
    { memberId: follower, assignment: Buffer.from('1') },
  ]
  await bench.sync({ memberId: leader, generationId: generation, assignments })
  await bench.sync({ memberId: follower, generationId: generation })
  return { leader, follower, generation }
}

describe('a static member', () => {
  it('joins at once, under an id that begins with its instance id', async () => {
    const bench = new GroupBench()
    const { leader } = await staticGroup(bench)
    expect(leader).toMatch(/^i0-/)
  })

  it('takes its place again without a rebalance, and fences its last incarnation', async () => {
    const bench = new GroupBench()
    const { leader, follower, generation } = await staticGroup(bench)
    const back = await bench.join({ groupInstanceId: 'i1' })
    expect(back).toMatchObject({ errorCode: NONE, generationId: generation, leader, members: [] })
    expect(back.skipAssignment).toBe(false)
    const synced = await bench.sync({ memberId: back.memberId, generationId: generation })
    expect(synced.assignment.toString()).toBe('1')
    expect(await bench.classicHeartbeat(follower, generation, 'i1')).toBe(
      kafkaError.FENCED_INSTANCE_ID,
    )
    expect((await bench.join({ memberId: follower, groupInstanceId: 'i1' })).errorCode).toBe(
      kafkaError.FENCED_INSTANCE_ID,
    )
    const commit = { memberId: follower, groupInstanceId: 'i1' }
    expect(
      await bench.commit({ 't:0': 1 }, { ...commit, generationIdOrMemberEpoch: generation }),
    ).toBe('FENCED_INSTANCE_ID')
    expect(await bench.classicHeartbeat(leader, generation, 'i0')).toBe(NONE)
    expect(await bench.classicHeartbeat(leader, generation, 'nobody')).toBe(
      kafkaError.UNKNOWN_MEMBER_ID,
    )
  })

  it('is told not to assign when it comes back as the leader (KIP-814)', async () => {
    const bench = new GroupBench()
    const { generation } = await staticGroup(bench)
    const back = await bench.join({ groupInstanceId: 'i0' })
    expect(back).toMatchObject({
      generationId: generation,
      leader: back.memberId,
      skipAssignment: true,
    })
    expect(back.members).toHaveLength(2)
    expect(
      (await bench.sync({ memberId: back.memberId, generationId: generation })).assignment,
    ).toEqual(Buffer.from('0'))
  })

  it('is told that another is the leader when its version knows no such thing', async () => {
    const bench = new GroupBench()
    const { leader, generation } = await staticGroup(bench)
    const back = await bench.join({ groupInstanceId: 'i0', version: 8 })
    expect(back).toMatchObject({ generationId: generation, leader, members: [] })
    expect(back.skipAssignment ?? false).toBe(false)
  })

  it('keeps its new id over a restart', async () => {
    const bench = new GroupBench()
    const { generation } = await staticGroup(bench)
    const back = await bench.join({ groupInstanceId: 'i1' })
    bench.restart()
    expect(await bench.classicHeartbeat(back.memberId, generation, 'i1')).toBe(NONE)
  })

  it('does not get its place before that is durable', async () => {
    const bench = new GroupBench()
    await staticGroup(bench)
    bench.log.hold()
    let answered = false
    const joining = bench.join({ groupInstanceId: 'i1' }).then(() => (answered = true))
    await bench.settled()
    expect(answered).toBe(false)
    bench.log.unhold()
    await joining
  })

  it('causes a rebalance when the group can no longer use its protocol', async () => {
    const bench = new GroupBench()
    const both = [
      { name: 'range', metadata: Buffer.from('r') },
      { name: 'sticky', metadata: Buffer.from('s') },
    ]
    const joining = ['i0', 'i1'].map((groupInstanceId) =>
      bench.join({ groupInstanceId, protocols: both }),
    )
    await bench.advance(0)
    await bench.advance(0)
    const [one] = await Promise.all(joining)
    const memberId = one?.memberId ?? ''
    await bench.sync({ memberId, generationId: 1 })
    const back = bench.join({ groupInstanceId: 'i1', protocols: both.slice(1) })
    await bench.settled()
    expect(await bench.classicHeartbeat(memberId, 1, 'i0')).toBe(kafkaError.REBALANCE_IN_PROGRESS)
    void bench.join({ memberId, groupInstanceId: 'i0', protocols: both })
    expect(await back).toMatchObject({ generationId: 2, protocolName: 'sticky' })
  })

  it('causes a rebalance when it comes back while assignments are awaited', async () => {
    const bench = new GroupBench()
    const joining = ['i0', 'i1'].map((groupInstanceId) => bench.join({ groupInstanceId }))
    await bench.advance(0)
    await bench.advance(0)
    const [one, two] = await Promise.all(joining)
    const waiting = bench.sync({ memberId: two?.memberId ?? '', generationId: 1 })
    const back = bench.join({ groupInstanceId: 'i1' })
    expect((await waiting).errorCode).toBe(kafkaError.FENCED_INSTANCE_ID)
    void bench.join({ memberId: one?.memberId ?? '', groupInstanceId: 'i0' })
    expect(await back).toMatchObject({ errorCode: NONE, generationId: 2 })
  })

  it('fences its last incarnation that waits to join', async () => {
    const bench = new GroupBench()
    const { leader } = await staticGroup(bench)
    const first = bench.join({ memberId: leader, groupInstanceId: 'i0' })
    const second = bench.join({ groupInstanceId: 'i0' })
    expect((await first).errorCode).toBe(kafkaError.FENCED_INSTANCE_ID)
    void bench.join({ groupInstanceId: 'i1' })
    expect((await second).errorCode).toBe(NONE)
  })

  it('stays a member when it does not rejoin, until its session ends', async () => {
    const bench = new GroupBench()
    const long = { sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 20_000 }
    const joining = ['i0', 'i1'].map((groupInstanceId) => bench.join({ groupInstanceId, ...long }))
    await bench.advance(0)
    await bench.advance(0)
    const [one] = await Promise.all(joining)
    const memberId = one?.memberId ?? ''
    await bench.sync({ memberId, generationId: 1 })
    const again = bench.join({ memberId, groupInstanceId: 'i0', ...long })
    await bench.advance(20_000)
    const joined = await again
    expect(joined.members.map(({ groupInstanceId }) => groupInstanceId)).toEqual(['i0', 'i1'])
  })

  it('waits for its sessions when no static member of the group rejoins', async () => {
    const bench = new GroupBench()
    const { generation, leader, follower } = await staticGroup(bench)
    await bench.coordinator.leaveGroup('g', [{ memberId: '', groupInstanceId: 'i1', reason: null }])
    expect(await bench.classicHeartbeat(follower, generation)).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    for (let index = 0; index < 10; index++) {
      await bench.advance(5000)
      expect(await bench.classicHeartbeat(leader, generation, 'i0')).toBe(
        kafkaError.REBALANCE_IN_PROGRESS,
      )
    }
    await bench.advance(60_000)
    expect(await bench.classicHeartbeat(leader, generation, 'i0')).toBe(
      kafkaError.UNKNOWN_MEMBER_ID,
    )
  })

  it('leaves by its instance id, or with the id that belongs to it', async () => {
    const bench = new GroupBench()
    const { leader } = await staticGroup(bench)
    const response = await bench.coordinator.leaveGroup('g', [
      { memberId: 'x', groupInstanceId: 'i0', reason: null },
      { memberId: leader, groupInstanceId: 'i0', reason: null },
      { memberId: '', groupInstanceId: 'i1', reason: null },
    ])
    expect(response.members?.map(({ errorCode }) => errorCode)).toEqual([
      kafkaError.FENCED_INSTANCE_ID,
      NONE,
      NONE,
    ])
  })
})

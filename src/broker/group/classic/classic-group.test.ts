import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../../protocol/index.ts'
import { GroupBench } from '../fixture/group-bench.ts'

const { NONE } = kafkaError

async function stateOf(bench: GroupBench, groupId = 'g'): Promise<string> {
  const described = await bench.coordinator.describeGroup(groupId, 6)
  return 'groupState' in described ? described.groupState : described.error
}

describe('a classic group', () => {
  it('gives a dynamic member its id first, and answers its join when the delay is over', async () => {
    const bench = new GroupBench()
    bench.config = { ...bench.config, initialRebalanceDelayMs: 500 }
    const first = await bench.join({ clientId: 'me' })
    expect(first.errorCode).toBe(kafkaError.MEMBER_ID_REQUIRED)
    expect(first.memberId).toMatch(
      /^me-[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
    )
    const joining = bench.join({ memberId: first.memberId })
    await bench.advance(499)
    expect(await stateOf(bench)).toBe('PreparingRebalance')
    await bench.advance(501)
    const joined = await joining
    expect(joined).toMatchObject({
      errorCode: NONE,
      generationId: 1,
      protocolType: 'consumer',
      protocolName: 'range',
      leader: first.memberId,
    })
    expect(joined.members.map(({ memberId }) => memberId)).toEqual([first.memberId])
    expect(await stateOf(bench)).toBe('CompletingRebalance')
  })

  it('lets members of old versions join at once, without an id', async () => {
    const bench = new GroupBench()
    const joining = bench.join({ version: 2 })
    await bench.advance(0)
    expect(await joining).toMatchObject({ errorCode: NONE, generationId: 1 })
  })

  it('extends the initial delay while newcomers arrive, up to the rebalance timeout', async () => {
    const bench = new GroupBench()
    bench.config = { ...bench.config, initialRebalanceDelayMs: 1000 }
    const times: number[] = []
    const start = bench.clock.now()
    const join = () =>
      bench
        .join({ version: 2, rebalanceTimeoutMs: 2500 })
        .then(() => times.push(bench.clock.now() - start))
    void join()
    for (let index = 0; index < 5; index++) {
      await bench.advance(600)
      void join()
    }
    await bench.advance(10_000)
    expect(times.slice(0, 5)).toEqual([2500, 2500, 2500, 2500, 2500])
  })

  it('refuses what cannot be joined', async () => {
    const bench = new GroupBench()
    expect((await bench.join({ groupId: '' })).errorCode).toBe(kafkaError.INVALID_GROUP_ID)
    expect((await bench.join({ sessionTimeoutMs: 5999 })).errorCode).toBe(
      kafkaError.INVALID_SESSION_TIMEOUT,
    )
    expect((await bench.join({ memberId: 'x' })).errorCode).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    expect((await bench.join({ protocols: [] })).errorCode).toBe(
      kafkaError.INCONSISTENT_GROUP_PROTOCOL,
    )
    await bench.stableGroup(1)
    expect((await bench.join({ protocolType: 'connect' })).errorCode).toBe(
      kafkaError.INCONSISTENT_GROUP_PROTOCOL,
    )
    const other = [{ name: 'other', metadata: Buffer.alloc(0) }]
    expect((await bench.join({ protocols: other })).errorCode).toBe(
      kafkaError.INCONSISTENT_GROUP_PROTOCOL,
    )
    expect((await bench.join({ memberId: 'x' })).errorCode).toBe(kafkaError.UNKNOWN_MEMBER_ID)
  })

  it('chooses the protocol that all support and most prefer', async () => {
    const bench = new GroupBench()
    const protocols = (...names: string[]) =>
      names.map((name) => ({ name, metadata: Buffer.from(name) }))
    const joining = [
      bench.join({ version: 2, protocols: protocols('a', 'b', 'c') }),
      bench.join({ version: 2, protocols: protocols('d', 'c', 'b') }),
      bench.join({ version: 2, protocols: protocols('c', 'b') }),
    ]
    await bench.advance(0)
    await bench.advance(0)
    const [leader] = await Promise.all(joining)
    expect(leader?.protocolName).toBe('c')
    expect(leader?.members.map(({ metadata }) => metadata.toString())).toEqual(['c', 'c', 'c'])
  })

  it('hands the assignments of the leader out, and again to whoever asks again', async () => {
    const bench = new GroupBench()
    const [one, two] = [await bench.memberId(), await bench.memberId()]
    const joining = [bench.join({ memberId: one }), bench.join({ memberId: two })]
    await bench.advance(0)
    await bench.advance(0)
    const [leader, follower] = await Promise.all(joining)
    expect(follower).toMatchObject({ leader: one, members: [] })
    expect(leader?.members).toHaveLength(2)
    let answered = false
    const waiting = bench.sync({ memberId: two, generationId: 1 }).then((response) => {
      answered = true
      return response
    })
    await bench.settled()
    expect(answered).toBe(false)
    const assignments = [
      { memberId: one, assignment: Buffer.from('1') },
      { memberId: two, assignment: Buffer.from('2') },
    ]
    const own = await bench.sync({ memberId: one, generationId: 1, assignments })
    expect(own.assignment.toString()).toBe('1')
    expect((await waiting).assignment.toString()).toBe('2')
    expect(await stateOf(bench)).toBe('Stable')
    const again = await bench.sync({ memberId: two, generationId: 1 })
    expect(again).toMatchObject({ errorCode: NONE, protocolName: 'range' })
    expect(again.assignment.toString()).toBe('2')
  })

  it('does not hand out assignments that are not durable', async () => {
    const bench = new GroupBench()
    const memberId = await bench.memberId()
    const joining = bench.join({ memberId })
    await bench.advance(0)
    await joining
    bench.log.hold()
    let answered = false
    const assignments = [{ memberId, assignment: Buffer.from('1') }]
    const syncing = bench.sync({ memberId, generationId: 1, assignments }).then((response) => {
      answered = true
      return response
    })
    await bench.settled()
    expect(answered).toBe(false)
    bench.log.unhold()
    expect((await syncing).errorCode).toBe(NONE)
  })

  it('refuses syncs of others, of old generations and of other protocols', async () => {
    const bench = new GroupBench()
    expect((await bench.sync({ memberId: 'x' })).errorCode).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    const { ids, generation } = await bench.stableGroup(1)
    const memberId = ids[0] ?? ''
    const code = async (request: Parameters<GroupBench['sync']>[0]) =>
      (await bench.sync({ memberId, generationId: generation, ...request })).errorCode
    expect(await code({ memberId: 'x' })).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    expect(await code({ generationId: 7 })).toBe(kafkaError.ILLEGAL_GENERATION)
    expect(await code({ protocolName: 'other' })).toBe(kafkaError.INCONSISTENT_GROUP_PROTOCOL)
    expect(await code({ protocolType: 'other' })).toBe(kafkaError.INCONSISTENT_GROUP_PROTOCOL)
    expect(await code({ groupId: '' })).toBe(kafkaError.INVALID_GROUP_ID)
  })

  it('tells members by their heartbeats that they must join again', async () => {
    const bench = new GroupBench()
    expect(await bench.classicHeartbeat('x', 1)).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    const { ids, generation } = await bench.stableGroup(2)
    const [one = '', two = ''] = ids
    expect(await bench.classicHeartbeat(one, generation)).toBe(NONE)
    expect(await bench.classicHeartbeat('x', generation)).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    expect(await bench.classicHeartbeat(one, 9)).toBe(kafkaError.ILLEGAL_GENERATION)
    const rejoining = bench.join({ memberId: one })
    await bench.settled()
    expect(await bench.classicHeartbeat(two, generation)).toBe(kafkaError.REBALANCE_IN_PROGRESS)
    expect((await bench.sync({ memberId: two, generationId: generation })).errorCode).toBe(
      kafkaError.REBALANCE_IN_PROGRESS,
    )
    const joined = [rejoining, bench.join({ memberId: two })]
    await Promise.all(joined)
    expect(await bench.classicHeartbeat(two, generation + 1)).toBe(NONE)
  })

  it('repeats the answer to a follower that joins again unchanged, and rebalances when it changed', async () => {
    const bench = new GroupBench()
    const { ids, generation } = await bench.stableGroup(2)
    const [one = '', two = ''] = ids
    expect(await bench.join({ memberId: two })).toMatchObject({
      generationId: generation,
      leader: one,
      members: [],
    })
    expect(await stateOf(bench)).toBe('Stable')
    const protocols = [{ name: 'range', metadata: Buffer.from('changed') }]
    void bench.join({ memberId: two, protocols })
    await bench.settled()
    expect(await stateOf(bench)).toBe('PreparingRebalance')
  })

  it('repeats the answer while assignments are awaited, to the leader with the members', async () => {
    const bench = new GroupBench()
    const memberId = await bench.memberId()
    const joining = bench.join({ memberId })
    await bench.advance(0)
    await joining
    const again = await bench.join({ memberId })
    expect(again).toMatchObject({ errorCode: NONE, generationId: 1, leader: memberId })
    expect(again.members).toHaveLength(1)
  })

  it('sends members that wait for assignments away when somebody else joins', async () => {
    const bench = new GroupBench()
    const [one, two] = [await bench.memberId(), await bench.memberId()]
    const joining = [bench.join({ memberId: one }), bench.join({ memberId: two })]
    await bench.advance(0)
    await bench.advance(0)
    await Promise.all(joining)
    const waiting = bench.sync({ memberId: two, generationId: 1 })
    const third = await bench.memberId()
    void bench.join({ memberId: third })
    expect((await waiting).errorCode).toBe(kafkaError.REBALANCE_IN_PROGRESS)
  })

  it('drops dynamic members that do not rejoin in time, and goes on with the others', async () => {
    const bench = new GroupBench()
    const { ids } = await bench.stableGroup(3, { sessionTimeoutMs: 60_000 })
    const [one = '', two = ''] = ids
    const joining = [
      bench.join({ memberId: two, sessionTimeoutMs: 60_000, protocols: changed }),
      bench.join({ memberId: one, sessionTimeoutMs: 60_000 }),
    ]
    await bench.advance(29_999)
    expect(await stateOf(bench)).toBe('PreparingRebalance')
    await bench.advance(1)
    const [follower, leader] = await Promise.all(joining)
    expect(leader?.members.map(({ memberId }) => memberId)).toEqual([one, two])
    expect(follower?.generationId).toBe(2)
  })

  it('makes another member the leader when the leader does not rejoin', async () => {
    const bench = new GroupBench()
    const { ids, leader } = await bench.stableGroup(2, { sessionTimeoutMs: 60_000 })
    const other = ids.find((id) => id !== leader) ?? ''
    const joining = bench.join({ memberId: other, sessionTimeoutMs: 60_000, protocols: changed })
    await bench.advance(30_000)
    expect((await joining).leader).toBe(other)
  })

  it('drops members whose sessions end, and waits for no heartbeat of those who wait', async () => {
    const bench = new GroupBench()
    const { ids, generation } = await bench.stableGroup(2)
    const [one = '', two = ''] = ids
    await bench.advance(6000)
    await bench.classicHeartbeat(two, generation)
    await bench.advance(4001)
    expect(await bench.classicHeartbeat(one, generation)).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    expect(await bench.classicHeartbeat(two, generation)).toBe(kafkaError.REBALANCE_IN_PROGRESS)
    const joined = await bench.join({ memberId: two })
    expect(joined).toMatchObject({ leader: two, generationId: generation + 1 })
    const newcomer = await bench.memberId()
    const waiting = bench.join({ memberId: newcomer, sessionTimeoutMs: 6000 })
    await bench.advance(9000)
    void bench.join({ memberId: two })
    expect((await waiting).errorCode).toBe(NONE)
  })

  it('keeps a member whose join is held back for longer than its session', async () => {
    const bench = new GroupBench()
    const { ids, generation } = await bench.stableGroup(2)
    const [one = '', two = ''] = ids
    const newcomer = bench.join({ memberId: await bench.memberId() })
    const waiting = bench.join({ memberId: two })
    for (let beat = 0; beat < 3; beat++) {
      await bench.advance(5000)
      await bench.classicHeartbeat(one, generation)
    }
    await bench.join({ memberId: one })
    expect((await waiting).errorCode).toBe(NONE)
    expect((await newcomer).errorCode).toBe(NONE)
  })

  it('drops a new member whose join has waited for five minutes', async () => {
    const bench = new GroupBench()
    const long = { sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 1_800_000 }
    await bench.stableGroup(1, long)
    const joining = bench.join({ version: 2, ...long })
    await bench.advance(299_999)
    expect(await stateOf(bench)).toBe('PreparingRebalance')
    await bench.advance(1)
    expect(await joining).toMatchObject({ errorCode: kafkaError.UNKNOWN_MEMBER_ID, memberId: '' })
  })

  it('forgets an id that was given out and not used', async () => {
    const bench = new GroupBench()
    const memberId = await bench.memberId()
    await bench.advance(10_000)
    expect((await bench.join({ memberId })).errorCode).toBe(kafkaError.UNKNOWN_MEMBER_ID)
  })

  it('waits for those who were given an id before it ends a rebalance', async () => {
    const bench = new GroupBench()
    const { ids } = await bench.stableGroup(1)
    const pending = await bench.memberId()
    let answered = false
    const joining = bench.join({ memberId: ids[0] ?? '' }).then((response) => {
      answered = true
      return response
    })
    await bench.settled()
    expect(answered).toBe(false)
    const second = bench.join({ memberId: pending })
    expect((await joining).members).toHaveLength(2)
    expect((await second).errorCode).toBe(NONE)
  })

  it('removes members that have joined and never ask for their assignment', async () => {
    const bench = new GroupBench()
    const long = { sessionTimeoutMs: 60_000 }
    const [one, two] = [await bench.memberId(long), await bench.memberId(long)]
    const joining = [bench.join({ ...long, memberId: one }), bench.join({ ...long, memberId: two })]
    await bench.advance(0)
    await bench.advance(0)
    await Promise.all(joining)
    await bench.sync({ memberId: one, generationId: 1, assignments: [] })
    expect(await stateOf(bench)).toBe('Stable')
    await bench.advance(30_000)
    expect(await bench.classicHeartbeat(two, 1)).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    expect(await bench.classicHeartbeat(one, 1)).toBe(kafkaError.REBALANCE_IN_PROGRESS)
  })

  it('takes no more members than allowed', async () => {
    const bench = new GroupBench()
    bench.config = { ...bench.config, membersMax: 2 }
    const { ids } = await bench.stableGroup(2)
    expect((await bench.join({})).errorCode).toBe(kafkaError.GROUP_MAX_SIZE_REACHED)
    expect((await bench.join({ memberId: ids[1] ?? '' })).errorCode).toBe(NONE)
  })

  it('takes leaving members out, each with a result of its own', async () => {
    const bench = new GroupBench()
    const { ids, generation } = await bench.stableGroup(2)
    const [one = '', two = ''] = ids
    const pending = await bench.memberId()
    const response = await bench.coordinator.leaveGroup('g', [
      { memberId: one, groupInstanceId: null, reason: null },
      { memberId: 'x', groupInstanceId: null, reason: null },
      { memberId: pending, groupInstanceId: null, reason: null },
      { memberId: '', groupInstanceId: 'i', reason: null },
    ])
    expect(response.members?.map(({ errorCode }) => errorCode)).toEqual([
      NONE,
      kafkaError.UNKNOWN_MEMBER_ID,
      NONE,
      kafkaError.UNKNOWN_MEMBER_ID,
    ])
    expect(await bench.classicHeartbeat(two, generation)).toBe(kafkaError.REBALANCE_IN_PROGRESS)
    const unknown = await bench.coordinator.leaveGroup('no', [
      { memberId: one, groupInstanceId: null, reason: null },
    ])
    expect(unknown).toMatchObject({
      errorCode: NONE,
      members: [{ errorCode: kafkaError.UNKNOWN_MEMBER_ID }],
    })
  })

  it('is empty when the last member has left, and begins its next generation above', async () => {
    const bench = new GroupBench()
    const { ids, generation } = await bench.stableGroup(1)
    await bench.coordinator.leaveGroup('g', [
      { memberId: ids[0] ?? '', groupInstanceId: null, reason: null },
    ])
    expect(await stateOf(bench)).toBe('Empty')
    bench.restart()
    expect(await stateOf(bench)).toBe('Empty')
    expect((await bench.stableGroup(1)).generation).toBe(generation + 2)
  })

  it('goes on after a restart: same generation, members, assignments; sessions begin anew', async () => {
    const bench = new GroupBench()
    const { ids, generation, leader } = await bench.stableGroup(2)
    const [one = '', two = ''] = ids
    bench.restart()
    expect(await stateOf(bench)).toBe('Stable')
    const again = await bench.sync({ memberId: two, generationId: generation })
    expect(again.assignment).toEqual(Buffer.from([1]))
    await bench.advance(9000)
    expect(await bench.classicHeartbeat(one, generation)).toBe(NONE)
    await bench.advance(1000)
    expect(await bench.classicHeartbeat(two, generation)).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    const joined = await bench.join({ memberId: one })
    expect(joined).toMatchObject({ generationId: generation + 1, leader: one })
    expect(leader).toBe(one)
  })

  it('sends everybody who waits to the new coordinator when it moves', async () => {
    const bench = new GroupBench()
    const { ids, generation } = await bench.stableGroup(2)
    const joining = bench.join({ memberId: ids[0] ?? '' })
    await bench.settled()
    bench.coordinator.unload(0)
    expect((await joining).errorCode).toBe(kafkaError.NOT_COORDINATOR)
    expect(await bench.classicHeartbeat(ids[1] ?? '', generation)).toBe(NONE)
    expect((await bench.join({})).errorCode).toBe(kafkaError.COORDINATOR_LOAD_IN_PROGRESS)
    expect(bench.clock.pendingTimers).toBe(0)
  })

  it('waits with reading a partition that has just moved until what it shows is durable', async () => {
    const bench = new GroupBench()
    const { coordinator, log } = bench
    log.hold()
    const committing = bench.commit({ 't:0': 1 })
    await bench.settled()
    coordinator.unload(0)
    void coordinator.load(0, log)
    expect(await bench.offset('t:0')).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    log.unhold()
    expect(await committing).toBe('NOT_COORDINATOR')
    await bench.settled()
    expect(await bench.offset('t:0')).toBe(1)
  })

  it('gives the partition up when its log fails', async () => {
    const bench = new GroupBench()
    const { ids, generation } = await bench.stableGroup(1)
    bench.log.fail(new Error('the disk is gone'))
    const member = { memberId: ids[0] ?? '', generationIdOrMemberEpoch: generation }
    expect(await bench.commit({ 't:0': 1 }, member)).toBe('NOT_COORDINATOR')
    expect(await bench.classicHeartbeat(ids[0] ?? '', generation)).toBe(kafkaError.NOT_COORDINATOR)
  })

  it('lets a heartbeat that came in time count, also when it had to wait for its turn', async () => {
    const bench = new GroupBench()
    const { ids, generation } = await bench.stableGroup(1)
    const memberId = ids[0] ?? ''
    await bench.advance(9999)
    bench.log.hold()
    const commit = bench.commitInTransaction(1, { 't:0': 1 })
    const beating = bench.classicHeartbeat(memberId, generation)
    await bench.advance(1)
    bench.log.unhold()
    expect(await beating).toBe(NONE)
    await commit
    await bench.settled()
    expect(await bench.classicHeartbeat(memberId, generation)).toBe(NONE)
  })

  it('expires a member on demand', async () => {
    const bench = new GroupBench()
    const { ids, generation } = await bench.stableGroup(1)
    const memberId = ids[0] ?? ''
    expect(await bench.coordinator.expireMember('g', 'x')).toBe(false)
    expect(await bench.coordinator.expireMember('g', memberId)).toBe(true)
    expect(await bench.classicHeartbeat(memberId, generation)).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    expect(await stateOf(bench)).toBe('Empty')
  })
})

const changed = [{ name: 'range', metadata: Buffer.from('changed') }]

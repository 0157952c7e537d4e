import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../../protocol/index.ts'
import type { JoinResponse } from '../classic/classic-group.ts'
import { BenchConsumer, converge } from '../fixture/bench-consumer.ts'
import { assignmentBytes, GroupBench, placesOf, subscription } from '../fixture/group-bench.ts'

const { NONE } = kafkaError
const topics = { subscribedTopicNames: ['t'] }

/** A member that uses the classic protocol, with cooperative rebalancing. */
class ClassicConsumer {
  readonly #bench: GroupBench
  readonly #instanceId: string | null
  memberId = ''
  generation = -1
  owned: string[] = []

  constructor(bench: GroupBench, instanceId: string | null = null) {
    this.#bench = bench
    this.#instanceId = instanceId
  }

  async join(): Promise<JoinResponse> {
    const response = await this.joinOnce()
    if (response.errorCode !== kafkaError.MEMBER_ID_REQUIRED) return response
    this.memberId = response.memberId
    return this.joinOnce()
  }

  async joinOnce(): Promise<JoinResponse> {
    const partitions = this.owned.map((place) => Number(place.split(':')[1]))
    const owned = partitions.length === 0 ? [] : [{ topic: 't', partitions }]
    const response = await this.#bench.join({
      memberId: this.memberId,
      groupInstanceId: this.#instanceId,
      protocols: [{ name: 'cooperative-sticky', metadata: subscription(['t'], owned) }],
    })
    if (response.errorCode === NONE) {
      this.memberId = response.memberId
      this.generation = response.generationId ?? -1
    }
    return response
  }

  async sync(assignments: { memberId: string; assignment: Buffer }[] = []): Promise<number> {
    const response = await this.#bench.sync({
      memberId: this.memberId,
      groupInstanceId: this.#instanceId,
      generationId: this.generation,
      protocolType: 'consumer',
      protocolName: 'cooperative-sticky',
      assignments,
    })
    if (response.errorCode === NONE) this.owned = placesOf(response.assignment)
    return response.errorCode
  }

  beat(): Promise<number> {
    return this.#bench.classicHeartbeat(this.memberId, this.generation, this.#instanceId)
  }

  /** What a client does after a heartbeat. */
  async follow(): Promise<void> {
    const code = await this.beat()
    if (code === kafkaError.REBALANCE_IN_PROGRESS) {
      await this.join()
      await this.sync()
    }
  }

  commit(offset: number): Promise<number | string> {
    const member = { memberId: this.memberId, generationIdOrMemberEpoch: this.generation }
    return this.#bench.commit({ 't:0': offset }, { ...member, groupInstanceId: this.#instanceId })
  }
}

/** A stable classic group of consumers; the leader divides four partitions evenly. */
async function classicConsumers(
  bench: GroupBench,
  instanceIds: readonly (string | null)[],
): Promise<ClassicConsumer[]> {
  const members = instanceIds.map((instanceId) => new ClassicConsumer(bench, instanceId))
  const joining = members.map((member) => member.join())
  await bench.advance(0)
  await bench.advance(0)
  await Promise.all(joining)
  const share = 4 / members.length
  const assignments = members.map(({ memberId }, index) => ({
    memberId,
    assignment: assignmentBytes(
      Array.from({ length: share }, (_, offset) => `t:${index * share + offset}`),
    ),
  }))
  await Promise.all(members.map((member) => member.sync(assignments)))
  return members
}

function typeOf(bench: GroupBench): string | undefined {
  return bench.coordinator.listGroups({ states: [], types: [] })[0]?.groupType
}

describe('the upgrade of a classic group', () => {
  it('keeps members and what they have, and answers them as before', async () => {
    const bench = new GroupBench({ t: 4 })
    const [one, two] = (await classicConsumers(bench, [null, null])) as [
      ClassicConsumer,
      ClassicConsumer,
    ]
    const { generation } = one
    const three = new BenchConsumer(bench, 'm3', topics)
    await three.beat()
    expect(typeOf(bench)).toBe('consumer')
    expect([three.epoch, three.owned.size]).toEqual([generation + 1, 0])
    expect(await one.beat()).toBe(kafkaError.REBALANCE_IN_PROGRESS)
    expect(await one.commit(7)).toBe(NONE)
    for (let round = 0; round < 4; round++) {
      await one.follow()
      await two.follow()
      await three.beat()
    }
    expect([one.owned.length, two.owned.length, three.owned.size].sort()).toEqual([1, 1, 2])
    expect(await one.beat()).toBe(NONE)
    expect(one.generation).toBe(three.epoch)
    expect(await bench.offset('t:0')).toBe(7)
    const group = await bench.coordinator.describeConsumerGroup('g')
    expect(group.members.map(({ memberType }) => memberType).sort()).toEqual([0, 0, 1])
  })

  it.each(['', 'and the broker was started anew'])(
    'keeps what a member has that has not got its next assignment yet %s',
    async (restarted) => {
      const bench = new GroupBench({ t: 4 })
      const [one, two] = (await classicConsumers(bench, [null, null])) as [
        ClassicConsumer,
        ClassicConsumer,
      ]
      const three = new ClassicConsumer(bench)
      const joining = three.join()
      await bench.settled()
      await Promise.all([one.joinOnce(), two.joinOnce(), joining])
      // Partition 3 is to go from the second to the third: the second has not heard of it.
      const assignments = [
        { memberId: one.memberId, assignment: assignmentBytes(['t:0', 't:1']) },
        { memberId: two.memberId, assignment: assignmentBytes(['t:2']) },
        { memberId: three.memberId, assignment: assignmentBytes([]) },
      ]
      expect(await one.sync(assignments)).toBe(NONE)
      if (restarted !== '') bench.restart()
      const next = new BenchConsumer(bench, 'm', topics)
      for (let round = 0; round < 4; round++) {
        await next.beat()
        await one.follow()
        await three.follow()
      }
      expect(two.owned).toEqual(['t:2', 't:3'])
      expect(next.partitionsOf('t')).not.toContain(3)
      expect(three.owned).not.toContain('t:3')
      for (let round = 0; round < 4; round++) {
        await two.follow()
        await one.follow()
        await three.follow()
        await next.beat()
      }
      const all = [one, two, three].flatMap(({ owned }) => owned)
      expect(all.concat(next.partitionsOf('t').map((index) => `t:${index}`)).sort()).toEqual(
        [0, 1, 2, 3].map((index) => `t:${index}`),
      )
    },
  )

  it('survives a restart in the middle', async () => {
    const bench = new GroupBench({ t: 4 })
    const [one] = (await classicConsumers(bench, [null])) as [ClassicConsumer]
    const two = new BenchConsumer(bench, 'm2', topics)
    await two.beat()
    bench.restart()
    for (let round = 0; round < 4; round++) {
      await one.follow()
      await two.beat()
    }
    expect([one.owned.length, two.owned.size]).toEqual([2, 2])
    bench.restart()
    expect(await one.beat()).toBe(NONE)
    expect((await two.beat()).errorCode).toBe(NONE)
  })

  it('sends members that wait for the classic rebalance to the new one', async () => {
    const bench = new GroupBench({ t: 4 })
    const [one] = (await classicConsumers(bench, [null, null])) as [ClassicConsumer]
    const joining = one.joinOnce()
    await bench.settled()
    const three = new BenchConsumer(bench, 'm3', topics)
    await three.beat()
    expect((await joining).errorCode).toBe(kafkaError.REBALANCE_IN_PROGRESS)
    expect((await one.join()).errorCode).toBe(NONE)
  })

  it('replaces a group without members, whatever it was used for', async () => {
    const bench = new GroupBench({ t: 1 })
    expect(await bench.commit({ 't:0': 3 })).toBe(NONE)
    const one = new BenchConsumer(bench, 'm1', topics)
    await one.beat()
    expect(typeOf(bench)).toBe('consumer')
    expect(await bench.offset('t:0')).toBe(3)
    bench.restart()
    expect(typeOf(bench)).toBe('consumer')
    expect(await bench.offset('t:0')).toBe(3)
  })

  it('is refused for groups that are not consumers, use custom assignors, or by policy', async () => {
    const join = async (bench: GroupBench) =>
      (await new BenchConsumer(bench, 'm', topics).beat()).error
    const connect = new GroupBench({ t: 4 })
    await connect.stableGroup(1, { protocolType: 'connect' })
    expect(await join(connect)).toBe('GROUP_ID_NOT_FOUND')
    const custom = new GroupBench({ t: 4 })
    const [member] = (await classicConsumers(custom, [null])) as [ClassicConsumer]
    await member.joinOnce()
    const assignment = assignmentBytes(['t:0'], Buffer.from('mine'))
    await member.sync([{ memberId: member.memberId, assignment }])
    expect(await join(custom)).toBe('GROUP_ID_NOT_FOUND')
    expect(typeOf(custom)).toBe('classic')
    for (const consumerMigration of ['disabled', 'downgrade'] as const) {
      const policy = new GroupBench({ t: 4 })
      policy.config = { ...policy.config, consumerMigration }
      await classicConsumers(policy, [null])
      expect(await join(policy)).toBe('GROUP_ID_NOT_FOUND')
    }
    const full = new GroupBench({ t: 4 })
    full.config = { ...full.config, consumerMembersMax: 1 }
    await classicConsumers(full, [null, null])
    expect(await join(full)).toBe('GROUP_ID_NOT_FOUND')
  })

  it('gives a partition that a leader has assigned twice to one member only', async () => {
    const bench = new GroupBench({ t: 1 })
    const joining = [bench.join({ version: 2 }), bench.join({ version: 2 })]
    await bench.advance(0)
    await bench.advance(0)
    const ids = (await Promise.all(joining)).map(({ memberId }) => memberId)
    const assignments = ids.map((memberId) => ({ memberId, assignment: assignmentBytes(['t:0']) }))
    await bench.sync({ memberId: ids[0] ?? '', generationId: 1, assignments })
    await new BenchConsumer(bench, 'm', topics).beat()
    const group = await bench.coordinator.describeConsumerGroup('g')
    const owners = group.members.filter(({ assignment }) => assignment.topicPartitions.length > 0)
    expect(owners).toHaveLength(1)
  })
})

describe('members of both protocols in one group', () => {
  async function mixedGroup(bench: GroupBench): Promise<[ClassicConsumer, BenchConsumer]> {
    const [one] = (await classicConsumers(bench, [null])) as [ClassicConsumer]
    const two = new BenchConsumer(bench, 'm2', topics)
    for (let round = 0; round < 4; round++) {
      await two.beat()
      await one.follow()
    }
    return [one, two]
  }

  it('takes a classic newcomer in without a leader', async () => {
    const bench = new GroupBench({ t: 4 })
    await mixedGroup(bench)
    const three = new ClassicConsumer(bench)
    expect(await three.join()).toMatchObject({
      errorCode: NONE,
      leader: '',
      members: [],
      protocolName: 'cooperative-sticky',
    })
    expect(await three.sync()).toBe(NONE)
    expect(await three.beat()).toBe(NONE)
  })

  it('refuses classic newcomers that have no protocol in common with the others', async () => {
    const bench = new GroupBench({ t: 4 })
    await mixedGroup(bench)
    const code = async (request: Parameters<GroupBench['join']>[0]) =>
      (await bench.join(request)).errorCode
    expect(await code({})).toBe(kafkaError.INCONSISTENT_GROUP_PROTOCOL)
    expect(await code({ protocolType: 'connect' })).toBe(kafkaError.INCONSISTENT_GROUP_PROTOCOL)
    const malformed = [{ name: 'cooperative-sticky', metadata: Buffer.from('x') }]
    expect(await code({ protocols: malformed })).toBe(kafkaError.INCONSISTENT_GROUP_PROTOCOL)
  })

  it('checks who asks and for which generation', async () => {
    const bench = new GroupBench({ t: 4 })
    const [one, two] = await mixedGroup(bench)
    const beat = (memberId: string, generation: number, instanceId: string | null = null) =>
      bench.classicHeartbeat(memberId, generation, instanceId)
    expect(await beat('x', one.generation)).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    expect(await beat(two.memberId, two.epoch)).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    expect(await beat(one.memberId, 1)).toBe(kafkaError.ILLEGAL_GENERATION)
    expect(await beat(one.memberId, one.generation, 'i')).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    const other = { memberId: one.memberId, generationId: one.generation }
    expect((await bench.sync({ ...other, protocolName: 'range' })).errorCode).toBe(
      kafkaError.INCONSISTENT_GROUP_PROTOCOL,
    )
    one.generation -= 1
    expect(await one.commit(1)).toBe('ILLEGAL_GENERATION')
  })

  it('fences classic members that do not sync, do not rejoin or are silent', async () => {
    for (const silence of ['sync', 'join', 'session'] as const) {
      const bench = new GroupBench({ t: 4 })
      const [one, two] = await mixedGroup(bench)
      const three = new ClassicConsumer(bench)
      await three.join()
      if (silence !== 'sync') {
        await three.sync()
        expect(await one.beat()).toBe(kafkaError.REBALANCE_IN_PROGRESS)
      }
      const member = silence === 'sync' ? three : one
      for (let elapsedMs = 0; elapsedMs < 30_000; elapsedMs += 5000) {
        if (silence !== 'session') await member.beat()
        await two.beat()
        await bench.advance(5000)
      }
      expect(await member.beat()).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    }
  })

  it('lets a static member change its protocol and keep what it has', async () => {
    const bench = new GroupBench({ t: 4 })
    const [one] = (await classicConsumers(bench, ['i0', 'i1'])) as [ClassicConsumer]
    const had = one.owned
    const upgraded = new BenchConsumer(bench, 'm', { ...topics, instanceId: 'i0' })
    await upgraded.beat()
    expect(upgraded.partitionsOf('t').map((index) => `t:${index}`)).toEqual(had)
    expect(await one.beat()).toBe(kafkaError.FENCED_INSTANCE_ID)
  })
})

describe('the downgrade of a consumer group', () => {
  it('comes when the last member of the next generation leaves', async () => {
    const bench = new GroupBench({ t: 4 })
    const [one] = (await classicConsumers(bench, [null])) as [ClassicConsumer]
    const two = new BenchConsumer(bench, 'm2', topics)
    for (let round = 0; round < 4; round++) {
      await two.beat()
      await one.follow()
    }
    await two.leave()
    expect(typeOf(bench)).toBe('classic')
    expect(await one.beat()).toBe(kafkaError.REBALANCE_IN_PROGRESS)
    const joined = await one.joinOnce()
    expect(joined).toMatchObject({ errorCode: NONE, leader: one.memberId })
    await one.sync([{ memberId: one.memberId, assignment: assignmentBytes(['t:0', 't:1']) }])
    expect(await one.beat()).toBe(NONE)
    bench.restart()
    expect(typeOf(bench)).toBe('classic')
    expect(await one.beat()).toBe(NONE)
  })

  it('comes when it is fenced, and keeps sessions going', async () => {
    const bench = new GroupBench({ t: 4 })
    const [one] = (await classicConsumers(bench, [null])) as [ClassicConsumer]
    const two = new BenchConsumer(bench, 'm2', topics)
    for (let round = 0; round < 4; round++) {
      await two.beat()
      await one.follow()
    }
    expect(await bench.coordinator.expireMember('g', 'm2')).toBe(true)
    expect(typeOf(bench)).toBe('classic')
    await bench.advance(10_000)
    expect(await one.beat()).toBe(kafkaError.UNKNOWN_MEMBER_ID)
  })

  it('comes when a static member comes back with the classic protocol, without a rebalance', async () => {
    const bench = new GroupBench({ t: 4 })
    const [one, two] = (await classicConsumers(bench, ['i0', 'i1'])) as [
      ClassicConsumer,
      ClassicConsumer,
    ]
    const upgraded = new BenchConsumer(bench, 'm', { ...topics, instanceId: 'i0' })
    for (let round = 0; round < 4; round++) {
      await upgraded.beat()
      await two.follow()
    }
    const had = upgraded.partitionsOf('t').map((index) => `t:${index}`)
    await upgraded.leave(-2)
    const back = new ClassicConsumer(bench, 'i0')
    expect((await back.join()).errorCode).toBe(NONE)
    expect(typeOf(bench)).toBe('classic')
    expect(await back.sync()).toBe(NONE)
    expect(back.owned).toEqual(had)
    expect(await two.beat()).toBe(NONE)
    expect(await back.beat()).toBe(NONE)
    bench.restart()
    expect(await back.beat()).toBe(NONE)
    expect(await one.beat()).toBe(kafkaError.FENCED_INSTANCE_ID)
  })

  it('does not come when it is not allowed', async () => {
    const bench = new GroupBench({ t: 4 })
    bench.config = { ...bench.config, consumerMigration: 'upgrade' }
    const [one] = (await classicConsumers(bench, [null])) as [ClassicConsumer]
    const two = new BenchConsumer(bench, 'm2', topics)
    for (let round = 0; round < 4; round++) {
      await two.beat()
      await one.follow()
    }
    await two.leave()
    expect(typeOf(bench)).toBe('consumer')
    await one.follow()
    expect(one.owned).toHaveLength(4)
  })

  it('of a group without members comes with the first classic join', async () => {
    const bench = new GroupBench({ t: 4 })
    const one = new BenchConsumer(bench, 'm1', topics)
    await converge([one])
    await one.leave()
    expect(await bench.commit({ 't:0': 5 })).toBe(NONE)
    expect((await bench.join({ memberId: 'x' })).errorCode).toBe(kafkaError.UNKNOWN_MEMBER_ID)
    expect(typeOf(bench)).toBe('consumer')
    await bench.stableGroup(1)
    expect(typeOf(bench)).toBe('classic')
    bench.restart()
    expect(typeOf(bench)).toBe('classic')
    expect(await bench.offset('t:0')).toBe(5)
  })
})

describe('LeaveGroup for a consumer group', () => {
  it('takes members of both protocols out', async () => {
    const bench = new GroupBench({ t: 4 })
    const [one] = (await classicConsumers(bench, ['i0', null])) as [ClassicConsumer]
    await new BenchConsumer(bench, 'm2', topics).beat()
    const leaving = [
      { memberId: '', groupInstanceId: 'i0', reason: null },
      { memberId: 'm2', groupInstanceId: null, reason: null },
      { memberId: one.memberId, groupInstanceId: 'i0', reason: null },
      { memberId: 'x', groupInstanceId: null, reason: null },
      { memberId: '', groupInstanceId: 'j', reason: null },
    ]
    const response = await bench.coordinator.leaveGroup('g', leaving)
    expect(response.members?.map(({ errorCode }) => errorCode)).toEqual([
      NONE,
      NONE,
      NONE,
      kafkaError.UNKNOWN_MEMBER_ID,
      kafkaError.UNKNOWN_MEMBER_ID,
    ])
    expect(typeOf(bench)).toBe('classic')
  })
})

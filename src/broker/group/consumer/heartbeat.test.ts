import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../../protocol/index.ts'
import { AppendRefused } from '../../coordinator-log.ts'
import { refuse } from '../../refusal.ts'
import { BenchConsumer, converge } from '../fixture/bench-consumer.ts'
import { GroupBench } from '../fixture/group-bench.ts'
import type { ConsumerHeartbeat } from './validate.ts'

const topics = { subscribedTopicNames: ['t'] }

function consumer(
  bench: GroupBench,
  memberId: string,
  wishes: Partial<ConsumerHeartbeat> = topics,
): BenchConsumer {
  return new BenchConsumer(bench, memberId, wishes)
}

async function described(bench: GroupBench) {
  return bench.coordinator.describeConsumerGroup('g')
}

describe('a consumer group', () => {
  it('gives its first member everything with the first heartbeat', async () => {
    const bench = new GroupBench({ t: 3 })
    const one = consumer(bench, 'm1')
    const response = await one.beat()
    expect(response).toMatchObject({
      errorCode: 0,
      memberId: 'm1',
      memberEpoch: 1,
      heartbeatIntervalMs: 5000,
    })
    expect(one.partitionsOf('t')).toEqual([0, 1, 2])
    expect(await described(bench)).toMatchObject({
      groupState: 'Stable',
      groupEpoch: 1,
      assignmentEpoch: 1,
      assignorName: 'uniform',
    })
    expect((await one.beat()).assignment).toBeNull()
  })

  it('moves a partition only when its owner has confirmed to have given it up', async () => {
    const bench = new GroupBench({ t: 2 })
    const [one, two] = [consumer(bench, 'm1'), consumer(bench, 'm2')]
    await one.beat()
    await two.beat()
    expect([two.epoch, two.partitionsOf('t')]).toEqual([2, []])
    expect((await described(bench)).groupState).toBe('Reconciling')
    await two.beat()
    expect(two.partitionsOf('t')).toEqual([])
    await one.beat()
    expect([one.epoch, one.partitionsOf('t')]).toEqual([1, [0]])
    await two.beat()
    expect(two.partitionsOf('t')).toEqual([])
    await one.beat()
    expect(one.epoch).toBe(2)
    await two.beat()
    expect(two.partitionsOf('t')).toEqual([1])
    expect((await described(bench)).groupState).toBe('Stable')
  })

  it('frees what a leaving member has at once', async () => {
    const bench = new GroupBench({ t: 4 })
    const [one, two] = [consumer(bench, 'm1'), consumer(bench, 'm2')]
    await converge([one, two])
    expect(await two.leave()).toMatchObject({ errorCode: 0, memberEpoch: -1 })
    await one.beat()
    expect(one.partitionsOf('t')).toEqual([0, 1, 2, 3])
    await one.leave()
    expect((await described(bench)).groupState).toBe('Empty')
  })

  it('fences a member whose session ends, and gives what it had to others', async () => {
    const bench = new GroupBench({ t: 4 })
    const [one, two] = [consumer(bench, 'm1'), consumer(bench, 'm2')]
    await converge([one, two])
    await bench.advance(30_000)
    await one.beat()
    await bench.advance(15_000)
    await one.beat()
    expect(one.partitionsOf('t')).toHaveLength(4)
    expect((await two.beat()).error).toBe('UNKNOWN_MEMBER_ID')
    await converge([one, two])
    expect(two.partitionsOf('t')).toHaveLength(2)
  })

  it('fences a member that does not give up what it must within its rebalance timeout', async () => {
    const bench = new GroupBench({ t: 2 })
    const [one, two] = [consumer(bench, 'm1'), consumer(bench, 'm2')]
    await one.beat()
    await two.beat()
    const answer = await bench.consumerHeartbeat(one.request())
    expect(answer.assignment?.topicPartitions[0]?.partitions).toEqual([0])
    const stuck = { ...one.request(), topicPartitions: null }
    for (let elapsedMs = 0; elapsedMs < 29_000; elapsedMs += 1000) {
      await bench.advance(1000)
      expect((await bench.consumerHeartbeat(stuck)).errorCode).toBe(0)
    }
    await bench.advance(1000)
    expect((await bench.consumerHeartbeat(stuck)).error).toBe('UNKNOWN_MEMBER_ID')
    await two.beat()
    expect(two.partitionsOf('t')).toEqual([0, 1])
  })

  it('accepts the epoch before while its answer may have been lost, else fences', async () => {
    const bench = new GroupBench({ t: 2 })
    const [one, two] = [consumer(bench, 'm1'), consumer(bench, 'm2')]
    await one.beat()
    await two.beat()
    await one.beat()
    const lost = one.request()
    expect((await bench.consumerHeartbeat(lost)).memberEpoch).toBe(2)
    expect(await bench.consumerHeartbeat(lost)).toMatchObject({ errorCode: 0, memberEpoch: 2 })
    const t = bench.topic('t').id
    const fenced = async (request: Partial<ConsumerHeartbeat>) =>
      (await bench.consumerHeartbeat({ ...lost, ...request })).error
    expect(await fenced({ topicPartitions: [{ topicId: t, partitions: [1] }] })).toBe(
      'FENCED_MEMBER_EPOCH',
    )
    expect(await fenced({ topicPartitions: null })).toBe('FENCED_MEMBER_EPOCH')
    expect(await fenced({ memberEpoch: 3 })).toBe('FENCED_MEMBER_EPOCH')
    expect(await fenced({ memberEpoch: 0, rebalanceTimeoutMs: 1, topicPartitions: [] })).toBe(
      'INVALID_REQUEST',
    )
  })

  it('makes ids for members of version 0, and refuses unknown members and groups', async () => {
    const bench = new GroupBench({ t: 1 })
    const join = { ...topics, memberId: '', rebalanceTimeoutMs: 1000, topicPartitions: [] }
    const made = await bench.consumerHeartbeat({ ...join, version: 0 })
    expect(made.memberId).toMatch(/^[\w-]{22}$/)
    const error = async (request: Parameters<GroupBench['consumerHeartbeat']>[0]) =>
      (await bench.consumerHeartbeat(request)).error
    expect(await error(join)).toBe('INVALID_REQUEST')
    expect(await error({ memberId: 'x', memberEpoch: 1 })).toBe('UNKNOWN_MEMBER_ID')
    expect(await error({ groupId: 'no', memberEpoch: 1 })).toBe('GROUP_ID_NOT_FOUND')
    expect(await error({ groupId: 'no', memberEpoch: -1 })).toBe('GROUP_ID_NOT_FOUND')
    expect(await error({ memberId: 'x', memberEpoch: -1 })).toBe('UNKNOWN_MEMBER_ID')
  })

  it.each<[string, Partial<ConsumerHeartbeat>]>([
    ['a group', { groupId: '' }],
    ['a member id', { memberId: ' ' }],
    ['an instance id that is not blank', { instanceId: '' }],
    ['a rack that is not blank', { rackId: '' }],
    ['a valid epoch', { memberEpoch: -3 }],
    ['an instance id to leave for a while', { memberEpoch: -2 }],
    ['a rebalance timeout to join', { rebalanceTimeoutMs: -1 }],
    ['a subscription to join', { subscribedTopicNames: null }],
    ['no partitions to join', { topicPartitions: null }],
    ['no partitions', { topicPartitions: [{ topicId: 'A'.repeat(22), partitions: [1] }] }],
  ])('needs %s', async (_, wrong) => {
    const bench = new GroupBench({ t: 1 })
    const join = { ...topics, memberEpoch: 0, rebalanceTimeoutMs: 1000, topicPartitions: [] }
    expect((await bench.consumerHeartbeat({ ...join, ...wrong })).error).toBe('INVALID_REQUEST')
  })

  it('assigns as most members wish, and refuses assignors that it does not have', async () => {
    const bench = new GroupBench({ t: 4 })
    const [one, two] = ['m1', 'm2'].map((id) =>
      consumer(bench, id, { ...topics, serverAssignor: 'range' }),
    ) as [BenchConsumer, BenchConsumer]
    await converge([one, two])
    expect([one.partitionsOf('t'), two.partitionsOf('t')]).toEqual([
      [0, 1],
      [2, 3],
    ])
    expect((await described(bench)).assignorName).toBe('range')
    const three = consumer(bench, 'm3', { ...topics, serverAssignor: 'sticky' })
    expect((await three.beat()).error).toBe('UNSUPPORTED_ASSIGNOR')
    bench.config = { ...bench.config, consumerAssignors: ['uniform'] }
    const four = consumer(bench, 'm4', { ...topics, serverAssignor: 'range' })
    expect((await four.beat()).error).toBe('UNSUPPORTED_ASSIGNOR')
  })

  it('takes no more members than allowed', async () => {
    const bench = new GroupBench({ t: 1 })
    bench.config = { ...bench.config, consumerMembersMax: 1 }
    const [one, two] = [consumer(bench, 'm1'), consumer(bench, 'm2')]
    await one.beat()
    expect((await two.beat()).error).toBe('GROUP_MAX_SIZE_REACHED')
    expect((await one.beat()).errorCode).toBe(0)
  })

  it('uses the timing of the group', async () => {
    const bench = new GroupBench({ t: 1 })
    bench.timing = { heartbeatIntervalMs: 100, sessionTimeoutMs: 500 }
    const one = consumer(bench, 'm1')
    expect((await one.beat()).heartbeatIntervalMs).toBe(100)
    await bench.advance(500)
    expect((await one.beat()).error).toBe('UNKNOWN_MEMBER_ID')
  })

  it('assigns anew when a member subscribes to something else', async () => {
    const bench = new GroupBench({ t: 2, u: 2 })
    const [one, two] = [consumer(bench, 'm1'), consumer(bench, 'm2')]
    await converge([one, two])
    const response = await bench.consumerHeartbeat({
      ...one.request(),
      subscribedTopicNames: ['u', 'u'],
    })
    one.take(response)
    await converge([one, two])
    expect(one.partitionsOf('u')).toEqual([0, 1])
    expect(two.partitionsOf('t')).toEqual([0, 1])
  })

  it('follows topics that get partitions, appear and go', async () => {
    const bench = new GroupBench({ t: 1 })
    const one = consumer(bench, 'm1', { subscribedTopicNames: ['t', 'later'] })
    await one.beat()
    expect(one.owned.size).toBe(1)
    bench.addPartitions('t', 3)
    await converge([one])
    expect(one.partitionsOf('t')).toEqual([0, 1, 2])
    bench.createTopic('later', 2)
    await converge([one])
    expect(one.partitionsOf('later')).toEqual([0, 1])
    bench.createTopic('other', 2)
    const { epoch } = one
    await converge([one])
    expect(one.epoch).toBe(epoch)
    await bench.deleteTopic('t')
    await converge([one])
    expect(one.owned.size).toBe(2)
  })

  it('answers only what is durable', async () => {
    const bench = new GroupBench({ t: 1 })
    bench.log.hold()
    let answered = false
    const joining = consumer(bench, 'm1')
      .beat()
      .then(() => (answered = true))
    const describing = described(bench)
    await bench.settled()
    expect(answered).toBe(false)
    bench.log.unhold()
    await joining
    expect((await describing).members).toHaveLength(1)
  })

  it('fences a member later when the log refuses it at first', async () => {
    const bench = new GroupBench({ t: 1 })
    const [one, two] = [consumer(bench, 'm1'), consumer(bench, 'm2')]
    await one.beat()
    const append = bench.log.append.bind(bench.log)
    const full = new AppendRefused(refuse('KAFKA_STORAGE_ERROR', 'the disk is full'))
    bench.log.append = () => Promise.reject(full)
    await bench.advance(45_000)
    expect((await described(bench)).members).toHaveLength(1)
    bench.log.append = append
    await bench.advance(1_000)
    await two.beat()
    expect(two.partitionsOf('t')).toEqual([0])
  })

  it('goes on after a restart where it was, and sessions begin anew', async () => {
    const bench = new GroupBench({ t: 2 })
    const [one, two] = [consumer(bench, 'm1'), consumer(bench, 'm2')]
    await one.beat()
    await two.beat()
    await one.beat()
    bench.restart()
    expect((await described(bench)).groupState).toBe('Reconciling')
    await converge([one, two])
    expect([one.partitionsOf('t'), two.partitionsOf('t')]).toEqual([[0], [1]])
    bench.restart()
    await bench.advance(45_000)
    expect((await one.beat()).error).toBe('UNKNOWN_MEMBER_ID')
    bench.restart()
    expect((await described(bench)).groupState).toBe('Empty')
  })

  it('still waits for revocations after a restart', async () => {
    const bench = new GroupBench({ t: 2 })
    const [one, two] = [consumer(bench, 'm1'), consumer(bench, 'm2')]
    await one.beat()
    await two.beat()
    await one.beat()
    bench.restart()
    await bench.advance(29_000)
    await two.beat()
    await bench.consumerHeartbeat({ ...one.request(), topicPartitions: null })
    await bench.advance(1000)
    await two.beat()
    expect(two.partitionsOf('t')).toEqual([0, 1])
  })

  it('describes its members, whatever protocol they use', async () => {
    const bench = new GroupBench({ t: 2 })
    await consumer(bench, 'm1', { ...topics, rackId: 'r', instanceId: 'i' }).beat()
    const group = await described(bench)
    const assignment = {
      topicPartitions: [{ topicId: bench.topic('t').id, topicName: 't', partitions: [0, 1] }],
    }
    expect(group.members).toEqual([
      {
        memberId: 'm1',
        instanceId: 'i',
        rackId: 'r',
        memberEpoch: 1,
        clientId: 'client',
        clientHost: '/127.0.0.1',
        subscribedTopicNames: ['t'],
        subscribedTopicRegex: null,
        assignment,
        targetAssignment: assignment,
        memberType: 1,
      },
    ])
    expect(await bench.coordinator.describeConsumerGroup('no')).toMatchObject({
      errorCode: kafkaError.GROUP_ID_NOT_FOUND,
    })
    expect(await bench.coordinator.describeGroup('g', 6)).toMatchObject({
      errorCode: kafkaError.GROUP_ID_NOT_FOUND,
      groupState: 'Dead',
    })
    expect(await bench.coordinator.describeGroup('g', 5)).toMatchObject({
      errorCode: 0,
      groupState: 'Dead',
    })
  })
})

describe('a static member of a consumer group', () => {
  const wishes = { ...topics, instanceId: 'i' }

  it('keeps what it has when it leaves for a while, for its next incarnation', async () => {
    const bench = new GroupBench({ t: 4 })
    const [one, old] = [consumer(bench, 'm1'), consumer(bench, 'm2', wishes)]
    await converge([one, old])
    const had = old.partitionsOf('t')
    expect(await old.leave(-2)).toMatchObject({ errorCode: 0, memberEpoch: -2 })
    await one.beat()
    expect(one.partitionsOf('t')).toHaveLength(2)
    const next = consumer(bench, 'm3', wishes)
    await next.beat()
    expect(next.partitionsOf('t')).toEqual(had)
    expect(next.epoch).toBe(one.epoch)
    expect((await old.beat()).error).toBe('UNRELEASED_INSTANCE_ID')
    const stale = { memberId: 'm2', memberEpoch: next.epoch, instanceId: 'i' }
    expect((await bench.consumerHeartbeat(stale)).error).toBe('FENCED_INSTANCE_ID')
    const unknown = { memberId: 'm2', memberEpoch: next.epoch, instanceId: 'j' }
    expect((await bench.consumerHeartbeat(unknown)).error).toBe('UNKNOWN_MEMBER_ID')
  })

  it('does not get its place while its last incarnation has not left', async () => {
    const bench = new GroupBench({ t: 1 })
    await consumer(bench, 'm1', wishes).beat()
    expect((await consumer(bench, 'm2', wishes).beat()).error).toBe('UNRELEASED_INSTANCE_ID')
  })

  it('loses what it has when its session ends while it is away, or when it leaves for good', async () => {
    const bench = new GroupBench({ t: 2 })
    const [one, two] = [consumer(bench, 'm1'), consumer(bench, 'm2', wishes)]
    await converge([one, two])
    await two.leave(-2)
    await bench.advance(40_000)
    await one.beat()
    await bench.advance(5000)
    await one.beat()
    expect(one.partitionsOf('t')).toEqual([0, 1])
    await converge([one, two])
    await two.leave()
    await one.beat()
    expect(one.partitionsOf('t')).toEqual([0, 1])
  })
})

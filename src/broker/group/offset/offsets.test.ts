import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../../protocol/index.ts'
import { AppendRefused } from '../../coordinator-log.ts'
import { isRefusal, refuse } from '../../refusal.ts'
import { BenchConsumer, converge } from '../fixture/bench-consumer.ts'
import { GroupBench, subscription } from '../fixture/group-bench.ts'

const { NONE } = kafkaError
const day = 24 * 3_600_000

async function fetched(
  bench: GroupBench,
  topics: { name: string; topicId?: string; partitionIndexes: number[] }[] | null,
) {
  const answer = await bench.coordinator.fetchOffsets(
    {
      groupId: 'g',
      memberId: null,
      memberEpoch: -1,
      topics: topics?.map((topic) => ({ topicId: 'A'.repeat(22), ...topic })) ?? null,
    },
    false,
  )
  if (isRefusal(answer)) throw new Error(answer.error)
  return answer.topics
}

describe('committing offsets', () => {
  it('gives back what was committed, with metadata and leader epoch', async () => {
    const bench = new GroupBench({ t: 1 })
    expect(await bench.commit({ 't:0': 42 }, { metadata: 'mine' })).toBe(NONE)
    expect(await fetched(bench, [{ name: 't', partitionIndexes: [0, 1] }])).toMatchObject([
      {
        name: 't',
        partitions: [
          {
            partitionIndex: 0,
            committedOffset: 42,
            committedLeaderEpoch: 5,
            metadata: 'mine',
            errorCode: 0,
          },
          {
            partitionIndex: 1,
            committedOffset: -1,
            committedLeaderEpoch: -1,
            metadata: '',
            errorCode: 0,
          },
        ],
      },
    ])
    bench.restart()
    expect(await fetched(bench, null)).toMatchObject([
      {
        name: 't',
        partitions: [{ committedOffset: 42, committedLeaderEpoch: 5, metadata: 'mine' }],
      },
    ])
  })

  it('knows nothing of groups that are not there, and that is no error', async () => {
    const bench = new GroupBench()
    expect(await bench.offset('t:0')).toBe(-1)
    expect(await fetched(bench, null)).toEqual([])
  })

  it('refuses metadata that is too long', async () => {
    const bench = new GroupBench({ t: 1 })
    expect(await bench.commit({ 't:0': 1 }, { metadata: 'x'.repeat(4096) })).toBe(NONE)
    expect(await bench.commit({ 't:0': 2 }, { metadata: 'x'.repeat(4097) })).toBe(
      kafkaError.OFFSET_METADATA_TOO_LARGE,
    )
    expect(await bench.offset('t:0')).toBe(1)
  })

  it('is for those who are no members only while there are none', async () => {
    const bench = new GroupBench({ t: 1 })
    expect(await bench.commit({ 't:0': 1 })).toBe(NONE)
    const { ids, generation } = await bench.stableGroup(1)
    const memberId = ids[0] ?? ''
    expect(await bench.commit({ 't:0': 2 })).toBe('UNKNOWN_MEMBER_ID')
    const commit = (generationIdOrMemberEpoch: number, id = memberId) =>
      bench.commit({ 't:0': 3 }, { memberId: id, generationIdOrMemberEpoch })
    expect(await commit(generation + 1)).toBe('ILLEGAL_GENERATION')
    expect(await commit(generation, 'x')).toBe('UNKNOWN_MEMBER_ID')
    expect(await commit(-1)).toBe('ILLEGAL_GENERATION')
    expect(await commit(generation)).toBe(NONE)
    const rejoining = bench.join({ memberId })
    await rejoining
    expect(await commit(generation + 1)).toBe('REBALANCE_IN_PROGRESS')
    expect(await bench.offset('t:0')).toBe(3)
  })

  it('is refused for generations of groups that are not there', async () => {
    const bench = new GroupBench({ t: 1 })
    const of = (version: number) =>
      bench.commit({ 't:0': 1 }, { version, memberId: 'm', generationIdOrMemberEpoch: 1 })
    expect(await of(8)).toBe('ILLEGAL_GENERATION')
    expect(await of(9)).toBe('GROUP_ID_NOT_FOUND')
  })

  it('is allowed to members that are about to rejoin, and keeps them alive', async () => {
    const bench = new GroupBench({ t: 1 })
    const { ids, generation } = await bench.stableGroup(2)
    const [one = '', two = ''] = ids
    void bench.join({ memberId: one })
    const member = { memberId: two, generationIdOrMemberEpoch: generation }
    for (let index = 0; index < 3; index++) {
      await bench.advance(9000)
      expect(await bench.commit({ 't:0': index }, member)).toBe(NONE)
    }
  })

  it('of a consumer group needs the epoch of the member', async () => {
    const bench = new GroupBench({ t: 1 })
    const one = new BenchConsumer(bench, 'm1', { subscribedTopicNames: ['t'] })
    await converge([one])
    const commit = (epoch: number, version = 9, memberId = 'm1') =>
      bench.commit({ 't:0': 1 }, { version, memberId, generationIdOrMemberEpoch: epoch })
    expect(await commit(one.epoch)).toBe(NONE)
    expect(await commit(one.epoch - 1)).toBe('STALE_MEMBER_EPOCH')
    expect(await commit(one.epoch, 8)).toBe('UNSUPPORTED_VERSION')
    expect(await commit(one.epoch, 9, 'x')).toBe('UNKNOWN_MEMBER_ID')
    expect(await bench.commit({ 't:0': 1 })).toBe('UNKNOWN_MEMBER_ID')
    const inTransaction = (generationId: number) =>
      bench.commitInTransaction(1, { 't:0': 1 }, { memberId: 'm1', generationId })
    expect(await inTransaction(one.epoch)).toBe(NONE)
    expect(await inTransaction(one.epoch - 1)).toBe('ILLEGAL_GENERATION')
    expect(await bench.commitInTransaction(1, { 't:0': 1 })).toBe(NONE)
    await one.leave()
    expect(await bench.commit({ 't:0': 1 })).toBe(NONE)
  })

  it('says nothing to members of consumer groups that fetch for an old epoch', async () => {
    const bench = new GroupBench({ t: 1 })
    const one = new BenchConsumer(bench, 'm1', { subscribedTopicNames: ['t'] })
    await converge([one])
    const as = (memberId: string, memberEpoch: number) =>
      bench.offset('t:0', { memberId, memberEpoch })
    expect(await as('m1', one.epoch)).toBe(-1)
    expect(await as('m1', one.epoch + 1)).toBe('STALE_MEMBER_EPOCH')
    expect(await as('x', one.epoch)).toBe('UNKNOWN_MEMBER_ID')
    expect(await bench.offset('t:0')).toBe(-1)
  })

  it('is answered and seen when it is durable, not before', async () => {
    const bench = new GroupBench({ t: 1 })
    await bench.commit({ 't:0': 1 })
    bench.log.hold()
    let answered = 0
    const commits = [2, 3].map((offset) =>
      bench.commit({ 't:0': offset }).then(() => (answered += 1)),
    )
    await bench.settled()
    expect(bench.log.waitingAppends).toBe(2)
    expect([answered, await bench.offset('t:0')]).toEqual([0, 1])
    bench.log.release(1)
    await bench.settled()
    expect([answered, await bench.offset('t:0')]).toEqual([1, 2])
    bench.restart()
    await Promise.race([Promise.all(commits), bench.settled()])
    expect(await bench.offset('t:0')).toBe(2)
  })

  it('keeps an offset of a topic apart from one of the same name that was made later', async () => {
    const bench = new GroupBench({ t: 1 })
    const [old, made] = ['B'.repeat(22), 'C'.repeat(21) + 'A']
    await bench.coordinator.commitOffsets(
      {
        groupId: 'g',
        generationIdOrMemberEpoch: -1,
        memberId: '',
        groupInstanceId: null,
        retentionTimeMs: -1,
        topics: [
          {
            name: 't',
            topicId: made,
            partitions: [
              {
                partitionIndex: 0,
                committedOffset: 1,
                committedLeaderEpoch: -1,
                committedMetadata: null,
              },
            ],
          },
        ],
      },
      10,
    )
    bench.restart()
    const of = async (topicId: string) =>
      (await fetched(bench, [{ name: 't', topicId, partitionIndexes: [0] }]))[0]?.partitions[0]
        ?.committedOffset
    expect([await of(made), await of(old), await of('A'.repeat(22))]).toEqual([1, -1, 1])
  })

  it.each([
    ['KAFKA_STORAGE_ERROR', 'NOT_COORDINATOR'],
    ['NOT_LEADER_OR_FOLLOWER', 'NOT_COORDINATOR'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'COORDINATOR_NOT_AVAILABLE'],
    ['MESSAGE_TOO_LARGE', 'UNKNOWN_SERVER_ERROR'],
  ] as const)('tells clients of a log that refuses with %s: %s', async (refused, answered) => {
    const bench = new GroupBench({ t: 1 })
    bench.log.append = () => Promise.reject(new AppendRefused(refuse(refused, 'refused')))
    expect(await bench.commit({ 't:0': 1 })).toBe(answered)
  })

  it('passes on what the log refuses, and goes on', async () => {
    const bench = new GroupBench({ t: 1 })
    const { log } = bench
    const append = log.append.bind(log)
    log.append = () => Promise.reject(new AppendRefused(refuse('INVALID_PRODUCER_EPOCH', 'fenced')))
    expect(await bench.commitInTransaction(1, { 't:0': 1 })).toBe('INVALID_PRODUCER_EPOCH')
    log.append = append
    expect(await bench.commit({ 't:0': 2 })).toBe(NONE)
  })
})

describe('committing offsets in a transaction', () => {
  it('counts when the transaction has committed, and not when it was aborted', async () => {
    const bench = new GroupBench({ t: 1 })
    await bench.commit({ 't:0': 1 })
    expect(await bench.commitInTransaction(7, { 't:0': 2 })).toBe(NONE)
    expect(await bench.offset('t:0')).toBe(1)
    expect(await bench.offset('t:0', { stable: true })).toBe(
      `error ${kafkaError.UNSTABLE_OFFSET_COMMIT}`,
    )
    expect(await bench.offset('t:1', { stable: true })).toBe(-1)
    await bench.endTransaction(7, false)
    expect(await bench.offset('t:0', { stable: true })).toBe(1)
    await bench.commitInTransaction(7, { 't:0': 3 })
    await bench.endTransaction(7, true)
    expect(await bench.offset('t:0', { stable: true })).toBe(3)
    bench.restart()
    expect(await bench.offset('t:0', { stable: true })).toBe(3)
  })

  it('stays pending over a restart', async () => {
    const bench = new GroupBench({ t: 1 })
    await bench.commitInTransaction(7, { 't:0': 2 })
    bench.restart()
    expect(await bench.offset('t:0', { stable: true })).toBe(
      `error ${kafkaError.UNSTABLE_OFFSET_COMMIT}`,
    )
    await bench.endTransaction(7, true)
    expect(await bench.offset('t:0', { stable: true })).toBe(2)
  })

  it('loses to what was committed plainly after it, live, after a restart and after compaction', async () => {
    for (const plainIsLater of [true, false]) {
      const bench = new GroupBench({ t: 1 })
      if (!plainIsLater) await bench.commit({ 't:0': 10 })
      await bench.commitInTransaction(7, { 't:0': 20 })
      if (plainIsLater) await bench.commit({ 't:0': 10 })
      await bench.endTransaction(7, true)
      const expected = plainIsLater ? 10 : 20
      expect(await bench.offset('t:0')).toBe(expected)
      bench.restart()
      expect(await bench.offset('t:0')).toBe(expected)
      bench.restart(bench.log.compacted())
      expect(await bench.offset('t:0')).toBe(expected)
    }
  })

  it('is seen as pending by a stable fetch, also while it is being written', async () => {
    const bench = new GroupBench({ t: 1 })
    bench.log.hold()
    const committing = bench.commitInTransaction(7, { 't:0': 2 })
    const fetching = bench.offset('t:0', { stable: true })
    await bench.settled()
    bench.log.unhold()
    await committing
    expect(await fetching).toBe(`error ${kafkaError.UNSTABLE_OFFSET_COMMIT}`)
  })

  it('is settled by the marker that follows it, also when both come at once', async () => {
    const bench = new GroupBench({ t: 1 })
    bench.log.hold()
    const committing = bench.commitInTransaction(7, { 't:0': 2 })
    await bench.settled()
    const ending = bench.endTransaction(7, true)
    await Promise.all([committing, ending])
    expect(await bench.offset('t:0', { stable: true })).toBe(2)
  })

  it('can be open for one partition in several transactions', async () => {
    const bench = new GroupBench({ t: 1 })
    await bench.commitInTransaction(7, { 't:0': 2 })
    await bench.commitInTransaction(8, { 't:0': 3 })
    await bench.endTransaction(8, true)
    expect(await bench.offset('t:0', { stable: true })).toBe(
      `error ${kafkaError.UNSTABLE_OFFSET_COMMIT}`,
    )
    await bench.endTransaction(7, true)
    expect(await bench.offset('t:0', { stable: true })).toBe(3)
  })

  it('checks generations when they are given', async () => {
    const bench = new GroupBench({ t: 1 })
    const commit = (memberId: string, generationId: number) =>
      bench.commitInTransaction(7, { 't:0': 2 }, { memberId, generationId })
    expect(await commit('m', 1)).toBe('ILLEGAL_GENERATION')
    const { ids, generation } = await bench.stableGroup(1)
    const memberId = ids[0] ?? ''
    expect(await commit(memberId, generation + 1)).toBe('ILLEGAL_GENERATION')
    expect(await commit('x', generation)).toBe('UNKNOWN_MEMBER_ID')
    expect(await commit(memberId, generation)).toBe(NONE)
    expect(await commit('', -1)).toBe(NONE)
    await bench.join({ memberId })
    expect(await commit(memberId, generation + 1)).toBe(NONE)
  })
})

describe('the expiry of offsets', () => {
  it('counts from the commit where nobody is a member, and takes the group along', async () => {
    const bench = new GroupBench({ t: 1 })
    await bench.commit({ 't:0': 1 })
    await bench.advance(day)
    await bench.commit({ 't:1': 1 })
    await bench.advance(6 * day)
    await bench.coordinator.expireOffsets()
    expect([await bench.offset('t:0'), await bench.offset('t:1')]).toEqual([-1, 1])
    await bench.advance(day)
    await bench.coordinator.expireOffsets()
    expect(bench.coordinator.listGroups({ states: [], types: [] })).toEqual([])
    bench.restart()
    expect(bench.coordinator.listGroups({ states: [], types: [] })).toEqual([])
  })

  it('counts from when a group lost its last member', async () => {
    const bench = new GroupBench({ t: 1 })
    const { ids, generation } = await bench.stableGroup(1)
    const memberId = ids[0] ?? ''
    await bench.commit({ 't:0': 1 }, { memberId, generationIdOrMemberEpoch: generation })
    await bench.coordinator.leaveGroup('g', [{ memberId, groupInstanceId: null, reason: null }])
    bench.restart()
    await bench.advance(7 * day - 1)
    await bench.coordinator.expireOffsets()
    expect(await bench.offset('t:0')).toBe(1)
    await bench.advance(1)
    await bench.coordinator.expireOffsets()
    expect(await bench.offset('t:0')).toBe(-1)
  })

  it('spares topics that members subscribe to, takes others, and waits for rebalances', async () => {
    const bench = new GroupBench({ t: 1, u: 1 })
    const long = { sessionTimeoutMs: 1_800_000 }
    const { ids, generation } = await bench.stableGroup(1, long)
    const memberId = ids[0] ?? ''
    const member = { memberId, generationIdOrMemberEpoch: generation }
    await bench.commit({ 't:0': 1 }, member)
    await bench.commit({ 'u:0': 1 }, member)
    const later = bench.clock.now() + 8 * day
    void bench.join({ ...long, memberId })
    await bench.settled()
    await bench.coordinator.expireOffsets(later)
    expect(await bench.offset('u:0')).toBe(1)
    await bench.sync({ memberId, generationId: generation + 1 })
    await bench.coordinator.expireOffsets(later)
    expect([await bench.offset('t:0'), await bench.offset('u:0')]).toEqual([1, -1])
  })

  it('spares what consumer groups subscribe to', async () => {
    const bench = new GroupBench({ t: 1, u: 1 })
    await bench.commit({ 't:0': 1 })
    await bench.commit({ 'u:0': 1 })
    await new BenchConsumer(bench, 'm', { subscribedTopicNames: ['t'] }).beat()
    await bench.coordinator.expireOffsets(bench.clock.now() + 8 * day)
    expect([await bench.offset('t:0'), await bench.offset('u:0')]).toEqual([1, -1])
  })

  it('spares what a transaction is about to replace', async () => {
    const bench = new GroupBench({ t: 1 })
    await bench.commit({ 't:0': 1 })
    await bench.commitInTransaction(7, { 't:0': 2 })
    await bench.coordinator.expireOffsets(bench.clock.now() + 8 * day)
    await bench.endTransaction(7, false)
    expect(await bench.offset('t:0')).toBe(1)
  })

  it('obeys the time that a client of an old version asked for', async () => {
    const bench = new GroupBench({ t: 1 })
    await bench.commit({ 't:0': 1 }, { version: 2, retentionTimeMs: 1000 })
    bench.restart()
    await bench.advance(999)
    await bench.coordinator.expireOffsets()
    expect(await bench.offset('t:0')).toBe(1)
    await bench.advance(1)
    await bench.coordinator.expireOffsets()
    expect(await bench.offset('t:0')).toBe(-1)
  })

  it('spares a group that was left by all but the one that was just given an id', async () => {
    const bench = new GroupBench({ t: 1 })
    const memberId = await bench.memberId()
    await bench.coordinator.expireOffsets(bench.clock.now() + 8 * day)
    const joining = bench.join({ memberId })
    await bench.advance(0)
    expect((await joining).errorCode).toBe(NONE)
  })
})

describe('deleting offsets', () => {
  it('takes what was committed for a topic along with it', async () => {
    const bench = new GroupBench({ t: 1, u: 1 })
    await bench.commit({ 't:0': 1 })
    await bench.commit({ 'u:0': 1 })
    await bench.commitInTransaction(7, { 't:1': 2 })
    await bench.deleteTopic('t')
    await bench.endTransaction(7, true)
    for (const place of ['t:0', 't:1']) expect(await bench.offset(place)).toBe(-1)
    expect(await bench.offset('u:0')).toBe(1)
    bench.restart()
    expect(await bench.offset('t:0')).toBe(-1)
  })

  it('takes also what was being committed while the topic went', async () => {
    const bench = new GroupBench({ t: 1 })
    bench.log.hold()
    const committing = bench.commit({ 't:0': 1 })
    await bench.settled()
    const deleting = bench.deleteTopic('t')
    bench.log.unhold()
    await Promise.all([committing, deleting])
    expect(await bench.offset('t:0')).toBe(-1)
  })

  const remove = async (bench: GroupBench, topic: string) => {
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0 }] }]
    const answer = await bench.coordinator.deleteOffsets({ groupId: 'g', topics })
    if (isRefusal(answer)) return answer.error
    return answer.topics[0]?.partitions[0]?.errorCode
  }

  it('of one partition needs a topic that the group does not subscribe to', async () => {
    const bench = new GroupBench({ t: 1, u: 1 })
    expect(await remove(bench, 't')).toBe('GROUP_ID_NOT_FOUND')
    await bench.commit({ 't:0': 1 })
    await bench.commit({ 'u:0': 1 })
    await bench.stableGroup(1)
    expect(await remove(bench, 't')).toBe(kafkaError.GROUP_SUBSCRIBED_TO_TOPIC)
    expect(await remove(bench, 'u')).toBe(NONE)
    expect([await bench.offset('t:0'), await bench.offset('u:0')]).toEqual([1, -1])
  })

  it('of one partition ends what is pending for it', async () => {
    const bench = new GroupBench({ t: 1 })
    await bench.commitInTransaction(7, { 't:0': 2 })
    expect(await remove(bench, 't')).toBe(NONE)
    expect(await bench.offset('t:0', { stable: true })).toBe(-1)
    await bench.endTransaction(7, true)
    expect(await bench.offset('t:0')).toBe(-1)
  })

  it('is refused while members of other kinds than consumers may use them', async () => {
    const bench = new GroupBench({ t: 1 })
    await bench.stableGroup(1, { protocolType: 'connect' })
    expect(await remove(bench, 't')).toBe('NON_EMPTY_GROUP')
  })

  it('comes with deleting the group, which must be empty', async () => {
    const bench = new GroupBench({ t: 1 })
    expect(await bench.coordinator.deleteGroup('g')).toBe(kafkaError.GROUP_ID_NOT_FOUND)
    await bench.commit({ 't:0': 1 })
    await bench.commitInTransaction(7, { 't:1': 1 })
    const one = new BenchConsumer(bench, 'm', { subscribedTopicNames: ['t'] })
    await one.beat()
    expect(await bench.coordinator.deleteGroup('g')).toBe(kafkaError.NON_EMPTY_GROUP)
    await one.leave()
    expect(await bench.coordinator.deleteGroup('g')).toBe(NONE)
    await bench.endTransaction(7, true)
    bench.restart()
    for (const place of ['t:0', 't:1']) expect(await bench.offset(place)).toBe(-1)
    expect(bench.coordinator.listGroups({ states: [], types: [] })).toEqual([])
  })

  it('waits for what is being committed to the group', async () => {
    const bench = new GroupBench({ t: 1 })
    await bench.commit({ 't:0': 1 })
    bench.log.hold()
    const committing = bench.commit({ 't:1': 1 })
    const deleting = bench.coordinator.deleteGroup('g')
    await bench.settled()
    bench.log.unhold()
    expect([await committing, await deleting]).toEqual([NONE, NONE])
    expect(await bench.offset('t:1')).toBe(-1)
  })
})

describe('the list of groups', () => {
  it('can be narrowed by state and type', async () => {
    const bench = new GroupBench({ t: 1 })
    await bench.commit({ 't:0': 1 }, { groupId: 'simple' })
    await bench.stableGroup(1, {
      groupId: 'classic',
      protocols: [{ name: 'range', metadata: subscription(['t']) }],
    })
    await bench.consumerHeartbeat({
      groupId: 'consumer',
      rebalanceTimeoutMs: 1000,
      subscribedTopicNames: ['t'],
      topicPartitions: [],
    })
    const list = (states: string[], types: string[] = []) =>
      bench.coordinator.listGroups({ states, types }).map(({ groupId }) => groupId)
    expect(list([])).toEqual(['simple', 'classic', 'consumer'])
    expect(list(['stable '])).toEqual(['classic', 'consumer'])
    expect(list(['STABLE'], ['Classic'])).toEqual(['classic'])
    expect(list([], ['nothing'])).toEqual([])
    expect(bench.coordinator.listGroups({ states: ['Empty'], types: [] })).toEqual([
      { groupId: 'simple', protocolType: '', groupState: 'Empty', groupType: 'classic' },
    ])
  })
})

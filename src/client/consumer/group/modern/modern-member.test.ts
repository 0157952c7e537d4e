import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../../../protocol/index.ts'
import type {
  consumerGroupHeartbeatApi,
  offsetCommitApi,
  RequestOf,
} from '../../../../protocol/index.ts'
import type { Assignor } from '../assignors/assignor.ts'
import { rangeAssignor } from '../assignors/range.ts'
import { offset, startBench, until } from '../fixture/member-bench.ts'

const all = 't-0 t-1 t-2 t-3'
const consumer = { groupProtocol: 'consumer' } as const
/** The broker tells members how often to beat. */
const properties = {
  'group.consumer.heartbeat.interval.ms': '50',
  'group.consumer.min.heartbeat.interval.ms': '50',
}

type Heartbeat = RequestOf<typeof consumerGroupHeartbeatApi>

describe('a member of a consumer group', () => {
  it('joins, commits, reads what is committed, and leaves', async () => {
    await using bench = await startBench({ properties })
    const one = bench.member('one', consumer)
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    expect(one.member.groupMetadata()).toMatchObject({ groupId: 'group', generation: 1 })
    await one.member.commit([{ ...offset('t', 1, 7), metadata: 'm', leaderEpoch: 0 }])
    const committed = await one.member.committed([
      { topic: 't', partition: 0 },
      { topic: 't', partition: 1 },
    ])
    expect(committed).toEqual([
      { topic: 't', partition: 1, offset: 7, leaderEpoch: 0, metadata: 'm' },
    ])
    await one.close()
    expect(one.told).toEqual([`assigned ${all}`, `revoked ${all}`])
    expect(one.failure).toBeUndefined()
  })

  it('that is lost while it lets go has no name for transactions until it has let go', async () => {
    await using bench = await startBench({ properties })
    const one = bench.member('one', consumer)
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    const { memberId } = one
    let letGo = (): void => undefined
    one.whenRevoked = () => new Promise((resolve) => (letGo = resolve))
    bench.member('two', consumer).subscribe('t')
    await until(() => one.told.length === 2, 'asked to let go')
    const beats: (string | null)[] = []
    bench.kafka.intercept('ConsumerGroupHeartbeat', ({ body, clientId }, proceed) => {
      if (clientId === 'one') beats.push((body as Heartbeat).memberId)
      return proceed()
    })
    await bench.kafka.expireSession('group', memberId)
    // It may be in the group again: what it works on was the old member's all the same.
    await until(() => one.held === '' && beats.length > 3, 'lost, and beating')
    expect(() => one.member.groupMetadata()).toThrow(/is no member any more/)
    one.whenRevoked = () => Promise.resolve()
    letGo()
    await until(() => one.held !== '', 'given again')
    expect(one.memberId).toBeDefined()
  })

  it('lets go first, then the other takes', async () => {
    await using bench = await startBench({ properties })
    const one = bench.member('one', consumer)
    const two = bench.member('two', consumer)
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    let letGo = (): void => undefined
    one.whenRevoked = () => new Promise((resolve) => (letGo = resolve))
    two.subscribe('t')
    await until(() => one.told.length === 2, 'asked to let go')
    expect(one.told[1]).toBe('revoked t-2 t-3')
    await expect(one.member.commit([offset('t', 2, 5)])).resolves.toBeUndefined()
    expect(two.told).toEqual([])
    one.whenRevoked = () => Promise.resolve()
    letGo()
    await until(() => two.told.length === 1, 'given')
    expect(two.told[0]).toBe('assigned t-2 t-3')
    await expect(one.member.commit([offset('t', 2, 6)])).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_NOT_OWNED',
    })
    await two.close()
    await until(() => one.held === all, 'back')
  })

  it('takes the newer epoch for a commit of what it still holds', async () => {
    await using bench = await startBench({ properties })
    const one = bench.member('one', consumer)
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    const epochs: number[] = []
    bench.kafka.intercept('OffsetCommit', async (request, proceed) => {
      const body = request.body as RequestOf<typeof offsetCommitApi>
      epochs.push(body.generationIdOrMemberEpoch)
      if (epochs.length > 1) return proceed()
      const topics = body.topics.map(({ name, topicId, partitions }) => ({
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: kafkaError.STALE_MEMBER_EPOCH,
        })),
      }))
      return Promise.resolve({ throttleTimeMs: 0, topics })
    })
    await one.member.commit([offset('t', 0, 4)])
    expect(epochs.length).toBe(2)
    expect(one.told).toEqual([`assigned ${all}`])
  })

  it('commits through the change of an epoch whose answer comes late', async () => {
    await using bench = await startBench({ properties })
    const one = bench.member('one', consumer)
    const two = bench.member('two', consumer)
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    const delayed: (() => void)[] = []
    const slow = bench.kafka.intercept('ConsumerGroupHeartbeat', async (request, proceed) => {
      const answer = await proceed()
      const { memberEpoch } = answer as { memberEpoch: number }
      const isNewer = memberEpoch > (request.body as Heartbeat).memberEpoch
      if (request.clientId === 'one' && isNewer) {
        await new Promise<void>((resolve) => delayed.push(resolve))
      }
      return answer
    })
    two.subscribe('t')
    await until(() => delayed.length === 1, 'in a newer epoch, which it does not know')
    // The answer and the commit share a connection; the coordinator sees the commit with the old epoch.
    const commit = one.member.commit([offset('t', 0, 4)])
    slow[Symbol.dispose]()
    delayed[0]?.()
    await commit
    expect(await one.member.committed([{ topic: 't', partition: 0 }])).toMatchObject([
      { offset: 4 },
    ])
    expect(one.told).toEqual([`assigned ${all}`, 'revoked t-2 t-3'])
  })

  it('loses everything when it is fenced, and joins again', async () => {
    await using bench = await startBench({ properties })
    const one = bench.member('one', consumer)
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    await bench.kafka.expireSession('group', one.memberId)
    await until(() => one.told.length === 3, 'back')
    expect(one.told).toEqual([`assigned ${all}`, `lost ${all}`, `assigned ${all}`])
  })

  it('goes on after the answer with a new epoch was lost', async () => {
    await using bench = await startBench({ properties })
    const one = bench.member('one', consumer)
    const two = bench.member('two', consumer)
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    let lost = 0
    bench.kafka.intercept('ConsumerGroupHeartbeat', async (request, proceed) => {
      const answer = await proceed()
      const { memberEpoch } = answer as { memberEpoch: number }
      const isNewer = memberEpoch > (request.body as Heartbeat).memberEpoch
      if (request.clientId !== 'one' || !isNewer || lost > 2) return answer
      lost += 1
      bench.kafka.dropConnections()
      return new Promise(() => undefined)
    })
    two.subscribe('t')
    await until(() => two.held === 't-2 t-3', 'shared')
    await until(() => lost > 0, 'an answer was lost')
    await one.member.commit([offset('t', 0, 4)])
    expect(one.told).toEqual([`assigned ${all}`, 'revoked t-2 t-3'])
  })

  it('has its pattern matched by the broker, and its subscription changed', async () => {
    await using bench = await startBench({ properties, topics: { t: 1, other: 1 } })
    const one = bench.member('one', consumer)
    one.member.subscribe({ kind: 'pattern', pattern: 't(-\\pL+)?' })
    await until(() => one.held === 't-0', 'assigned')
    one.subscribe('other')
    await until(() => one.held === 'other-0', 'another subscription')
    expect(one.told).toEqual(['assigned t-0', 'revoked t-0', 'assigned other-0'])
  })

  it('asks for the assignor that it is told to', async () => {
    await using bench = await startBench({ properties, recordRequests: true })
    const one = bench.member('one', { ...consumer, remoteAssignor: 'range', rack: 'r' })
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    expect(bench.kafka.requests('ConsumerGroupHeartbeat')[0]?.body).toMatchObject({
      serverAssignor: 'range',
      rackId: 'r',
      rebalanceTimeoutMs: 20_000,
    })
    const two = bench.member('two', { ...consumer, remoteAssignor: 'nonesuch' })
    two.subscribe('t')
    await until(() => two.failure !== undefined, 'refused')
    expect(two.failure).toMatchObject({ kafkaName: 'UNSUPPORTED_ASSIGNOR' })
  })

  it('waits for the name of a topic that it does not know yet', async () => {
    await using bench = await startBench({ properties })
    const one = bench.member('one', consumer)
    let hides = true
    bench.kafka.intercept('Metadata', async (_, proceed) => {
      const answer = (await proceed()) as { topics: unknown[] }
      return hides ? { ...answer, topics: [] } : answer
    })
    one.subscribe('t')
    await until(() => one.member.assignment.length === 0 && isJoined(one.member), 'joined')
    expect(one.told).toEqual([])
    hides = false
    await until(() => one.held === all, 'assigned')
  })
})

function isJoined(member: { groupMetadata(): unknown }): boolean {
  try {
    member.groupMetadata()
    return true
  } catch {
    return false
  }
}

describe('a static member of a consumer group', () => {
  const named = { ...consumer, groupInstanceId: 'i' } as const

  it('keeps its partitions over a restart, unless it is told to leave', async () => {
    await using bench = await startBench({ properties, recordRequests: true })
    const other = bench.member('other', consumer)
    other.subscribe('t')
    await until(() => other.held === all, 'assigned')
    const first = bench.member('first', named)
    first.subscribe('t')
    await until(() => first.held === 't-2 t-3' && other.held === 't-0 t-1', 'shared')
    await first.close()
    const second = bench.member('second', named)
    second.subscribe('t')
    await until(() => second.held === 't-2 t-3', 'restarted')
    expect(other.told).toEqual([`assigned ${all}`, 'revoked t-2 t-3'])
    await second.member.commit([offset('t', 2, 1)])
    await second.close(true)
    await until(() => other.held === all, 'left')
    const epochs = bench.kafka
      .requests('ConsumerGroupHeartbeat')
      .map(({ body }) => (body as Heartbeat).memberEpoch)
      .filter((epoch) => epoch < 0)
    expect(epochs).toEqual([-2, -1])
  })

  it('waits until its name is free', async () => {
    await using bench = await startBench({ properties })
    const first = bench.member('first', named)
    first.subscribe('t')
    await until(() => first.held === all, 'assigned')
    const second = bench.member('second', named)
    second.subscribe('t')
    await until(
      () => bench.logged.some(({ message }) => message.includes('groupInstanceId is still')),
      'said',
    )
    expect(first.failure).toBeUndefined()
    const { memberId } = first
    await bench.crash(first)
    await bench.kafka.expireSession('group', memberId)
    await until(() => second.held === all, 'free')
  })
})

describe('the choice of a protocol', () => {
  const auto = { groupProtocol: 'auto' } as const
  const custom: Assignor = { ...rangeAssignor, name: 'mine' }

  it.each([
    ['the new one where the broker has it', auto, 'ConsumerGroupHeartbeat'],
    ['the classic one with an assignor of its own', { ...auto, assignors: [custom] }, 'JoinGroup'],
  ] as const)('is %s', async (_, options, api) => {
    await using bench = await startBench({ properties, recordRequests: true })
    const one = bench.member('one', options)
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    expect(bench.kafka.requests(api).length).toBeGreaterThan(0)
    const other = api === 'JoinGroup' ? 'ConsumerGroupHeartbeat' : 'JoinGroup'
    expect(bench.kafka.requests(other).length).toBe(0)
  })

  it('falls back to the classic one when the group stays it', async () => {
    await using bench = await startBench({
      properties: { ...properties, 'group.consumer.migration.policy': 'disabled' },
    })
    const old = bench.member('old')
    old.subscribe('t')
    await until(() => old.held === all, 'assigned')
    const one = bench.member('one', auto)
    one.subscribe('t')
    await until(() => one.held === 't-2 t-3' && old.held === 't-0 t-1', 'shared')
    expect(one.failure).toBeUndefined()
  })

  it('lets members of both protocols share a group', async () => {
    await using bench = await startBench({ properties })
    const old = bench.member('old')
    old.subscribe('t')
    await until(() => old.held === all, 'assigned')
    const one = bench.member('one', auto)
    one.subscribe('t')
    await until(() => one.held !== '' && old.held.length < all.length, 'shared')
    await until(() => one.member.assignment.length + old.member.assignment.length === 4, 'all')
    await old.member.commit([
      { ...offset('t', 0, 1), partition: old.member.assignment[0]?.partition ?? 0 },
    ])
    await one.member.commit([
      { ...offset('t', 0, 1), partition: one.member.assignment[0]?.partition ?? 0 },
    ])
    await old.close()
    await until(() => one.held === all, 'upgraded')
  })
})

describe('times that only the classic protocol has', () => {
  const classicTimesGiven = ['sessionTimeoutMs', 'heartbeatIntervalMs'] as const
  const told = ({ logged }: Awaited<ReturnType<typeof startBench>>) =>
    logged.filter(({ message }) => message.includes('classic protocol alone'))

  it('are told to be without effect, once, to who has asked for them', async () => {
    await using bench = await startBench({ properties })
    const one = bench.member('one', { ...consumer, classicTimesGiven })
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    const { memberId } = one
    await bench.kafka.expireSession('group', memberId)
    await until(() => one.told.length >= 3 && one.held === all, 'assigned again')
    expect(told(bench).map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /sessionTimeoutMs and heartbeatIntervalMs .*group\.consumer\.session\.timeout\.ms/,
      ),
    ])
  })

  it('are no news where they have an effect, or where nobody has asked for them', async () => {
    await using bench = await startBench({ properties })
    const classic = bench.member('one', { classicTimesGiven, groupId: 'classic' })
    const silent = bench.member('two', consumer)
    for (const member of [classic, silent]) member.subscribe('t')
    await until(() => classic.held === all && silent.held === all, 'assigned')
    expect(told(bench)).toEqual([])
  })
})

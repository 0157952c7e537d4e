import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../../../protocol/index.ts'
import { closeConnection } from '../../../../testing/index.ts'
import { rangeAssignor } from '../assignors/range.ts'
import { cooperativeStickyAssignor } from '../assignors/sticky.ts'
import { offset, startBench, until } from '../fixture/member-bench.ts'

const all = 't-0 t-1 t-2 t-3'

describe('a member of a classic group', () => {
  it('joins, commits, reads what is committed, and leaves', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    expect(() => one.member.groupMetadata()).toThrow('has not joined')
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
    await expect(one.member.commit([offset('u', 0, 1)])).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_NOT_OWNED',
    })
    await one.close()
    expect(one.told).toEqual([`assigned ${all}`, `revoked ${all}`])
    expect(one.failure).toBeUndefined()
  })

  it('shares with a second member: a cooperative one keeps what it may keep', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    const two = bench.member('two')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    let letGo = (): void => undefined
    one.whenRevoked = () => new Promise((resolve) => (letGo = resolve))
    two.subscribe('t')
    await until(() => one.told.length === 2, 'asked to let go')
    expect(one.told).toEqual([`assigned ${all}`, 'revoked t-2 t-3'])
    await one.member.commit([offset('t', 0, 3), offset('t', 2, 5)])
    expect(two.told).toEqual([])
    one.whenRevoked = () => Promise.resolve()
    letGo()
    await until(() => two.held === 't-2 t-3', 'given')
    expect(one.held).toBe('t-0 t-1')
    await two.close()
    await until(() => one.held === all, 'back')
  })

  it('gives everything up before it joins again, when it is eager, and lives on while it does', async () => {
    await using bench = await startBench()
    const eager = { assignors: [rangeAssignor], sessionTimeoutMs: 6_000 }
    const one = bench.member('one', eager)
    const two = bench.member('two', { assignors: [rangeAssignor, cooperativeStickyAssignor] })
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    let letGo = (): void => undefined
    one.whenRevoked = () => new Promise((resolve) => (letGo = resolve))
    two.subscribe('t')
    await until(() => one.told.length === 2, 'asked to let go')
    expect(one.told[1]).toBe(`revoked ${all}`)
    // Longer than the session: heartbeats wait for nobody.
    for (let passed = 0; passed < 9_000; passed += 1_000) {
      await bench.kafka.advanceTime(1_000)
      await one.clock.advance(1_000)
      await one.member.commit([offset('t', 0, passed)])
    }
    expect(two.told).toEqual([])
    one.whenRevoked = () => Promise.resolve()
    letGo()
    await until(() => two.held.length > 4 && one.held.length > 4, 'shared')
    expect(one.told.some((told) => told.startsWith('lost'))).toBe(false)
  })

  it('takes back what is not let go in time', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    const two = bench.member('two')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    let deadlineMs = 0
    let letGo = (): void => undefined
    one.whenRevoked = (_, deadline) => {
      deadlineMs = deadline
      return new Promise((resolve) => (letGo = resolve))
    }
    two.subscribe('t')
    await until(() => deadlineMs > 0, 'asked to let go')
    const leftMs = deadlineMs - one.clock.elapsedMs()
    // The rebalance timeout is 20 s, a request may take 30 s: half of it is left at least.
    expect(leftMs).toBeGreaterThan(9_000)
    expect(leftMs).toBeLessThanOrEqual(10_000)
    await one.clock.advance(leftMs)
    one.whenRevoked = () => Promise.resolve()
    await until(() => two.held === 't-2 t-3', 'given')
    await expect(one.member.commit([offset('t', 2, 5)])).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_NOT_OWNED',
    })
    // What comes back does so only when the handler has settled after all.
    await two.close()
    await until(() => one.held === all, 'back')
    expect(one.told.length).toBe(2)
    letGo()
    await until(() => one.told[2] === 'assigned t-2 t-3', 'told')
  })

  it('loses everything when its session is over, and joins again', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    await bench.kafka.expireSession('group', one.memberId)
    await until(() => one.told.length === 3, 'back')
    expect(one.told).toEqual([`assigned ${all}`, `lost ${all}`, `assigned ${all}`])
  })

  it('loses everything when nothing is heard of the coordinator for a session', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    using _silence = bench.kafka.intercept('Heartbeat', () => new Promise(() => undefined))
    for (let passed = 0; one.held === all; passed += 500) {
      expect(passed).toBeLessThan(11_000)
      await one.clock.advance(500)
    }
    await until(() => one.told[1] === `lost ${all}`, 'told')
  })

  it('joins again over another connection when the answer to a join gets lost', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    const two = bench.member('two')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    let isLost = false
    const silence = bench.kafka.intercept('JoinGroup', async (request, proceed) => {
      const answer = await proceed()
      if (request.clientId !== 'one' || isLost) return answer
      isLost = true
      return new Promise(() => undefined)
    })
    two.subscribe('t')
    await until(() => two.held === 't-2 t-3', 'given')
    silence[Symbol.dispose]()
    expect(isLost).toBe(true)
    expect(one.held).toBe('t-0 t-1')
    expect(one.told.some((told) => told.startsWith('lost'))).toBe(false)
  })

  it('follows its coordinator from node to node', async () => {
    await using bench = await startBench({ nodes: 3 })
    const one = bench.member('one')
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    for (const node of [1, 2, 3]) {
      bench.kafka.moveCoordinator('group', 'group', node)
      await one.member.commit([offset('t', 0, node)])
    }
    expect(await one.member.committed([{ topic: 't', partition: 0 }])).toMatchObject([
      { offset: 3 },
    ])
    expect(one.told).toEqual([`assigned ${all}`])
  })

  it('shares new partitions out when it leads', async () => {
    await using bench = await startBench()
    const one = bench.member('one')
    one.subscribe('t', 'later')
    await until(() => one.held === all, 'assigned')
    await bench.kafka.createTopic('later', { partitions: 1 })
    await one.cluster.refreshMetadata()
    await until(() => one.held === `later-0 ${all}`, 'all')
    expect(one.told).toEqual([`assigned ${all}`, 'assigned later-0'])
  })

  it('follows the topics that a pattern matches', async () => {
    await using bench = await startBench({ topics: { t: 1, other: 1 } })
    const one = bench.member('one')
    one.member.subscribe({ kind: 'pattern', pattern: 't(-.*)?' })
    await until(() => one.held === 't-0', 'assigned')
    await bench.kafka.createTopic('t-more', { partitions: 1 })
    await one.cluster.refreshMetadata()
    await until(() => one.held === 't-0 t-more-0', 'more')
    one.subscribe('other')
    await until(() => one.held === 'other-0', 'another subscription')
    expect(one.told.at(-2)).toBe('revoked t-0 t-more-0')
  })

  it('looks for topics that its pattern matches, as often as it was told', async () => {
    await using bench = await startBench({ topics: { t: 1 } })
    const one = bench.member('one', { patternRefreshMs: 5_000, sessionTimeoutMs: 60_000 })
    one.member.subscribe({ kind: 'pattern', pattern: 't(-.*)?' })
    await until(() => one.held === 't-0', 'assigned')
    await bench.kafka.createTopic('t-more', { partitions: 1 })
    await one.clock.advance(5_000)
    await until(() => one.held === 't-0 t-more-0', 'found')
    await bench.kafka.createTopic('t-third', { partitions: 1 })
    await one.clock.advance(5_000)
    await until(() => one.held === 't-0 t-more-0 t-third-0', 'found again')
  })

  it('leaves when its application asks for nothing, and comes back with it', async () => {
    await using bench = await startBench()
    const one = bench.member('one', {
      processingTimeoutMs: 60_000,
      sessionTimeoutMs: 1_800_000,
    })
    one.subscribe('t')
    await until(() => one.held === all, 'assigned')
    await one.clock.advance(50_000)
    one.member.polled()
    await one.clock.advance(50_000)
    expect(one.told).toEqual([`assigned ${all}`])
    await one.clock.advance(11_000)
    await until(() => one.told.length === 2, 'given up')
    expect(one.told[1]).toBe(`revoked ${all}`)
    await until(
      () => bench.logged.some(({ message }) => message.includes('does not ask for records')),
      'said',
    )
    await one.clock.advance(30_000)
    expect(one.told.length).toBe(2)
    one.member.polled()
    await until(() => one.held === all, 'back')
  })

  it('sleeps no more when it was closed in the middle of a pause', async () => {
    await using bench = await startBench()
    using refused = bench.kafka.intercept('JoinGroup', () => closeConnection)
    const one = bench.member('one')
    const sleep = one.clock.sleep.bind(one.clock)
    let sleeping = 0
    const pauses = new Promise<void>((resolve) => {
      one.clock.sleep = async (_delayMs, signal) => {
        sleeping += 1
        resolve()
        await sleep(60_000, signal).finally(() => (sleeping -= 1))
      }
    })
    one.subscribe('t')
    await pauses
    expect(sleeping).toBe(1)
    await one.close()
    expect(sleeping).toBe(0)
  })

  it('ends when the broker refuses it for good', async () => {
    await using bench = await startBench()
    using _refusal = bench.kafka.intercept('JoinGroup', async (_, proceed) => {
      const answer = (await proceed()) as object
      return { ...answer, errorCode: kafkaError.GROUP_AUTHORIZATION_FAILED }
    })
    const one = bench.member('one')
    one.subscribe('t')
    await until(() => one.failure !== undefined, 'failed')
    expect(one.failure).toMatchObject({ kafkaName: 'GROUP_AUTHORIZATION_FAILED' })
    expect(() => one.subscribe('t')).toThrow('has not joined')
  })
})

describe('a static member', () => {
  const named = { groupInstanceId: 'i' } as const

  it('keeps its partitions over a restart, unless it is told to leave', async () => {
    await using bench = await startBench()
    let leaves = 0
    bench.kafka.intercept('LeaveGroup', (_request, proceed) => {
      leaves += 1
      return proceed()
    })
    const other = bench.member('other')
    other.subscribe('t')
    await until(() => other.held === all, 'assigned')
    const first = bench.member('first', named)
    first.subscribe('t')
    await until(() => first.held === 't-2 t-3' && other.held === 't-0 t-1', 'shared')
    await first.close()
    expect(leaves).toBe(0)
    const second = bench.member('second', named)
    second.subscribe('t')
    await until(() => second.held === 't-2 t-3', 'restarted')
    expect(other.told).toEqual([`assigned ${all}`, 'revoked t-2 t-3'])
    await second.member.commit([offset('t', 2, 1)])
    await second.close(true)
    await until(() => other.held === all, 'left')
  })

  it('ends when another takes its name', async () => {
    await using bench = await startBench()
    const first = bench.member('first', named)
    first.subscribe('t')
    await until(() => first.held === all, 'assigned')
    const second = bench.member('second', named)
    second.subscribe('t')
    await until(() => first.failure !== undefined, 'fenced')
    expect(first.failure).toMatchObject({ code: 'MILLRACE_CLIENT_MEMBER_FENCED' })
    expect(first.told).toEqual([`assigned ${all}`, `lost ${all}`])
    await until(() => second.held === all, 'replaced')
    await expect(first.member.commit([offset('t', 0, 1)])).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_NOT_OWNED',
    })
  })
  it('has lost what it held when the group had a generation without it', async () => {
    await using bench = await startBench()
    const times = { rebalanceTimeoutMs: 300 }
    const first = bench.member('first', { ...named, ...times })
    first.subscribe('t')
    await until(() => first.held === all, 'assigned')
    let cuts = 0
    const cut = bench.kafka.intercept('JoinGroup', ({ clientId }, proceed) => {
      if (clientId !== 'first') return proceed()
      cuts += 1
      return closeConnection
    })
    const other = bench.member('other', times)
    other.subscribe('t')
    await until(() => cuts > 0, 'asked to join again')
    await until(() => other.held !== '', 'given what the other holds')
    cut[Symbol.dispose]()
    await until(() => first.told.length === 3, 'back')
    expect(first.told).toEqual([
      `assigned ${all}`,
      `lost ${all}`,
      expect.stringMatching('assigned'),
    ])
  })

  it('takes its name back from a join of its own that arrives late, but only once', async () => {
    await using bench = await startBench()
    const joins: (() => void)[] = []
    using holding = bench.kafka.intercept('JoinGroup', async (_request, proceed) => {
      await new Promise<void>((letGo) => joins.push(letGo))
      return proceed()
    })
    const one = bench.member('one', named)
    one.subscribe('t')
    await until(() => joins.length === 1, 'asked to join')
    bench.kafka.dropConnections()
    await until(() => joins.length === 2, 'asked again')
    joins[1]?.()
    await until(() => one.held === all, 'assigned')
    const before = one.memberId
    holding[Symbol.dispose]()
    joins[0]?.()
    await until(() => one.told.length === 3 || one.failure !== undefined, 'fenced and back')
    expect(one.told).toEqual([`assigned ${all}`, `lost ${all}`, `assigned ${all}`])
    expect(one.memberId).not.toBe(before)
    await one.member.commit([offset('t', 0, 1)])
    const other = bench.member('other', named)
    other.subscribe('t')
    await until(() => one.failure !== undefined, 'fenced by another')
    expect(one.failure).toMatchObject({ code: 'MILLRACE_CLIENT_MEMBER_FENCED' })
    await until(() => other.held === all, 'replaced')
  })

  it('takes its name back from a coordinator that has forgotten it, but not for ever', async () => {
    await using bench = await startBench()
    const first = bench.member('first', named)
    first.subscribe('t')
    await until(() => first.held === all, 'assigned')
    await first.close()
    // As a coordinator answers that died after it had answered the join, and knows the name under the id before.
    let forgets = 2
    bench.kafka.intercept('SyncGroup', (_request, proceed) => {
      if (forgets === 0) return proceed()
      forgets -= 1
      return { errorCode: kafkaError.FENCED_INSTANCE_ID, assignment: Buffer.alloc(0) }
    })
    const second = bench.member('second', named)
    second.subscribe('t')
    await until(() => second.held === all || second.failure !== undefined, 'assigned')
    expect(second.failure).toBeUndefined()
    expect(second.told).toEqual([`assigned ${all}`])
    await second.member.commit([offset('t', 0, 1)])
    await second.close()
    forgets = Infinity
    const third = bench.member('third', named)
    third.subscribe('t')
    await until(() => third.failure !== undefined, 'fenced')
    expect(third.failure).toMatchObject({ code: 'MILLRACE_CLIENT_MEMBER_FENCED' })
  })
})

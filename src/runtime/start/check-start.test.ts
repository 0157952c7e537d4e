/**
 * Promise: a service that could lose records or letters does not start, and says what has to be changed.
 *
 * Proves: 9
 */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { defineEvent, defineTopic, Type } from '../../contract/index.ts'
import type { TopicContract } from '../../contract/index.ts'
import { createNativeDriver } from '../../driver/index.ts'
import { startBroker } from '../../testing/index.ts'
import { settingsForTests, startRuntimeWorld } from '../fixture/runtime-world.ts'
import type { RuntimeWorld } from '../fixture/runtime-world.ts'
import { RetryTopics } from '../retry/retry-topics.ts'
import { checkStart } from './check-start.ts'
import type { StartParts } from './check-start.ts'

const OrderCreated = defineEvent('ORDER_CREATED', { data: Type.Object({}) })

const orders = defineTopic('orders', {
  events: [OrderCreated],
  key: null,
  partitions: 6,
  retention: '14d',
})

interface Start extends Partial<StartParts> {
  readonly contract?: TopicContract
  readonly settings?: Partial<typeof settingsForTests>
  readonly lines?: string[]
}

function start(world: RuntimeWorld, { contract, settings, lines = [], ...changes }: Start = {}) {
  return checkStart({
    driver: world.driver,
    clock: world.platform.clock,
    log: (_, message) => void lines.push(message),
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    policy: { missing: undefined, different: 'warn' },
    doWithout: new Set(),
    consumers: [
      {
        settings: { ...settingsForTests, ...settings },
        contracts: contract === undefined ? [] : [contract],
      },
    ],
    written: [],
    signal: new AbortController().signal,
    ...changes,
  })
}

async function configOf(world: RuntimeWorld, name: string, key: string) {
  const { entries } = await world.driver.admin().configs.describe({ type: 'topic', name })
  return entries.get(key)?.value
}

describe('topics at start', () => {
  it('are made as their contract says in development, and the letters of each beside them', async () => {
    await using world = await startRuntimeWorld({})
    const facts = await start(world, { contract: orders })
    const { topics } = world.driver.admin()
    expect((await topics.describe('orders')).partitions).toHaveLength(6)
    expect(await configOf(world, 'orders', 'retention.ms')).toBe('1209600000')
    expect(facts.letterPartitions).toEqual(
      new Map([
        ['orders.dlq', 6],
        ['orders.dlq-poison', 6],
      ]),
    )
    const bytes = Number(await configOf(world, 'orders', 'max.message.bytes'))
    for (const name of facts.letterPartitions.keys()) {
      expect(await configOf(world, name, 'cleanup.policy')).toBe('delete')
      expect(Number(await configOf(world, name, 'max.message.bytes'))).toBe(bytes + 65_536)
    }
    expect(facts.letterBytesMax).toBe(bytes + 65_536)
    // And the next process finds all in order, also where nothing may be made.
    const lines: string[] = []
    await start(world, {
      contract: orders,
      lines,
      policy: { missing: 'refuse', different: 'refuse' },
    })
    expect(lines).toEqual([])
  })

  it('are all named when they are missing and may not be made', async () => {
    await using world = await startRuntimeWorld({ orders: 2 })
    const settings = { topics: ['orders', 'payments'] }
    const starting = start(world, { settings, policy: { missing: 'refuse', different: 'warn' } })
    await expect(starting).rejects.toMatchObject({ code: 'MILLRACE_RUNTIME_START_REFUSED' })
    await expect(starting).rejects.toThrow(
      /topic payments is missing: create it[^]*topic orders\.dlq is missing: create it with 2 partitions[^]*orders\.dlq-poison/,
    )
  })

  it('that are not as their contract says are told of, or refused, with all that differs', async () => {
    await using world = await startRuntimeWorld({ orders: 2 })
    const lines: string[] = []
    await start(world, { contract: orders, lines })
    const problem =
      /topic orders is not as its contract says: it has 2 partitions, not 6; it has retention\.ms -?\d+, not 1209600000/
    expect(lines.join('\n')).toMatch(problem)
    const policy = { missing: 'create', different: 'refuse' } as const
    await expect(start(world, { contract: orders, policy })).rejects.toThrow(problem)
  })

  it.each([
    [
      'cleanup.policy',
      'compact',
      /orders\.dlq has cleanup\.policy=compact[^]*set cleanup\.policy=delete/,
    ],
    [
      'max.message.bytes',
      '1048588',
      /orders\.dlq has max\.message\.bytes=1048588[^]*needs 1114124/,
    ],
  ])('letters are not put where %s=%s would lose them', async (key, value, problem) => {
    await using world = await startRuntimeWorld({ orders: 2 })
    const configs = { 'max.message.bytes': 2_000_000, [key]: value }
    await world.driver.admin().topics.create({ name: 'orders.dlq', partitions: 2, configs })
    await expect(start(world)).rejects.toThrow(problem)
  })

  it('letters do not go to what the same consumer reads', async () => {
    await using world = await startRuntimeWorld({ 'orders.a': 1, 'orders.b': 1, payments: 1 })
    const pattern = (topics: RegExp) => start(world, { settings: { topics } })
    await expect(pattern(/^orders\./)).rejects.toThrow(
      /would read its own dead letters in orders\.a\.dlq: end the pattern/,
    )
    const { letterPartitions } = await pattern(/^orders\.[a-z]$/)
    expect([...letterPartitions.keys()].sort()).toEqual([
      'orders.a.dlq',
      'orders.a.dlq-poison',
      'orders.b.dlq',
      'orders.b.dlq-poison',
    ])
  })

  it('made by several processes at the same time are there once', async () => {
    await using world = await startRuntimeWorld({})
    const all = await Promise.all(
      Array.from({ length: 4 }, () =>
        start(world, { contract: orders, driver: world.newDriver() }),
      ),
    )
    for (const { letterPartitions } of all) expect(letterPartitions.size).toBe(2)
  })
})

describe('dangers at start', () => {
  it('a drain that outlasts the rebalance is refused, with what fits', async () => {
    await using world = await startRuntimeWorld()
    const settings = { drainMs: 40_000, source: { rebalanceTimeoutMs: 60_000 } }
    await expect(start(world, { settings })).rejects.toThrow(
      /drainMs \(40000\) must not exceed 30000[^]*raise group\.rebalanceTimeoutMs/,
    )
    await start(world, { settings: { ...settings, drainMs: 30_000 } })
  })

  it('one partition for all is told of', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    const lines: string[] = []
    await start(world, { lines, settings: { order: 'partition' } })
    expect(lines.join()).toMatch(
      /orders has one partition and group workers keeps order: 'partition'/,
    )
    const others: string[] = []
    await start(world, { lines: others })
    expect(others.join()).toMatch(/orders has one partition for all/)
  })

  it('what a driver does not promise is refused by name, unless the service does without', async () => {
    await using world = await startRuntimeWorld()
    const { driver } = world
    const features = {
      ...driver.features,
      commitMetadata: 'it forgets texts',
      idempotentWrites: 'it writes twice',
      staticMembership: 'it has no names',
      consumerProtocol: 'it is old',
      assignors: 'it has one',
      topicPatterns: 'it knows names only',
    }
    const weaker = new Proxy(driver, {
      get: (_, name) => {
        if (name === 'features') return features
        if (name === 'name') return 'weaker'
        const value: unknown = Reflect.get(driver, name)
        return typeof value === 'function' ? (value.bind(driver) as unknown) : value
      },
    })
    await expect(start(world, { driver: weaker })).rejects.toThrow(
      /weaker does not promise commitMetadata: [^]*\(it forgets texts\)[^]*doWithout: \['commitMetadata'\][^]*idempotentWrites/,
    )
    const lines: string[] = []
    const doWithout = new Set(['commitMetadata', 'idempotentWrites'] as const)
    await start(world, { driver: weaker, doWithout, lines })
    expect(lines.filter((line) => line.includes('does not promise'))).toHaveLength(2)
    const source = {
      groupInstanceId: 'one',
      groupProtocol: 'consumer',
      remoteAssignor: 'uniform',
      assignors: ['range'],
    } as const
    const asked = start(world, { driver: weaker, doWithout, settings: { source, topics: /^o/ } })
    const error: unknown = await asked.catch((reason: unknown) => reason)
    const reasons = (error as Error).message.split('\n').filter((line) => line.includes('weaker'))
    expect(reasons.map((line) => line.replace(/^\W*/, ''))).toEqual([
      'topics by a pattern (group workers) is not possible with the weaker driver: it knows names only',
      'group.groupInstanceId (group workers) is not possible with the weaker driver: it has no names',
      "group.groupProtocol: 'consumer' (group workers) is not possible with the weaker driver: it is old",
      'group.remoteAssignor (group workers) is not possible with the weaker driver: it is old',
      'group.assignors (group workers) is not possible with the weaker driver: it has one',
    ])
  })
})

describe('a cluster that is absent', () => {
  it('is waited for, with progress in the log, and missed when the time is over', async () => {
    await using world = await startRuntimeWorld()
    const port = await freePort()
    const lines: string[] = []
    await using driver = createNativeDriver({
      brokers: `127.0.0.1:${port}`,
      platform: world.platform,
      log: () => undefined,
    })
    const starting = start(world, { driver, connectTimeoutMs: 700, lines })
    await expect(starting).rejects.toMatchObject({ code: 'MILLRACE_CLIENT_UNREACHABLE' })
    await expect(starting).rejects.toThrow(/no broker answered within connectTimeoutMs \(700\)/)

    lines.length = 0
    const waiting = start(world, { driver, connectTimeoutMs: 30_000, lines })
    await expect.poll(() => lines.join()).toContain('no broker answers yet')
    await using late = await startBroker({ port })
    await waiting
    expect(lines).toContain('a broker has answered')
    expect(late.bootstrap).toContain(String(port))
  })

  it('is waited for no longer when the service is stopped', async () => {
    await using world = await startRuntimeWorld()
    await using driver = createNativeDriver({
      brokers: `127.0.0.1:${await freePort()}`,
      platform: world.platform,
      log: () => undefined,
    })
    const stop = new AbortController()
    const lines: string[] = []
    const waiting = start(world, { driver, signal: stop.signal, lines })
    stop.abort(new Error('stopped'))
    await expect(waiting).rejects.toThrow('stopped')
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('retry topics at start', () => {
  const retryTopics = new RetryTopics('workers', ['orders'], [{ name: '30s', delayMs: 30_000 }])
  const settings = { copies: { kind: 'topics', topics: retryTopics } } as const
  const name = 'orders.workers.retry.30s'

  it('are made beside their topic: as many partitions, and kept longer than it by their delay', async () => {
    await using world = await startRuntimeWorld({})
    const facts = await start(world, { contract: orders, settings })
    expect(facts.letterPartitions.get(name)).toBe(6)
    expect(await configOf(world, name, 'retention.ms')).toBe(String(14 * 86_400_000 + 30_000))
    expect(await configOf(world, name, 'cleanup.policy')).toBe('delete')
    // And the next process finds all in order.
    const lines: string[] = []
    await start(world, { contract: orders, settings, lines })
    expect(lines).toEqual([])
  })

  it('are refused where copies would go before their time, or may not be made', async () => {
    await using world = await startRuntimeWorld({ orders: 2 })
    const policy = { missing: 'refuse', different: 'warn' } as const
    await expect(start(world, { settings, policy })).rejects.toThrow(
      /retry topic orders\.workers\.retry\.30s is missing: create it with 2 partitions, cleanup\.policy=delete, retention\.ms=/,
    )
    await world.kafka.createTopic(name, { partitions: 2, configs: { 'retention.ms': '30000' } })
    await expect(start(world, { settings })).rejects.toThrow(
      /has retention\.ms=30000, and its copies wait 30000 ms before they are read: set retention\.ms=/,
    )
  })

  it('that are not read any more are named, for copies may wait there', async () => {
    await using world = await startRuntimeWorld({ orders: 2, 'orders.workers.retry.10s': 2 })
    const lines: string[] = []
    await start(world, { settings, lines })
    expect(lines.join('\n')).toContain('orders.workers.retry.10s is not read any more')
  })
})

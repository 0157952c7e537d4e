/**
 * Promise: a record that waits in a retry topic is tried again at its time, as often as it is owed, and is not lost on
 * the way.
 *
 * Proves: 1, 4
 */
import { describe, expect, it, vi } from 'vitest'
import { defineEvent, defineTopic, Type } from '../../contract/index.ts'
import { createNativeDriver } from '../../driver/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import type { Platform } from '../../platform/index.ts'
import { kafkaError } from '../../protocol/index.ts'
import { ControlledClock, startBroker } from '../../testing/index.ts'
import type { TestBroker } from '../../testing/index.ts'
import type { ConsumerOptions } from '../service/consumer-options.ts'
import { createService } from '../service/service.ts'

const OrderCreated = defineEvent('ORDER_CREATED', { data: Type.Object({ orderId: Type.String() }) })
const orders = defineTopic('orders', { events: [OrderCreated], key: ({ data }) => data.orderId })
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })
const quiet = { metrics: false, log: () => undefined } as const
const retry = { attempts: 2, delayMs: 1, delayMsMax: 1, allowReorder: true } as const

interface Run {
  readonly orderId: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly attempt: number
  /** Where it was read. */
  readonly at: string
}

/** A broker, and a clock that the service has and a test can move. */
async function startRetryWorld(partitions = 2) {
  const kafka = await startBroker({ properties: { 'group.initial.rebalance.delay.ms': '0' } })
  await kafka.createTopic('orders', { partitions })
  const node = createNodePlatform()
  const clock = new ControlledClock(node.clock)
  const platform: Platform = { ...node, clock }
  const driver = newDriver(kafka, node)
  return {
    ...{ kafka, clock, platform, driver },
    newService: (name = 'fulfilment') =>
      createService({ ...quiet, name, kafka: newDriver(kafka, node), platform, topics: [orders] }),
    async [Symbol.asyncDispose]() {
      await driver.close()
      await kafka.close()
    },
  }
}

type RetryWorld = Awaited<ReturnType<typeof startRetryWorld>>

function newDriver(kafka: TestBroker, platform: Platform) {
  return createNativeDriver({ brokers: kafka.bootstrap, platform, log: () => undefined })
}

/** A consumer that fails `failsFor` times, counted over all copies, and says what it ran. */
function failing(world: RetryWorld, options: ConsumerOptions, failsFor: (run: Run) => boolean) {
  const service = world.newService()
  const runs: Run[] = []
  service
    .consumer(orders, { start: 'earliest', ...options })
    .on(OrderCreated, ({ data }, { topic, partition, offset, attempt, record }) => {
      const at = String(record.offset)
      const run = { orderId: data.orderId, topic, partition, offset, attempt, at }
      runs.push(run)
      if (failsFor(run)) throw new Error('not yet')
    })
  const publish = (orderId: string, id?: string) =>
    service.publish(OrderCreated, { orderId }, { partition: 1, ...(id !== undefined && { id }) })
  const count = (metric: RegExp) => {
    const lines = service.metrics.expose().split('\n')
    const found = lines.filter((line) => !line.startsWith('#') && metric.test(line))
    return found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }
  return { service, runs, publish, count }
}

/** The records of a topic that are there. */
function recordsIn({ kafka }: RetryWorld, topic: string, partition = 1) {
  return kafka.records(topic, partition).map(({ key, value, headers }) => ({
    ...{ key, value },
    header: (name: string) => headers[name],
  }))
}

/** Refuses whatever has this text in it, until it is disposed of. */
function refuseWrites({ kafka }: RetryWorld, text: string): Disposable {
  return kafka.intercept('Produce', (request, proceed) => {
    const { topicData } = request.body as ProduceBody
    const isMeant = topicData.some(({ partitionData }) =>
      partitionData.some(({ records }) => records.includes(text)),
    )
    const answers = topicData.map(({ partitionData, ...topic }) => ({
      ...topic,
      partitionResponses: partitionData.map(({ index }) => ({
        ...{ index, baseOffset: -1, errorCode: kafkaError.POLICY_VIOLATION },
      })),
    }))
    return isMeant ? { responses: answers } : proceed()
  })
}

interface ProduceBody {
  readonly topicData: readonly {
    readonly name: string
    readonly topicId: string
    readonly partitionData: readonly { readonly index: number; readonly records: Buffer }[]
  }[]
}

describe('retry topics', () => {
  it('take what fails from one wait to the next, each before its time not at all, then it is a dead letter', async () => {
    await using world = await startRetryWorld()
    const { service, runs, publish, count } = failing(
      world,
      { retry: { ...retry, topics: ['30s', '5m'] } },
      () => true,
    )
    await using _ = service
    await service.start()
    await publish('o-1')
    const forwarded = /events_processed_total\{topic="orders".*status="forwarded"/
    await soon(() => expect(count(forwarded)).toBe(1))
    const [first] = recordsIn(world, 'orders.fulfilment.retry.30s')
    expect(first?.header('original-topic')).toBe('orders')
    expect(first?.header('source-offset')).toBe('0')
    expect(first?.header('attempts')).toBe('2')
    const beforeMs = Number(first?.header('not-before'))
    expect(beforeMs - world.clock.now()).toBeGreaterThan(20_000)
    // Other records go on meanwhile, and the copy waits.
    await publish('o-2')
    await soon(() => expect(count(forwarded)).toBe(2))
    expect(runs).toHaveLength(4)
    await world.clock.advance(29_000 - (world.clock.now() - (beforeMs - 30_000)))
    expect(runs).toHaveLength(4)
    await world.clock.advance(3_000)
    await soon(() => expect(count(forwarded)).toBe(4))
    const ofFirst = runs.slice(4).filter(({ orderId }) => orderId === 'o-1')
    expect(ofFirst.map(({ attempt }) => attempt)).toEqual([3, 4])
    expect(ofFirst[0]).toMatchObject({ topic: 'orders', partition: 1, offset: 0 })
    await world.clock.advance(300_000)
    await soon(() => expect(count(/dead_letters_total/)).toBe(2))
    const [letter] = recordsIn(world, 'orders.dlq')
    expect(letter?.header('source-topic')).toBe('orders.fulfilment.retry.5m')
    expect(letter?.header('original-topic')).toBe('orders')
    expect(letter?.header('original-partition')).toBe('1')
    expect(letter?.header('original-offset')).toBe('0')
    expect(letter?.header('attempts')).toBe('6')
    expect(letter?.header('retry-count')).toBe('1')
    expect(letter?.header('not-before')).toBeUndefined()
    expect(count(/retries_total.*kind="topic"/)).toBe(4)
  })

  it('run what succeeds there with its own contract and id, and nothing is left', async () => {
    await using world = await startRetryWorld()
    const { service, runs, publish, count } = failing(
      world,
      { retry: { ...retry, attempts: 1, topics: ['1m'] } },
      ({ attempt }) => attempt === 1,
    )
    await using _ = service
    await service.start()
    await Promise.all(['o-1', 'o-2', 'o-3'].map((id) => publish(id)))
    await soon(() => expect(count(/status="forwarded"/)).toBe(3))
    await world.clock.advance(61_000)
    await soon(() => expect(count(/topic="orders".*status="done"/)).toBe(3))
    expect(runs.map(({ orderId }) => orderId).sort()).toEqual([
      'o-1',
      'o-1',
      'o-2',
      'o-2',
      'o-3',
      'o-3',
    ])
    expect(new Set(runs.map(({ topic }) => topic))).toEqual(new Set(['orders']))
  })

  it('keep a copy that was written twice, as after a crash before the commit, from being handled twice', async () => {
    await using world = await startRetryWorld()
    const { service, runs, publish, count } = failing(
      world,
      { retry: { ...retry, attempts: 1, topics: ['1m'] } },
      ({ attempt }) => attempt === 1,
    )
    await using _ = service
    await service.start()
    await publish('o-1')
    await soon(() => expect(count(/status="forwarded"/)).toBe(1))
    // As if the process had died before its commit: the record runs again, and its copy is written again.
    await service.seek({ topic: 'orders', partition: 1 }, 'beginning')
    await soon(() => expect(count(/status="forwarded"/)).toBe(2))
    const copies = recordsIn(world, 'orders.fulfilment.retry.1m')
    const places = copies.map(({ header }) => [
      ...['source-topic', 'source-partition', 'source-offset'].map(header),
      ...['original-topic', 'original-partition', 'original-offset'].map(header),
    ])
    expect(places).toEqual([places[0], places[0]])
    await world.clock.advance(62_000)
    await soon(() => expect(count(/status="skipped"/)).toBe(1))
    expect(count(/status="done"/)).toBe(1)
    expect(runs).toHaveLength(3)
  })

  it('hold the partition while a copy cannot be written, and lose nothing', async () => {
    await using world = await startRetryWorld()
    const { service, publish, count } = failing(
      world,
      { retry: { ...retry, attempts: 1, topics: ['1m'] } },
      ({ attempt, orderId }) => orderId === 'o-1' && attempt === 1,
    )
    await using _ = service
    await service.start()
    const refusing = refuseWrites(world, 'not-before')
    await publish('o-1')
    await soon(async () => {
      const { checks } = await service.health.report('ready')
      expect(JSON.stringify(checks)).toContain('the retry copy cannot be written')
    })
    await publish('o-2')
    expect(count(/status="(done|forwarded)"/)).toBe(0)
    refusing[Symbol.dispose]()
    await world.clock.advance(31_000)
    await soon(() => expect(count(/status="forwarded"/)).toBe(1))
    await soon(() => expect(count(/status="done"/)).toBe(1))
    await world.clock.advance(61_000)
    await soon(() => expect(count(/status="done"/)).toBe(2))
  })

  it('let no header choose: neither a time, nor a topic, nor a count', async () => {
    await using world = await startRetryWorld()
    const { service, runs, count } = failing(
      world,
      // What waits in a retry topic is never passed over, wherever the group begins.
      { start: 'latest', retry: { ...retry, attempts: 1, topics: ['1m'] } },
      () => true,
    )
    await using _ = service
    await service.connect()
    const value = JSON.stringify({ id: 'e-1', type: 'ORDER_CREATED', data: { orderId: 'o-1' } })
    const sink = world.driver.sink()
    await sink.send({
      topic: 'orders.fulfilment.retry.1m',
      partition: 1,
      key: 'o-1',
      value: JSON.stringify({ ...JSON.parse(value), timestamp: 1_700_000_000_000 }),
      headers: [
        ['not-before', '999999999999999'],
        ['attempts', '999999999999999999999'],
        ['original-topic', 'salaries'],
        ['original-partition', '-1'],
        ['original-offset', '__proto__'],
        ['retry-group', 'somebody else'],
      ],
    })
    await sink.close()
    await service.start()
    // It waits for the delay of its topic, and no longer.
    await soon(() => expect(count(/assigned_partitions.*retry/)).toBe(2))
    const letters = () => recordsIn(world, 'orders.dlq')
    await soon(async () => {
      await world.clock.advance(61_000)
      expect(letters()).toHaveLength(1)
    })
    const [letter] = letters()
    expect(runs).toHaveLength(1)
    expect(runs[0]).toMatchObject({ topic: 'orders', partition: 1, attempt: 1 })
    expect(letter?.header('original-topic')).toBe('orders')
    expect(letter?.header('attempts')).toBe('1')
    expect(letter?.header('retry-group')).toBeUndefined()
  })
})

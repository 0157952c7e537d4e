/**
 * Promise: outputs, dead letters and offsets are one transaction: each output is there once, in the order of its key,
 * over failures, restarts and cut logs.
 *
 * Proves: 6
 */
import { describe, expect, it, vi } from 'vitest'
import { defineEvent, defineTopic, Type } from '../contract/index.ts'
import { createNativeDriver } from '../driver/index.ts'
import type { SourceRecord } from '../driver/index.ts'
import { startBroker } from '../testing/index.ts'
import type { TestBroker } from '../testing/index.ts'
import { createService } from './create.ts'

/** Waits as long as a busy machine may need. */
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })

const Ordered = defineEvent('ORDERED', {
  data: Type.Object({ key: Type.String(), number: Type.Integer() }),
})
const Priced = defineEvent('PRICED', {
  data: Type.Object({ key: Type.String(), number: Type.Integer() }),
})
const orders = defineTopic('orders', { events: [Ordered], key: ({ data }) => data.key })
const prices = defineTopic('prices', { events: [Priced], key: ({ data }) => data.key })

const log = () => undefined

async function startWorld(): Promise<TestBroker> {
  const kafka = await startBroker({ properties: { 'group.initial.rebalance.delay.ms': '0' } })
  for (const topic of ['orders', 'prices']) {
    await kafka.createTopic(topic, { partitions: 3 })
  }
  return kafka
}

function serviceOn(kafka: TestBroker, name = 'pricing') {
  return createService({
    ...{ name, metrics: false, log },
    kafka: { brokers: kafka.bootstrap, log },
    topics: [orders, prices],
  })
}

const options = {
  start: 'earliest',
  exactlyOnce: true,
  retry: { attempts: 3, delayMs: 1, delayMsMax: 4 },
  group: { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 200 },
} as const

async function order(kafka: TestBroker, from: number, to: number): Promise<void> {
  await using service = serviceOn(kafka, 'shop')
  await service.publishMany(
    Array.from({ length: to - from }, (_, index) => ({
      event: Ordered,
      data: { key: `k-${(from + index) % 20}`, number: from + index },
    })),
  )
}

/** What readers of committed records find in a topic, until there are so many. */
async function committedIn(
  kafka: TestBroker,
  topic: string,
  count: number,
): Promise<SourceRecord[]> {
  await using driver = createNativeDriver({ brokers: kafka.bootstrap, log })
  const source = driver.source({ groupId: `readers-${Math.random()}`, offsetReset: 'earliest' })
  source.subscribe([topic])
  const found: SourceRecord[] = []
  await soon(async () => {
    for (const batch of await source.poll({ timeoutMs: 200 })) found.push(...batch)
    expect(found.length).toBeGreaterThanOrEqual(count)
  })
  // Whatever else is there comes at once.
  for (const batch of await source.poll({ timeoutMs: 500 })) found.push(...batch)
  await source.close()
  return found
}

const numberIn = ({ value }: SourceRecord) =>
  (JSON.parse(String(value)) as { data: { number: number } }).data.number

function expectEachOnce(found: readonly SourceRecord[], count: number): void {
  const numbers = found.map(numberIn)
  expect([...numbers].sort((one, other) => one - other)).toEqual([...Array(count).keys()])
  const last = new Map<string, number>()
  for (const record of found) {
    const key = String(record.key)
    expect(numberIn(record)).toBeGreaterThan(last.get(key) ?? -1)
    last.set(key, numberIn(record))
  }
}

describe('exactly-once', () => {
  it('writes what handlers send once, in the order of keys, also of those that were tried again', async () => {
    await using kafka = await startWorld()
    await order(kafka, 0, 600)
    const tried = new Set<number>()
    await using service = serviceOn(kafka)
    service.consumer(orders, options).on(Ordered, async ({ data }, { send }) => {
      await send(Priced, data)
      if (data.number % 10 === 3 && !tried.has(data.number)) {
        tried.add(data.number)
        throw new Error('not this time')
      }
    })
    await service.start()
    expectEachOnce(await committedIn(kafka, 'prices', 600), 600)
    expect(tried.size).toBe(60)
  })

  it('takes over from a process that goes in the middle of its work, and nothing is there twice', async () => {
    await using kafka = await startWorld()
    await order(kafka, 0, 500)
    let handled = 0
    const pricing = () => {
      const service = serviceOn(kafka)
      service.consumer(orders, options).on(Ordered, async ({ data }, { send, signal }) => {
        await send(Priced, data)
        handled++
        await new Promise((resolve) => setImmediate(resolve))
        signal.throwIfAborted()
      })
      return service
    }
    const first = pricing()
    await first.start()
    await soon(() => expect(handled).toBeGreaterThanOrEqual(100))
    await using second = pricing()
    await second.start()
    await first.stop({ drainMs: 0 })
    expectEachOnce(await committedIn(kafka, 'prices', 500), 500)
  })

  it('puts dead letters into the transaction that ends their records', async () => {
    await using kafka = await startWorld()
    await order(kafka, 0, 100)
    await using service = serviceOn(kafka)
    service.consumer(orders, options).on(Ordered, async ({ data }, { send }) => {
      await send(Priced, data)
      if (data.number === 42) throw new Error('never')
    })
    await service.start()
    const found = await committedIn(kafka, 'prices', 99)
    expect(found.map(numberIn)).not.toContain(42)
    const [letter, ...others] = await committedIn(kafka, 'orders.dlq', 1)
    expect(others).toEqual([])
    expect(letter === undefined ? -1 : numberIn(letter)).toBe(42)
    expect(String(letter?.header('attempts'))).toBe('3')
  })

  it('commits what has ended, and what it wrote, before a partition is read on from another place', async () => {
    await using kafka = await startWorld()
    await kafka.createTopic('single', { partitions: 1 })
    await using service = serviceOn(kafka)
    let handled = 0
    service.records(
      'single',
      async (record, { sendRecord }) => {
        handled++
        await sendRecord({ topic: 'prices', key: record.key, value: record.value })
      },
      // Nothing is committed by itself while the test runs.
      { ...options, commit: { intervalMs: 60_000 } },
    )
    await using driver = createNativeDriver({ brokers: kafka.bootstrap, log })
    const sink = driver.sink()
    const write = async (from: number, to: number) =>
      sink.send(
        Array.from({ length: to - from }, (_, index) => ({
          ...{ topic: 'single', key: 'k' },
          value: JSON.stringify({ data: { number: from + index } }),
        })),
      )
    await write(0, 50)
    await service.start()
    await soon(() => expect(handled).toBe(50))
    await service.seek({ topic: 'single', partition: 0 }, 50)
    await write(50, 60)
    await soon(() => expect(handled).toBe(60))
    await service.stop()
    await sink.close()
    expectEachOnce(await committedIn(kafka, 'prices', 60), 60)
  })

  it('writes nothing twice and loses nothing when the log is cut while outputs wait', async () => {
    await using kafka = await startWorld()
    await kafka.createTopic('single', { partitions: 1 })
    await using driver = createNativeDriver({ brokers: kafka.bootstrap, log })
    await using service = serviceOn(kafka)
    const handled: number[] = []
    service.records(
      'single',
      async (record, { sendRecord }) => {
        handled.push(record.offset)
        await sendRecord({ topic: 'prices', key: record.key, value: record.value })
      },
      { ...options, commit: { intervalMs: 60_000 } },
    )
    const sink = driver.sink()
    const write = async (number: number) =>
      sink.send({ topic: 'single', key: 'k', value: JSON.stringify({ data: { number } }) })
    for (let number = 0; number < 20; number++) await write(number)
    await service.start()
    await soon(() => expect(handled).toHaveLength(20))
    let isCut = false
    kafka.intercept('Fetch', async (_request, proceed) => {
      const answer = (await proceed()) as { responses: { partitions: object[] }[] }
      if (isCut || handled.length < 21 || answer.responses.length === 0) return answer
      isCut = true
      const cut = { divergingEpoch: { epoch: 0, endOffset: 21 } }
      const responses = answer.responses.map(({ partitions, ...each }) => ({
        ...each,
        partitions: partitions.map((partition) => ({ ...partition, ...cut })),
      }))
      return { ...answer, responses }
    })
    // The fetch that is on its way takes the first one; the next finds the cut.
    await write(20)
    await soon(() => expect(handled).toHaveLength(21))
    await write(21)
    // None of it was committed: it runs again, and what it wrote before is gone.
    await soon(() => expect(handled.length).toBeGreaterThanOrEqual(43))
    await service.stop()
    await sink.close()
    expectEachOnce(await committedIn(kafka, 'prices', 22), 22)
  })

  it('leaves nothing of a handler that ended before what it sent', async () => {
    await using kafka = await startWorld()
    await order(kafka, 0, 1)
    const late: Promise<unknown>[] = []
    await using service = serviceOn(kafka)
    let release: () => void = () => undefined
    const ended = new Promise<void>((resolve) => (release = resolve))
    service.consumer(orders, options).on(Ordered, ({ data }, { send }) => {
      late.push(ended.then(async () => send(Priced, data)).catch((error: unknown) => error))
    })
    await service.start()
    await soon(() => expect(late).toHaveLength(1))
    release()
    expect(String(await late[0])).toMatch(/came after its handler had ended: await it/)
  })

  it('refuses publish, which would not be part of it, and a record that its topic does not take', async () => {
    await using kafka = await startWorld()
    await order(kafka, 0, 1)
    const refusals: string[] = []
    await using service = serviceOn(kafka)
    service.consumer(orders, options).on(Ordered, async ({ data }, { publish, sendRecord }) => {
      await publish(Priced, data).catch((error: unknown) => refusals.push(String(error)))
      const large = { topic: 'prices', value: Buffer.alloc(2_000_000) }
      await sendRecord(large).catch((error: unknown) => refusals.push(String(error)))
    })
    await service.start()
    await soon(() => expect(refusals).toHaveLength(2))
    expect(refusals[0]).toMatch(/under exactlyOnce use send/)
    expect(refusals[1]).toMatch(/max\.message\.bytes/)
  })
})

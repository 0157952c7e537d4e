import { describe, expect, it, vi } from 'vitest'
import { defineEvent, defineTopic, Type } from '../../contract/index.ts'
import { startRuntimeWorld } from '../fixture/runtime-world.ts'
import type { RuntimeWorld } from '../fixture/runtime-world.ts'
import { createService } from './service.ts'
import type { Service } from './service.ts'

/** Waits as long as a busy machine may need. */
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })

const Counted = defineEvent('COUNTED', {
  data: Type.Object({ key: Type.String(), number: Type.Integer() }),
})
const Closed = defineEvent('CLOSED', { data: Type.Object({ key: Type.String() }) })
const counts = defineTopic('counts', {
  events: [Counted, Closed],
  key: ({ data }) => data.key,
})

function serviceIn(world: RuntimeWorld): Service {
  return createService({
    name: 'counting',
    kafka: world.newDriver(),
    topics: [counts],
    metrics: false,
    log: () => undefined,
  })
}

/** Publishes numbers from 0 on, of so many keys in turn. */
async function publish(service: Service, count: number, keys = 10): Promise<void> {
  await service.publishMany(
    Array.from({ length: count }, (_, number) => ({
      event: Counted,
      data: { key: `k-${number % keys}`, number },
    })),
  )
}

/** How many events have ended so. */
function endedAs(service: Service, status: string): number {
  const pattern = new RegExp(`kafka_events_processed_total.*status="${status}"} (\\d+)`)
  return Number(pattern.exec(service.metrics.expose())?.[1] ?? 0)
}

const options = { start: 'earliest', retry: { delayMs: 1, delayMsMax: 4, attempts: 3 } } as const

describe('a batch handler', () => {
  it('gets many records of a key at once, in their order, and none of it while a batch runs', async () => {
    await using world = await startRuntimeWorld({ counts: 3 })
    await using service = serviceIn(world)
    const sizes: number[] = []
    const last = new Map<string, number>()
    const running = new Set<string>()
    const overlaps: string[] = []
    service.consumer(counts, options).batch(
      Counted,
      async (events) => {
        sizes.push(events.length)
        const keys = new Set(events.map(({ event }) => event.data.key))
        for (const key of keys) if (running.has(key)) overlaps.push(key)
        for (const key of keys) running.add(key)
        for (const { event } of events) {
          const { key, number } = event.data
          if (number <= (last.get(key) ?? -1)) overlaps.push(`${key} ${number}`)
          last.set(key, number)
        }
        await world.platform.clock.sleep(3)
        for (const key of keys) running.delete(key)
      },
      { recordsMax: 50, windowMs: 20 },
    )
    await publish(service, 1_000, 5)
    await service.start()
    await soon(() => expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1_000))
    expect(overlaps).toEqual([])
    expect(Math.max(...sizes)).toBe(50)
  })

  it('that throws has its records run again one at a time, in order, and only the bad one is put away', async () => {
    await using world = await startRuntimeWorld({ counts: 1 })
    await using service = serviceIn(world)
    const done: number[] = []
    const attempts: number[] = []
    service.consumer(counts, options).batch(
      Counted,
      (events) => {
        const bad = events.find(({ event }) => event.data.number === 42)
        if (bad !== undefined) {
          if (events.length === 1) attempts.push(bad.attempt)
          throw new Error('the whole statement was refused')
        }
        done.push(...events.map(({ event }) => event.data.number))
      },
      { recordsMax: 100, windowMs: 50 },
    )
    await publish(service, 100)
    await service.start()
    await soon(() => expect(done).toHaveLength(99))
    await soon(() => expect(endedAs(service, 'dead_lettered')).toBe(1))
    expect(attempts).toEqual([1, 2, 3])
    expect(new Set(done).size).toBe(99)
    for (let key = 0; key < 10; key++) {
      const ofKey = done.filter((number) => number % 10 === key)
      expect(ofKey).toEqual([...ofKey].sort((one, other) => one - other))
    }
  })

  it('can end records one by one: what is done stays done, what failed is dealt with by itself', async () => {
    await using world = await startRuntimeWorld({ counts: 1 })
    await using service = serviceIn(world)
    const seen: number[][] = []
    service.consumer(counts, options).batch(
      Counted,
      (events, batch) => {
        seen.push(events.map(({ event }) => event.data.number))
        for (const each of events) {
          if (each.event.data.number === 3) batch.fail(each, new Error('never'))
          else batch.done(each)
        }
        if (events.length > 1) throw new Error('and then the connection was gone')
      },
      { recordsMax: 20, windowMs: 2_000 },
    )
    await publish(service, 20)
    await service.start()
    await soon(() => expect(endedAs(service, 'done')).toBe(19))
    await soon(() => expect(endedAs(service, 'dead_lettered')).toBe(1))
    // 13 has the key of 3, and came behind it.
    expect(seen).toEqual([[...Array(20).keys()], [3], [3], [13]])
  })

  it('waits with what comes behind a batch of the same key, whatever handles it', async () => {
    await using world = await startRuntimeWorld({ counts: 1 })
    await using service = serviceIn(world)
    const seen: string[] = []
    service
      .consumer(counts, options)
      .batch(
        Counted,
        async (events) => {
          await world.platform.clock.sleep(5)
          seen.push(...events.map(({ event }) => String(event.data.number)))
        },
        { recordsMax: 3, windowMs: 10 },
      )
      .on(Closed, ({ data }) => {
        seen.push(`closed ${data.key}`)
      })
    await service.publishMany([
      { event: Counted, data: { key: 'a', number: 1 } },
      { event: Counted, data: { key: 'a', number: 2 } },
      { event: Closed, data: { key: 'a' } },
      { event: Counted, data: { key: 'a', number: 3 } },
    ])
    await service.start()
    await soon(() => expect(seen).toEqual(['1', '2', 'closed a', '3']))
  })

  it('runs a batch that waits while an outage lasts, so that it can end', async () => {
    await using world = await startRuntimeWorld({ counts: 1 })
    await using service = serviceIn(world)
    const seen: string[] = []
    let failed = 0
    service
      .consumer(counts, {
        ...options,
        errors: [() => (failed >= 30 ? 'skip' : 'retry')],
        retry: { attempts: 100, delayMs: 1, delayMsMax: 2 },
      })
      .batch(Closed, (events) => void seen.push(...events.map(({ event }) => event.data.key)), {
        windowMs: 300,
      })
      .on(Counted, () => {
        failed++
        throw new Error('the database is away')
      })
    await service.start()
    await service.publish(Closed, { key: 'b' })
    await publish(service, 12, 12)
    // Those that fail are given up; nobody but the batch is left to say that the outage is over.
    await soon(() => expect(seen).toEqual(['b']))
    await soon(() => expect(service.metrics.expose()).toMatch(/outage_guard_open\{[^}]*} 0/))
  })

  it('takes records as they are, too', async () => {
    await using world = await startRuntimeWorld({ clicks: 2 })
    await using service = serviceIn(world)
    const seen: string[] = []
    service.recordBatches(
      'clicks',
      (records) => {
        seen.push(...records.map(({ record }) => String(record.value)))
      },
      { start: 'earliest', batch: { recordsMax: 7 } },
    )
    await world
      .newSink()
      .send(Array.from({ length: 30 }, (_, number) => ({ topic: 'clicks', value: String(number) })))
    await service.start()
    await soon(() => expect(seen).toHaveLength(30))
  })

  it('is refused beside another handler of the same event', () => {
    const service = createService({ name: 'x', kafka: { brokers: 'localhost:9092' } })
    const consumer = service.consumer(counts).on(Counted, () => undefined)
    expect(() => consumer.batch([Closed, Counted], () => undefined)).toThrow(/'COUNTED'/)
    expect(() => consumer.batch(Closed, () => undefined, { recordsMax: 0 })).toThrow(
      /batch\.recordsMax \(0\)/,
    )
  })
})

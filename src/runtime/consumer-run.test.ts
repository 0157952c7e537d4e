/**
 * Promise: a consumer runs each record once, the records of a key in order, tries what fails, and goes on after a
 * restart where it was; what had ended above the oldest open record does not run again.
 *
 * Proves: 1, 2, 3, 4
 */
import { describe, expect, it, vi } from 'vitest'
import type { SourceRecord } from '../driver/index.ts'
import type { LogFields } from '../observe/index.ts'
import { createNodePlatform } from '../platform/index.ts'
import { ControlledClock, startBroker } from '../testing/index.ts'
import type { Delivery } from './delivery.ts'
import { RuntimeWorld, startRuntimeWorld } from './fixture/runtime-world.ts'
import { fingerprintOf } from './steps/fingerprint.ts'

/** Waits as long as a busy machine may need. */
const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })

/** Writes `count` records, the keys in turn; each value is its number. */
async function write(world: RuntimeWorld, count: number, keys = 10, topic = 'orders') {
  const records = Array.from({ length: count }, (_, number) => ({
    topic,
    key: `k-${number % keys}`,
    value: String(number),
  }))
  await world.newSink().send(records)
}

async function committedIn(world: RuntimeWorld, groupId = 'workers') {
  const found = await world.driver.admin().groups.offsets(groupId)
  return found.reduce((sum, each) => sum + (each.error === undefined ? each.offset : 0), 0)
}

/** The first records of a topic. */
async function read(world: RuntimeWorld, topic: string, count: number): Promise<SourceRecord[]> {
  const source = world.driver.source({
    groupId: `readers of ${topic}`,
    offsetReset: 'earliest',
  })
  source.subscribe([topic])
  const found: SourceRecord[] = []
  while (found.length < count) for (const batch of await source.poll()) found.push(...batch)
  await source.close()
  return found
}

const numberOf = (delivery: Delivery) => Number(delivery.record.value?.toString())

describe('a consumer', () => {
  it('runs each record once, and commits what has ended', async () => {
    await using world = await startRuntimeWorld()
    await write(world, 1_000)
    const seen: number[] = []
    const { endings } = world.start((delivery) => {
      seen.push(numberOf(delivery))
      return undefined
    })
    await soon(() => expect(endings.get('done')).toBe(1_000))
    expect(new Set(seen).size).toBe(1_000)
    await soon(async () => {
      expect(await committedIn(world)).toBe(1_000)
    })
  })

  it('runs keys beside each other, and the records of a key one after another in order', async () => {
    await using world = await startRuntimeWorld()
    await write(world, 500, 25)
    const last = new Map<string, number>()
    const running = new Set<string>()
    let most = 0
    const { endings } = world.start(async (delivery) => {
      const key = String(delivery.record.key)
      expect(running.has(key)).toBe(false)
      expect(numberOf(delivery)).toBeGreaterThan(last.get(key) ?? -1)
      running.add(key)
      most = Math.max(most, running.size)
      last.set(key, numberOf(delivery))
      await world.platform.clock.sleep(Math.random() * 4)
      running.delete(key)
      return undefined
    })
    await soon(() => expect(endings.get('done')).toBe(500))
    expect(most).toBeGreaterThan(20)
  })

  it('tries a record again, then puts it into the dead-letter topic; other keys go on', async () => {
    await using world = await startRuntimeWorld({ orders: 1, 'orders.dlq': 1 })
    await write(world, 100)
    const attempts: number[] = []
    const { endings } = world.start((delivery) => {
      if (numberOf(delivery) !== 42) return undefined
      attempts.push(delivery.attempt)
      throw new Error('this one never works')
    })
    await soon(() => expect(endings.get('done')).toBe(99))
    await soon(() => expect(endings.get('dead-lettered')).toBe(1))
    expect(attempts).toEqual([1, 2, 3])
    const [letter] = await read(world, 'orders.dlq', 1)
    expect(letter?.value?.toString()).toBe('42')
    expect(letter?.header('source-offset')?.toString()).toBe('42')
    expect(letter?.header('retry-count')?.toString()).toBe('1')
    expect(letter?.header('attempts')?.toString()).toBe('3')
    expect(letter?.header('error-message')?.toString()).toBe('this one never works')
  })

  it('goes on after a restart where it was, and runs nothing again that was committed', async () => {
    await using world = await startRuntimeWorld()
    await write(world, 300)
    const seen: number[] = []
    const way = (delivery: Delivery) => {
      seen.push(numberOf(delivery))
      return undefined
    }
    const first = world.start(way)
    await soon(() => expect(first.endings.get('done')).toBe(300))
    expect(await first.run.close({ drainMs: 2_000, leave: true })).toBe(true)
    await first.reading
    await write(world, 50)
    const second = world.start(way)
    await soon(() => expect(second.endings.get('done')).toBe(50))
    expect(seen).toHaveLength(350)
  })

  it('of several members gives each record to one, also while members come and go', async () => {
    await using world = await startRuntimeWorld({ orders: 6 })
    const seen: number[] = []
    const way = async (delivery: Delivery) => {
      await world.platform.clock.sleep(2)
      seen.push(numberOf(delivery))
      return undefined
    }
    await write(world, 2_000, 200)
    const first = world.start(way, { concurrency: 8 })
    await soon(() => expect(seen.length).toBeGreaterThan(100))
    world.start(way, { concurrency: 8 })
    await soon(() => expect(seen.length).toBeGreaterThan(600))
    await first.run.close({ drainMs: 5_000, leave: true })
    await soon(() => expect(new Set(seen).size).toBe(2_000))
    // Nobody crashed: what was running was waited for and committed before its partition went on.
    expect(seen).toHaveLength(2_000)
  })

  it('does not run again what had ended above the oldest open record', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    await write(world, 400, 20)
    const seen: number[] = []
    let release: () => void = () => undefined
    const stuck = new Promise<void>((resolve) => (release = resolve))
    const first = world.start(async (delivery) => {
      if (delivery.record.key?.toString() === 'k-3') await stuck
      seen.push(numberOf(delivery))
      return undefined
    })
    await soon(() => expect(first.endings.get('done')).toBe(380))
    await first.run.close({ drainMs: 0, leave: true })
    expect(await committedIn(world)).toBe(3)
    const again: number[] = []
    const second = world.start((delivery) => {
      again.push(numberOf(delivery))
      return undefined
    })
    await soon(() => expect(second.endings.get('done')).toBe(20))
    expect(again.every((number) => number % 20 === 3)).toBe(true)
    await soon(async () => expect(await committedIn(world)).toBe(400))
    // The handler that ignored its end comes to it: nothing of it counts.
    release()
    await soon(() => expect(first.late).toHaveLength(1))
    expect(second.endings.get('done')).toBe(20)
  })

  it('works on fewer records at a time where the broker lets less stand beside an offset', async () => {
    await using world = await startRuntimeWorld(
      { orders: 1 },
      { 'offset.metadata.max.bytes': '1024' },
    )
    await write(world, 6_000, 6_000)
    let release: () => void = () => undefined
    const stuck = new Promise<void>((resolve) => (release = resolve))
    const warnings: string[] = []
    const { endings } = world.start(
      async (delivery) => {
        // Without a pattern, so that it takes a bit an offset to say which have ended.
        if (fingerprintOf(delivery.record.value) % 2 === 0) await stuck
        return undefined
      },
      { commit: { intervalMs: 10, countMax: 100 }, concurrency: 4_000 },
      {},
      (level, message) => {
        if (level === 'warn') warnings.push(message)
      },
    )
    await soon(() => expect(warnings.join()).toMatch(/offset\.metadata\.max\.bytes/))
    release()
    await soon(() => expect(endings.get('done')).toBe(6_000))
    await soon(async () => expect(await committedIn(world)).toBe(6_000))
  })

  it('that waits long for its oldest open record says which one', async () => {
    const real = createNodePlatform()
    const clock = new ControlledClock(real.clock)
    await using world = new RuntimeWorld(await startBroker(), { ...real, clock })
    await world.kafka.createTopic('orders', { partitions: 1 })
    await write(world, 200, 20)
    let release: () => void = () => undefined
    const stuck = new Promise<void>((resolve) => (release = resolve))
    const said: LogFields[] = []
    const { endings, run } = world.start(
      async (delivery) => {
        if (numberOf(delivery) === 7) await stuck
        return undefined
      },
      { window: 50 },
      {},
      (_level, message, fields = {}) => {
        if (message === 'a partition waits for its oldest open record') said.push(fields)
      },
    )
    await soon(() => expect(run.partitions.map(({ isBlocked }) => isBlocked)).toEqual([true]))
    await soon(() => expect(run.partitions[0]?.ledger.frontier).toBe(7))
    for (let seconds = 0; seconds < 11; seconds++) await clock.advance(1_000)
    expect(said).toMatchObject([{ offset: 7, key: 'k-7', window: 50, attempts: 0 }])
    release()
    await soon(() => expect(endings.get('done')).toBe(200))
  })

  it('begins a new group where it was told to, in one commit for all partitions', async () => {
    await using world = await startRuntimeWorld({ orders: 3 })
    await write(world, 30)
    const { endings } = world.start(() => undefined, { start: 'latest' })
    await soon(async () => expect(await committedIn(world)).toBe(30))
    await write(world, 5)
    await soon(() => expect(endings.get('done')).toBe(5))
  })

  it('tells an outage from bad records: nothing is dead-lettered, and it goes on by itself', async () => {
    await using world = await startRuntimeWorld({ orders: 4 })
    await write(world, 200, 100)
    let isBroken = true
    let failures = 0
    const { endings, run } = world.start(() => {
      if (!isBroken) return undefined
      failures++
      throw new Error('the database is away')
    })
    await soon(() => expect(run.notReadyBecause).toMatch(/outage/))
    const atFirst = failures
    await soon(() => expect(failures).toBeGreaterThan(atFirst + 2))
    // One at a time, with pauses: not a hot loop.
    expect(failures).toBeLessThan(atFirst + 50)
    isBroken = false
    await soon(() => expect(endings.get('done')).toBe(200))
    expect(endings.get('dead-lettered')).toBeUndefined()
    expect(run.notReadyBecause).toBeUndefined()
  })
})

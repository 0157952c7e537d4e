import { describe, expect, it, vi } from 'vitest'
import type { SourceRecord } from '../driver/index.ts'
import type { Delivery } from './delivery.ts'
import { startRuntimeWorld } from './fixture/runtime-world.ts'
import type { RuntimeWorld } from './fixture/runtime-world.ts'

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
    await vi.waitFor(() => expect(endings.get('done')).toBe(1_000))
    expect(new Set(seen).size).toBe(1_000)
    await vi.waitFor(async () => {
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
    await vi.waitFor(() => expect(endings.get('done')).toBe(500))
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
    await vi.waitFor(() => expect(endings.get('done')).toBe(99))
    await vi.waitFor(() => expect(endings.get('dead-lettered')).toBe(1))
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
    await vi.waitFor(() => expect(first.endings.get('done')).toBe(300))
    expect(await first.run.close({ drainMs: 2_000, leave: true })).toBe(true)
    await first.reading
    await write(world, 50)
    const second = world.start(way)
    await vi.waitFor(() => expect(second.endings.get('done')).toBe(50))
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
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(100))
    world.start(way, { concurrency: 8 })
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(600), { timeout: 20_000 })
    await first.run.close({ drainMs: 5_000, leave: true })
    await vi.waitFor(() => expect(new Set(seen).size).toBe(2_000), { timeout: 20_000 })
    // Nobody crashed: what was running was waited for and committed before its partition went on.
    expect(seen).toHaveLength(2_000)
  })
})

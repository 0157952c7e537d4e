/**
 * Promise: partitions are paused, moved and run again by an operator, and no record is lost or repeated that was not
 * meant; a record that is gone stops its partition.
 *
 * Proves: 1, 3, 5
 */
import { describe, expect, it, vi } from 'vitest'
import fc from 'fast-check'
import type { Delivery } from './delivery.ts'
import { startRuntimeWorld } from './fixture/runtime-world.ts'
import type { RuntimeWorld } from './fixture/runtime-world.ts'
import { PausedPartitions } from './paused-partitions.ts'

const first = { topic: 'orders', partition: 0 }

async function write(world: RuntimeWorld, from: number, to: number) {
  const records = Array.from({ length: to - from }, (_, index) => ({
    topic: 'orders',
    partition: 0,
    key: `k-${(from + index) % 10}`,
    value: String(from + index),
  }))
  await world.newSink().send(records)
}

/** A way that remembers what it has seen. */
function watching(seen: number[]) {
  return (delivery: Delivery) => {
    seen.push(delivery.offset)
    return undefined
  }
}

async function committedIn(world: RuntimeWorld): Promise<number | undefined> {
  const [found] = await world.driver.admin().groups.offsets('workers')
  return found !== undefined && found.error === undefined ? found.offset : undefined
}

describe('pause and resume', () => {
  it('of all let nothing start, what runs goes on, and no record is lost by it', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    const seen: number[] = []
    const { run, endings } = world.start(watching(seen))
    await write(world, 0, 100)
    await vi.waitFor(() => expect(seen).toHaveLength(100))
    run.pause()
    await write(world, 100, 200)
    // It is asked for another partition's sake: what was paused is not touched by it.
    run.resume([{ topic: 'orders', partition: 7 }])
    await vi.waitFor(async () => expect(await committedIn(world)).toBe(100))
    expect(seen).toHaveLength(100)
    run.resume([first])
    await vi.waitFor(() => expect(endings.get('done')).toBe(200))
    expect(seen).toEqual(Array.from({ length: 200 }, (_, offset) => offset))
  })

  it('of some and of all know at any time which are paused', () => {
    const partitions = [0, 1, 2].map((partition) => ({ topic: 'orders', partition }))
    const some = fc.option(fc.subarray(partitions), { nil: undefined })
    const step = fc.record({ isPause: fc.boolean(), some })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const paused = new PausedPartitions()
        const model = new Set<number>()
        for (const { isPause, some } of steps) {
          if (isPause) paused.pause(some)
          else paused.resume(some)
          for (const { partition } of some ?? partitions) {
            if (isPause) model.add(partition)
            else model.delete(partition)
          }
        }
        const has = partitions.filter((each) => paused.has(each)).map(({ partition }) => partition)
        expect(has).toEqual([...model].sort())
      }),
      { seed: 7 },
    )
  })
})

describe('a seek', () => {
  it('that another one overtakes is refused, and the partition is read on', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    const seen: number[] = []
    const { run } = world.start(watching(seen))
    await write(world, 0, 100)
    await vi.waitFor(() => expect(seen).toHaveLength(100), 20_000)
    const seeks = await Promise.allSettled([run.seek(first, 50), run.seek(first, 60)])
    expect(seeks.map(({ status }) => status).sort()).toContain('fulfilled')
    await write(world, 100, 110)
    await vi.waitFor(() => expect(seen.filter((offset) => offset >= 100)).toHaveLength(10), 20_000)
  })

  it('waits for what runs, commits the new place before anything runs there, and goes on', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    await write(world, 0, 100)
    const events: string[] = []
    let release = () => undefined as void
    const { run } = world.start(async ({ offset }) => {
      events.push(`begin ${offset}`)
      // The last one runs until it is let go: the seek has to wait for it.
      if (offset === 99) await new Promise<void>((resolve) => (release = resolve))
      events.push(`end ${offset}`)
      return undefined
    })
    await vi.waitFor(() => expect(events).toContain('begin 99'))
    await vi.waitFor(() => expect(events).toContain('end 98'))
    events.length = 0
    using commits = world.kafka.intercept('OffsetCommit', async (_, proceed) => {
      const answer = await proceed()
      events.push('committed')
      return answer
    })
    const seeking = run.seek(first, 40)
    await vi.waitFor(() => expect(run.partitions[0]?.is('draining')).toBe(true))
    release()
    await seeking
    await vi.waitFor(() => expect(events).toContain('begin 99'))
    expect(commits).toBeDefined()
    const begun = events.indexOf('begin 40')
    expect(events.indexOf('end 99')).toBeLessThan(begun)
    expect(events.indexOf('committed')).toBeLessThan(begun)
    expect(events.indexOf('committed')).toBeGreaterThan(-1)
    expect(events.filter((event) => /begin [0-3]?\d$/.test(event))).toEqual([])
    release()
    await vi.waitFor(async () => expect(await committedIn(world)).toBe(100))
  })

  it('backwards and forwards holds over a restart, and refuses what is not there', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    await write(world, 0, 100)
    const seen: number[] = []
    const { run, endings, reading } = world.start(watching(seen))
    await vi.waitFor(() => expect(endings.get('done')).toBe(100))
    await expect(run.seek(first, 101)).rejects.toThrow(
      /seek \(101\) must be an offset of orders-0, from 0 to 100/,
    )
    await expect(run.seek({ topic: 'orders', partition: 5 }, 0)).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_NOT_OWNED',
    })
    run.pause()
    await run.seek(first, 'beginning')
    expect(await committedIn(world)).toBe(0)
    await run.seek(first, 70)
    expect(await run.close({ drainMs: 2_000, leave: true })).toBe(true)
    await reading
    expect(seen).toHaveLength(100)
    const again: number[] = []
    world.start(watching(again))
    await vi.waitFor(() => expect(again).toHaveLength(30))
    expect(again[0]).toBe(70)
  })
})

describe('a partition that stands', () => {
  it('tries again when it is told to', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    await write(world, 0, 10)
    let isBroken = true
    const { run, endings } = world.start(
      ({ offset }) => {
        if (offset === 5 && isBroken) throw new Error('broken')
        return undefined
      },
      { errors: [() => 'stop'] },
    )
    await vi.waitFor(() => expect(run.notReadyBecause).toBe('orders-0 is stopped'))
    isBroken = false
    expect(run.resumeStopped()).toEqual([first])
    await vi.waitFor(() => expect(endings.get('done')).toBe(10))
    expect(run.notReadyBecause).toBeUndefined()
    expect(run.resumeStopped()).toEqual([])
  })
})

describe('records that are gone before they were read', () => {
  async function lose(world: RuntimeWorld) {
    await write(world, 0, 50)
    const { run, reading, endings } = world.start(() => undefined)
    await vi.waitFor(() => expect(endings.get('done')).toBe(50))
    await run.close({ drainMs: 2_000, leave: true })
    await reading
    await write(world, 50, 100)
    await world.driver.admin().records.delete({ ...first, before: 80 })
  }

  it('stop their partition, until an operator goes on elsewhere', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    await lose(world)
    const seen: number[] = []
    const { run } = world.start(watching(seen))
    await vi.waitFor(() => expect(run.notReadyBecause).toBe('orders-0 is stopped'))
    expect(seen).toEqual([])
    await run.seek(first, 'beginning')
    await vi.waitFor(() => expect(seen).toHaveLength(20))
    expect(seen[0]).toBe(80)
  })

  it('are passed over with onOffsetLost: earliest, and the log says so', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    await lose(world)
    const seen: number[] = []
    const lines: string[] = []
    const log = (_: string, message: string) => void lines.push(message)
    world.start(watching(seen), { onOffsetLost: 'earliest' }, {}, log)
    await vi.waitFor(() => expect(seen).toHaveLength(20))
    expect(seen[0]).toBe(80)
    expect(lines).toContain('orders-0 goes on with its first record: others are lost')
    await vi.waitFor(async () => expect(await committedIn(world)).toBe(100))
  })
})

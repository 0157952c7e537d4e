/**
 * Promise: a partition runs nothing before a commit says whose it is, nothing more once it is being given up, and is given up
 * when what ran has ended and is committed.
 *
 * Proves: 2, 5, 8
 */
import { expect, it, vi } from 'vitest'
import type { Delivery } from './delivery.ts'
import { startRuntimeWorld } from './fixture/runtime-world.ts'
import type { RuntimeWorld } from './fixture/runtime-world.ts'

const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })

const topic = 'orders'
const numberOf = ({ record }: Delivery) => Number(String(record.value))

/** Records of one key. */
async function write(world: RuntimeWorld, values: readonly string[]): Promise<void> {
  await world.newSink().send(values.map((value) => ({ topic, key: 'k', value })))
}

async function committedIn(world: RuntimeWorld): Promise<number> {
  const [found] = await world.driver.admin().groups.offsets('workers')
  return found?.error === undefined ? (found?.offset ?? 0) : 0
}

/** A handler that goes on when it is let go. */
function gate() {
  let letGo: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (letGo = resolve))
  const runs: number[] = []
  const way = async (delivery: Delivery) => {
    runs.push(numberOf(delivery))
    await opened
    return undefined
  }
  return { way, runs, letGo }
}

it('records of a key keep their order whatever is in them', async () => {
  await using world = await startRuntimeWorld({ [topic]: 1 })
  const values = Array.from({ length: 40 }, (_, index) => `${index}`.padEnd(8 - (index % 4)))
  await write(world, values)
  const { way, runs, letGo } = gate()
  const { endings } = world.start(way)
  await soon(() => expect(runs).toEqual([0]))
  // All others wait in the lane of their key.
  await world.pass(100)
  letGo()
  await soon(() => expect(endings.get('done')).toBe(values.length))
  expect(runs).toEqual(values.map((_, index) => index))
})

it('what runs when its partition is given up may end, and is committed first', async () => {
  await using world = await startRuntimeWorld({ [topic]: 1 })
  await write(world, ['0'])
  const { way, runs, letGo } = gate()
  const { run, late } = world.start(way)
  await soon(() => expect(runs).toEqual([0]))
  const closing = run.close({ drainMs: 5_000, leave: true })
  await Promise.race([closing, world.pass(1_000)])
  letGo()
  expect(await closing).toBe(true)
  expect(late).toEqual([])
  expect(await committedIn(world)).toBe(1)
})

it('nothing more starts of a partition that is being given up', async () => {
  await using world = await startRuntimeWorld({ [topic]: 1 })
  await write(world, ['0', '1', '2'])
  const { way, runs, letGo } = gate()
  const { run } = world.start(way)
  await soon(() => expect(runs).toEqual([0]))
  const closing = run.close({ drainMs: 5_000, leave: true })
  await world.pass(1_000)
  letGo()
  expect(await closing).toBe(true)
  expect(runs).toEqual([0])
  expect(await committedIn(world)).toBe(1)
})

it('nothing runs before a commit says whose the partition is', async () => {
  await using world = await startRuntimeWorld({ [topic]: 1 })
  await write(world, ['0'])
  // The group has begun: the next commit is the claim of its next member.
  const first = world.start(() => undefined)
  await soon(() => expect(first.endings.get('done')).toBe(1))
  await first.run.close({ drainMs: 5_000, leave: true })
  await write(world, ['1'])
  const held: (() => void)[] = []
  using commits = world.kafka.intercept('OffsetCommit', async (_request, proceed) => {
    await new Promise<void>((letGo) => held.push(letGo))
    return proceed()
  })
  const runs: number[] = []
  const { endings } = world.start((delivery) => {
    runs.push(numberOf(delivery))
    return undefined
  })
  await soon(() => expect(held).toHaveLength(1))
  await world.pass(1_000)
  expect(runs).toEqual([])
  commits[Symbol.dispose]()
  held[0]?.()
  await soon(() => expect(endings.get('done')).toBe(1))
  expect(runs).toEqual([1])
})

import { expect, it, vi } from 'vitest'
import { version } from '../version.ts'
import { startRuntimeWorld } from './fixture/runtime-world.ts'
import { createService } from './service/service.ts'

const soon = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000 })

it('a service tells how old its commits, its handlers and its records are, and what it is', async () => {
  await using world = await startRuntimeWorld({ orders: 1 })
  const service = createService({
    ...{ name: 'audit', kafka: world.newDriver(), metrics: false, log: () => undefined },
  })
  await using _ = service
  let release: () => void = () => undefined
  const stuck = new Promise<void>((resolve) => (release = resolve))
  service.records('orders', (record) => (record.offset === 1 ? stuck : undefined), {
    start: 'earliest',
    commit: { intervalMs: 10 },
  })
  const value = (name: string) => {
    const found = new RegExp(`^millrace_${name}(?:\\{.*\\})? (\\S+)`, 'm')
    return Number(found.exec(service.metrics.expose())?.[1] ?? -1)
  }
  const begunSeconds = world.platform.clock.now() / 1_000
  await service.start()
  const timestamp = world.platform.clock.now() - 40_000
  await world.newSink().send({ topic: 'orders', value: 'quick', timestamp })
  await world.newSink().send({ topic: 'orders', value: 'slow', timestamp })
  await soon(() => expect(value('end_to_end_latency_seconds_count')).toBe(1))
  expect(value('end_to_end_latency_seconds_sum')).toBeGreaterThanOrEqual(40)
  await soon(() =>
    expect(value('consumer_last_commit_timestamp_seconds')).toBeGreaterThanOrEqual(begunSeconds),
  )
  await soon(() => expect(value('handler_oldest_in_flight_seconds')).toBeGreaterThan(0.01))
  release()
  await soon(() => expect(value('end_to_end_latency_seconds_count')).toBe(2))
  expect(value('handler_oldest_in_flight_seconds')).toBe(-1)
  expect(service.metrics.expose()).toContain(
    `millrace_build_info{service="audit",version="${version}"} 1`,
  )
})

it('an owner that has died is counted by whoever comes after it', async () => {
  await using world = await startRuntimeWorld({ orders: 1 })
  await world.newSink().send({ topic: 'orders', value: 'v' })
  const died: number[] = []
  const first = world.start(() => new Promise(() => undefined), { drainMs: 0 })
  await soon(() => expect(first.run.partitions[0]?.runningCount).toBe(1))
  // As one that is killed: its mark stays open.
  vi.spyOn(first.run.partitions[0] as { closeMark(): void }, 'closeMark').mockReturnValue()
  await first.run.close({ drainMs: 0, leave: true })
  const second = world.start(
    () => undefined,
    {},
    { ownerDied: ({ partition }) => died.push(partition) },
  )
  await soon(() => expect(second.endings.get('done')).toBe(1))
  expect(died).toEqual([0])
})

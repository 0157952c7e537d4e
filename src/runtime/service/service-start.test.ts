/**
 * Promise: a service that is told to end while it starts ends, and leaves nothing open.
 *
 * Proves: 8
 */
import { describe, expect, it, vi } from 'vitest'
import { settingsForTests, startRuntimeWorld } from '../fixture/runtime-world.ts'
import { createService } from './service.ts'
import type { ServicePart } from './service-part.ts'

const quiet = { metrics: false, log: () => undefined } as const

describe('the start of a service', () => {
  it('that is refused reads nothing, and says why in one error', async () => {
    await using world = await startRuntimeWorld({ orders: 2 })
    await using service = createService({
      ...quiet,
      name: 'audit',
      kafka: world.newDriver(),
      topicPolicy: 'refuse',
    })
    const handler = vi.fn()
    service.records(['orders', 'payments'], handler, { start: 'earliest' })
    await world.newSink().send({ topic: 'orders', value: 'a' })
    await expect(service.start()).rejects.toMatchObject({ code: 'MILLRACE_RUNTIME_START_REFUSED' })
    const { groups } = world.driver.admin()
    expect((await groups.list()).map(({ groupId }) => groupId)).not.toContain('audit')
    expect(handler).not.toHaveBeenCalled()
  })

  it('that is told to end while it starts opens nothing more, and ends in order', async () => {
    await using world = await startRuntimeWorld({ orders: 2 })
    const service = createService({ ...quiet, name: 'audit', kafka: world.newDriver() })
    const handler = vi.fn()
    service.records('orders', handler, { start: 'earliest' })
    await service.connect()
    const starting = service.start()
    await Promise.all([starting, service.stop()])
    const { groups } = world.newDriver().admin()
    expect((await groups.list()).map(({ groupId }) => groupId)).not.toContain('audit')
    expect(handler).not.toHaveBeenCalled()
  })

  it('that is told to end while a part of it starts closes what has started, and fails at nothing', async () => {
    await using world = await startRuntimeWorld({ orders: 1 })
    const service = createService({
      ...{ ...quiet, name: 'audit', signals: false, kafka: world.newDriver() },
    })
    const told: string[] = []
    const part = (label: string, start: ServicePart['start']) => {
      const settings = { ...settingsForTests, groupId: label }
      service.add({ label, plan: () => ({ settings, contracts: [], written: [] }), start })
    }
    part('quick', () =>
      Promise.resolve({
        notReadyBecause: undefined,
        run: () => Promise.resolve(),
        close: () => {
          told.push('closed')
          return Promise.resolve(true)
        },
      }),
    )
    part('slow', ({ driver, signal }) => {
      told.push('starts')
      return new Promise((_resolve, reject) => {
        // It asks the cluster for something that does not come.
        signal.addEventListener('abort', () => {
          driver.admin().cluster.describe({ signal }).catch(reject)
        })
      })
    })
    const running = service.run()
    await vi.waitFor(() => expect(told).toEqual(['starts']), 20_000)
    expect(await service.health.report('ready')).toMatchObject({
      checks: { running: { ok: false, reason: 'the service is starting' } },
    })
    await service.stop()
    await running
    expect(told).toEqual(['starts', 'closed'])
  })

  it('is not ready before it runs, and letters keep the partition of their record', async () => {
    await using world = await startRuntimeWorld({ orders: 4 })
    const sink = world.newSink()
    for (const partition of [0, 1, 2, 3]) {
      await sink.send({ topic: 'orders', partition, key: 'the same', value: String(partition) })
    }
    await using service = createService({ ...quiet, name: 'audit', kafka: world.newDriver() })
    const handler = () => {
      throw new Error('never')
    }
    service.records('orders', handler, { start: 'earliest', errors: [() => 'deadLetter'] })
    await service.connect()
    expect(await service.health.report('ready')).toMatchObject({
      checks: { running: { ok: false, reason: 'the service is starting' } },
    })
    await service.start()
    const letters = [0, 1, 2, 3].map((partition) => ({ topic: 'orders.dlq', partition }))
    const { offsets } = world.driver.admin()
    await vi.waitFor(async () => {
      const ends = await offsets.findMany(letters.map((each) => ({ ...each, at: 'latest' })))
      expect(ends.map((end) => (end.error === undefined ? end.offset : -1))).toEqual([1, 1, 1, 1])
    }, 10_000)
  })
})

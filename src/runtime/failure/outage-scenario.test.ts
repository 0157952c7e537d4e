/**
 * Promise: nothing is given up while the world is broken; what is paused is not tried.
 *
 * Proves: 4
 */
import { expect, it, vi } from 'vitest'
import { startRuntimeWorld } from '../fixture/runtime-world.ts'

it('an outage ends with a record that never ran, though others of its partition fail or wait for ever', async () => {
  await using world = await startRuntimeWorld({ orders: 1 })
  const sink = world.newSink()
  const numbers = Array.from({ length: 12 }, (_, index) => index)
  const bad = numbers.map((number) => ({ topic: 'orders', key: `bad-${number}`, value: 'bad' }))
  await sink.send([{ topic: 'orders', key: 'waits', value: 'waits' }, ...bad])
  const { endings, run } = world.start(
    ({ record }) => {
      const value = String(record.value)
      if (value === 'waits') return { postponedMs: 1 }
      if (value === 'bad') throw new Error('this one never works')
      return undefined
    },
    { retry: { attempts: 1_000, delayMs: 1, delayMsMax: 1, withinMs: 1_000_000 } },
  )
  await vi.waitFor(() => expect(run.notReadyBecause).toMatch(/outage/), { timeout: 20_000 })
  await sink.send({ topic: 'orders', key: 'good', value: 'good' })
  await vi.waitFor(() => expect(endings.get('done')).toBe(1), { timeout: 20_000 })
})

it('an outage is not probed in a partition that is paused', async () => {
  await using world = await startRuntimeWorld({ orders: 1 })
  const sink = world.newSink()
  const numbers = Array.from({ length: 30 }, (_, index) => index)
  await sink.send(numbers.map((number) => ({ topic: 'orders', key: `k-${number}`, value: 'v' })))
  let runs = 0
  let isBroken = true
  const { endings, run } = world.start(
    () => {
      runs += 1
      if (isBroken) throw new Error('the world is broken')
      return undefined
    },
    { retry: { attempts: 1_000, delayMs: 1, delayMsMax: 1, withinMs: 1_000_000 } },
  )
  await vi.waitFor(() => expect(run.notReadyBecause).toMatch(/outage/), { timeout: 20_000 })
  run.pause()
  const before = runs
  // Several times something would be tried.
  await world.pass(5_000)
  expect(runs).toBe(before)
  isBroken = false
  run.resume()
  await world.pass(12_000)
  await vi.waitFor(() => expect(endings.get('done')).toBe(30), { timeout: 20_000 })
})

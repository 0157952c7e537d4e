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

import { expect, it, onTestFinished, vi } from 'vitest'
import { createNativeDriver } from '../../driver/index.ts'
import { silentLog } from '../../observe/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import { ControlledClock, startBroker } from '../../testing/index.ts'
import { Purge } from './purge.ts'

const topic = 'copies'

async function startPurge(configs: Record<string, string> = {}) {
  const kafka = await startBroker()
  const driver = createNativeDriver({ brokers: kafka.bootstrap, log: silentLog })
  await kafka.createTopic(topic, { partitions: 1, configs })
  const sink = driver.sink()
  await sink.send(['a', 'b', 'c'].map((value) => ({ topic, partition: 0, key: value, value })))
  await sink.close()
  const clock = new ControlledClock(createNodePlatform().clock)
  const warnings: string[] = []
  const purge = new Purge({
    ...{ clock, admin: driver.admin() },
    log: (_level, message) => warnings.push(message),
    done: () => [{ topic, partition: 0, before: 2 }],
  })
  const running = purge.run()
  const reader = driver.reader({ offsetReset: 'none' })
  onTestFinished(async () => {
    purge.close()
    await running
    await reader.close()
    await driver.close()
    await kafka[Symbol.asyncDispose]()
  })
  const firstOffset = async () => {
    const [first] = await reader.beginningOffsets([{ topic, partition: 0 }])
    return first?.offset
  }
  return { clock, warnings, firstOffset }
}

it('deletes what was worked, and nothing behind it', async () => {
  const { clock, warnings, firstOffset } = await startPurge()
  expect(await firstOffset()).toBe(0)
  await vi.waitFor(async () => {
    await clock.advance(30_000)
    expect(await firstOffset()).toBe(2)
  })
  expect(warnings).toEqual([])
})

it('says once that it may not, and goes on', async () => {
  const { clock, warnings, firstOffset } = await startPurge({ 'cleanup.policy': 'compact' })
  await vi.waitFor(async () => {
    await clock.advance(30_000)
    expect(warnings).toHaveLength(1)
  })
  await clock.advance(30_000)
  expect(warnings).toHaveLength(1)
  expect(await firstOffset()).toBe(0)
})

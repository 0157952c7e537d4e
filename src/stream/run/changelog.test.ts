import { describe, expect, it, onTestFinished } from 'vitest'
import { createNativeDriver } from '../../driver/index.ts'
import type { Driver } from '../../driver/index.ts'
import { silentLog } from '../../observe/index.ts'
import { createNodePlatform } from '../../platform/index.ts'
import { memoryStateStores } from '../../store/index.ts'
import type { StateStore } from '../../store/index.ts'
import { startBroker } from '../../testing/index.ts'
import { indexKeyOf } from '../state/timers.ts'
import { Changelog } from './changelog.ts'
import type { RestoreProgress } from './changelog.ts'

const topic = 'flow.changelog'
const { clock } = createNodePlatform()

async function startChangelog() {
  const kafka = await startBroker()
  const driver = createNativeDriver({ brokers: kafka.bootstrap, log: silentLog })
  onTestFinished(async () => {
    await driver.close()
    await kafka[Symbol.asyncDispose]()
  })
  await kafka.createTopic(topic, { partitions: 1 })
  const deletionsKeptMs = 86_400_000
  const changelog = new Changelog({ driver, clock, log: silentLog, topic, deletionsKeptMs })
  const store = memoryStateStores().open('task-0') as StateStore
  return { driver, changelog, store }
}

async function write(driver: Driver, ...keys: string[]): Promise<void> {
  const sink = driver.sink()
  await sink.send(keys.map((key) => ({ topic, partition: 0, key, value: `of ${key}` })))
  await sink.close()
}

const restoreInto = (
  changelog: Changelog,
  store: StateStore,
  progress: (progress: RestoreProgress) => void = () => undefined,
) =>
  changelog.restore({
    ...{ partition: 0, store, progress, signal: new AbortController().signal },
    dueTimeOf: ({ key }) => (key === 'timed' ? 42 : undefined),
  })

describe('a changelog', () => {
  it('makes a state again, and what finds its entries by time', async () => {
    const { driver, changelog, store } = await startChangelog()
    await write(driver, 'a', 'timed')
    expect(await restoreInto(changelog, store)).toMatchObject({ offset: 2 })
    expect(store.get('a')?.toString()).toBe('of a')
    expect(store.get(indexKeyOf(42, 'timed'))).toBeDefined()
  })

  it('trusts no checkpoint that is ahead of it', async () => {
    const { driver, changelog, store } = await startChangelog()
    await write(driver, 'a')
    const { topicId } = await restoreInto(changelog, store)
    const checkpoint = { offset: 9, leaderEpoch: -1, topicId, timestamp: clock.now() }
    await store.commit([{ key: 'of nobody', value: Buffer.from('x') }], checkpoint)
    expect(await restoreInto(changelog, store)).toMatchObject({ offset: 1 })
    expect(store.get('of nobody')).toBeUndefined()
    expect(store.get('a')?.toString()).toBe('of a')
  })

  it('is waited for until what is open in it is decided', async () => {
    const { driver, changelog, store } = await startChangelog()
    await write(driver, 'a')
    const sink = driver.transactionalSink({ transactionalId: 't', transactionTimeoutMs: 10_000 })
    let end: () => void = () => undefined
    const ended = new Promise<void>((resolve) => (end = resolve))
    let isWritten: () => void = () => undefined
    const written = new Promise<void>((resolve) => (isWritten = resolve))
    const transaction = sink.transaction(async (open) => {
      await open.send([{ topic, partition: 0, key: 'b', value: 'of b' }])
      isWritten()
      await ended
    })
    await written
    let begins: (to: number) => void = () => undefined
    const begun = new Promise<number>((resolve) => (begins = resolve))
    const restoring = restoreInto(changelog, store, ({ to }) => begins(to))
    expect(await begun).toBe(2)
    end()
    await transaction
    await restoring
    expect(store.get('b')?.toString()).toBe('of b')
    await sink.close()
  })
})

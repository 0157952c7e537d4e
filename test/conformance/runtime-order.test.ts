/**
 * Promise: on any Kafka the records of a key run one after another, and everything else beside each other.
 *
 * Proves: 2
 */
import { expect } from 'vitest'
import type { ConsumerOptions } from '../../src/runtime/index.ts'
import { runtimeConformance, soonest, until } from './runtime-world.ts'
import type { RuntimeWorld } from './runtime-world.ts'

const keyCount = 40
const recordCount = 800
const partitions = 4

/** Records of many keys, each with its number among those of its key. */
async function filledTopic(world: RuntimeWorld): Promise<string> {
  const topic = (await world.port.topic({ partitions })).name
  await world.send(
    Array.from({ length: recordCount }, (_, index) => ({
      ...{ topic, key: `key-${index % keyCount}`, partition: (index % keyCount) % partitions },
      value: String(Math.floor(index / keyCount)),
    })),
  )
  return topic
}

/** What ran when: throws at once when two of a key run together, or one before its predecessor. */
class Observed {
  readonly #next = new Map<string, number>()
  readonly #running = new Set<string>()
  doneCount = 0
  atOnceMax = 0

  begin(key: string, number: number): void {
    if (this.#running.has(key)) throw new Error(`two of ${key} run at once`)
    if ((this.#next.get(key) ?? 0) !== number)
      throw new Error(`${number} of ${key} is not its turn`)
    this.#running.add(key)
    this.atOnceMax = Math.max(this.atOnceMax, this.#running.size)
  }

  end(key: string, number: number): void {
    this.#running.delete(key)
    this.#next.set(key, number + 1)
    this.doneCount += 1
  }

  failed(key: string): void {
    this.#running.delete(key)
  }
}

async function inOrder(world: RuntimeWorld, options: Partial<ConsumerOptions>, failEvery: number) {
  const topic = await filledTopic(world)
  const observed = new Observed()
  const problems: string[] = []
  const failed = new Set<string>()
  await world.records({
    ...{ topics: topic, groupId: world.port.name('group'), ...options },
    handler: async ({ key, value }) => {
      const [name, number] = [String(key), Number(value)]
      try {
        observed.begin(name, number)
      } catch (error) {
        problems.push((error as Error).message)
        return
      }
      await new Promise((resolve) => setTimeout(resolve, 1 + ((number * 7 + name.length) % 5)))
      const index = Number(name.slice('key-'.length))
      if ((number + index) % failEvery === 0 && !failed.has(`${name} ${number}`)) {
        failed.add(`${name} ${number}`)
        observed.failed(name)
        throw new Error('it fails once')
      }
      observed.end(name, number)
    },
  })
  await until(() =>
    expect(observed.doneCount + problems.length).toBeGreaterThanOrEqual(recordCount),
  )
  expect(problems).toEqual([])
  return observed
}

runtimeConformance('runtime: order', {
  'keys keep their order far beyond the number of partitions, also while records fail': async (
    world,
  ) => {
    const { atOnceMax } = await inOrder(
      world,
      { concurrency: 100, retry: { attempts: 3, delayMs: 1, delayMsMax: 5 } },
      10,
    )
    expect(atOnceMax).toBeGreaterThan(partitions * 2)
  },

  'with order partition one record of a partition runs at a time': async (world) => {
    const topic = await filledTopic(world)
    const running = new Set<number>()
    const seen = new Map<number, number[]>()
    let overlaps = 0
    await world.records({
      ...{ topics: topic, groupId: world.port.name('group'), order: 'partition' },
      handler: async (_, { partition, offset }) => {
        if (running.has(partition)) overlaps += 1
        running.add(partition)
        seen.set(partition, [...(seen.get(partition) ?? []), offset])
        await new Promise((resolve) => setImmediate(resolve))
        running.delete(partition)
      },
    })
    const inEach = Array.from({ length: recordCount / partitions }, (_, offset) => offset)
    const all = Array.from({ length: partitions }, () => inEach)
    await until(() => expect([0, 1, 2, 3].map((partition) => seen.get(partition))).toEqual(all))
    expect(overlaps).toBe(0)
  },

  'batches have the records of a key in order, and nothing of a key runs beside its batch': async (
    world,
  ) => {
    const topic = await filledTopic(world)
    const service = world.service({ signals: false })
    const next = new Map<string, number>()
    const running = new Set<string>()
    const problems: string[] = []
    const sizes: number[] = []
    let doneCount = 0
    service.recordBatches(
      topic,
      async (records) => {
        sizes.push(records.length)
        const keys = new Set(records.map(({ record }) => String(record.key)))
        for (const key of keys) if (running.has(key)) problems.push(`${key} runs beside its batch`)
        for (const key of keys) running.add(key)
        await new Promise((resolve) => setTimeout(resolve, 2))
        for (const { record } of records) {
          const [key, number] = [String(record.key), Number(record.value)]
          if ((next.get(key) ?? 0) !== number) problems.push(`${number} of ${key} is not its turn`)
          next.set(key, number + 1)
        }
        for (const key of keys) running.delete(key)
        doneCount += records.length
      },
      { ...soonest, batch: { recordsMax: 50, windowMs: 20 } },
    )
    await service.start()
    await until(() => expect(doneCount).toBeGreaterThanOrEqual(recordCount))
    expect(problems).toEqual([])
    expect(Math.max(...sizes)).toBeGreaterThan(10)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(50)
  },

  'of a batch that fails only what fails by itself becomes a letter': async (world) => {
    const topic = (await world.port.topic()).name
    await world.send(
      Array.from({ length: 30 }, (_, index) => ({
        topic,
        key: `k-${index}`,
        value: String(index),
      })),
    )
    const service = world.service({ signals: false })
    const done = new Set<string>()
    service.recordBatches(
      topic,
      (records) => {
        for (const { record } of records) {
          if (String(record.value) === '13') throw new Error('thirteen')
        }
        for (const { record } of records) done.add(String(record.value))
      },
      { ...soonest, retry: { attempts: 2, delayMs: 1 }, batch: { recordsMax: 30 } },
    )
    await service.start()
    await until(async () =>
      expect(await world.recordsIn(`${topic}.dlq`)).toMatchObject([{ value: '13' }]),
    )
    await until(() => expect(done.size).toBe(29))
  },
})

import { describe, expect, it } from 'vitest'
import type { Consumer } from './consumer.ts'
import { fetchRequest, first, startWorld, valuesOf } from './fixture/world.ts'
import type { World } from './fixture/world.ts'

const second = { topic: 'orders', partition: 1 }
const values = ['a', 'b', 'c']
/** A long poll that ends by itself only long after the test. */
const poll = { fetchWaitMsMax: 600_000 }

/** What comes of so many records before anything is waited for in vain. */
async function read(consumer: Consumer, count: number): Promise<string[]> {
  const found: string[] = []
  while (found.length < count) {
    const batches = await consumer.poll({ timeoutMs: 5_000 })
    if (batches.length === 0) break
    found.push(...valuesOf(batches))
  }
  return found
}

/** A consumer at the end of the first partition, whose poll waits at the broker. */
async function waitingConsumer(world: World) {
  const consumer = world.consumer(poll)
  let polls = 0
  using _ = world.kafka.intercept('Fetch', (request, proceed) => {
    const [topic] = fetchRequest(request).topics
    const offset = topic?.partitions.find(({ partition }) => partition === 0)?.fetchOffset
    if (offset === values.length) polls += 1
    return proceed()
  })
  consumer.assign([first])
  expect(await read(consumer, values.length)).toEqual(values)
  await expect.poll(() => polls).toBe(1)
  return consumer
}

describe('while a long poll waits at the broker', () => {
  it('another consumer of the same client reads', async () => {
    await using world = await startWorld({ partitions: 2 })
    await world.write(0, values)
    await waitingConsumer(world)
    const other = world.consumer(poll)
    other.assign([second])
    for (const value of values) {
      await world.write(1, [value])
      expect(await read(other, 1)).toEqual([value])
    }
  })

  it('a partition that is sought is read', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const consumer = await waitingConsumer(world)
    for (const offset of [1, 2, 0]) {
      consumer.seek(first, offset)
      expect(await read(consumer, 3 - offset)).toEqual(values.slice(offset))
    }
  })

  it('a partition that is new is read, and one that is resumed', async () => {
    await using world = await startWorld({ partitions: 2 })
    await world.write(0, values)
    const consumer = await waitingConsumer(world)
    await world.write(1, values)
    consumer.assign([first, second])
    expect(await read(consumer, 3)).toEqual(values)
    consumer.pause([second])
    consumer.seek(second, 0)
    consumer.resume([second])
    expect(await read(consumer, 3)).toEqual(values)
  })

  it('is asked beside it once for what has nothing new', async () => {
    await using world = await startWorld({ partitions: 2, broker: { recordRequests: true } })
    await world.write(0, values)
    const consumer = await waitingConsumer(world)
    const before = world.kafka.requests('Fetch').length
    consumer.assign([first, second])
    const beside = () => world.kafka.requests('Fetch').slice(before)
    await expect.poll(beside).toHaveLength(1)
    // Whatever happens: nothing has changed for it.
    for (let round = 0; round < 5; round++) {
      await world.cluster.refreshMetadata()
      expect(await consumer.poll({ timeoutMs: 1 })).toEqual([])
    }
    expect(beside().map((each) => fetchRequest(each))).toMatchObject([
      {
        sessionId: 0,
        sessionEpoch: -1,
        maxWaitMs: 0,
        topics: [{ partitions: [{ partition: 1 }] }],
      },
    ])
  })
})

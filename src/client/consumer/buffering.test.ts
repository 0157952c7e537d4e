import { describe, expect, it } from 'vitest'
import type { Consumer } from './consumer.ts'
import { fetchRequest, first, read, startWorld, valuesOf } from './fixture/world.ts'
import type { World } from './fixture/world.ts'

const second = { topic: 'orders', partition: 1 }
/** Ten records of a kilobyte, a batch each. */
const kilobytes = Array.from({ length: 10 }, (_, index) => [`${index} ${'x'.repeat(1_000)}`])
const numbers = (values: readonly string[]) => values.map((value) => Number.parseInt(value, 10))

function fetchesOf(world: World) {
  return world.kafka.requests('Fetch').map((each) => fetchRequest(each))
}

describe('a paused partition', () => {
  it('keeps what was fetched, and hands it out when it is resumed', async () => {
    await using world = await startWorld({ partitions: 2 })
    await world.write(0, ['a', 'b', 'c'])
    const consumer = world.consumer()
    consumer.assign([first, second])
    expect(await read(consumer, 1)).toEqual(['a'])
    consumer.pause([first])
    expect(consumer.paused).toEqual([first])
    await world.write(1, ['x'])
    expect(await read(consumer, 1)).toEqual(['x'])
    expect(await consumer.poll({ timeoutMs: 1 })).toEqual([])
    // Without any broker: what was fetched is still there.
    using _ = world.kafka.intercept('Fetch', () => new Promise(() => undefined))
    consumer.resume([first])
    expect(valuesOf(await consumer.poll({ timeoutMs: 2_000 }))).toEqual(['b', 'c'])
  })

  it('is not fetched any further', async () => {
    await using world = await startWorld({ broker: { recordRequests: true } })
    const consumer = world.consumer({ fetchWaitMsMax: 5 })
    consumer.assign([first])
    await world.write(0, ['a'])
    await read(consumer, 1)
    consumer.pause([first])
    await expect.poll(() => consumer.poll({ timeoutMs: 20 })).toEqual([])
    const before = fetchesOf(world).length
    await world.write(0, ['b'])
    expect(await consumer.poll({ timeoutMs: 50 })).toEqual([])
    expect(fetchesOf(world).length).toBe(before)
    consumer.resume([first])
    expect(await read(consumer, 1)).toEqual(['b'])
  })

  it('gives way when what it keeps is in the way of others, and loses nothing by it', async () => {
    await using world = await startWorld({ partitions: 2 })
    await world.write(0, ...kilobytes)
    const limits = { partitionFetchBytesMax: 3_000, bufferedBytesMax: 3_500 }
    const consumer = world.consumer(limits)
    consumer.assign([first, second])
    expect(numbers(await read(consumer, 1))).toEqual([0])
    consumer.pause([first])
    await world.write(1, ...kilobytes)
    expect(numbers(await read(consumer, 10))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    consumer.resume([first])
    expect(numbers(await read(consumer, 9))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})

describe('what is fetched ahead', () => {
  /** The offsets that were asked for, once nothing more is asked for. */
  async function askedOffsets(world: World, consumer: Consumer, last: number): Promise<number[]> {
    const offsets = () =>
      fetchesOf(world).flatMap(({ topics }) =>
        topics.flatMap(({ partitions }) => partitions.map(({ fetchOffset }) => fetchOffset)),
      )
    await expect.poll(offsets).toContain(last)
    for (let round = 0; round < 5; round++) await consumer.endOffsets([first])
    return [...new Set(offsets())]
  }

  it('is at most one fetch of a partition, and one on its way', async () => {
    await using world = await startWorld({ broker: { recordRequests: true } })
    await world.write(0, ...kilobytes)
    const consumer = world.consumer({ partitionFetchBytesMax: 1_500 })
    consumer.assign([first])
    expect(numbers(await read(consumer, 1))).toEqual([0])
    expect(await askedOffsets(world, consumer, 2)).toEqual([0, 1, 2])
    expect(numbers(await read(consumer, 1))).toEqual([1])
    expect(await askedOffsets(world, consumer, 3)).toEqual([0, 1, 2, 3])
  })

  it('is bounded overall by the answers that are held', async () => {
    await using world = await startWorld({ partitions: 2, broker: { recordRequests: true } })
    await world.write(0, ...kilobytes)
    await world.write(1, ...kilobytes)
    const limits = { partitionFetchBytesMax: 1_500, bufferedBytesMax: 3_000 }
    const consumer = world.consumer(limits)
    consumer.assign([first, second])
    expect(numbers(await read(consumer, 1))).toEqual([0])
    // The other half of the answer holds all of it.
    expect(await askedOffsets(world, consumer, 0)).toEqual([0])
    expect(fetchesOf(world)[0]).toMatchObject({ maxBytes: 3_000 })
    expect(numbers(await read(consumer, 1))).toEqual([0])
    expect(await askedOffsets(world, consumer, 1)).toEqual([0, 1])
  })

  it('comes even where a batch is larger than every limit', async () => {
    await using world = await startWorld()
    await world.write(0, ['x'.repeat(5_000)], ['y'.repeat(5_000)])
    const limits = { partitionFetchBytesMax: 10, bufferedBytesMax: 10, fetchBytesMax: 10 }
    const consumer = world.consumer(limits)
    consumer.assign([first])
    expect((await read(consumer, 2)).map((value) => value[0])).toEqual(['x', 'y'])
  })

  it('is asked for before the application is done with what came before', async () => {
    await using world = await startWorld({ broker: { recordRequests: true } })
    await world.write(0, ...kilobytes)
    const consumer = world.consumer({ partitionFetchBytesMax: 3_500 })
    consumer.assign([first])
    const [batch] = await consumer.poll()
    expect(batch!.recordCount).toBe(3)
    // The application does nothing: the next fetch is on its way by itself.
    await expect
      .poll(() => fetchesOf(world).map(({ topics }) => topics[0]?.partitions[0]?.fetchOffset))
      .toContain(3)
  })

  it('lets a partition that has little to say through to one that is read slowly', async () => {
    await using world = await startWorld({ partitions: 2 })
    await world.write(0, ...kilobytes)
    const consumer = world.consumer({ partitionFetchBytesMax: 1_100, fetchWaitMsMax: 60_000 })
    consumer.assign([first, second])
    expect(numbers(valuesOf(await consumer.poll({ maxRecords: 1 })))).toEqual([0])
    await world.write(1, ['hello'])
    const seen: string[] = []
    while (!seen.includes('hello')) {
      seen.push(
        ...valuesOf(await consumer.poll({ maxRecords: 1 })).map((value) => value.slice(0, 5)),
      )
    }
    expect(seen.length).toBeLessThanOrEqual(10)
  })
})

describe('polling', () => {
  it('answers nothing when the time is over', async () => {
    await using world = await startWorld()
    const consumer = world.consumer()
    consumer.assign([first])
    expect(await consumer.poll({ timeoutMs: 0 })).toEqual([])
    expect(await consumer.poll({ timeoutMs: 5 })).toEqual([])
  })

  it('ends with the reason of its signal', async () => {
    await using world = await startWorld()
    const consumer = world.consumer()
    consumer.assign([first])
    const controller = new AbortController()
    const polled = consumer.poll({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(polled).rejects.toThrow('enough')
    const iterated = consumer.batches({ signal: controller.signal }).next()
    await expect(iterated).rejects.toThrow('enough')
    await world.write(0, ['a'])
    expect(await read(consumer, 1)).toEqual(['a'])
  })

  it('is one at a time, and after something was assigned', async () => {
    await using world = await startWorld()
    const consumer = world.consumer()
    await expect(consumer.poll()).rejects.toThrow(/assign or subscribe first/)
    consumer.assign([first])
    const polled = consumer.poll({ timeoutMs: 10 })
    await expect(consumer.poll()).rejects.toThrow(/the one before/)
    expect(await polled).toEqual([])
  })

  it('ends when the consumer is closed', async () => {
    await using world = await startWorld()
    const consumer = world.consumer()
    consumer.assign([first])
    const polled = consumer.poll()
    const iterated = world.consumer()
    iterated.assign([first])
    const iteration = iterated.batches().next()
    await Promise.all([consumer.close(), iterated.close()])
    expect(await polled).toEqual([])
    expect(await iteration).toEqual({ done: true, value: undefined })
    await expect(consumer.poll()).rejects.toThrow(/was closed/)
    expect(await iterated.batches().next()).toMatchObject({ done: true })
    await consumer.close()
  })
})

describe('offsets of partitions', () => {
  it('are told without reading', async () => {
    await using world = await startWorld({ partitions: 2 })
    await world.write(0, ['a', 'b', 'c'])
    const consumer = world.consumer()
    const both = [first, second]
    expect(await consumer.beginningOffsets(both)).toEqual(
      both.map((each) => ({ ...each, offset: 0 })),
    )
    expect(await consumer.endOffsets(both)).toEqual([
      { ...first, offset: 3 },
      { ...second, offset: 0 },
    ])
    const times = [
      { ...first, timestamp: 500 },
      { ...second, timestamp: 500 },
    ]
    expect(await consumer.offsetsForTimes(times)).toEqual([
      { ...first, offset: 0, timestamp: 1_000 },
      { ...second, offset: undefined, timestamp: undefined },
    ])
  })
})

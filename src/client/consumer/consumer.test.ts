import { describe, expect, it, vi } from 'vitest'
import { first, read, startWorld, valuesOf } from './fixture/world.ts'

describe('a consumer with assigned partitions', () => {
  it('hands out what is there, and waits for what comes', async () => {
    await using world = await startWorld({ partitions: 2 })
    await world.write(0, ['a', 'b'], ['c'])
    await world.write(1, ['x'])
    const consumer = world.consumer()
    consumer.assign([first, { topic: 'orders', partition: 1 }])
    expect((await read(consumer, 4)).sort()).toEqual(['a', 'b', 'c', 'x'])
    expect(consumer.position(first)).toBe(3)
    const next = read(consumer, 1)
    await world.write(0, ['d'])
    expect(await next).toEqual(['d'])
    expect(consumer.lag(first)).toBe(0)
  })

  it('cuts batches where it is told to, at no record twice', async () => {
    await using world = await startWorld()
    const values = Array.from({ length: 100 }, (_, index) => `value ${index}`)
    await world.write(0, values.slice(0, 70), values.slice(70))
    const consumer = world.consumer()
    consumer.assign([first])
    const seen: string[] = []
    for await (const batch of consumer.batches({ maxRecords: 7 })) {
      expect(batch.recordCount).toBeLessThanOrEqual(7)
      expect(batch.firstOffset).toBe(seen.length)
      seen.push(...valuesOf([batch]))
      expect(batch.lastOffset).toBe(seen.length - 1)
      expect(batch.nextOffset).toBe(seen.length)
      if (seen.length === 100) break
    }
    expect(seen).toEqual(values)
  })

  it('says once that a topic has no such partition, and reads the others', async () => {
    await using world = await startWorld()
    await world.write(0, ['a'])
    const log = vi.spyOn(world.cluster, 'log')
    const consumer = world.consumer()
    consumer.assign([first, { topic: 'orders', partition: 7 }])
    expect(await read(consumer, 1)).toEqual(['a'])
    for (let round = 0; round < 3; round++) await world.cluster.refreshMetadata()
    expect(log.mock.calls.filter(([level]) => level === 'warn')).toEqual([
      [
        'warn',
        'consumer: the topic has no such partition yet',
        { topic: 'orders', partition: 7, partitionCount: 1 },
      ],
    ])
  })
})

/**
 * Promise: on any Kafka consumers are paused, moved and run again over a range, and lose or repeat nothing by it.
 *
 * Proves: 1, 3
 */
import { expect } from 'vitest'
import { runtimeConformance, soonest, until } from './runtime-world.ts'

runtimeConformance('runtime: operation', {
  'a partition that is paused starts nothing, others go on, and it goes on where it was': async (
    world,
  ) => {
    const topic = (await world.port.topic({ partitions: 2 })).name
    const seen: string[] = []
    const reader = await world.records({
      ...{ topics: topic, groupId: world.port.name('group') },
      handler: ({ value }) => void seen.push(String(value)),
    })
    const send = (partition: number, value: string) => world.send([{ topic, partition, value }])
    await send(0, 'a')
    await send(1, 'b')
    await until(() => expect([...seen].sort()).toEqual(['a', 'b']))
    const paused = [{ topic, partition: 0 }]
    reader.pause(paused)
    await send(0, 'waits')
    await send(1, 'goes on')
    await until(() => expect(seen).toContain('goes on'))
    expect(seen).not.toContain('waits')
    reader.resume(paused)
    await until(() => expect(seen).toContain('waits'))
    expect(seen).toHaveLength(4)
  },

  'a seek goes back and forth, and its place is committed': async (world) => {
    const topic = (await world.port.topic()).name
    const groupId = world.port.name('group')
    const place = { topic, partition: 0 }
    await world.send(
      Array.from({ length: 10 }, (_, index) => ({ topic, value: String(index), key: 'k' })),
    )
    let seen: string[] = []
    const reader = await world.records({
      // What is remembered as done would be passed over.
      ...{ topics: topic, groupId, dedupe: false },
      handler: ({ value }) => void seen.push(String(value)),
    })
    await until(() => expect(seen).toHaveLength(10))
    seen = []
    await reader.seek(place, 7)
    await until(() => expect(seen).toEqual(['7', '8', '9']))
    await until(async () => expect(await world.committed(groupId, place)).toBe(10))
    reader.pause()
    await reader.seek(place, 'beginning')
    expect(await world.committed(groupId, place)).toBe(0)
    await reader.seek(place, 'end')
    expect(await world.committed(groupId, place)).toBe(10)
    reader.resume()
    await world.send([{ topic, value: 'new', key: 'k' }])
    await until(() => expect(seen).toEqual(['7', '8', '9', 'new']))
  },

  'a replay runs a range again through the handlers, and moves no offset of the group': async (
    world,
  ) => {
    const topic = (await world.port.topic({ partitions: 2 })).name
    const service = world.service({ signals: false })
    const seen: string[] = []
    const consumer = service.records(
      topic,
      ({ value }, { partition }) => void seen.push(`${partition}-${String(value)}`),
      soonest,
    )
    await service.start()
    await world.send(
      [0, 1].flatMap((partition) =>
        Array.from({ length: 5 }, (_, index) => ({ topic, partition, value: String(index) })),
      ),
    )
    await until(() => expect(seen).toHaveLength(10))
    const committed = () =>
      Promise.all([0, 1].map((partition) => world.committed(service.name, { topic, partition })))
    await until(async () => expect(await committed()).toEqual([5, 5]))
    seen.length = 0
    const counts = await service.replay({
      ...{ consumer, partitions: [1], from: { offset: 1 }, to: { offset: 4 } },
      dedupe: 'ignore',
    })
    expect(counts).toEqual({ handled: 3, skipped: 0, deadLettered: 0 })
    expect(seen.sort()).toEqual(['1-1', '1-2', '1-3'])
    expect(await committed()).toEqual([5, 5])
    expect(await service.replay({ consumer, from: 'beginning', dedupe: 'ignore' })).toMatchObject({
      handled: 10,
    })
  },

  'a replay of transactions runs what was committed, and ends behind the markers': async (
    world,
  ) => {
    const topic = (await world.port.topic()).name
    await using producer = world.client.transactionalProducer({
      transactionalId: world.port.name('writer'),
    })
    for (const [value, commits] of [
      ['kept-1', true],
      ['aborted', false],
      ['kept-2', true],
    ] as const) {
      const transaction = await producer.begin()
      await transaction.send({ topic, value })
      await (commits ? transaction.commit() : transaction.abort())
    }
    const service = world.service({ signals: false })
    const seen: string[] = []
    const consumer = service.records(topic, ({ value }) => void seen.push(String(value)), soonest)
    const counts = await service.replay({ consumer, from: 'beginning', dedupe: 'ignore' })
    expect(counts).toEqual({ handled: 2, skipped: 0, deadLettered: 0 })
    expect(seen).toEqual(['kept-1', 'kept-2'])
  },
})

import { expect, it, vi } from 'vitest'
import { defineEvent, defineTopic, Type } from '../../contract/index.ts'
import { startRuntimeWorld } from '../fixture/runtime-world.ts'
import { createService } from '../service/service.ts'

const Counted = defineEvent('COUNTED', { data: Type.Object({ key: Type.String() }) })
const topics = ['alone', 'ordered'].map((name) =>
  defineTopic(name, { events: [Counted], key: ({ data }) => data.key }),
)

it('a topic whose keys are the ids of its events is told of once, and no other', async () => {
  await using world = await startRuntimeWorld({ alone: 2, ordered: 2 })
  const lines: string[] = []
  const log = (_: string, message: string) => void lines.push(message)
  const counts = new Map<string, number>()
  for (const [index, topic] of topics.entries()) {
    await using service = createService({
      name: topic.name,
      kafka: world.newDriver(),
      metrics: false,
      log,
    })
    service.consumer(topic, { start: 'earliest' }).on(Counted, (_, { topic: name }) => {
      counts.set(name, (counts.get(name) ?? 0) + 1)
    })
    await service.start()
    for (const id of ['a', 'b', 'c']) {
      await service.publish(Counted, { key: index === 0 ? id : 'same' }, { id })
    }
    await vi.waitFor(() => expect(counts.get(topic.name)).toBe(3), 10_000)
  }
  const told = lines.filter((line) => line.includes('have the id of their event as key'))
  expect(told).toHaveLength(1)
  expect(told[0]).toContain('records of alone')
})

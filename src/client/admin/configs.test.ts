import { describe, expect, it } from 'vitest'
import { startWorld } from './fixture/world.ts'

const topic = { type: 'topic', name: 'orders' } as const

describe('configurations', () => {
  it('are described with where each value comes from, and altered entry by entry', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders', { configs: { 'max.message.bytes': '1000' } })
    const { configs } = world.admin
    await configs.alter({
      ...topic,
      set: { 'retention.ms': 5000 },
      append: { 'cleanup.policy': ['compact'] },
      reset: ['max.message.bytes'],
    })
    const { entries } = await configs.describe(topic, { synonyms: true, documentation: true })
    expect(entries.get('retention.ms')).toMatchObject({
      value: '5000',
      source: 'topic',
      type: 'long',
      isReadOnly: false,
      isSensitive: false,
    })
    expect(entries.get('retention.ms')?.synonyms[0]).toEqual({
      name: 'retention.ms',
      value: '5000',
      source: 'topic',
    })
    expect(entries.get('retention.ms')?.documentation).toMatch(/\w/)
    expect(entries.get('cleanup.policy')?.value).toBe('delete,compact')
    expect(entries.get('max.message.bytes')?.source).toBe('default')
  })

  it('are only checked with validateOnly', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('orders')
    const { configs } = world.admin
    await configs.alter({ ...topic, set: { 'retention.ms': 5 } }, { validateOnly: true })
    const { entries } = await configs.describe(topic, { keys: ['retention.ms'] })
    expect([...entries.keys()]).toEqual(['retention.ms'])
    expect(entries.get('retention.ms')?.source).toBe('default')
    await expect(
      configs.alter({ ...topic, set: { 'retention.ms': 'long' } }, { validateOnly: true }),
    ).rejects.toMatchObject({ kafkaName: 'INVALID_CONFIG' })
  })

  it('of brokers are asked of the broker that they are about', async () => {
    await using world = await startWorld()
    const resources = [1, 2, 3].map((id) => ({ type: 'broker', name: String(id) }) as const)
    const described = await world.admin.configs.describeMany([
      ...resources,
      { type: 'broker', name: '7' },
      topic,
    ])
    const ids = described.map((each) => each.error ?? each.entries.get('broker.id')?.value)
    expect(ids.slice(0, 3)).toEqual(['1', '2', '3'])
    expect(described[3]?.error).toMatchObject({
      kafkaName: 'BROKER_NOT_AVAILABLE',
      message: /broker 7.*the cluster has 1, 2, 3/,
    })
    expect(described[4]?.error).toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' })
    for (const { nodeId, body } of world.kafka.requests('DescribeConfigs')) {
      const asked = (body as { resources: { resourceType: number; resourceName: string }[] })
        .resources
      for (const { resourceType, resourceName } of asked) {
        if (resourceType === 4) expect(resourceName).toBe(String(nodeId))
      }
    }
  })

  it('of a topic that was created a moment ago wait until a broker knows it', async () => {
    await using world = await startWorld()
    await world.admin.topics.create({ name: 'orders' })
    let count = 0
    using _ = world.kafka.intercept('DescribeConfigs', (_request, proceed) => {
      count += 1
      if (count > 2) return proceed()
      const unknown = { errorCode: 3, errorMessage: null, resourceType: 2, resourceName: 'orders' }
      return { throttleTimeMs: 0, results: [{ ...unknown, configs: [] }] }
    })
    await world.admin.configs.describe(topic)
    expect(count).toBe(3)
  })

  it('are refused where they say nothing, or what is not known', async () => {
    await using world = await startWorld()
    const { configs } = world.admin
    const refusals: [() => Promise<unknown>, RegExp][] = [
      [() => configs.alter({ ...topic }), /must set, reset, append or subtract/],
      [
        () => configs.alter({ ...topic, sett: {} } as never),
        /change\.sett .*did you mean change\.set/,
      ],
      [() => configs.alter({ ...topic, set: { a: null as never } }), /change\.set\['a'\] \(null\)/],
      [() => configs.describe({ type: 'topics' as never, name: 'a' }), /did you mean 'topic'/],
      [() => configs.describe({ type: 'broker', name: 'one' }), /must be the id of a broker/],
      [() => configs.describe({ type: 'topic', name: '' }), /must be the name of a topic/],
    ]
    for (const [refused, message] of refusals) {
      await expect(refused()).rejects.toMatchObject({ code: 'MILLRACE_OPTION_INVALID', message })
    }
  })
})

import { describe, expect, it } from 'vitest'
import { createTopics } from './19-create-topics.ts'
import { describeConfigs } from './32-describe-configs.ts'
import { createAdministration, newTopic } from './administration-fixture.ts'
import type { Administration } from './administration-fixture.ts'

const topic = 2
const broker = 4
const brokerLogger = 8
const clientMetrics = 16
const group = 32

interface Asked {
  readonly version?: number
  readonly keys?: readonly string[] | null
  readonly synonyms?: boolean
  readonly documentation?: boolean
}

async function describeResource(
  { ask }: Administration,
  resourceType: number,
  resourceName: string,
  { version = 4, keys = null, synonyms = true, documentation = false }: Asked = {},
) {
  const { results } = await ask(describeConfigs, version, {
    resources: [{ resourceType, resourceName, configurationKeys: keys }],
    includeSynonyms: synonyms,
    ...(version >= 3 && { includeDocumentation: documentation }),
  })
  const [result] = results
  if (result === undefined) throw new Error('no result')
  return result
}

async function withTopic(properties: Readonly<Record<string, string>> = {}) {
  const administration = await createAdministration({ nodes: 2, properties })
  const topics = [newTopic('orders', { configs: { 'cleanup.policy': 'compact' } })]
  await administration.ask(createTopics, 7, { topics, timeoutMs: 1000 })
  return administration
}

describe('DescribeConfigs', () => {
  it('describes what is set on a topic, and what stands behind it', async () => {
    const administration = await withTopic()
    const { errorCode, configs } = await describeResource(administration, topic, 'orders')
    expect(errorCode).toBe(0)
    expect(configs).toHaveLength(33)
    expect(configs.find(({ name }) => name === 'cleanup.policy')).toEqual({
      name: 'cleanup.policy',
      value: 'compact',
      readOnly: false,
      configSource: 1,
      isSensitive: false,
      synonyms: [
        { name: 'cleanup.policy', value: 'compact', source: 1 },
        { name: 'log.cleanup.policy', value: 'delete', source: 5 },
      ],
      configType: 7,
      documentation: null,
    })
  })

  it('says what properties are for when it is asked', async () => {
    const administration = await withTopic()
    const asked = { keys: ['cleanup.policy'], documentation: true }
    const { configs } = await describeResource(administration, topic, 'orders', asked)
    expect(configs[0]?.documentation).toContain('compact keeps the last record of each key')
  })

  it.each([1, 2, 3, 4])('serves version %i', async (version) => {
    const administration = await withTopic()
    const keys = ['cleanup.policy']
    const { configs } = await describeResource(administration, topic, 'orders', { version, keys })
    expect(configs).toMatchObject([{ name: 'cleanup.policy', configSource: 1 }])
    expect(configs[0]?.synonyms).toHaveLength(2)
  })

  it('describes the properties that are asked for; none named stands for all', async () => {
    const administration = await withTopic()
    const some = await describeResource(administration, topic, 'orders', {
      keys: ['retention.ms', 'nope'],
    })
    expect(some.configs.map(({ name }) => name)).toEqual(['retention.ms'])
    const none = await describeResource(administration, topic, 'orders', { keys: [] })
    expect(none.configs).toHaveLength(33)
  })

  it('leaves synonyms out unless they are asked for', async () => {
    const administration = await withTopic()
    const { configs } = await describeResource(administration, topic, 'orders', { synonyms: false })
    expect(configs.every(({ synonyms }) => synonyms.length === 0)).toBe(true)
    expect(configs.find(({ name }) => name === 'cleanup.policy')?.configSource).toBe(1)
  })

  it('describes the broker that was asked', async () => {
    const administration = await withTopic({ 'num.partitions': '4' })
    const { configs } = await describeResource(administration, broker, '1')
    expect(configs.find(({ name }) => name === 'num.partitions')).toMatchObject({
      value: '4',
      readOnly: true,
      configSource: 4,
      synonyms: [
        { name: 'num.partitions', value: '4', source: 4 },
        { name: 'num.partitions', value: '1', source: 5 },
      ],
    })
    expect(configs.find(({ name }) => name === 'message.max.bytes')?.readOnly).toBe(false)
  })

  it('describes what is set on all brokers, and nothing else, under the empty name', async () => {
    const administration = await withTopic()
    expect((await describeResource(administration, broker, '')).configs).toEqual([])
    await administration.cluster.setDynamicSettings(
      'broker',
      '',
      new Map([['compression.type', 'zstd']]),
    )
    const { configs } = await describeResource(administration, broker, '')
    expect(configs).toMatchObject([{ name: 'compression.type', value: 'zstd', configSource: 3 }])
  })

  it('describes any group and any subscription, whether anything is set on it or not', async () => {
    const administration = await withTopic()
    await administration.cluster.setDynamicSettings(
      'group',
      'readers',
      new Map([['consumer.session.timeout.ms', '50000']]),
    )
    const readers = await describeResource(administration, group, 'readers')
    expect(readers.configs).toHaveLength(10)
    const timeout = readers.configs.find(({ name }) => name === 'consumer.session.timeout.ms')
    expect(timeout).toMatchObject({ value: '50000', configSource: 8 })
    const nobody = await describeResource(administration, group, 'nobody')
    expect(nobody.configs.every(({ configSource }) => configSource === 5)).toBe(true)
    const metrics = await describeResource(administration, clientMetrics, 'any')
    expect(metrics.configs.map(({ name, value }) => [name, value])).toEqual([
      ['interval.ms', '300000'],
      ['match', ''],
      ['metrics', ''],
    ])
  })

  it('has no loggers to describe', async () => {
    const administration = await withTopic()
    const result = await describeResource(administration, brokerLogger, '1')
    expect(result).toMatchObject({ errorCode: 0, configs: [] })
  })

  it.each([
    ['a topic that does not exist', topic, 'nope', 3],
    ['a topic that cannot exist', topic, 'a b', 17],
    ['another broker than the one asked', broker, '2', 42],
    ['a broker without a number', broker, 'x', 42],
    ['the loggers of all brokers', brokerLogger, '', 42],
    ['a subscription without a name', clientMetrics, '', 42],
    ['a group without a name', group, '', 42],
    ['a type that nobody knows', 99, 'x', 42],
  ])('refuses %s', async (_what, type, name, error) => {
    const administration = await withTopic()
    const result = await describeResource(administration, type, name)
    expect(result).toMatchObject({ errorCode: error, configs: [], resourceName: name })
  })
})

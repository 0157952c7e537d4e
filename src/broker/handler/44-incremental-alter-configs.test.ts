import { describe, expect, it } from 'vitest'
import { createTopics } from './19-create-topics.ts'
import { describeConfigs } from './32-describe-configs.ts'
import { incrementalAlterConfigs } from './44-incremental-alter-configs.ts'
import { createAdministration, newTopic } from './administration-fixture.ts'
import type { Administration } from './administration-fixture.ts'

const topic = 2
const broker = 4
const brokerLogger = 8
const clientMetrics = 16
const group = 32

const [set, remove, append, subtract] = [0, 1, 2, 3]

type Change = readonly [name: string, operation: number | undefined, value: string | null]
type Resource = readonly [type: number, name: string, changes: readonly Change[]]

async function withTopics(): Promise<Administration> {
  const administration = await createAdministration({ nodes: 2 })
  const topics = [newTopic('orders'), newTopic('payments')]
  await administration.ask(createTopics, 7, { topics, timeoutMs: 1000 })
  return administration
}

async function alter(
  { ask }: Administration,
  resources: readonly Resource[],
  { validateOnly = false, version = 1 } = {},
): Promise<number[]> {
  const { responses } = await ask(incrementalAlterConfigs, version, {
    resources: resources.map(([resourceType, resourceName, changes]) => ({
      resourceType,
      resourceName,
      configs: changes.map(([name, operation, value]) => ({
        name,
        configOperation: operation ?? -1,
        value,
      })),
    })),
    validateOnly,
  })
  expect(responses.map((each) => [each.resourceType, each.resourceName])).toEqual(
    resources.map(([type, name]) => [type, name]),
  )
  return responses.map(({ errorCode }) => errorCode)
}

async function described({ ask }: Administration, resourceType: number, name: string, key: string) {
  const { results } = await ask(describeConfigs, 4, {
    resources: [{ resourceType, resourceName: name, configurationKeys: [key] }],
  })
  const config = results[0]?.configs[0]
  return [config?.value, config?.configSource]
}

describe('IncrementalAlterConfigs', () => {
  it.each([0, 1])('sets one property and leaves the others (version %i)', async (version) => {
    const administration = await withTopics()
    await alter(administration, [[topic, 'orders', [['segment.ms', set, '7']]]], { version })
    const changes = [[topic, 'orders', [['retention.ms', set, '1000']]]] as const
    expect(await alter(administration, changes, { version })).toEqual([0])
    expect(await described(administration, topic, 'orders', 'retention.ms')).toEqual(['1000', 1])
    expect(await described(administration, topic, 'orders', 'segment.ms')).toEqual(['7', 1])
    expect(administration.cluster.topic('orders')?.config.retentionMs).toBe(1000)
  })

  it('deletes a property, whatever it is, so that its default applies again', async () => {
    const administration = await withTopics()
    await alter(administration, [[topic, 'orders', [['retention.ms', set, '1000']]]])
    const deletion = [
      [
        topic,
        'orders',
        [
          ['retention.ms', remove, null],
          ['nope', remove, null],
        ],
      ],
    ]
    expect(await alter(administration, deletion as unknown as Resource[])).toEqual([0])
    expect(await described(administration, topic, 'orders', 'retention.ms')).toEqual([
      '604800000',
      5,
    ])
  })

  it('adds to a list and takes from it, from the default on', async () => {
    const administration = await withTopics()
    const change = async (operation: number | undefined, value: string) => {
      await alter(administration, [[topic, 'orders', [['cleanup.policy', operation, value]]]])
      return (await described(administration, topic, 'orders', 'cleanup.policy'))[0]
    }
    expect(await change(append, 'compact')).toBe('delete,compact')
    expect(await change(append, 'compact,delete')).toBe('delete,compact')
    expect(await change(subtract, 'delete')).toBe('compact')
    expect(await change(subtract, 'delete')).toBe('compact')
    expect(await change(subtract, 'compact')).toBe('')
    expect(await change(append, ' delete ')).toBe('delete')
  })

  it('changes nothing of a resource when one of its changes is refused', async () => {
    const administration = await withTopics()
    const errors = await alter(administration, [
      [
        topic,
        'orders',
        [
          ['segment.ms', set, '7'],
          ['retention.ms', set, 'soon'],
        ],
      ],
      [topic, 'payments', [['segment.ms', set, '8']]],
    ])
    expect(errors).toEqual([40, 0])
    expect(await described(administration, topic, 'orders', 'segment.ms')).toEqual(['604800000', 5])
    expect(await described(administration, topic, 'payments', 'segment.ms')).toEqual(['8', 1])
  })

  it('validates without changing anything', async () => {
    const administration = await withTopics()
    const good = [[topic, 'orders', [['segment.ms', set, '7']]]] as const
    const bad = [[topic, 'orders', [['segment.ms', set, 'soon']]]] as const
    expect(await alter(administration, good, { validateOnly: true })).toEqual([0])
    expect(await alter(administration, bad, { validateOnly: true })).toEqual([40])
    expect(await described(administration, topic, 'orders', 'segment.ms')).toEqual(['604800000', 5])
  })

  it('refuses a resource that the request has twice, and serves the others', async () => {
    const administration = await withTopics()
    const errors = await alter(administration, [
      [topic, 'orders', [['segment.ms', set, '7']]],
      [topic, 'orders', [['retention.ms', set, '7']]],
      [topic, 'payments', [['segment.ms', set, '8']]],
    ])
    expect(errors).toEqual([42, 42, 0])
  })

  it('loses no change of requests that come at the same time', async () => {
    const administration = await withTopics()
    const names = ['segment.ms', 'retention.ms', 'retention.bytes', 'flush.ms']
    await Promise.all(
      names.map((name) => alter(administration, [[topic, 'orders', [[name, set, '7']]]])),
    )
    const { overrides } = administration.cluster.topic('orders') ?? {}
    expect([...(overrides?.keys() ?? [])].sort()).toEqual([...names].sort())
  })

  it.each<[string, Resource, number]>([
    ['an unknown name', [topic, 'orders', [['nope', set, '1']]], 40],
    ['a value of another type', [topic, 'orders', [['retention.ms', set, 'x']]], 40],
    ['a value out of bounds', [topic, 'orders', [['retention.ms', set, '-5']]], 40],
    ['no value', [topic, 'orders', [['retention.ms', set, null]]], 42],
    ['an addition to what is no list', [topic, 'orders', [['retention.ms', append, '1']]], 40],
    ['an addition of nothing', [topic, 'orders', [['cleanup.policy', append, null]]], 42],
    ['an operation that nobody knows', [topic, 'orders', [['retention.ms', 7, '1']]], 42],
    [
      'a property twice',
      [
        topic,
        'orders',
        [
          ['segment.ms', set, '1'],
          ['segment.ms', set, '2'],
        ],
      ],
      42,
    ],
    ['a topic that does not exist', [topic, 'nope', [['retention.ms', set, '1']]], 3],
    ['a type that nobody knows', [99, 'orders', [['retention.ms', set, '1']]], 42],
    ['a read-only property', [broker, '1', [['num.partitions', set, '5']]], 42],
    ['a read-only property of all', [broker, '', [['num.partitions', set, '5']]], 42],
    ['a property of one broker on all', [broker, '', [['principal.builder.class', set, 'X']]], 42],
    ['a wrong value on a broker', [broker, '1', [['log.retention.ms', set, 'x']]], 42],
    ['other listeners', [broker, '1', [['listeners', set, 'PLAINTEXT://:1']]], 42],
    ['another broker than the one asked', [broker, '2', [['log.retention.ms', set, '7']]], 42],
    ['a logger', [brokerLogger, '1', [['root', set, 'DEBUG']]], 40],
    ['a logger to delete', [brokerLogger, '1', [['root', remove, null]]], 40],
    ['an unknown name on a group', [group, 'g', [['nope', set, '1']]], 40],
    ['a timeout below its bound', [group, 'g', [['consumer.session.timeout.ms', set, '100']]], 40],
    [
      'a timeout above its bound',
      [group, 'g', [['consumer.session.timeout.ms', set, '99999']]],
      40,
    ],
    ['an unknown name on a subscription', [clientMetrics, 'm', [['nope', set, '1']]], 42],
    ['a pattern for nothing', [clientMetrics, 'm', [['match', set, 'nope=x']]], 40],
  ])('refuses %s', async (_what, resource, error) => {
    const administration = await withTopics()
    const before = administration.records.length
    expect(await alter(administration, [resource])).toEqual([error])
    expect(administration.records).toHaveLength(before)
  })

  it('sets properties of one broker and of all, and topics follow at once', async () => {
    const administration = await withTopics()
    const { cluster } = administration
    await alter(administration, [[broker, '', [['log.retention.ms', set, '4000']]]])
    expect(cluster.topic('orders')?.config.retentionMs).toBe(4000)
    expect(await described(administration, topic, 'orders', 'retention.ms')).toEqual(['4000', 3])
    await alter(administration, [[broker, '1', [['log.retention.ms', set, '5000']]]])
    expect(cluster.topic('orders')?.config.retentionMs).toBe(5000)
    expect(await described(administration, topic, 'orders', 'retention.ms')).toEqual(['5000', 2])
    await alter(administration, [[broker, '1', [['log.retention.ms', remove, null]]]])
    await alter(administration, [[broker, '', [['log.retention.ms', remove, null]]]])
    expect(cluster.topic('orders')?.config.retentionMs).toBe(604_800_000)
  })

  it('takes what may be a property of a plug-in, and never shows it', async () => {
    const administration = await withTopics()
    expect(await alter(administration, [[broker, '', [['my.secret', set, 'x']]]])).toEqual([0])
    expect(await described(administration, broker, '', 'my.secret')).toEqual([null, 3])
  })

  it('keeps what was set when the cluster is started again', async () => {
    const administration = await withTopics()
    await alter(administration, [
      [topic, 'orders', [['retention.ms', set, '1000']]],
      [broker, '', [['message.max.bytes', set, '2000']]],
      [group, 'readers', [['consumer.session.timeout.ms', set, '50000']]],
    ])
    const again = await createAdministration({ nodes: 2, records: administration.records })
    expect(again.cluster.topic('orders')?.config).toMatchObject({
      retentionMs: 1000,
      maxMessageBytes: 2000,
    })
    const key = 'consumer.session.timeout.ms'
    expect(await described(again, group, 'readers', key)).toEqual(['50000', 8])
  })
})

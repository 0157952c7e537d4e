import { describe, expect, it } from 'vitest'
import { createTopics } from './19-create-topics.ts'
import { alterConfigs } from './33-alter-configs.ts'
import { createAdministration, newTopic } from './administration-fixture.ts'
import type { Administration } from './administration-fixture.ts'

type Resource = readonly [
  type: number,
  name: string,
  configs: readonly (readonly [string, string | null])[],
]

async function withTopic(): Promise<Administration> {
  const administration = await createAdministration()
  const topics = [newTopic('orders', { configs: { 'segment.ms': '7' } })]
  await administration.ask(createTopics, 7, { topics, timeoutMs: 1000 })
  return administration
}

async function alter(
  { ask }: Administration,
  resources: readonly Resource[],
  { validateOnly = false, version = 2 } = {},
): Promise<number[]> {
  const { responses } = await ask(alterConfigs, version, {
    resources: resources.map(([resourceType, resourceName, configs]) => ({
      resourceType,
      resourceName,
      configs: configs.map(([name, value]) => ({ name, value })),
    })),
    validateOnly,
  })
  return responses.map(({ errorCode }) => errorCode)
}

function overrides({ cluster }: Administration): [string, string][] {
  return [...(cluster.topic('orders')?.overrides ?? [])]
}

describe('AlterConfigs', () => {
  it.each([0, 1, 2])('replaces all that is set (version %i)', async (version) => {
    const administration = await withTopic()
    const resource: Resource = [2, 'orders', [['retention.ms', '1000']]]
    expect(await alter(administration, [resource], { version })).toEqual([0])
    expect(overrides(administration)).toEqual([['retention.ms', '1000']])
    expect(await alter(administration, [[2, 'orders', []]], { version })).toEqual([0])
    expect(overrides(administration)).toEqual([])
  })

  it('validates without changing anything', async () => {
    const administration = await withTopic()
    const resource: Resource = [2, 'orders', [['retention.ms', '1000']]]
    expect(await alter(administration, [resource], { validateOnly: true })).toEqual([0])
    expect(overrides(administration)).toEqual([['segment.ms', '7']])
  })

  it.each<[string, Resource, number]>([
    ['an unknown name', [2, 'orders', [['nope', '1']]], 40],
    ['a wrong value', [2, 'orders', [['retention.ms', 'soon']]], 40],
    ['no value', [2, 'orders', [['retention.ms', null]]], 42],
    [
      'a property twice',
      [
        2,
        'orders',
        [
          ['flush.ms', '1'],
          ['flush.ms', '2'],
        ],
      ],
      42,
    ],
    ['a topic that does not exist', [2, 'nope', []], 3],
    ['a read-only property', [4, '1', [['num.partitions', '2']]], 42],
    ['loggers', [8, '1', [['root', 'DEBUG']]], 42],
  ])('refuses %s', async (_what, resource, error) => {
    const administration = await withTopic()
    expect(await alter(administration, [resource])).toEqual([error])
    expect(overrides(administration)).toEqual([['segment.ms', '7']])
  })

  it('refuses a resource that the request has twice', async () => {
    const administration = await withTopic()
    const resource: Resource = [2, 'orders', [['retention.ms', '1000']]]
    expect(await alter(administration, [resource, resource])).toEqual([42, 42])
    expect(overrides(administration)).toEqual([['segment.ms', '7']])
  })
})

import { describe, expect, it } from 'vitest'
import { createTopics } from './19-create-topics.ts'
import { listConfigResources } from './74-list-config-resources.ts'
import { createAdministration, newTopic } from './administration-fixture.ts'

async function withResources() {
  const administration = await createAdministration({ nodes: 2 })
  const { ask, cluster } = administration
  await ask(createTopics, 7, { topics: [newTopic('orders')], timeoutMs: 1000 })
  await cluster.setDynamicSettings('group', 'readers', new Map([['share.isolation.level', 'x']]))
  await cluster.setDynamicSettings('client-metrics', 'all', new Map([['metrics', '*']]))
  return administration
}

describe('ListConfigResources', () => {
  it.each([
    [[], ['2 orders', '4 1', '4 2', '8 1', '8 2', '16 all', '32 readers']],
    [
      [32, 2, 32],
      ['32 readers', '2 orders'],
    ],
  ])('lists what has configuration of the types %j', async (resourceTypes, expected) => {
    const { ask } = await withResources()
    const { errorCode, configResources } = await ask(listConfigResources, 1, { resourceTypes })
    expect(errorCode).toBe(0)
    const listed = configResources.map((each) => `${each.resourceType} ${each.resourceName}`)
    expect(listed).toEqual(expected)
  })

  it("lists subscriptions of clients' metrics in version 0", async () => {
    const { ask } = await withResources()
    const { configResources } = await ask(listConfigResources, 0, {})
    expect(configResources.map(({ resourceName }) => resourceName)).toEqual(['all'])
  })

  it('refuses a type that has no configuration', async () => {
    const { ask } = await withResources()
    const answer = await ask(listConfigResources, 1, { resourceTypes: [2, 3] })
    expect(answer).toMatchObject({ errorCode: 35, configResources: [] })
  })
})

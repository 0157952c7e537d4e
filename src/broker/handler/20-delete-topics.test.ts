import { describe, expect, it } from 'vitest'
import { createTopics } from './19-create-topics.ts'
import { deleteTopics } from './20-delete-topics.ts'
import { createAdministration, newTopic } from './administration-fixture.ts'
import type { Administration } from './administration-fixture.ts'
import { noTopicId } from './topic-id.ts'

async function withTopics(
  names: readonly string[],
  properties: Readonly<Record<string, string>> = {},
): Promise<Administration> {
  const administration = await createAdministration({ properties })
  const topics = names.map((name) => newTopic(name))
  await administration.ask(createTopics, 7, { topics, timeoutMs: 1000 })
  return administration
}

async function deleteReferences(
  { ask }: Administration,
  references: readonly { readonly name?: string; readonly topicId?: string }[],
) {
  const topics = references.map(({ name = null, topicId = noTopicId }) => ({ name, topicId }))
  return (await ask(deleteTopics, 6, { topics, timeoutMs: 1000 })).responses
}

describe('DeleteTopics', () => {
  it('deletes by name, and answers the id', async () => {
    const administration = await withTopics(['orders', 'payments'])
    const topicId = administration.cluster.topic('orders')?.id
    const [answer] = await deleteReferences(administration, [{ name: 'orders' }])
    expect(answer).toEqual({ name: 'orders', topicId, errorCode: 0, errorMessage: null })
    expect(Array.from(administration.cluster.topics(), ({ name }) => name)).toEqual(['payments'])
  })

  it('deletes by id, and answers the name', async () => {
    const administration = await withTopics(['orders'])
    const topicId = administration.cluster.topic('orders')?.id ?? ''
    const [answer] = await deleteReferences(administration, [{ topicId }])
    expect(answer).toMatchObject({ name: 'orders', topicId, errorCode: 0 })
    expect(administration.cluster.topic('orders')).toBeUndefined()
  })

  it.each([1, 2, 3, 4, 5])('takes names alone in version %i', async (version) => {
    const { ask, cluster } = await withTopics(['orders'])
    const request = { topicNames: ['orders', 'nope'], timeoutMs: 1000 }
    const { responses } = await ask(deleteTopics, version, request)
    expect(responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['orders', 0],
      ['nope', 3],
    ])
    expect(cluster.topic('orders')).toBeUndefined()
  })

  it.each([
    ['a name that nobody has', { name: 'nope' }, 3],
    ['an id that nobody has', { topicId: 'x1AAAAAAAAAAAAAAAAAAAA' }, 100],
    ['a name and an id', { name: 'orders', topicId: 'x1AAAAAAAAAAAAAAAAAAAA' }, 42],
    ['neither', {}, 42],
  ])('refuses %s', async (_what, reference, error) => {
    const administration = await withTopics(['orders'])
    const [answer] = await deleteReferences(administration, [reference])
    expect(answer?.errorCode).toBe(error)
    expect(administration.cluster.topic('orders')).toBeDefined()
  })

  it('refuses a topic that the request has twice, once', async () => {
    const administration = await withTopics(['orders', 'payments'])
    const references = [{ name: 'orders' }, { name: 'payments' }, { name: 'orders' }]
    const answers = await deleteReferences(administration, references)
    expect(answers.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['orders', 42],
      ['payments', 0],
    ])
    expect(administration.cluster.topic('orders')).toBeDefined()
  })

  it('deletes nothing when delete.topic.enable is false', async () => {
    const administration = await withTopics(['orders'], { 'delete.topic.enable': 'false' })
    const [answer] = await deleteReferences(administration, [{ name: 'orders' }])
    expect(answer?.errorCode).toBe(73)
    const old = { topicNames: ['orders'], timeoutMs: 1000 }
    const { responses } = await administration.ask(deleteTopics, 1, old)
    expect(responses[0]?.errorCode).toBe(42)
    expect(administration.cluster.topic('orders')).toBeDefined()
  })

  it("keeps the coordinators' own topics", async () => {
    const administration = await createAdministration()
    await administration.cluster.prepareCoordinators('group')
    const [answer] = await deleteReferences(administration, [{ name: '__consumer_offsets' }])
    expect(answer?.errorCode).toBe(42)
    expect(administration.cluster.topic('__consumer_offsets')).toBeDefined()
  })

  it('gives a topic that is made again another id', async () => {
    const administration = await withTopics(['orders'])
    const first = administration.cluster.topic('orders')?.id
    await deleteReferences(administration, [{ name: 'orders' }])
    const topics = [newTopic('orders')]
    await administration.ask(createTopics, 7, { topics, timeoutMs: 1000 })
    expect(administration.cluster.topic('orders')?.id).not.toBe(first)
  })
})

import { describe, expect, it } from 'vitest'
import { startWorld } from './fixture/world.ts'

describe('topics', () => {
  it('are created, listed, described by name and by id, and deleted', async () => {
    await using world = await startWorld()
    const { topics } = world.admin
    const created = await topics.create({
      name: 'orders',
      partitions: 3,
      configs: { 'retention.ms': 5000 },
    })
    expect(created).toMatchObject({
      name: 'orders',
      partitionCount: 3,
      replicationFactor: 1,
      answerWasLost: false,
    })
    const id = created.id ?? ''
    expect(await topics.list()).toEqual([
      { name: 'orders', id, isInternal: false, partitionCount: 3 },
    ])
    const described = await topics.describe('orders')
    expect(described).toEqual(await topics.describe({ id }))
    expect(described.partitions.map(({ partition, leaderId }) => [partition, leaderId])).toEqual(
      [0, 1, 2].map((partition) => [partition, world.kafka.leader('orders', partition)]),
    )
    expect(described.authorizedOperations).toBeUndefined()
    const allowed = await topics.describe('orders', { authorizedOperations: true })
    expect(allowed.authorizedOperations).toContain('describe')
    await topics.delete({ id })
    expect(await topics.list()).toEqual([])
  })

  it('are created where they are told to be, and answered each for itself', async () => {
    await using world = await startWorld()
    const { topics } = world.admin
    const results = await topics.createMany([
      {
        name: 'placed',
        assignments: [
          [2, 1],
          [3, 1],
        ],
      },
      { name: 'bad name' },
      { name: 'plain' },
    ])
    expect([...results.keys()]).toEqual(['placed', 'bad name', 'plain'])
    expect(results.get('bad name')?.error).toMatchObject({ kafkaName: 'INVALID_TOPIC_EXCEPTION' })
    expect(results.get('plain')?.error).toBeUndefined()
    const { partitions } = await topics.describe('placed')
    expect(partitions.map(({ replicas }) => replicas)).toEqual([
      [2, 1],
      [3, 1],
    ])
    await expect(topics.create({ name: 'placed' })).rejects.toMatchObject({
      kafkaName: 'TOPIC_ALREADY_EXISTS',
    })
  })

  it('are only checked with validateOnly', async () => {
    await using world = await startWorld()
    const { topics } = world.admin
    await topics.create({ name: 'orders' }, { validateOnly: true })
    expect(await topics.list()).toEqual([])
    await expect(
      topics.create({ name: 'orders', replicas: 7 }, { validateOnly: true }),
    ).rejects.toMatchObject({ kafkaName: 'INVALID_REPLICATION_FACTOR' })
  })

  it('that do not exist are an error at once, and one of their own among many', async () => {
    await using world = await startWorld()
    const { topics } = world.admin
    await topics.create({ name: 'orders' })
    const id = `${'x'.repeat(21)}A`
    const results = await topics.describeMany(['orders', 'absent', { id }])
    expect(results.get('orders')?.error).toBeUndefined()
    expect(results.get('absent')?.error).toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' })
    expect(results.get(id)?.error).toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_ID' })
    await expect(topics.delete('absent')).rejects.toMatchObject({
      kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    await expect(topics.delete({ id })).rejects.toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_ID' })
    await expect(topics.describe('absent')).rejects.toThrow(/topic absent/)
  })

  it('get more partitions', async () => {
    await using world = await startWorld()
    const { topics } = world.admin
    await topics.create({ name: 'orders', partitions: 1 })
    await topics.addPartitions({ topic: 'orders', count: 3, assignments: [[2], [3]] })
    const { partitions } = await topics.describe('orders')
    expect(partitions.map(({ replicas }) => replicas[0]).slice(1)).toEqual([2, 3])
    const results = await topics.addPartitionsToMany([
      { topic: 'orders', count: 3 },
      { topic: 'absent', count: 3 },
    ])
    expect(results.get('orders')?.error).toMatchObject({ kafkaName: 'INVALID_PARTITIONS' })
    expect(results.get('absent')?.error).toMatchObject({ kafkaName: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })
})

describe('a lost answer', () => {
  it('to a creation: it counts as done when the topic is as it was asked for', async () => {
    await using world = await startWorld()
    using _ = world.loseFirstAnswer('CreateTopics')
    const topic = { name: 'orders', partitions: 2, configs: { 'retention.ms': 5000 } }
    const created = await world.admin.topics.create(topic)
    expect(created).toMatchObject({ partitionCount: 2, answerWasLost: true })
    expect(created.id).toBe((await world.admin.topics.describe('orders')).id)
  })

  it('to a creation: a topic that is another one is a refusal that says what differs', async () => {
    await using world = await startWorld()
    await world.admin.topics.create({ name: 'orders', partitions: 3 })
    using _ = world.loseFirstAnswer('CreateTopics')
    const topic = { name: 'orders', partitions: 2, configs: { 'retention.ms': 5000 } }
    await expect(world.admin.topics.create(topic)).rejects.toMatchObject({
      kafkaName: 'TOPIC_ALREADY_EXISTS',
      message: /3 partitions, not 2, retention\.ms .*, not 5000/,
    })
  })

  it('to a deletion: the topic is gone', async () => {
    await using world = await startWorld()
    await world.admin.topics.create({ name: 'orders' })
    using _ = world.loseFirstAnswer('DeleteTopics')
    expect(await world.admin.topics.delete('orders')).toEqual({ answerWasLost: true })
  })

  it('to a deletion never deletes a topic that was created anew under the name', async () => {
    await using world = await startWorld()
    await world.admin.topics.create({ name: 'orders' })
    let isFirst = true
    using _ = world.kafka.intercept('DeleteTopics', async (_request, proceed) => {
      const outcome = await proceed()
      if (!isFirst) return outcome
      isFirst = false
      await world.kafka.createTopic('orders', { partitions: 5 })
      world.kafka.dropConnections()
      return outcome
    })
    expect(await world.admin.topics.delete('orders')).toEqual({ answerWasLost: true })
    expect((await world.admin.topics.describe('orders')).partitions.length).toBe(5)
  })

  it('to more partitions: done when they are there', async () => {
    await using world = await startWorld()
    await world.admin.topics.create({ name: 'orders', partitions: 1 })
    using _ = world.loseFirstAnswer('CreatePartitions')
    const done = await world.admin.topics.addPartitions({ topic: 'orders', count: 4 })
    expect(done).toEqual({ answerWasLost: true })
  })

  it('to what was only to be checked leaves no doubt', async () => {
    await using world = await startWorld()
    await world.admin.topics.create({ name: 'orders' })
    using _ = world.loseFirstAnswer('CreateTopics')
    const checked = world.admin.topics.create({ name: 'orders' }, { validateOnly: true })
    await expect(checked).rejects.toMatchObject({
      kafkaName: 'TOPIC_ALREADY_EXISTS',
      message: expect.not.stringContaining('may have taken effect') as string,
    })
  })
})

describe('options', () => {
  it('that cannot be used are named with what is allowed', async () => {
    await using world = await startWorld()
    const { topics } = world.admin
    const refusals: [() => Promise<unknown>, RegExp][] = [
      [
        () => topics.create({ name: 'a' }, { validateOnyl: true } as never),
        /validateOnyl.*did you mean/,
      ],
      [() => topics.create({ name: '' }), /topic.name \(''\) must be a text/],
      [
        () => topics.create({ name: 'a', partitions: 0 }),
        /topic.partitions \(0\) must be .* from 1 up/,
      ],
      [() => topics.create({ name: 'a', partitions: 1, assignments: [[1]] }), /topic.assignments/],
      [() => topics.createMany([{ name: 'a' }, { name: 'a' }]), /'a' twice/],
      [() => topics.describe({ id: 'short' }), /topic.id \('short'\) must be a topic id/],
      [() => topics.list({ timeoutMs: 0 }), /timeoutMs \(0\) must be a whole number from 1 to/],
      [() => topics.addPartitions({ topic: 'a', count: 1.5 }), /count \(1.5\)/],
    ]
    for (const [refused, message] of refusals) {
      await expect(refused()).rejects.toMatchObject({ code: 'MILLRACE_OPTION_INVALID', message })
    }
    expect(world.kafka.requests('CreateTopics')).toEqual([])
  })
})

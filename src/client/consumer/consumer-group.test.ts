import { describe, expect, it } from 'vitest'
import { isMillraceError } from '../../errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { Consumer } from './consumer.ts'
import { first, read, startWorld, valuesOf } from './fixture/world.ts'

const values = Array.from({ length: 6 }, (_, index) => `value ${index}`)
const second = { topic: 'orders', partition: 1 }
const group = { groupId: 'billing', heartbeatIntervalMs: 20, groupProtocol: 'classic' } as const

/** Polls until something is so; answers what has come meanwhile. */
async function pollUntil(consumer: Consumer, condition: () => boolean): Promise<string[]> {
  const come: string[] = []
  while (!condition()) come.push(...valuesOf(await consumer.poll({ timeoutMs: 5 })))
  return come
}

async function committedOffset(consumer: Consumer, partition = first) {
  return (await consumer.committed([partition])).map(({ offset }) => offset)[0]
}

describe('a consumer in a group', () => {
  it('starts where the group has committed, and where offsetReset says before that', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const one = world.consumer(group)
    one.subscribe('orders')
    expect(await read(one, 2)).toEqual(values.slice(0, 2))
    await one.commit()
    expect(await committedOffset(one)).toBe(2)
    expect(await read(one, 2)).toEqual(values.slice(2, 4))
    await one.close()
    const other = world.consumer(group)
    other.subscribe(['orders'])
    expect(await read(other, 4)).toEqual(values.slice(2))
  })

  it('goes on from a commit without a leader epoch', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const one = world.consumer(group)
    one.subscribe('orders')
    await read(one, 1)
    await one.commit([{ ...first, offset: 5 }])
    await one.close()
    const other = world.consumer({ ...group, offsetReset: 'none' })
    other.subscribe('orders')
    expect(await read(other, 1)).toEqual(['value 5'])
  })

  it('subscribes to what matches a pattern', async () => {
    await using world = await startWorld()
    await world.kafka.createTopic('customers')
    await world.write(0, values)
    const consumer = world.consumer(group)
    consumer.subscribe(/^ord/)
    expect(await read(consumer, 6)).toEqual(values)
    expect(consumer.assignment).toEqual([first])
  })

  it('commits what it gives up when it is closed in the middle of a rebalance', async () => {
    await using world = await startWorld({ partitions: 2 })
    await world.write(0, values)
    await world.write(1, values)
    const cooperative = { ...group, assignors: ['cooperative-sticky'] } as const
    let commit = Promise.resolve()
    const one = world.consumer({
      ...cooperative,
      onRevoked: () => {
        commit = one.commit([{ ...first, offset: 6 }])
        return commit
      },
    })
    one.subscribe('orders')
    expect(await read(one, 12)).toHaveLength(12)
    let answer = () => undefined as void
    const isHeld = new Promise<void>((resolve) => (answer = resolve))
    let isJoining = false
    using _ = world.kafka.intercept('JoinGroup', async ({ body }, proceed) => {
      const answered = await proceed()
      const { memberId } = body as { memberId: string }
      if (memberId !== '' && memberId === one.groupMetadata().memberId) {
        isJoining = true
        await isHeld
      }
      return answered
    })
    const other = world.consumer(cooperative)
    other.subscribe('orders')
    await Promise.race([pollUntil(other, () => isJoining), pollUntil(one, () => isJoining)])
    // The group is in a new generation already, and this member has not heard of it.
    const closing = one.close()
    answer()
    await closing
    await expect(commit).resolves.toBeUndefined()
    expect(await committedOffset(other)).toBe(6)
  })

  it('hands partitions over when what was handed out of them has been dealt with', async () => {
    await using world = await startWorld({ partitions: 2, broker: { recordRequests: true } })
    await world.write(0, values)
    await world.write(1, values)
    const told: string[] = []
    const tell = (what: string) => (partitions: readonly TopicPartition[]) => {
      told.push(`${what} ${partitions.map(({ partition }) => partition).join()}`)
    }
    const one = world.consumer({ ...group, onAssigned: tell('assigned') })
    one.subscribe('orders')
    expect(await read(one, 12)).toHaveLength(12)
    expect(told).toEqual(['assigned 0,1'])
    const other = world.consumer({ ...group, onAssigned: tell('other assigned') })
    other.subscribe('orders')
    let otherHas = 0
    const others = pollUntil(other, () => (otherHas = other.assignment.length) > 0)
    // The application is still at work on what it was given: nothing is given up.
    await expect.poll(() => world.kafka.requests('SyncGroup').length).toBeGreaterThanOrEqual(3)
    const both = [first, second].map((each) => ({ ...each, offset: 6 }))
    for (let round = 0; round < 5; round++) await one.commit(both)
    expect(otherHas).toBe(0)
    expect(one.assignment).toHaveLength(2)
    await Promise.all([others, pollUntil(one, () => one.assignment.length === 1)])
    await pollUntil(one, () => otherHas === 1)
    const taken = other.assignment[0]!
    await expect(one.commit([{ ...taken, offset: 6 }])).rejects.toThrow(/is not assigned/)
    expect(await committedOffset(other, taken)).toBe(6)
    await world.write(taken.partition, ['next'])
    expect(await read(other, 1)).toEqual(['next'])
  })

  it('awaits onRevoked, in which offsets can be committed', async () => {
    await using world = await startWorld({ partitions: 2 })
    await world.write(0, values)
    await world.write(1, values)
    const revoked: number[] = []
    const one = world.consumer({
      ...group,
      onRevoked: async (partitions) => {
        for (const { partition } of partitions) revoked.push(partition)
        await one.commit(partitions.map((each) => ({ ...each, offset: 4, metadata: 'mine' })))
      },
    })
    one.subscribe('orders')
    await read(one, 12)
    const other = world.consumer(group)
    other.subscribe('orders')
    const [come] = await Promise.all([
      pollUntil(other, () => other.assignment.length === 1),
      pollUntil(one, () => one.assignment.length === 1),
    ])
    expect(revoked).toHaveLength(1)
    expect(await other.committed(other.assignment)).toMatchObject([
      { partition: revoked[0], offset: 4, metadata: 'mine' },
    ])
    expect([...come, ...(await read(other, 2 - come.length))]).toEqual(values.slice(4))
  })

  it('keeps a seek that is made while the committed offset is being read', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const one = world.consumer(group)
    one.subscribe('orders')
    await read(one, 3)
    await one.commit()
    await one.close()
    let isRead = false
    let answer = () => undefined as void
    const held = new Promise<void>((resolve) => (answer = resolve))
    using _ = world.kafka.intercept('OffsetFetch', async (_request, proceed) => {
      isRead = true
      await held
      return proceed()
    })
    const other = world.consumer(group)
    other.subscribe('orders')
    const next = read(other, 1)
    await expect.poll(() => isRead).toBe(true)
    other.seek(first, 1)
    answer()
    expect(await next).toEqual(['value 1'])
    expect(other.position(first)).toBe(2)
  })

  it('lets onAssigned seek before anything is read', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const consumer = world.consumer({ ...group, onAssigned: () => consumer.seek(first, 4) })
    consumer.subscribe('orders')
    expect(await read(consumer, 2)).toEqual(values.slice(4))
  })

  it('tells with each poll that its membership has ended', async () => {
    await using world = await startWorld()
    const consumer = world.consumer({
      ...group,
      onAssigned: () => Promise.reject(new Error('cannot start')),
    })
    consumer.subscribe('orders')
    await expect(consumer.poll()).rejects.toThrow('cannot start')
    await expect(consumer.poll()).rejects.toThrow('cannot start')
  })
})

describe('commits', () => {
  it('never go back, unless they are told to', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const consumer = world.consumer(group)
    consumer.subscribe('orders')
    await read(consumer, 5)
    await consumer.commit()
    consumer.seek(first, 2)
    await read(consumer, 1)
    await consumer.commit()
    expect(await committedOffset(consumer)).toBe(5)
    const error: unknown = await consumer
      .commit([{ ...first, offset: 3 }])
      .catch((failure: unknown) => failure)
    expect(isMillraceError(error, 'MILLRACE_CLIENT_STATE_INVALID')).toBe(true)
    await consumer.commit([{ ...first, offset: 3 }], { allowBackwards: true })
    expect(await committedOffset(consumer)).toBe(3)
    await consumer.commit([{ ...first, offset: 4 }])
    expect(await committedOffset(consumer)).toBe(4)
  })

  it('never go back below what was found committed', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const one = world.consumer(group)
    one.assign([first])
    await read(one, 5)
    await one.commit()
    const other = world.consumer({ ...group, autoCommit: true })
    other.assign([first])
    await read(other, 1)
    other.seek(first, 1)
    await read(other, 1)
    await other.commit()
    await expect(other.commit([{ ...first, offset: 2 }])).rejects.toThrow(/is below 5/)
    await other.close()
    expect(await committedOffset(one)).toBe(5)
  })

  it('stay in order when one has to be repeated', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const consumer = world.consumer(group)
    consumer.subscribe('orders')
    let failed = 0
    using _ = world.kafka.intercept('OffsetCommit', async (request, proceed) => {
      failed += 1
      if (failed > 1) return proceed()
      const { topics } = request.body as { topics: { partitions: { partitionIndex: number }[] }[] }
      return {
        topics: topics.map((topic) => ({
          ...topic,
          partitions: topic.partitions.map(({ partitionIndex }) => ({
            partitionIndex,
            errorCode: 14,
          })),
        })),
      }
    })
    await read(consumer, 2)
    const one = consumer.commit()
    await read(consumer, 2)
    await Promise.all([one, consumer.commit()])
    expect(await committedOffset(consumer)).toBe(4)
  })

  it('carry the leader epoch of what was read last', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const consumer = world.consumer(group)
    consumer.subscribe('orders')
    const [batch] = await consumer.poll()
    await consumer.commit()
    const [committed] = await consumer.committed([first])
    expect(committed).toMatchObject({ offset: 6, leaderEpoch: batch!.leaderEpoch })
    expect(batch!.leaderEpoch).toBeGreaterThanOrEqual(0)
  })

  it('are made automatically of what the application is done with, not of what it has', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const one = world.consumer({ ...group, autoCommit: { intervalMs: 10 } })
    one.subscribe('orders')
    expect(valuesOf(await one.poll({ maxRecords: 2 }))).toEqual(values.slice(0, 2))
    expect(valuesOf(await one.poll({ maxRecords: 2 }))).toEqual(values.slice(2, 4))
    await expect.poll(() => committedOffset(one)).toBe(2)
    await one.close()
    const other = world.consumer(group)
    other.subscribe('orders')
    expect(await read(other, 1)).toEqual(['value 2'])
  })

  it('are made automatically when partitions are given up', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const one = world.consumer({ ...group, autoCommit: { intervalMs: 60_000 } })
    one.subscribe('orders')
    await read(one, 2)
    await one.poll({ maxRecords: 2 })
    await one.close()
    const other = world.consumer(group)
    other.subscribe('orders')
    expect(await read(other, 1)).toEqual(['value 2'])
  })

  it('are for groups', async () => {
    await using world = await startWorld()
    const consumer = world.consumer()
    consumer.assign([first])
    await expect(consumer.commit()).rejects.toThrow(/no groupId/)
    expect(() => world.consumer({ autoCommit: true })).toThrow(/autoCommit needs a groupId/)
  })

  it('can be made without being a member', async () => {
    await using world = await startWorld({ partitions: 2 })
    await world.write(0, values)
    const one = world.consumer(group)
    one.assign([first, second])
    expect(await read(one, 4)).toEqual(values.slice(0, 4))
    await one.commit()
    await one.close()
    const other = world.consumer(group)
    other.assign([first])
    expect(await read(other, 2)).toEqual(values.slice(4))
    expect(other.groupMetadata()).toMatchObject({ groupId: 'billing', generation: -1 })
  })
})

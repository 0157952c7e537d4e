import { describe, expect, it, vi } from 'vitest'
import { isMillraceError } from '../../errors.ts'
import { kafkaError } from '../../protocol/index.ts'
import type {
  ResponseInput,
  apiVersionsApi,
  offsetForLeaderEpochApi,
} from '../../protocol/index.ts'
import type { KafkaErrorName } from '../../protocol/index.ts'
import { closeConnection } from '../../testing/index.ts'
import {
  changedFetch,
  fetchAnswer,
  fetchRequest,
  first,
  read,
  startWorld,
  valuesOf,
} from './fixture/world.ts'
import type { World } from './fixture/world.ts'
import { batchOf } from './fixture/writer.ts'

const values = Array.from({ length: 6 }, (_, index) => `value ${index}`)
const second = { topic: 'orders', partition: 1 }

/** The broker offers a lower version of an API. */
function limitVersion(world: World, apiKey: number, maxVersion: number): Disposable {
  return world.kafka.intercept('ApiVersions', async (_request, proceed) => {
    const response = (await proceed()) as ResponseInput<typeof apiVersionsApi>
    const apiKeys = response.apiKeys.map((api) =>
      api.apiKey === apiKey ? { ...api, maxVersion } : api,
    )
    return { ...response, apiKeys }
  })
}

describe('a partition whose fetch is refused', () => {
  const passing: KafkaErrorName[] = [
    'NOT_LEADER_OR_FOLLOWER',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_ID',
    'INCONSISTENT_TOPIC_ID',
    'KAFKA_STORAGE_ERROR',
    'REPLICA_NOT_AVAILABLE',
    'OFFSET_NOT_AVAILABLE',
    'UNKNOWN_SERVER_ERROR',
    'CORRUPT_MESSAGE',
  ]

  it.each(passing)('goes on where it was after %s', async (name) => {
    await using world = await startWorld({ client: { retryBackoffMs: 1, retryBackoffMsMax: 2 } })
    await world.write(0, values)
    let left = 2
    using _ = world.kafka.intercept('Fetch', async (request, proceed) => {
      if (fetchRequest(request).topics.length === 0 || left === 0) return proceed()
      left -= 1
      return fetchAnswer(request, world, { errorCode: kafkaError[name] })
    })
    const consumer = world.consumer({ offsetReset: 'none' })
    consumer.assign([first])
    consumer.seek(first, 0)
    expect(await read(consumer, 6)).toEqual(values)
    expect(left).toBe(0)
  })

  it('fails by name for what does not pass, and leaves others alone', async () => {
    await using world = await startWorld({ partitions: 2 })
    await world.write(0, values)
    await world.write(1, values)
    using _ = world.kafka.intercept('Fetch', async (_request, proceed) =>
      changedFetch(await proceed(), ({ partitionIndex }) =>
        partitionIndex === 0
          ? { errorCode: kafkaError.TOPIC_AUTHORIZATION_FAILED, records: null }
          : {},
      ),
    )
    const consumer = world.consumer()
    consumer.assign([first, second])
    const error: unknown = await consumer.poll().catch((failure: unknown) => failure)
    expect(error).toMatchObject({ code: 'MILLRACE_CLIENT_REFUSED', partition: 0, offset: 0 })
    expect(String(error)).toMatch(/orders-0: cannot be fetched: TOPIC_AUTHORIZATION_FAILED/)
    expect(await read(consumer, 6)).toEqual(values)
    await expect(consumer.poll()).rejects.toBe(error)
    consumer.pause([first])
    expect(await consumer.poll({ timeoutMs: 1 })).toEqual([])
  })
})

describe('a leader', () => {
  it('is followed to where it moves, named by the answer or by metadata', async () => {
    await using world = await startWorld({ broker: { nodes: 3 }, replicas: 3 })
    await world.write(0, values)
    const consumer = world.consumer({ offsetReset: 'none' })
    consumer.assign([first])
    consumer.seek(first, 0)
    expect(await read(consumer, 6)).toEqual(values)
    for (let round = 0; round < 3; round++) {
      const next = (world.kafka.leader('orders', 0) % 3) + 1
      world.kafka.moveLeader('orders', 0, next)
      await world.cluster.refreshMetadata()
      await world.write(0, [`after move ${round}`])
      expect(await read(consumer, 1)).toEqual([`after move ${round}`])
    }
  })

  it('may be gone: reading goes on at the next one', async () => {
    await using world = await startWorld({ broker: { nodes: 3 }, replicas: 3 })
    await world.write(0, values)
    const consumer = world.consumer({ offsetReset: 'none' })
    consumer.assign([first])
    consumer.seek(first, 0)
    expect(await read(consumer, 3)).toEqual(values.slice(0, 3))
    await world.kafka.stopNode(world.kafka.leader('orders', 0), 'abruptly')
    await expect.poll(() => world.kafka.leader('orders', 0)).toBeGreaterThan(0)
    expect(await read(consumer, 3)).toEqual(values.slice(3))
    await expect
      .poll(async () => (await world.cluster.refreshMetadata()).partition('orders', 0)?.leaderId)
      .toBe(world.kafka.leader('orders', 0))
    await world.write(0, ['after'])
    expect(await read(consumer, 1)).toEqual(['after'])
  })

  it('loses no record with an answer that is lost', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    let lost = 0
    using _ = world.kafka.intercept('Fetch', async (_request, proceed) => {
      const answer = await proceed()
      lost += 1
      return lost % 2 === 1 ? closeConnection : answer
    })
    const consumer = world.consumer({ offsetReset: 'none' })
    consumer.assign([first])
    consumer.seek(first, 0)
    expect(await read(consumer, 6)).toEqual(values)
    await world.write(0, ['more'])
    expect(await read(consumer, 1)).toEqual(['more'])
    expect(lost).toBeGreaterThanOrEqual(4)
  })
})

describe('records that are broken', () => {
  function breakBatches(world: World, times: number) {
    let left = times
    return world.kafka.intercept('Fetch', async (_request, proceed) =>
      changedFetch(await proceed(), ({ records, partitionIndex }) => {
        const bytes = Buffer.concat(records === null ? [] : [records].flat())
        if (partitionIndex !== 0 || bytes.length === 0 || left === 0) return {}
        left -= 1
        bytes[bytes.length - 1]! ^= 1
        return { records: bytes }
      }),
    )
  }

  it('are fetched again: perhaps they broke on their way', async () => {
    await using world = await startWorld()
    await world.write(0, values.slice(0, 3), values.slice(3))
    using _ = breakBatches(world, 2)
    const consumer = world.consumer()
    consumer.assign([first])
    expect(await read(consumer, 6)).toEqual(values)
  })

  it('fail their partition when they stay broken; others go on, and it can be sought past them', async () => {
    await using world = await startWorld({ partitions: 2 })
    await world.write(0, values.slice(0, 3), values.slice(3))
    await world.write(1, ['x'])
    const broken = breakBatches(world, Infinity)
    const consumer = world.consumer()
    consumer.assign([first, second])
    const seen: string[] = []
    let error: unknown
    while (error === undefined) {
      await consumer.poll().then(
        (batches) => seen.push(...valuesOf(batches)),
        (failure: unknown) => (error = failure),
      )
    }
    expect(seen.sort()).toEqual([...values.slice(0, 3), 'x'])
    expect(isMillraceError(error, 'MILLRACE_PROTOCOL_INVALID')).toBe(true)
    expect(error).toHaveProperty(
      'message',
      expect.stringMatching(/^orders-0: records at offset 3 cannot be read, fetched 3 times/),
    )
    await world.write(1, ['y'])
    expect(await read(consumer, 1)).toEqual(['y'])
    broken[Symbol.dispose]()
    consumer.seek(first, 4)
    expect(await read(consumer, 2)).toEqual(values.slice(4))
  })
})

describe('a fetch session', () => {
  it('names what is new only, and all of it again when the broker has forgotten it', async () => {
    await using world = await startWorld({ partitions: 2, broker: { recordRequests: true } })
    const consumer = world.consumer({ fetchWaitMsMax: 5 })
    consumer.assign([first, second])
    const named = () =>
      world.kafka.requests('Fetch').map((each) => {
        const { sessionEpoch, topics } = fetchRequest(each)
        return [sessionEpoch, topics.flatMap(({ partitions }) => partitions).length]
      })
    await world.write(0, ['a'])
    await read(consumer, 1)
    await expect.poll(() => named().length).toBeGreaterThan(3)
    expect(named()[0]).toEqual([0, 2])
    expect(named()[1]).toEqual([1, expect.toSatisfy((count: number) => count < 2)])
    for (const name of [
      'FETCH_SESSION_ID_NOT_FOUND',
      'INVALID_FETCH_SESSION_EPOCH',
      'FETCH_SESSION_TOPIC_ID_ERROR',
    ] as const) {
      let isDone = false
      using _ = world.kafka.intercept('Fetch', async (_request, proceed) => {
        if (isDone) return proceed()
        isDone = true
        return { errorCode: kafkaError[name], responses: [] }
      })
      const before = named().length
      await world.write(1, [name])
      expect(await read(consumer, 1)).toEqual([name])
      await expect.poll(() => named().slice(before)).toContainEqual([0, 2])
    }
  })

  it('is not needed', async () => {
    await using world = await startWorld({ partitions: 2 })
    using _ = world.kafka.intercept('Fetch', async (_request, proceed) => ({
      ...((await proceed()) as object),
      sessionId: 0,
    }))
    await world.write(0, values)
    const consumer = world.consumer({ fetchWaitMsMax: 5 })
    consumer.assign([first, second])
    expect(await read(consumer, 6)).toEqual(values)
    await world.write(1, ['x'])
    expect(await read(consumer, 1)).toEqual(['x'])
  })

  it('ends when the consumer does', async () => {
    await using world = await startWorld({ broker: { recordRequests: true } })
    const consumer = world.consumer()
    consumer.assign([first])
    await world.write(0, ['a'])
    await read(consumer, 1)
    await consumer.close()
    const epochs = () =>
      world.kafka.requests('Fetch').map((each) => fetchRequest(each).sessionEpoch)
    await expect.poll(epochs).toContain(-1)
  })
})

describe('a broker that answers at once and sends nothing', () => {
  const nothing = { partitionIndex: 0, errorCode: 0, highWatermark: -1, records: null }
  const useless: Record<string, Partial<ReturnType<typeof fetchAnswer>['responses'][number]>> = {
    'of a partition that was not asked for': { partitions: [{ ...nothing, partitionIndex: 7 }] },
    'of a topic that was not asked for': {
      ...{ topic: 'others', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' },
      partitions: [nothing],
    },
    'and no partition': { partitions: [] },
    'but says that there is more': { partitions: [{ ...nothing, highWatermark: 1_000 }] },
    'and says again that the log was cut': {
      partitions: [{ ...nothing, divergingEpoch: { epoch: 0, endOffset: 0 } }],
    },
    'and says again that the offset is out of range': {
      partitions: [{ ...nothing, errorCode: kafkaError.OFFSET_OUT_OF_RANGE }],
    },
  }

  it.each(Object.keys(useless))('%s is not asked without a pause', async (name) => {
    await using world = await startWorld()
    await world.write(0, values)
    using timers = vi.spyOn(world.cluster.platform.clock, 'setTimer')
    /** Other timers are for seconds. */
    const pausesMs = () => timers.mock.calls.map(([delayMs]) => delayMs).filter((ms) => ms < 500)
    /** How many pauses there were when it was asked. */
    const askedAfter: number[] = []
    const broken = world.kafka.intercept('Fetch', (request) => {
      askedAfter.push(pausesMs().length)
      const answer = fetchAnswer(request, world, {})
      return {
        ...answer,
        responses: answer.responses.map((topic) => ({ ...topic, ...useless[name] })),
      }
    })
    const consumer = world.consumer()
    consumer.assign([first])
    consumer.seek(first, { offset: 0, leaderEpoch: 0 })
    await expect.poll(() => askedAfter.length, { timeout: 5_000 }).toBeGreaterThan(5)
    // Without one it is asked three times, and then only behind pauses that grow.
    expect(askedAfter.slice(0, 6)).toEqual([0, 0, 0, 1, 2, 3])
    expect(pausesMs().slice(0, 3)).toEqual([25, 50, 100])
    broken[Symbol.dispose]()
    expect(await read(consumer, 6)).toEqual(values)
  })

  it('is not asked without a pause when it sends what is known already', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    let asked = 0
    using _ = world.kafka.intercept('Fetch', (request) => {
      asked += 1
      return fetchAnswer(request, world, { records: batchOf(values), highWatermark: 1_000 })
    })
    const consumer = world.consumer()
    consumer.assign([first])
    expect(await read(consumer, 6)).toEqual(values)
    await expect(consumer.poll()).rejects.toThrow(
      /^orders-0: records at offset 6 cannot be read, fetched 3 times: .* ends before offset 6/,
    )
    expect(asked).toBe(4)
  })

  it('is not asked without a pause when another one like it is named as the leader', async () => {
    await using world = await startWorld({ broker: { nodes: 2 }, replicas: 2 })
    let asked = 0
    let epoch = 100
    using _ = world.kafka.intercept('Fetch', (request, proceed) => {
      asked += 1
      if (asked > 6) return proceed()
      const currentLeader = { leaderId: request.nodeId === 1 ? 2 : 1, leaderEpoch: epoch++ }
      const errorCode = kafkaError.NOT_LEADER_OR_FOLLOWER
      return fetchAnswer(request, world, { errorCode, currentLeader })
    })
    const consumer = world.consumer()
    consumer.assign([first])
    const pauses = vi.spyOn(world.cluster, 'metadataIsStale')
    await expect.poll(() => asked).toBeGreaterThan(6)
    // From the fourth on they are not believed at once.
    expect(pauses.mock.calls.length).toBeGreaterThanOrEqual(3)
  })
})

describe('what no retry helps', () => {
  it('is told by the next poll', async () => {
    await using world = await startWorld()
    using _ = limitVersion(world, 1, 3)
    const consumer = world.consumer()
    consumer.assign([first])
    const poll = () => consumer.poll().catch((failure: unknown) => failure)
    for (let round = 0; round < 2; round++) {
      expect(await poll()).toMatchObject({ code: 'MILLRACE_CLIENT_UNSUPPORTED' })
    }
  })

  it('is told when the client was closed', async () => {
    await using world = await startWorld()
    await world.cluster.close()
    const consumer = world.consumer()
    consumer.assign([first])
    await expect(consumer.poll()).rejects.toMatchObject({ code: 'MILLRACE_CLIENT_CLOSED' })
  })
})

describe('an old broker', () => {
  it.each([4, 6, 7, 10, 11, 12, 13, 16])('is read with Fetch %i', async (version) => {
    await using world = await startWorld({ partitions: 2, broker: { recordRequests: true } })
    using _ = limitVersion(world, 1, version)
    await world.write(0, values)
    const consumer = world.consumer({ fetchWaitMsMax: 5 })
    consumer.assign([first, second])
    expect(await read(consumer, 6)).toEqual(values)
    await world.write(1, ['x'])
    expect(await read(consumer, 1)).toEqual(['x'])
    expect(new Set(world.kafka.requests('Fetch').map((each) => each.version))).toEqual(
      new Set([version]),
    )
  })

  it('is asked whether its log was cut when the leader has changed', async () => {
    await using world = await startWorld({ broker: { nodes: 2 }, replicas: 2 })
    using _ = limitVersion(world, 1, 11)
    await world.write(0, values)
    const consumer = world.consumer()
    consumer.assign([first])
    expect(await read(consumer, 6)).toEqual(values)
    // The new leader has lost what came after offset 4.
    let asked = 0
    using _cut = world.kafka.intercept('OffsetForLeaderEpoch', async (_request, proceed) => {
      asked += 1
      const answer = (await proceed()) as ResponseInput<typeof offsetForLeaderEpochApi>
      return {
        topics: answer.topics.map((topic) => ({
          ...topic,
          partitions: topic.partitions.map((each) => ({ ...each, endOffset: 4 })),
        })),
      }
    })
    world.kafka.moveLeader('orders', 0, world.kafka.leader('orders', 0) === 1 ? 2 : 1)
    expect(await read(consumer, 2)).toEqual(values.slice(4))
    expect(asked).toBeGreaterThan(0)
  })
})

describe('a position without a leader epoch', () => {
  it.each([11, 16])(
    'is no reason for a reset when the leader changes (Fetch %i)',
    async (version) => {
      await using world = await startWorld({ broker: { nodes: 2 }, replicas: 2 })
      using _ = limitVersion(world, 1, version)
      await world.write(0, values)
      const consumer = world.consumer({ offsetReset: 'none' })
      consumer.assign([first])
      consumer.seek(first, 4)
      world.kafka.moveLeader('orders', 0, world.kafka.leader('orders', 0) === 1 ? 2 : 1)
      expect(await read(consumer, 2)).toEqual(values.slice(4))
      consumer.seek(first, 3)
      world.kafka.moveLeader('orders', 0, world.kafka.leader('orders', 0) === 1 ? 2 : 1)
      await world.cluster.refreshMetadata()
      expect(await read(consumer, 3)).toEqual(values.slice(3))
    },
  )
})

describe('a log that was cut', () => {
  it.each(['earliest', 'none'] as const)('is noticed by the broker (%s)', async (offsetReset) => {
    await using world = await startWorld()
    await world.write(0, values)
    const consumer = world.consumer({ offsetReset, fetchWaitMsMax: 5 })
    consumer.assign([first])
    consumer.seek(first, 0)
    expect(await read(consumer, 6)).toEqual(values)
    let isCut = false
    using _ = world.kafka.intercept('Fetch', (request, proceed) => {
      const asked = fetchRequest(request).topics[0]?.partitions[0]
      if (isCut || asked?.lastFetchedEpoch !== 1) return proceed()
      isCut = true
      return fetchAnswer(request, world, { divergingEpoch: { epoch: 0, endOffset: 4 } })
    })
    consumer.seek(first, { offset: 6, leaderEpoch: 1 })
    if (offsetReset === 'none') {
      await expect(consumer.poll()).rejects.toThrow(/the log was cut at offset 4/)
      return
    }
    expect(await read(consumer, 2)).toEqual(values.slice(4))
  })
})

describe('a topic that was deleted and made again', () => {
  it('is another topic, read as offsetReset says', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const consumer = world.consumer({ fetchWaitMsMax: 5 })
    consumer.assign([first])
    expect(await read(consumer, 6)).toEqual(values)
    await world.remake('orders')
    await world.write(0, ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
    expect(await read(consumer, 8)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
  })
})

describe('a replica nearby', () => {
  it('is read from where the leader says so, and left when it cannot help', async () => {
    await using world = await startWorld({ broker: { nodes: 2 }, client: { rack: 'here' } })
    await world.write(0, values.slice(0, 3))
    const leader = world.kafka.leader('orders', 0)
    const follower = leader === 1 ? 2 : 1
    const asked: number[] = []
    let followerFails = false
    using _ = world.kafka.intercept('Fetch', (request, proceed) => {
      asked.push(request.nodeId)
      expect(fetchRequest(request).rackId).toBe('here')
      if (request.nodeId === follower) {
        if (followerFails) return fetchAnswer(request, world, { errorCode: 1 })
        const isAtEnd = (fetchRequest(request).topics[0]?.partitions[0]?.fetchOffset ?? 3) >= 3
        const records = isAtEnd ? null : batchOf(values.slice(0, 3))
        return fetchAnswer(request, world, { records, highWatermark: 3, lastStableOffset: 3 })
      }
      if (asked.includes(follower)) return proceed()
      return fetchAnswer(request, world, { preferredReadReplica: follower })
    })
    const consumer = world.consumer({ offsetReset: 'none' })
    consumer.assign([first])
    consumer.seek(first, 0)
    expect(await read(consumer, 3)).toEqual(values.slice(0, 3))
    expect(asked.slice(0, 2)).toEqual([leader, follower])
    followerFails = true
    await world.write(0, ['from the leader'])
    expect(await read(consumer, 1)).toEqual(['from the leader'])
    expect(asked.at(-1)).toBe(leader)
  })
})

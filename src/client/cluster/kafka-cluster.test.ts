import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../../platform/index.ts'
import { listOffsetsApi, metadataApi, produceApi } from '../../protocol/index.ts'
import { silentLog } from '../../observe/index.ts'
import type { Log } from '../../observe/index.ts'
import { closeConnection, startBroker } from '../../testing/index.ts'
import { resolveClientOptions } from '../resolve-options.ts'
import type { ClientOptions } from '../options.ts'
import { createCluster } from './kafka-cluster.ts'

function clusterOf(brokers: string, options: Partial<ClientOptions> = {}) {
  const resolved = resolveClientOptions({ brokers, retryBackoffMs: 5, ...options })
  return createCluster(resolved, { platform: createNodePlatform(), log: silentLog })
}

const noTopics = { topics: [], allowAutoTopicCreation: false }

describe('metadata', () => {
  it('is empty until it is asked for, then what the cluster says', async () => {
    await using kafka = await startBroker({ nodes: 3 })
    await kafka.createTopic('orders', { partitions: 4 })
    await using cluster = clusterOf(kafka.bootstrap)
    expect(cluster.metadata.brokers.size).toBe(0)
    cluster.watchTopics(['orders', 'absent'])
    const metadata = await cluster.refreshMetadata()
    expect([...metadata.brokers.keys()].sort()).toEqual([1, 2, 3])
    expect(metadata.topics.get('orders')?.partitions.map(({ leaderId }) => leaderId)).toEqual(
      [0, 1, 2, 3].map((partition) => kafka.leader('orders', partition)),
    )
    expect(metadata.topics.get('absent')?.errorCode).toBe(3)
    expect(metadata.topicName(metadata.topics.get('orders')?.id ?? '')).toBe('orders')
  })

  it('has topics created only where that was asked for', async () => {
    await using kafka = await startBroker()
    await using cluster = clusterOf(kafka.bootstrap)
    cluster.watchTopics(['looked-at'])
    cluster.watchTopics(['written-to'], { createMissing: true })
    await cluster.refreshMetadata()
    const { topics } = await cluster.refreshMetadata()
    expect(topics.get('written-to')?.partitions.length).toBeGreaterThan(0)
    expect(topics.get('looked-at')?.partitions).toEqual([])
  })

  it('is asked for once for all who want it before the request leaves', async () => {
    await using kafka = await startBroker({ recordRequests: true })
    await using cluster = clusterOf(kafka.bootstrap)
    await Promise.all(Array.from({ length: 10 }, () => cluster.refreshMetadata()))
    expect(kafka.requests('Metadata').length).toBe(1)
  })

  it('takes a newer leader that a response names, and keeps it over an older answer', async () => {
    await using kafka = await startBroker({ nodes: 2 })
    await kafka.createTopic('orders')
    await using cluster = clusterOf(kafka.bootstrap)
    cluster.watchTopics(['orders'])
    const { leaderEpoch, leaderId } = (await cluster.refreshMetadata()).partition('orders', 0)!
    const other = leaderId === 1 ? 2 : 1
    cluster.takeLeader('orders', 0, leaderId, leaderEpoch)
    expect(cluster.metadata.partition('orders', 0)).toMatchObject({ leaderId, leaderEpoch })
    cluster.takeLeader('orders', 0, other, leaderEpoch + 1)
    await cluster.refreshMetadata()
    expect(cluster.metadata.partition('orders', 0)).toMatchObject({ leaderId: other })
  })

  it('that cannot be had is told of once, however many have asked for it', async () => {
    const told: string[] = []
    const brokers = '127.0.0.1:1'
    const resolved = resolveClientOptions({ brokers, requestTimeoutMs: 100, retryBackoffMs: 10 })
    const log: Log = (level, message) => level === 'warn' && told.push(message)
    await using cluster = createCluster(resolved, { platform: createNodePlatform(), log })
    for (let asked = 0; asked < 5; asked++) cluster.metadataIsStale()
    await expect(cluster.refreshMetadata()).rejects.toThrow(/nobody listens/)
    expect(told).toEqual(['metadata could not be refreshed'])
  })

  it('comes from the bootstrap addresses again when every broker that is known is gone', async () => {
    await using first = await startBroker()
    await using second = await startBroker()
    await using cluster = clusterOf(`${first.bootstrap},${second.bootstrap}`)
    const before = await cluster.refreshMetadata()
    const wasFirst = first.bootstrap.endsWith(`:${before.brokers.get(1)?.port}`)
    await (wasFirst ? first : second).close()
    const after = await cluster.refreshMetadata()
    expect(after.brokers.get(1)?.port).not.toBe(before.brokers.get(1)?.port)
  })
})

describe('connections', () => {
  it('are one for bootstrap and broker', async () => {
    await using kafka = await startBroker({ recordRequests: true })
    await using cluster = clusterOf(kafka.bootstrap)
    await cluster.refreshMetadata()
    await cluster.broker(1, 'main').request(metadataApi, noTopics)
    expect(kafka.requests('ApiVersions').length).toBe(1)
  })

  it('keep the order of requests, also of those that wait for the connection', async () => {
    await using kafka = await startBroker({ recordRequests: true })
    await using cluster = clusterOf(kafka.bootstrap)
    await cluster.refreshMetadata()
    const broker = cluster.broker(1, 'produce')
    const ask = (number: number) =>
      broker.request(listOffsetsApi, {
        replicaId: -1,
        topics: [{ name: 'absent', partitions: [{ partitionIndex: number, timestamp: -1 }] }],
      })
    const answers = Array.from({ length: 50 }, (_, number) => ask(number))
    const later = answers[0]!.then(() => Promise.all([ask(50), ask(51)]))
    await Promise.all([...answers, later])
    const asked = kafka.requests('ListOffsets').map(({ body }) => {
      return (body as { topics: { partitions: { partitionIndex: number }[] }[] }).topics[0]
        ?.partitions[0]?.partitionIndex
    })
    expect(asked).toEqual(Array.from({ length: 52 }, (_, number) => number))
  })

  it('tell what was sent and not answered', async () => {
    await using kafka = await startBroker()
    await using cluster = clusterOf(kafka.bootstrap)
    await cluster.refreshMetadata()
    using _ = kafka.intercept('Metadata', () => Promise.resolve(closeConnection))
    await expect(cluster.broker(1, 'main').request(metadataApi, noTopics)).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_NO_ANSWER',
      wasSent: true,
    })
  })

  it('tell what was never sent', async () => {
    const kafka = await startBroker()
    await using cluster = clusterOf(kafka.bootstrap)
    await cluster.refreshMetadata()
    await kafka.close()
    await expect(cluster.broker(1, 'fetch').request(metadataApi, noTopics)).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_UNREACHABLE',
      wasSent: false,
    })
  })

  it('end with the first answer that is late, and the next request opens another', async () => {
    await using kafka = await startBroker()
    await using cluster = clusterOf(kafka.bootstrap)
    await cluster.refreshMetadata()
    const broker = cluster.broker(1, 'main')
    {
      using _ = kafka.intercept('Metadata', () => new Promise(() => undefined))
      await expect(broker.request(metadataApi, noTopics, { timeoutMs: 20 })).rejects.toMatchObject({
        wasSent: true,
        message: /was not answered within 20 ms/,
      })
    }
    await expect(broker.request(metadataApi, noTopics)).resolves.toBeDefined()
  })

  it('wait at the limit of requests in flight, and time out there without being sent', async () => {
    await using kafka = await startBroker({ recordRequests: true })
    await using cluster = clusterOf(kafka.bootstrap, { requestsInFlightMax: 1 })
    await cluster.refreshMetadata()
    const broker = cluster.broker(1, 'main')
    let letGo = (): void => undefined
    const goOn = new Promise<void>((resolve) => (letGo = resolve))
    using _ = kafka.intercept('Metadata', async (_request, proceed) => {
      await goOn
      return proceed()
    })
    const first = broker.request(metadataApi, noTopics)
    await expect(broker.request(metadataApi, noTopics, { timeoutMs: 20 })).rejects.toMatchObject({
      wasSent: false,
    })
    letGo()
    await first
    expect(kafka.requests('Metadata').length).toBe(2)
  })

  it('refuse a version that the broker does not have, naming both', async () => {
    await using kafka = await startBroker()
    await using cluster = clusterOf(kafka.bootstrap)
    await cluster.refreshMetadata()
    await expect(
      cluster.broker(1, 'main').version(produceApi, { versionMin: 99 }),
    ).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_UNSUPPORTED',
      message: /Produce: versions 99 to/,
    })
  })

  it('are closed with the cluster; what waits is rejected, what comes later too', async () => {
    await using kafka = await startBroker()
    await using cluster = clusterOf(kafka.bootstrap)
    await cluster.refreshMetadata()
    using _ = kafka.intercept('Metadata', () => new Promise(() => undefined))
    const retired = cluster.broker(1, 'main').request(metadataApi, noTopics)
    cluster.broker(1, 'main').reconnect()
    const link = cluster.broker(1, 'produce')
    await link.connect()
    const waits = link.request(metadataApi, noTopics)
    const connects = cluster.broker(1, 'group 1').request(metadataApi, noTopics)
    await cluster.close()
    await expect(retired).rejects.toMatchObject({ wasSent: true })
    await expect(waits).rejects.toMatchObject({ wasSent: true })
    await expect(connects).rejects.toMatchObject({ code: 'MILLRACE_CLIENT_CLOSED' })
    await expect(cluster.refreshMetadata()).rejects.toMatchObject({
      code: 'MILLRACE_CLIENT_CLOSED',
    })
  })
})

describe('coordinators', () => {
  it('are looked up once, until they are forgotten', async () => {
    await using kafka = await startBroker({ nodes: 3, recordRequests: true })
    await using cluster = clusterOf(kafka.bootstrap)
    const first = await cluster.coordinator('group', 'billing', 'group 1')
    await cluster.coordinator('group', 'billing', 'group 1')
    expect(kafka.requests('FindCoordinator').length).toBe(1)
    const other = first.nodeId === 1 ? 2 : 1
    kafka.moveCoordinator('group', 'billing', other)
    cluster.forgetCoordinator('group', 'billing')
    expect((await cluster.coordinator('group', 'billing', 'group 1')).nodeId).toBe(other)
  })
})

import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../../platform/index.ts'
import {
  apis,
  apiVersionsApi,
  consumerGroupHeartbeatApi,
  encodeRequest,
  fetchApi,
  Reader,
} from '../../protocol/index.ts'
import { startBroker, WireClient } from '../../testing/index.ts'
import type { TestBroker } from '../../testing/index.ts'
import { releaseNames, releaseOf } from './release.ts'
import type { ReleaseName } from './release.ts'

const platform = createNodePlatform()
const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }

function connect(broker: TestBroker): Promise<WireClient> {
  const port = Number(broker.bootstrap.split(':').at(-1))
  return WireClient.connect({ platform, host: '127.0.0.1', port })
}

describe.each(releaseNames)('a broker that passes for Kafka %s', (asVersion: ReleaseName) => {
  it('tells the versions of that release', async () => {
    await using broker = await startBroker({ asVersion })
    await using client = await connect(broker)
    const { apiKeys } = await client.request(apiVersionsApi, 3, software)
    const told = new Map(
      apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]),
    )
    const expected = new Map(releaseOf(asVersion).apis)
    // Versions 4 and 5 are for brokers.
    expected.set(24, [0, 3])
    expect(told).toEqual(expected)
    expect([...told.keys()].every((key) => apis.some((api) => api.key === key))).toBe(true)
  })

  it('answers a question from the future in the oldest form, with what it knows', async () => {
    await using broker = await startBroker({ asVersion })
    const answer = await askInVersion(broker, 5)
    const body = apiVersionsApi.response.read(answer, 0)
    expect(body.errorCode).toBe(35)
    const own = body.apiKeys.find(({ apiKey }) => apiKey === apiVersionsApi.key)
    expect([own?.minVersion, own?.maxVersion]).toEqual(releaseOf(asVersion).apis.get(18))
  })

  it('closes the connection on a version that came later', async () => {
    await using broker = await startBroker({ asVersion })
    await using client = await connect(broker)
    const [, last] = releaseOf(asVersion).apis.get(fetchApi.key) ?? [0, 0]
    const body = { maxWaitMs: 0, minBytes: 0, topics: [], forgottenTopicsData: [] }
    await expect(client.request(fetchApi, last, body)).resolves.toHaveProperty('errorCode', 0)
    if (last === fetchApi.versions.last) return
    await expect(client.request(fetchApi, last + 1, body)).rejects.toThrow(/closed/)
  })

  it('serves kafkajs', async () => {
    await using broker = await startBroker({ asVersion })
    const kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
    const producer = kafka.producer({ idempotent: true, transactionalId: 'kafkajs' })
    const consumer = kafka.consumer({ groupId: 'readers' })
    await broker.createTopic('orders')
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic: 'orders', messages: [{ value: 'one' }] })
    await transaction.commit()
    await consumer.connect()
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    const received = await new Promise<string | undefined>((resolve) => {
      void consumer.run({
        eachMessage({ message }) {
          resolve(message.value?.toString())
          return Promise.resolve()
        },
      })
    })
    expect(received).toBe('one')
    await Promise.all([consumer.disconnect(), producer.disconnect()])
  })
})

describe('features of a release', () => {
  it.each([
    ['2.8', 3, [], []],
    ['3.9', 3, ['metadata.version 1-21'], ['metadata.version 21']],
    ['3.9', 4, ['kraft.version 0-1', 'metadata.version 1-21'], ['metadata.version 21']],
    [
      '4.1',
      3,
      ['metadata.version 7-27'],
      [
        'eligible.leader.replicas.version 1',
        'group.version 1',
        'metadata.version 27',
        'transaction.version 2',
      ],
    ],
  ] as const)('%s, asked in version %i', async (asVersion, version, supported, finalized) => {
    await using broker = await startBroker({ asVersion })
    await using client = await connect(broker)
    const answer = await client.request(apiVersionsApi, version, software)
    const ranges = answer.supportedFeatures.map(
      ({ name, minVersion, maxVersion }) => `${name} ${minVersion}-${maxVersion}`,
    )
    expect(ranges.sort()).toEqual(supported)
    const levels = answer.finalizedFeatures.map(
      ({ name, maxVersionLevel }) => `${name} ${maxVersionLevel}`,
    )
    expect(levels.sort()).toEqual(finalized)
  })

  it('has groups of the next-generation protocol in 3.9 where they were switched on', async () => {
    const heartbeat = {
      groupId: 'group',
      memberId: '',
      memberEpoch: 0,
      rebalanceTimeoutMs: 6_000,
      subscribedTopicNames: ['orders'],
      topicPartitions: [],
    }
    const protocols = { 'group.coordinator.rebalance.protocols': 'classic,consumer' }
    for (const [properties, code] of [
      [{}, 35],
      [protocols, 15],
    ] as const) {
      await using broker = await startBroker({ asVersion: '3.9', properties })
      await using client = await connect(broker)
      const answer = await client.request(consumerGroupHeartbeatApi, 0, heartbeat)
      expect(answer.errorCode).toBe(code)
    }
  })
})

it('a release that is not known is refused', async () => {
  const asVersion = '1.0' as ReleaseName
  await expect(startBroker({ asVersion })).rejects.toThrow(/asVersion \(1\.0\) must be one of/)
})

/** Asks ApiVersions in a version that nobody has a codec for; answers what comes after the header. */
async function askInVersion(broker: TestBroker, version: number): Promise<Reader> {
  const port = Number(broker.bootstrap.split(':').at(-1))
  const socket = await platform.network.connect({ host: '127.0.0.1', port, timeoutMs: 5_000 })
  const known = { version: 4, correlationId: 7, clientId: 'test' }
  const request = Buffer.concat(encodeRequest(apiVersionsApi, known, software))
  // After the length and the key.
  request.writeInt16BE(version, 6)
  const answer = new Promise<Buffer>((resolve) => {
    socket.start({
      data: resolve,
      drained: () => undefined,
      ended: () => undefined,
      closed: () => undefined,
    })
  })
  socket.write([request])
  const reader = new Reader((await answer).subarray(8))
  socket.destroy()
  return reader
}

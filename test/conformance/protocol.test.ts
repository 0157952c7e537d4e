import { expect } from 'vitest'
import {
  apiVersionsApi,
  createAclsApi,
  deleteAclsApi,
  describeAclsApi,
  describeClusterApi,
  findCoordinatorApi,
  metadataApi,
  offsetForLeaderEpochApi,
  produceApi,
  saslHandshakeApi,
} from '../../src/protocol/index.ts'
import { FrameConnection } from '../kafka/frame-connection.ts'
import { makeBatch } from './batch.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port } from './port.ts'
import { initProducerId, produce } from './steps.ts'

const clientSoftware = { clientSoftwareName: 'conformance', clientSoftwareVersion: '1.0' }

/** A request of which only the header is right: key, version, correlation id 7, no client id. */
function bareRequest(apiKey: number, version: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(10)
  header.writeInt16BE(apiKey, 0)
  header.writeInt16BE(version, 2)
  header.writeInt32BE(7, 4)
  header.writeInt16BE(-1, 8)
  return Buffer.concat([header, body])
}

/** Whether a request is answered, or the broker closes the connection. */
function outcomeOf(connection: FrameConnection, request: Buffer): Promise<'answered' | 'closed'> {
  return connection.request(request).then(
    () => 'answered',
    () => 'closed',
  )
}

async function addressOf(port: Port): Promise<string> {
  const client = await port.any()
  const { brokers } = await client.request(metadataApi, 12, { topics: [] })
  return `${brokers[0]?.host}:${brokers[0]?.port}`
}

conformance('protocol', {
  'ApiVersions: every version answers the same ranges': async (port) => {
    const client = await port.any()
    const ranges = async (version: number) => {
      const body = version >= 3 ? clientSoftware : {}
      const response = await client.request(apiVersionsApi, version, body)
      expectError(response.errorCode, 'NONE')
      return response.apiKeys
    }
    const first = await ranges(0)
    for (const version of [1, 2, 3]) expect(await ranges(version)).toEqual(first)
  },

  'ApiVersions: old clients find the low versions they look for': async (port) => {
    const client = await port.any()
    const { apiKeys } = await client.request(apiVersionsApi, 0, {})
    const lowest = Object.fromEntries(apiKeys.map((api) => [api.apiKey, api.minVersion]))
    // librdkafka before 2.11.1 gives up features when one of these is missing.
    expect(lowest).toMatchObject({ 0: 0, 10: 0, 11: 0, 12: 0, 13: 0, 14: 0, 18: 0, 22: 0 })
    const highest = new Map(apiKeys.map((api) => [api.apiKey, api.maxVersion]))
    for (const [key, version] of [
      [0, 11],
      [1, 16],
      [2, 7],
      [3, 12],
      [8, 9],
      [9, 9],
      [10, 4],
      [11, 9],
      [19, 7],
      [20, 6],
    ] as const) {
      expect(highest.get(key), `key ${key}`).toBeGreaterThanOrEqual(version)
    }
  },

  'ApiVersions: a version that is not known is answered in version 0, with error 35': async (
    port,
  ) => {
    using connection = await FrameConnection.open(await addressOf(port))
    // With the tagged fields of header 2, as every version from 3 on has it.
    const answer = await connection.request(bareRequest(18, 99, Buffer.from([0])))
    expect(answer.readInt32BE(0)).toBe(7)
    const response = apiVersionsApi.response.decode(answer.subarray(4), 0)
    expectError(response.errorCode, 'UNSUPPORTED_VERSION')
    const own = response.apiKeys.find((api) => api.apiKey === 18)
    expect(own?.maxVersion).toBeGreaterThanOrEqual(3)
    // The connection is still good.
    const again = await connection.request(bareRequest(18, 0))
    expectError(apiVersionsApi.response.decode(again.subarray(4), 0).errorCode, 'NONE')
  },

  'ApiVersions: a client must name itself properly from version 3 on': async (port) => {
    const client = await port.any()
    for (const name of ['', 'not a name', '-x']) {
      const request = { clientSoftwareName: name, clientSoftwareVersion: '1.0' }
      const response = await client.request(apiVersionsApi, 3, request)
      expectError(response.errorCode, 'INVALID_REQUEST')
    }
  },

  'any other version that is not known closes the connection': async (port) => {
    const address = await addressOf(port)
    for (const request of [bareRequest(3, 99), bareRequest(0, 99), bareRequest(10, 50)]) {
      const connection = await FrameConnection.open(address)
      expect(await outcomeOf(connection, request)).toBe('closed')
    }
  },

  'an API key that is not known closes the connection': async (port) => {
    const connection = await FrameConnection.open(await addressOf(port))
    expect(await outcomeOf(connection, bareRequest(999, 0))).toBe('closed')
  },

  'Produce before version 3 is not served': async (port) => {
    const connection = await FrameConnection.open(await addressOf(port))
    const acksAndTimeout = Buffer.from('ffff000003e800000000', 'hex')
    expect(await outcomeOf(connection, bareRequest(0, 2, acksAndTimeout))).toBe('closed')
  },

  'a request that is cut short closes the connection': async (port) => {
    const connection = await FrameConnection.open(await addressOf(port))
    const request = bareRequest(3, 4, Buffer.from('0000', 'hex'))
    expect(await outcomeOf(connection, request)).toBe('closed')
  },

  'unknown tagged fields are passed over': async (port) => {
    using connection = await FrameConnection.open(await addressOf(port))
    // Header 2 with tag 77 of two bytes; ApiVersions 3 with tag 88 of one byte.
    const tagged = Buffer.from('014d02abcd', 'hex')
    const text = (value: string) =>
      Buffer.concat([Buffer.from([value.length + 1]), Buffer.from(value)])
    const body = Buffer.concat([tagged, text('client'), text('1'), Buffer.from('015801ff', 'hex')])
    const answer = await connection.request(bareRequest(18, 3, body))
    const response = apiVersionsApi.response.decode(answer.subarray(4), 3)
    expectError(response.errorCode, 'NONE')
  },

  'answers come in the order of the requests, also past a slow one': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const order: string[] = []
    const topicData = [{ name: topic.name, partitionData: [{ index: 0, records: [makeBatch()] }] }]
    const request = { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData }
    await Promise.all([
      leader.request(produceApi, 9, request).then(() => order.push('produce')),
      leader.request(metadataApi, 9, { topics: [] }).then(() => order.push('metadata')),
      leader.request(apiVersionsApi, 0, {}).then(() => order.push('versions')),
    ])
    expect(order).toEqual(['produce', 'metadata', 'versions'])
  },

  'access rules without an authorizer are SECURITY_DISABLED': async (port) => {
    const client = await port.any()
    const described = await client.request(describeAclsApi, 3, {
      resourceTypeFilter: 1,
      resourceNameFilter: null,
      patternTypeFilter: 1,
      principalFilter: null,
      hostFilter: null,
      operation: 1,
      permissionType: 1,
    })
    expectError(described.errorCode, 'SECURITY_DISABLED')
    const created = await client.request(createAclsApi, 3, {
      creations: [
        {
          resourceType: 2,
          resourceName: 'topic',
          resourcePatternType: 3,
          principal: 'User:alice',
          host: '*',
          operation: 3,
          permissionType: 3,
        },
      ],
    })
    expectError(created.results[0]?.errorCode, 'SECURITY_DISABLED')
    const deleted = await client.request(deleteAclsApi, 3, {
      filters: [
        {
          resourceTypeFilter: 1,
          resourceNameFilter: null,
          patternTypeFilter: 1,
          principalFilter: null,
          hostFilter: null,
          operation: 1,
          permissionType: 1,
        },
      ],
    })
    expectError(deleted.filterResults[0]?.errorCode, 'SECURITY_DISABLED')
  },

  'a login on a listener without logins is ILLEGAL_SASL_STATE': async (port) => {
    const client = await port.any()
    const answer = await client.request(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
    expectError(answer.errorCode, 'ILLEGAL_SASL_STATE')
  },

  'FindCoordinator: several keys are answered at once from version 4 on': async (port) => {
    const client = await port.any()
    const keys = [port.name('group'), port.name('group')]
    const answer = await port.settled(
      () => client.request(findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: keys }),
      (response) => response.coordinators[0]?.errorCode ?? 0,
    )
    expect(answer.coordinators.map((one) => one.key)).toEqual(keys)
    expect(answer.coordinators.map((one) => one.errorCode)).toEqual([0, 0])
  },

  'FindCoordinator: a kind of key that does not exist is INVALID_REQUEST': async (port) => {
    const client = await port.any()
    const answer = client.request(findCoordinatorApi, 3, { key: 'key', keyType: 99 })
    const outcome = await answer.then(
      (response) => response.errorCode,
      () => 'closed',
    )
    expect(outcome).not.toBe(0)
  },

  'OffsetForLeaderEpoch: the current epoch ends at the end, an unknown one nowhere': async (
    port,
  ) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, {})
    const ask = async (leaderEpoch: number, currentLeaderEpoch = -1) => {
      const partitions = [{ partition: 0, currentLeaderEpoch, leaderEpoch }]
      const response = await leader.request(offsetForLeaderEpochApi, 4, {
        topics: [{ topic: topic.name, partitions }],
      })
      return response.topics[0]?.partitions[0]
    }
    expect(await ask(0)).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 1 })
    expect(await ask(5)).toMatchObject({ errorCode: 0, leaderEpoch: -1, endOffset: -1 })
    expectError((await ask(0, 9))?.errorCode, 'UNKNOWN_LEADER_EPOCH')
  },

  'DescribeCluster: brokers, controller and cluster id': async (port) => {
    const client = await port.any()
    const answer = await client.request(describeClusterApi, 0, {
      includeClusterAuthorizedOperations: false,
    })
    expectError(answer.errorCode, 'NONE')
    expect(answer.clusterId).toMatch(/^[\w-]{22}$/)
    expect(answer.brokers.map((broker) => broker.brokerId)).toContain(answer.controllerId)
  },

  'InitProducerId: every version answers a producer id': async (port) => {
    const client = await port.any()
    for (let version = 0; version <= 5; version++) {
      const answer = await port.settled(
        () => initProducerId(client, null, { version }),
        (response) => response.errorCode,
      )
      expectError(answer.errorCode, 'NONE')
    }
  },
})

import { expect } from 'vitest'
import {
  alterClientQuotasApi,
  alterPartitionReassignmentsApi,
  alterUserScramCredentialsApi,
  describeClientQuotasApi,
  describeLogDirsApi,
  describeProducersApi,
  describeUserScramCredentialsApi,
  electLeadersApi,
  listPartitionReassignmentsApi,
  updateFeaturesApi,
} from '../../src/protocol/index.ts'
import { conformance } from './conformance.ts'
import { expectError } from './expectation.ts'
import type { Port } from './port.ts'
import { beginTransaction, idempotentProducer, produce, transactionalProducer } from './steps.ts'

const exactMatch = 0
const anyMatch = 2
const scramSha256 = 1

async function quotasOf(port: Port, client: string) {
  const connection = await port.any()
  const response = await connection.request(describeClientQuotasApi, 1, {
    components: [{ entityType: 'client-id', matchType: exactMatch, match: client }],
    strict: true,
  })
  expectError(response.errorCode, 'NONE')
  return response.entries?.flatMap((entry) => entry.values) ?? []
}

/** Sets or removes a quota of a client; answers the error code. */
async function setQuota(
  port: Port,
  client: string,
  key: string,
  value: number | undefined,
  entityType = 'client-id',
) {
  const connection = await port.any()
  const response = await connection.request(alterClientQuotasApi, 1, {
    entries: [
      {
        entity: [{ entityType, entityName: client }],
        ops: [{ key, value: value ?? 0, remove: value === undefined }],
      },
    ],
    validateOnly: false,
  })
  return response.entries[0]?.errorCode
}

async function userOf(port: Port, name: string) {
  const client = await port.any()
  const response = await client.request(describeUserScramCredentialsApi, 0, { users: [{ name }] })
  return response.results[0]
}

async function alterUser(
  port: Port,
  name: string,
  change: { iterations?: number; remove?: boolean; mechanism?: number },
) {
  const client = await port.any()
  const mechanism = change.mechanism ?? scramSha256
  const upsertion = {
    name,
    mechanism,
    iterations: change.iterations ?? 4096,
    salt: Buffer.alloc(16, 1),
    saltedPassword: Buffer.alloc(32, 2),
  }
  const response = await client.request(alterUserScramCredentialsApi, 0, {
    deletions: change.remove === true ? [{ name, mechanism }] : [],
    upsertions: change.remove === true ? [] : [upsertion],
  })
  return response.results[0]?.errorCode
}

conformance('administration', {
  'quotas are kept, replaced and removed': async (port) => {
    const client = port.name('client')
    for (const value of [1000, 2000]) {
      expectError(await setQuota(port, client, 'producer_byte_rate', value), 'NONE')
      await port.eventually('the quota is known', async () => {
        const [quota] = await quotasOf(port, client)
        return quota?.key === 'producer_byte_rate' && quota.value === value ? true : undefined
      })
    }
    expectError(await setQuota(port, client, 'producer_byte_rate', undefined), 'NONE')
    await port.eventually('it is gone', async () => {
      return (await quotasOf(port, client)).length === 0 ? true : undefined
    })
  },

  'quotas that make no sense are INVALID_REQUEST': async (port) => {
    const client = port.name('client')
    const wrongKey = await setQuota(port, client, 'no_such_quota', 1)
    expectError(wrongKey, 'INVALID_REQUEST')
    const fraction = await setQuota(port, client, 'producer_byte_rate', 2000.5)
    expectError(fraction, 'INVALID_REQUEST')
    const wrongEntity = await setQuota(port, client, 'producer_byte_rate', 1, 'planet')
    expectError(wrongEntity, 'INVALID_REQUEST')
  },

  'quotas of an entity type are found without naming one': async (port) => {
    const client = port.name('client')
    await setQuota(port, client, 'consumer_byte_rate', 5)
    const connection = await port.any()
    await port.eventually('it is found', async () => {
      const response = await connection.request(describeClientQuotasApi, 1, {
        components: [{ entityType: 'client-id', matchType: anyMatch, match: null }],
        strict: false,
      })
      const found = response.entries?.some((entry) => entry.entity[0]?.entityName === client)
      return found === true ? true : undefined
    })
  },

  'SCRAM users are kept and removed': async (port) => {
    const name = port.name('user')
    expectError(await alterUser(port, name, {}), 'NONE')
    const user = await port.eventually('the user is known', async () => {
      const found = await userOf(port, name)
      return found?.errorCode === 0 ? found : undefined
    })
    expect(user.credentialInfos).toEqual([{ mechanism: scramSha256, iterations: 4096 }])
    expectError(await alterUser(port, name, { remove: true }), 'NONE')
    await port.eventually('the user is gone', async () => {
      return (await userOf(port, name))?.errorCode === 91 ? true : undefined
    })
  },

  'SCRAM: an unknown user is RESOURCE_NOT_FOUND, too few iterations UNACCEPTABLE_CREDENTIAL':
    async (port) => {
      const name = port.name('user')
      expectError((await userOf(port, name))?.errorCode, 'RESOURCE_NOT_FOUND')
      expectError(await alterUser(port, name, { remove: true }), 'RESOURCE_NOT_FOUND')
      const few = await alterUser(port, name, { iterations: 10 })
      expectError(few, 'UNACCEPTABLE_CREDENTIAL')
      const many = await alterUser(port, name, { iterations: 1_000_000 })
      expectError(many, 'UNACCEPTABLE_CREDENTIAL')
      expectError(await alterUser(port, '', {}), 'UNACCEPTABLE_CREDENTIAL')
      const mechanism = await alterUser(port, name, { mechanism: 9 })
      expectError(mechanism, 'UNSUPPORTED_SASL_MECHANISM')
    },

  'producers: idempotent and transactional ones are told with their state': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    const idempotent = await idempotentProducer(port)
    await produce(leader, topic, { ...idempotent, baseSequence: 0 })
    const { producer, coordinator } = await transactionalProducer(port)
    await beginTransaction(port, coordinator, producer, topic, 'open')
    const response = await leader.request(describeProducersApi, 0, {
      topics: [{ name: topic.name, partitionIndexes: [0, 5] }],
    })
    const partitions = response.topics[0]?.partitions ?? []
    const known = partitions.find((one) => one.partitionIndex === 0)?.activeProducers ?? []
    const stateOf = (id: number) => known.find((one) => one.producerId === id)
    expect(stateOf(idempotent.producerId)).toMatchObject({
      producerEpoch: 0,
      lastSequence: 0,
      currentTxnStartOffset: -1,
    })
    expect(stateOf(producer.producerId)).toMatchObject({ currentTxnStartOffset: 1 })
    const missing = partitions.find((one) => one.partitionIndex === 5)
    expectError(missing?.errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')
  },

  'log folders: a partition has its size': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await produce(leader, topic, { records: [{ value: 'x'.repeat(1000) }] })
    const response = await leader.request(describeLogDirsApi, 4, {
      topics: [{ topic: topic.name, partitions: [0] }],
    })
    const found = response.results.flatMap((folder) => folder.topics)
    expect(found[0]?.name).toBe(topic.name)
    expect(found[0]?.partitions[0]?.partitionSize).toBeGreaterThan(1000)
    expect(found[0]?.partitions[0]?.isFutureKey).toBe(false)
  },

  'elections: the leader leads already, a missing partition is unknown': async (port) => {
    const topic = await port.topic()
    const client = await port.any()
    const response = await client.request(electLeadersApi, 2, {
      electionType: 0,
      topicPartitions: [{ topic: topic.name, partitions: [0, 5] }],
    })
    const results = response.replicaElectionResults.flatMap((one) => one.partitionResult)
    const errorOf = (id: number) => results.find((one) => one.partitionId === id)?.errorCode
    expectError(errorOf(0), 'ELECTION_NOT_NEEDED')
    expectError(errorOf(5), 'UNKNOWN_TOPIC_OR_PARTITION')
  },

  'elections: of all partitions only those that change are told': async (port) => {
    await port.topic()
    const client = await port.any()
    const request = { electionType: 0, topicPartitions: null }
    const response = await client.request(electLeadersApi, 2, request)
    expectError(response.errorCode, 'NONE')
    expect(response.replicaElectionResults.flatMap((one) => one.partitionResult)).toEqual([])
  },

  'reassignments: there are none, and none can be cancelled': async (port) => {
    const topic = await port.topic()
    const client = await port.any()
    const listed = await client.request(listPartitionReassignmentsApi, 0, { topics: null })
    expectError(listed.errorCode, 'NONE')
    expect(listed.topics).toEqual([])
    const response = await client.request(alterPartitionReassignmentsApi, 0, {
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, replicas: null }] }],
    })
    const [result] = response.responses[0]?.partitions ?? []
    expectError(result?.errorCode, 'NO_REASSIGNMENT_IN_PROGRESS')
  },

  'reassignments: to nowhere is INVALID_REPLICA_ASSIGNMENT': async (port) => {
    const topic = await port.topic()
    const client = await port.any()
    for (const replicas of [[], [999], [-1]]) {
      const response = await client.request(alterPartitionReassignmentsApi, 0, {
        topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, replicas }] }],
      })
      const [result] = response.responses[0]?.partitions ?? []
      expectError(result?.errorCode, 'INVALID_REPLICA_ASSIGNMENT')
    }
  },

  'features: an unknown one cannot be updated': async (port) => {
    const client = await port.any()
    const response = await client.request(updateFeaturesApi, 1, {
      featureUpdates: [{ feature: 'no.such.feature', maxVersionLevel: 1 }],
    })
    const codes = [response.errorCode, ...response.results.map((one) => one.errorCode)]
    expect(codes.some((code) => code !== 0)).toBe(true)
  },
})

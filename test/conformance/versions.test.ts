/**
 * Every version of every API that an implementation advertises (and Millrace has a codec for) is
 * served: the answer has that version's form and no error. What it says is for the other files.
 */
import { expect } from 'vitest'
import {
  apiVersionsApi,
  consumerGroupDescribeApi,
  createPartitionsApi,
  createTopicsApi,
  deleteGroupsApi,
  deleteRecordsApi,
  deleteTopicsApi,
  describeClientQuotasApi,
  describeClusterApi,
  describeConfigsApi,
  describeGroupsApi,
  describeLogDirsApi,
  describeProducersApi,
  describeQuorumApi,
  describeTransactionsApi,
  describeUserScramCredentialsApi,
  electLeadersApi,
  findCoordinatorApi,
  heartbeatApi,
  incrementalAlterConfigsApi,
  joinGroupApi,
  leaveGroupApi,
  listConfigResourcesApi,
  listGroupsApi,
  listOffsetsApi,
  listPartitionReassignmentsApi,
  listTransactionsApi,
  metadataApi,
  offsetForLeaderEpochApi,
  offsetFetchApi,
  produceApi,
  syncGroupApi,
  type Api,
  type RequestInput,
} from '../../src/protocol/index.ts'
import type { WireClient } from '../../src/testing/wire-client.ts'
import { conformance, type CaseBody } from './conformance.ts'
import type { Port } from './port.ts'
import {
  commit,
  join,
  produce,
  stableGroup,
  subscriptionTo,
  transactionalProducer,
} from './steps.ts'

/** Asks once for each version that both sides know. */
async function eachVersion(
  port: Port,
  api: Api,
  ask: (version: number) => Promise<unknown>,
  expectedErrors: readonly number[] = [],
): Promise<void> {
  const client = await port.any()
  const { apiKeys } = await client.request(apiVersionsApi, 0, {})
  const range = apiKeys.find((one) => one.apiKey === api.key)
  if (range === undefined) throw new Error(`${api.name} is not advertised`)
  const first = Math.max(range.minVersion, api.versions.first)
  const last = Math.min(range.maxVersion, api.versions.last)
  expect(last).toBeGreaterThanOrEqual(first)
  for (let version = first; version <= last; version++) {
    expect(errorCodesOf(await ask(version)), `${api.name} version ${version}`).toEqual(
      expectedErrors,
    )
  }
}

/** Every error code other than 0, wherever it is in an answer. */
function errorCodesOf(answer: unknown): number[] {
  if (Array.isArray(answer)) return answer.flatMap(errorCodesOf)
  if (typeof answer !== 'object' || answer === null || answer instanceof Uint8Array) return []
  return Object.entries(answer).flatMap(([name, value]: [string, unknown]) =>
    /^(partitionE|topicConfigE|e)rrorCode$/.test(name) && value !== 0
      ? [Number(value)]
      : errorCodesOf(value),
  )
}

/** A case for an API that any broker answers, always with the same request. */
function anywhere<A extends Api>(
  api: A,
  body: (version: number, port: Port) => RequestInput<A>,
): Record<string, CaseBody> {
  return {
    [`${api.name}: every version is served`]: async (port) => {
      const client = await port.any()
      await eachVersion(port, api, (version) => client.request(api, version, body(version, port)))
    },
  }
}

/** A case for an API that is asked about one topic, at its leader. */
function atLeader<A extends Api>(
  api: A,
  body: (version: number, topic: string) => RequestInput<A>,
): Record<string, CaseBody> {
  return {
    [`${api.name}: every version is served`]: async (port) => {
      const topic = await port.topic()
      const leader = await port.leader(topic.name)
      await produce(leader, topic, {})
      await eachVersion(port, api, (version) =>
        leader.request(api, version, body(version, topic.name)),
      )
    },
  }
}

async function classicGroupVersions(port: Port, api: Api): Promise<void> {
  await eachVersion(port, api, async (version) => {
    const { groupId, client, member } = await stableGroup(port)
    const { memberId, generationId } = member
    return askMember(api, client, version, groupId, memberId, generationId)
  })
}

function askMember(
  api: Api,
  client: WireClient,
  version: number,
  groupId: string,
  memberId: string,
  generationId: number,
): Promise<object> {
  const known = { groupId, memberId, generationId }
  switch (api.key) {
    case heartbeatApi.key:
      return client.request(heartbeatApi, version, known)
    case syncGroupApi.key:
      return client.request(syncGroupApi, version, {
        ...known,
        ...(version >= 5 && { protocolType: 'consumer', protocolName: 'range' }),
        assignments: [],
      })
    case leaveGroupApi.key:
      return client.request(
        leaveGroupApi,
        version,
        version >= 3 ? { groupId, members: [{ memberId }] } : { groupId, memberId },
      )
    default:
      throw new Error(`${api.name} is not about a member`)
  }
}

conformance('versions', {
  ...anywhere(metadataApi, (version) => ({ topics: version === 0 ? [] : null })),
  ...anywhere(describeClusterApi, () => ({ includeClusterAuthorizedOperations: true })),
  ...anywhere(listTransactionsApi, () => ({ stateFilters: [], producerIdFilters: [] })),
  ...anywhere(listGroupsApi, () => ({})),
  ...anywhere(describeLogDirsApi, () => ({ topics: null })),
  ...anywhere(describeClientQuotasApi, () => ({ components: [], strict: false })),
  ...anywhere(describeUserScramCredentialsApi, () => ({ users: null })),
  ...anywhere(listPartitionReassignmentsApi, () => ({ topics: null })),
  ...anywhere(listConfigResourcesApi, () => ({})),
  ...anywhere(describeQuorumApi, () => ({
    topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
  })),
  ...anywhere(createTopicsApi, (_, port) => ({
    topics: [
      {
        name: port.name('topic'),
        numPartitions: 1,
        replicationFactor: 1,
        assignments: [],
        configs: [{ name: 'retention.ms', value: '1000' }],
      },
    ],
  })),
  ...atLeader(listOffsetsApi, (_, name) => ({
    replicaId: -1,
    topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  })),
  ...atLeader(deleteRecordsApi, (_, name) => ({
    topics: [{ name, partitions: [{ partitionIndex: 0, offset: 1 }] }],
    timeoutMs: 10_000,
  })),
  ...atLeader(describeConfigsApi, (_, resourceName) => ({
    resources: [{ resourceType: 2, resourceName, configurationKeys: null }],
  })),
  ...atLeader(incrementalAlterConfigsApi, (version, resourceName) => ({
    resources: [
      {
        resourceType: 2,
        resourceName,
        configs: [{ name: 'retention.ms', configOperation: 0, value: `${version + 1000}` }],
      },
    ],
    validateOnly: false,
  })),
  ...atLeader(createPartitionsApi, (version, name) => ({
    topics: [{ name, count: version + 2, assignments: null }],
    timeoutMs: 10_000,
    validateOnly: false,
  })),
  ...atLeader(describeProducersApi, (_, name) => ({ topics: [{ name, partitionIndexes: [0] }] })),
  ...atLeader(offsetForLeaderEpochApi, (_, topic) => ({
    topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }],
  })),

  'Produce: every version from 3 on is served': async (port) => {
    const topic = await port.topic()
    const leader = await port.leader(topic.name)
    await eachVersion(port, produceApi, async (version) =>
      version < 3 ? [] : produce(leader, topic, {}, { version }),
    )
  },

  'DeleteTopics: every version is served': async (port) => {
    const client = await port.any()
    await eachVersion(port, deleteTopicsApi, async (version) => {
      const { name } = await port.topic()
      const named = version >= 6 ? { topics: [{ name }] } : { topicNames: [name] }
      return client.request(deleteTopicsApi, version, { ...named, timeoutMs: 10_000 })
    })
  },

  'FindCoordinator: every version is served': async (port) => {
    await port.coordinator('group', 'group')
    const client = await port.any()
    await eachVersion(port, findCoordinatorApi, (version) =>
      client.request(
        findCoordinatorApi,
        version,
        version >= 4 ? { coordinatorKeys: ['group'] } : { key: 'group' },
      ),
    )
  },

  'JoinGroup: every version is served': async (port) => {
    await eachVersion(port, joinGroupApi, async (version) => {
      const groupId = port.name('group')
      const client = await port.coordinator('group', groupId)
      const first = await join(client, groupId, { version })
      if (version < 4) return first
      return join(client, groupId, { version, memberId: first.memberId })
    })
  },

  'SyncGroup: every version is served': (port) => classicGroupVersions(port, syncGroupApi),
  'Heartbeat: every version is served': (port) => classicGroupVersions(port, heartbeatApi),
  'LeaveGroup: every version is served': (port) => classicGroupVersions(port, leaveGroupApi),

  'DescribeGroups: every version is served': async (port) => {
    const { groupId, client } = await stableGroup(port)
    await eachVersion(port, describeGroupsApi, (version) =>
      client.request(describeGroupsApi, version, { groups: [groupId] }),
    )
  },

  'OffsetFetch: every version by name is served': async (port) => {
    const topic = await port.topic()
    const groupId = port.name('group')
    const client = await port.coordinator('group', groupId)
    await commit(client, groupId, topic, 5)
    const topics = [{ name: topic.name, partitionIndexes: [0] }]
    for (let version = 1; version <= 9; version++) {
      const request = version >= 8 ? { groups: [{ groupId, topics }] } : { groupId, topics }
      const answer = await client.request(offsetFetchApi, version, request)
      expect(errorCodesOf(answer)).toEqual([])
    }
  },

  'DeleteGroups: every version is served': async (port) => {
    const topic = await port.topic()
    await eachVersion(port, deleteGroupsApi, async (version) => {
      const groupId = port.name('group')
      const client = await port.coordinator('group', groupId)
      await commit(client, groupId, topic, 5)
      return client.request(deleteGroupsApi, version, { groupsNames: [groupId] })
    })
  },

  'ConsumerGroupDescribe: every version is served': async (port) => {
    const groupId = port.name('group')
    const client = await port.coordinator('group', groupId)
    const request = { groupIds: [groupId], includeAuthorizedOperations: false }
    const ask = (version: number) => client.request(consumerGroupDescribeApi, version, request)
    // GROUP_ID_NOT_FOUND is an answer too; its form is what counts here.
    await eachVersion(port, consumerGroupDescribeApi, ask, [69])
  },

  'DescribeTransactions: every version is served': async (port) => {
    const { coordinator, producer } = await transactionalProducer(port)
    const { transactionalId } = producer
    await eachVersion(port, describeTransactionsApi, (version) =>
      coordinator.request(describeTransactionsApi, version, {
        transactionalIds: [transactionalId],
      }),
    )
  },

  'ElectLeaders: every version is served': async (port) => {
    const { name } = await port.topic()
    const client = await port.any()
    const request = { topicPartitions: [{ topic: name, partitions: [0] }] }
    const ask = (version: number) => client.request(electLeadersApi, version, request)
    // The leader leads already: ELECTION_NOT_NEEDED.
    await eachVersion(port, electLeadersApi, ask, [84])
  },

  'a subscription is kept byte for byte': async (port) => {
    const { groupId, client } = await stableGroup(port, { subscribedTopic: 'some' })
    const { groups } = await client.request(describeGroupsApi, 5, { groups: [groupId] })
    expect(groups[0]?.members[0]?.memberMetadata).toEqual(subscriptionTo('some'))
  },
})

/* eslint max-lines: off -- a table: one entry for each API. */
/**
 * One request for each API that needs a right: what Apache Kafka answers who has none, and the rights
 * with which it is no longer refused.
 */
import { expect } from 'vitest'
import {
  addOffsetsToTxnApi,
  addPartitionsToTxnApi,
  alterClientQuotasApi,
  alterConfigsApi,
  alterPartitionReassignmentsApi,
  alterShareGroupOffsetsApi,
  alterUserScramCredentialsApi,
  consumerGroupDescribeApi,
  consumerGroupHeartbeatApi,
  createAclsApi,
  createPartitionsApi,
  createTopicsApi,
  deleteAclsApi,
  deleteGroupsApi,
  deleteRecordsApi,
  deleteShareGroupOffsetsApi,
  deleteTopicsApi,
  describeAclsApi,
  describeClientQuotasApi,
  describeClusterApi,
  describeConfigsApi,
  describeGroupsApi,
  describeLogDirsApi,
  describeProducersApi,
  describeQuorumApi,
  describeShareGroupOffsetsApi,
  describeTopicPartitionsApi,
  describeTransactionsApi,
  describeUserScramCredentialsApi,
  electLeadersApi,
  endTxnApi,
  fetchApi,
  findCoordinatorApi,
  heartbeatApi,
  incrementalAlterConfigsApi,
  initProducerIdApi,
  joinGroupApi,
  kafkaError,
  leaveGroupApi,
  listConfigResourcesApi,
  listGroupsApi,
  listOffsetsApi,
  listPartitionReassignmentsApi,
  listTransactionsApi,
  metadataApi,
  offsetCommitApi,
  offsetDeleteApi,
  offsetFetchApi,
  offsetForLeaderEpochApi,
  produceApi,
  shareAcknowledgeApi,
  shareFetchApi,
  shareGroupDescribeApi,
  shareGroupHeartbeatApi,
  syncGroupApi,
  txnOffsetCommitApi,
  updateFeaturesApi,
  writeTxnMarkersApi,
} from '../../src/protocol/index.ts'
import type { Api, RequestInput } from '../../src/protocol/index.ts'
import type { Operation, ResourceType } from '../../src/broker/authorization/acl.ts'
import { makeBatch } from './batch.ts'

/** What the requests of a case are about. The topic is there, the others need not be. */
export interface Names {
  readonly topic: string
  readonly group: string
  readonly transaction: string
}

export interface NeededRight {
  readonly operation: Operation
  readonly on: ResourceType
}

/** A request, and what comes of it. */
export interface Attempt<A extends Api = Api> {
  readonly api: A
  readonly version: number
  body(names: Names): RequestInput<A>
  /** A part of what is answered without any right. */
  readonly refused: object
  /** With these, no part of the answer says that a right is missing. */
  readonly rights: readonly NeededRight[]
}

const {
  TOPIC_AUTHORIZATION_FAILED: topicError,
  GROUP_AUTHORIZATION_FAILED: groupError,
  CLUSTER_AUTHORIZATION_FAILED: clusterError,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: transactionError,
} = kafkaError

const right = (operation: Operation, on: ResourceType): NeededRight => ({ operation, on })

function attempt<A extends Api>(
  api: A,
  version: number,
  body: (names: Names) => RequestInput<A>,
  refused: object,
  ...rights: readonly NeededRight[]
): Attempt<A> {
  return { api, version, body, refused, rights }
}

const exact = (entity: string) => [{ entityType: 'client-id', entityName: entity }]
const onTopic = (partition: object) => ({ topics: [{ partitions: [partition] }] })
const everything = { resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1 }
const everybody = { principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }

const committed = { partitionIndex: 0, committedOffset: 0, committedMetadata: null }

function newTopic(name: string) {
  return { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
}

/** These answers, in any order. */
function expectEach(answers: readonly object[]): unknown {
  const partial = answers.map((answer) => expect.objectContaining(answer) as unknown)
  return expect.arrayContaining(partial) as unknown
}

/** The id of a member of a share group, which Kafka reads as a UUID. */
const sharer = 'MDEyMzQ1Njc4OWFiY2RlZg'

/** By key of the API. */
export const attempts: readonly Attempt[] = [
  attempt(
    produceApi,
    9,
    ({ topic }) => ({
      transactionalId: null,
      acks: -1,
      timeoutMs: 5_000,
      topicData: [{ name: topic, partitionData: [{ index: 0, records: makeBatch() }] }],
    }),
    { responses: [{ partitionResponses: [{ errorCode: topicError, baseOffset: -1 }] }] },
    right('write', 'topic'),
  ),
  attempt(
    produceApi,
    11,
    ({ topic, transaction }) => ({
      transactionalId: transaction,
      acks: -1,
      timeoutMs: 5_000,
      topicData: [
        {
          name: topic,
          partitionData: [
            {
              index: 0,
              records: makeBatch({
                transactional: true,
                producerId: 1,
                producerEpoch: 0,
                baseSequence: 0,
              }),
            },
          ],
        },
      ],
    }),
    { responses: [{ partitionResponses: [{ errorCode: transactionError }] }] },
    right('write', 'transactionalId'),
    right('write', 'topic'),
  ),
  attempt(
    fetchApi,
    12,
    ({ topic }) => ({
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }] }],
      forgottenTopicsData: [],
    }),
    {
      errorCode: 0,
      responses: [{ partitions: [{ errorCode: topicError, highWatermark: -1 }] }],
    },
    right('read', 'topic'),
  ),
  attempt(
    listOffsetsApi,
    7,
    ({ topic }) => ({
      replicaId: -1,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    }),
    onTopic({ errorCode: topicError, offset: -1, timestamp: -1 }),
    right('describe', 'topic'),
  ),
  attempt(
    metadataApi,
    12,
    ({ topic }) => ({ topics: [{ name: topic }], allowAutoTopicCreation: false }),
    { topics: [{ errorCode: topicError, topicId: 'A'.repeat(22), partitions: [] }] },
    right('describe', 'topic'),
  ),
  attempt(metadataApi, 10, () => ({ topics: null, includeClusterAuthorizedOperations: true }), {
    topics: [],
    clusterAuthorizedOperations: 0,
  }),
  attempt(
    offsetCommitApi,
    8,
    ({ topic, group }) => ({
      groupId: group,
      topics: [{ name: topic, partitions: [committed] }],
    }),
    onTopic({ partitionIndex: 0, errorCode: groupError }),
    right('read', 'group'),
    right('read', 'topic'),
  ),
  attempt(
    offsetFetchApi,
    1,
    ({ topic, group }) => ({ groupId: group, topics: [{ name: topic, partitionIndexes: [0] }] }),
    onTopic({ errorCode: groupError, committedOffset: -1 }),
    right('describe', 'group'),
    right('describe', 'topic'),
  ),
  attempt(
    offsetFetchApi,
    7,
    ({ topic, group }) => ({ groupId: group, topics: [{ name: topic, partitionIndexes: [0] }] }),
    { errorCode: groupError, topics: [] },
    right('describe', 'group'),
    right('describe', 'topic'),
  ),
  attempt(
    offsetFetchApi,
    8,
    ({ topic, group }) => ({
      groups: [{ groupId: group, topics: [{ name: topic, partitionIndexes: [0] }] }],
    }),
    { groups: [{ errorCode: groupError, topics: [] }] },
    right('describe', 'group'),
    right('describe', 'topic'),
  ),
  attempt(
    findCoordinatorApi,
    3,
    ({ group }) => ({ key: group, keyType: 0 }),
    { errorCode: groupError, nodeId: -1, host: '', port: -1 },
    right('describe', 'group'),
  ),
  attempt(
    findCoordinatorApi,
    4,
    ({ group }) => ({ coordinatorKeys: [group], keyType: 0 }),
    { coordinators: [{ errorCode: groupError, nodeId: -1 }] },
    right('describe', 'group'),
  ),
  attempt(
    findCoordinatorApi,
    4,
    ({ transaction }) => ({ coordinatorKeys: [transaction], keyType: 1 }),
    { coordinators: [{ errorCode: transactionError, nodeId: -1 }] },
    right('describe', 'transactionalId'),
  ),
  attempt(
    joinGroupApi,
    7,
    ({ group }) => ({
      groupId: group,
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: 6_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
    }),
    { errorCode: groupError, generationId: -1, protocolName: null, memberId: '', members: [] },
    right('read', 'group'),
  ),
  attempt(
    heartbeatApi,
    4,
    ({ group }) => ({ groupId: group, generationId: 1, memberId: 'nobody' }),
    { errorCode: groupError },
    right('read', 'group'),
  ),
  attempt(
    leaveGroupApi,
    4,
    ({ group }) => ({ groupId: group, members: [{ memberId: 'nobody', groupInstanceId: null }] }),
    { errorCode: groupError, members: [] },
    right('read', 'group'),
  ),
  attempt(
    syncGroupApi,
    5,
    ({ group }) => ({
      groupId: group,
      generationId: 1,
      memberId: 'nobody',
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [],
    }),
    { errorCode: groupError },
    right('read', 'group'),
  ),
  attempt(
    describeGroupsApi,
    5,
    ({ group }) => ({ groups: [group], includeAuthorizedOperations: true }),
    { groups: [{ errorCode: groupError, groupState: '', authorizedOperations: -0x8000_0000 }] },
    right('describe', 'group'),
  ),
  attempt(listGroupsApi, 4, () => ({ statesFilter: [] }), { errorCode: 0, groups: [] }),
  attempt(
    createTopicsApi,
    7,
    ({ topic }) => ({
      topics: [newTopic(`${topic}-new`)],
      timeoutMs: 5_000,
      validateOnly: true,
    }),
    { topics: [{ errorCode: topicError, numPartitions: -1, replicationFactor: -1 }] },
    right('create', 'topic'),
    right('describeConfigs', 'topic'),
  ),
  attempt(
    deleteTopicsApi,
    6,
    ({ topic }) => ({ topics: [{ name: `${topic}-missing` }], timeoutMs: 5_000 }),
    { responses: [{ errorCode: topicError, topicId: 'A'.repeat(22) }] },
    right('delete', 'topic'),
  ),
  attempt(
    deleteRecordsApi,
    2,
    ({ topic }) => ({
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 0 }] }],
      timeoutMs: 5_000,
    }),
    onTopic({ errorCode: topicError, lowWatermark: -1 }),
    right('delete', 'topic'),
  ),
  attempt(
    initProducerIdApi,
    4,
    ({ transaction }) => ({ transactionalId: transaction, transactionTimeoutMs: 60_000 }),
    { errorCode: transactionError, producerId: -1 },
    right('write', 'transactionalId'),
  ),
  attempt(
    initProducerIdApi,
    4,
    () => ({ transactionalId: null, transactionTimeoutMs: 60_000 }),
    { errorCode: clusterError, producerId: -1 },
    right('idempotentWrite', 'cluster'),
  ),
  attempt(
    offsetForLeaderEpochApi,
    4,
    ({ topic }) => ({
      topics: [{ topic, partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }],
    }),
    onTopic({ errorCode: topicError, endOffset: -1, leaderEpoch: -1 }),
    right('describe', 'topic'),
  ),
  attempt(
    addPartitionsToTxnApi,
    3,
    ({ topic, transaction }) => ({
      v3AndBelowTransactionalId: transaction,
      v3AndBelowProducerId: 1,
      v3AndBelowProducerEpoch: 0,
      v3AndBelowTopics: [{ name: topic, partitions: [0] }],
    }),
    {
      resultsByTopicV3AndBelow: [
        { resultsByPartition: [{ partitionErrorCode: transactionError }] },
      ],
    },
    right('write', 'transactionalId'),
    right('write', 'topic'),
  ),
  attempt(
    addOffsetsToTxnApi,
    3,
    ({ group, transaction }) => ({
      transactionalId: transaction,
      producerId: 1,
      producerEpoch: 0,
      groupId: group,
    }),
    { errorCode: transactionError },
    right('write', 'transactionalId'),
    right('read', 'group'),
  ),
  attempt(
    endTxnApi,
    3,
    ({ transaction }) => ({
      transactionalId: transaction,
      producerId: 1,
      producerEpoch: 0,
      committed: false,
    }),
    { errorCode: transactionError },
    right('write', 'transactionalId'),
  ),
  attempt(
    writeTxnMarkersApi,
    1,
    ({ topic }) => ({
      markers: [
        {
          producerId: 1,
          producerEpoch: 0,
          transactionResult: false,
          topics: [{ name: `${topic}-missing`, partitionIndexes: [0] }],
          coordinatorEpoch: 0,
        },
      ],
    }),
    { markers: [{ topics: [{ partitions: [{ errorCode: clusterError }] }] }] },
    right('clusterAction', 'cluster'),
  ),
  attempt(
    txnOffsetCommitApi,
    3,
    ({ topic, group, transaction }) => ({
      transactionalId: transaction,
      groupId: group,
      producerId: 1,
      producerEpoch: 0,
      topics: [{ name: topic, partitions: [committed] }],
    }),
    onTopic({ errorCode: transactionError }),
    right('write', 'transactionalId'),
    right('read', 'group'),
    right('read', 'topic'),
  ),
  attempt(
    describeAclsApi,
    3,
    () => ({ ...everything, ...everybody }),
    { errorCode: clusterError, resources: [] },
    right('describe', 'cluster'),
  ),
  attempt(
    createAclsApi,
    3,
    ({ topic }) => ({
      creations: [
        {
          resourceType: 2,
          resourceName: topic,
          resourcePatternType: 3,
          principal: 'User:nobody',
          host: '*',
          operation: 3,
          permissionType: 3,
        },
      ],
    }),
    { results: [{ errorCode: clusterError }] },
    right('alter', 'cluster'),
  ),
  attempt(
    deleteAclsApi,
    3,
    ({ topic }) => ({
      filters: [
        { ...everything, ...everybody, resourceNameFilter: topic, principalFilter: 'User:nobody' },
      ],
    }),
    { filterResults: [{ errorCode: clusterError, matchingAcls: [] }] },
    right('alter', 'cluster'),
  ),
  attempt(
    describeConfigsApi,
    4,
    ({ topic, group }) => ({
      resources: [
        { resourceType: 2, resourceName: topic, configurationKeys: null },
        { resourceType: 4, resourceName: '1', configurationKeys: null },
        { resourceType: 32, resourceName: group, configurationKeys: null },
      ],
    }),
    {
      results: expectEach([
        { resourceType: 2, errorCode: topicError, configs: [] },
        { resourceType: 4, errorCode: clusterError, configs: [] },
        { resourceType: 32, errorCode: groupError, configs: [] },
      ]),
    },
    right('describeConfigs', 'topic'),
    right('describeConfigs', 'group'),
    right('describeConfigs', 'cluster'),
  ),
  attempt(
    alterConfigsApi,
    2,
    ({ topic, group }) => ({
      resources: [
        { resourceType: 2, resourceName: topic, configs: [] },
        { resourceType: 4, resourceName: '1', configs: [] },
        { resourceType: 32, resourceName: group, configs: [] },
      ],
      validateOnly: true,
    }),
    {
      responses: expectEach([
        { resourceType: 2, errorCode: topicError },
        { resourceType: 4, errorCode: clusterError },
        { resourceType: 32, errorCode: groupError },
      ]),
    },
    right('alterConfigs', 'topic'),
    right('alterConfigs', 'group'),
    right('alterConfigs', 'cluster'),
  ),
  attempt(
    describeLogDirsApi,
    4,
    () => ({ topics: null }),
    { errorCode: clusterError, results: [] },
    right('describe', 'cluster'),
  ),
  attempt(
    createPartitionsApi,
    3,
    ({ topic }) => ({
      topics: [{ name: topic, count: 2, assignments: null }],
      timeoutMs: 5_000,
      validateOnly: true,
    }),
    { results: [{ errorCode: topicError }] },
    right('alter', 'topic'),
  ),
  attempt(
    deleteGroupsApi,
    2,
    ({ group }) => ({ groupsNames: [group] }),
    { results: [{ errorCode: groupError }] },
    right('delete', 'group'),
  ),
  attempt(
    electLeadersApi,
    2,
    ({ topic }) => ({
      electionType: 0,
      topicPartitions: [{ topic: `${topic}-missing`, partitions: [0] }],
    }),
    {
      errorCode: clusterError,
      replicaElectionResults: [{ partitionResult: [{ errorCode: clusterError }] }],
    },
    right('alter', 'cluster'),
  ),
  attempt(
    incrementalAlterConfigsApi,
    1,
    ({ topic, group }) => ({
      resources: [
        { resourceType: 2, resourceName: topic, configs: [] },
        { resourceType: 4, resourceName: '1', configs: [] },
        { resourceType: 32, resourceName: group, configs: [] },
      ],
      validateOnly: true,
    }),
    {
      responses: expectEach([
        { resourceType: 2, errorCode: topicError },
        { resourceType: 4, errorCode: clusterError },
        { resourceType: 32, errorCode: groupError },
      ]),
    },
    right('alterConfigs', 'topic'),
    right('alterConfigs', 'group'),
    right('alterConfigs', 'cluster'),
  ),
  attempt(
    alterPartitionReassignmentsApi,
    0,
    ({ topic }) => ({
      topics: [{ name: `${topic}-missing`, partitions: [{ partitionIndex: 0, replicas: null }] }],
    }),
    { errorCode: clusterError, responses: [{ partitions: [{ errorCode: clusterError }] }] },
    right('alter', 'cluster'),
  ),
  attempt(
    listPartitionReassignmentsApi,
    0,
    () => ({ topics: null }),
    { errorCode: clusterError, topics: [] },
    right('describe', 'cluster'),
  ),
  attempt(
    offsetDeleteApi,
    0,
    ({ topic, group }) => ({
      groupId: group,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }],
    }),
    { errorCode: groupError, topics: [] },
    right('delete', 'group'),
    right('read', 'topic'),
  ),
  attempt(
    describeClientQuotasApi,
    1,
    () => ({ components: [], strict: false }),
    { errorCode: clusterError, entries: null },
    right('describeConfigs', 'cluster'),
  ),
  attempt(
    alterClientQuotasApi,
    1,
    ({ topic }) => ({ entries: [{ entity: exact(topic), ops: [] }], validateOnly: true }),
    { entries: [{ errorCode: clusterError, entity: [{ entityType: 'client-id' }] }] },
    right('alterConfigs', 'cluster'),
  ),
  attempt(
    describeUserScramCredentialsApi,
    0,
    () => ({ users: [] }),
    { errorCode: clusterError, results: [] },
    right('describe', 'cluster'),
  ),
  attempt(
    alterUserScramCredentialsApi,
    0,
    () => ({ deletions: [{ name: 'nobody', mechanism: 1 }], upsertions: [] }),
    { results: [{ user: 'nobody', errorCode: clusterError }] },
    right('alter', 'cluster'),
  ),
  attempt(
    describeQuorumApi,
    0,
    () => ({ topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] }),
    { errorCode: clusterError, topics: [] },
    right('describe', 'cluster'),
  ),
  attempt(
    updateFeaturesApi,
    1,
    () => ({ featureUpdates: [], validateOnly: true }),
    { errorCode: clusterError },
    right('alter', 'cluster'),
  ),
  attempt(describeClusterApi, 0, () => ({ includeClusterAuthorizedOperations: true }), {
    errorCode: 0,
    clusterAuthorizedOperations: 0,
  }),
  attempt(
    describeProducersApi,
    0,
    ({ topic }) => ({ topics: [{ name: topic, partitionIndexes: [0] }] }),
    onTopic({ errorCode: topicError, activeProducers: [] }),
    right('read', 'topic'),
  ),
  attempt(
    describeTransactionsApi,
    0,
    ({ transaction }) => ({ transactionalIds: [transaction] }),
    { transactionStates: [{ errorCode: transactionError, transactionState: '' }] },
    right('describe', 'transactionalId'),
  ),
  attempt(listTransactionsApi, 0, () => ({ stateFilters: [], producerIdFilters: [] }), {
    errorCode: 0,
    transactionStates: [],
  }),
  attempt(
    consumerGroupHeartbeatApi,
    0,
    ({ topic, group }) => ({
      groupId: group,
      memberId: '',
      memberEpoch: 0,
      rebalanceTimeoutMs: 6_000,
      subscribedTopicNames: [topic],
      topicPartitions: [],
    }),
    { errorCode: groupError, assignment: null },
    right('read', 'group'),
    right('describe', 'topic'),
  ),
  attempt(
    consumerGroupDescribeApi,
    0,
    ({ group }) => ({ groupIds: [group], includeAuthorizedOperations: true }),
    { groups: [{ errorCode: groupError, members: [] }] },
    right('describe', 'group'),
  ),
  attempt(
    listConfigResourcesApi,
    0,
    () => ({}),
    { errorCode: clusterError, configResources: [] },
    right('describeConfigs', 'cluster'),
  ),
  attempt(
    describeTopicPartitionsApi,
    0,
    ({ topic }) => ({ topics: [{ name: topic }], cursor: null }),
    { topics: [{ errorCode: topicError, topicId: 'A'.repeat(22), partitions: [] }] },
    right('describe', 'topic'),
  ),
  attempt(describeTopicPartitionsApi, 0, () => ({ topics: [], cursor: null }), { topics: [] }),
  attempt(
    shareGroupHeartbeatApi,
    1,
    ({ topic, group }) => ({
      groupId: group,
      memberId: sharer,
      memberEpoch: 0,
      subscribedTopicNames: [topic],
    }),
    { errorCode: groupError, assignment: null },
    right('read', 'group'),
    right('describe', 'topic'),
  ),
  attempt(
    shareGroupDescribeApi,
    1,
    ({ group }) => ({ groupIds: [group], includeAuthorizedOperations: true }),
    { groups: [{ errorCode: groupError, members: [] }] },
    right('describe', 'group'),
  ),
  attempt(
    shareFetchApi,
    1,
    ({ group }) => ({
      groupId: group,
      memberId: sharer,
      shareSessionEpoch: 0,
      maxWaitMs: 0,
      minBytes: 0,
      maxRecords: 1,
      batchSize: 1,
      topics: [],
      forgottenTopicsData: [],
    }),
    { errorCode: groupError, responses: [] },
    right('read', 'group'),
  ),
  attempt(
    shareAcknowledgeApi,
    1,
    ({ group }) => ({ groupId: group, memberId: sharer, shareSessionEpoch: 1, topics: [] }),
    { errorCode: groupError, responses: [] },
    right('read', 'group'),
  ),
  attempt(
    describeShareGroupOffsetsApi,
    0,
    ({ topic, group }) => ({
      groups: [{ groupId: group, topics: [{ topicName: topic, partitions: [0] }] }],
    }),
    { groups: [{ errorCode: groupError, topics: [] }] },
    right('describe', 'group'),
    right('describe', 'topic'),
  ),
  attempt(
    alterShareGroupOffsetsApi,
    0,
    ({ topic, group }) => ({
      groupId: group,
      topics: [{ topicName: topic, partitions: [{ partitionIndex: 0, startOffset: 0 }] }],
    }),
    { errorCode: groupError, responses: [] },
    right('read', 'group'),
    right('read', 'topic'),
  ),
  attempt(
    deleteShareGroupOffsetsApi,
    0,
    ({ topic, group }) => ({ groupId: group, topics: [{ topicName: topic }] }),
    { errorCode: groupError, responses: [] },
    right('delete', 'group'),
    right('read', 'topic'),
  ),
]

/** What an attempt is called in the suite. */
export function attemptName({ api, version, rights }: Attempt, index: number): string {
  const needed = rights.map(({ operation, on }) => `${operation} ${on}`).join(', ')
  const what = needed === '' ? 'tells those without rights less' : `needs ${needed}`
  return `${index + 1}: ${api.name} ${version} ${what}`
}

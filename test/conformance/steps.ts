/** Requests that many cases make, with what they usually say already filled in. */
import {
  addOffsetsToTxnApi,
  addPartitionsToTxnApi,
  consumerSubscription,
  endTxnApi,
  fetchApi,
  heartbeatApi,
  initProducerIdApi,
  joinGroupApi,
  leaveGroupApi,
  listOffsetsApi,
  offsetCommitApi,
  offsetFetchApi,
  produceApi,
  syncGroupApi,
  txnOffsetCommitApi,
  type ResponseOf,
} from '../../src/protocol/index.ts'
import type { WireClient } from '../../src/testing/wire-client.ts'
import { makeBatch, readBatches, type BatchInput, type ReadBatch } from './batch.ts'
import type { Port, Topic } from './port.ts'

export const readUncommitted = 0
export const readCommitted = 1
export const latestTimestamp = -1
export const earliestTimestamp = -2

type Only<List> = List extends readonly (infer Element)[] ? Element : never
export type ProducedPartition = Only<
  Only<ResponseOf<typeof produceApi>['responses']>['partitionResponses']
>
export type FetchedPartition = Only<Only<ResponseOf<typeof fetchApi>['responses']>['partitions']>

function only<Element>(list: readonly Element[]): Element {
  const [element] = list
  if (element === undefined || list.length !== 1) {
    throw new Error(`one element was expected, ${list.length} came`)
  }
  return element
}

export interface ProduceOptions {
  readonly version?: number
  readonly acks?: number
  readonly partition?: number
  readonly transactionalId?: string | null
}

/** Sends record batches to one partition and answers what the broker says of it. */
export async function produce(
  client: WireClient,
  topic: Topic,
  batch: BatchInput | Buffer,
  options: ProduceOptions = {},
): Promise<ProducedPartition> {
  const { version = 9, acks = -1, partition = 0, transactionalId = null } = options
  const records = Buffer.isBuffer(batch) ? batch : makeBatch(batch)
  const named = version >= 13 ? { topicId: topic.id } : { name: topic.name }
  const response = await client.request(produceApi, version, {
    transactionalId,
    acks,
    timeoutMs: 10_000,
    topicData: [{ ...named, partitionData: [{ index: partition, records: [records] }] }],
  })
  return only(only(response.responses).partitionResponses)
}

/**
 * Produces to a transaction that the leader must first ask the coordinator about (KIP-890). While it
 * cannot be asked, or writes markers, the answer is an error that tells clients to try again.
 */
export function produceVerified(
  port: Port,
  client: WireClient,
  topic: Topic,
  batch: Buffer,
  options: ProduceOptions,
): Promise<ProducedPartition> {
  return port.settled(
    () => produce(client, topic, batch, options),
    (partition) => partition.errorCode,
    ['NOT_ENOUGH_REPLICAS', 'CONCURRENT_TRANSACTIONS'],
  )
}

export interface FetchOptions {
  readonly version?: number
  readonly isolationLevel?: number
  readonly partition?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly currentLeaderEpoch?: number
}

/** Fetches from one partition, without a session. */
export async function fetch(
  client: WireClient,
  topic: Topic,
  fetchOffset: number,
  options: FetchOptions = {},
): Promise<FetchedPartition & { readonly batches: readonly ReadBatch[] }> {
  const version = options.version ?? 12
  const named = version >= 13 ? { topicId: topic.id } : { topic: topic.name }
  const response = await client.request(fetchApi, version, {
    maxWaitMs: options.maxWaitMs ?? 0,
    minBytes: options.minBytes ?? 1,
    maxBytes: options.maxBytes ?? 50_000_000,
    isolationLevel: options.isolationLevel ?? readUncommitted,
    sessionEpoch: -1,
    topics: [
      {
        ...named,
        partitions: [
          {
            partition: options.partition ?? 0,
            currentLeaderEpoch: options.currentLeaderEpoch ?? -1,
            fetchOffset,
            partitionMaxBytes: options.partitionMaxBytes ?? 10_000_000,
          },
        ],
      },
    ],
  })
  const partition = only(only(response.responses).partitions)
  return { ...partition, batches: readBatches(bytesOf(partition.records)) }
}

function bytesOf(records: FetchedPartition['records']): Buffer | null {
  return records === null ? null : Buffer.from(records)
}

/** All values of a partition as a reader of this isolation level gets them. */
export async function valuesOf(
  client: WireClient,
  topic: Topic,
  isolationLevel = readUncommitted,
): Promise<(string | null)[]> {
  const { batches } = await fetch(client, topic, 0, { isolationLevel })
  return batches.filter((batch) => !batch.control).flatMap((batch) => batch.values)
}

/** Looks an offset up by timestamp, or by one of the special timestamps. */
export async function listOffset(
  client: WireClient,
  topic: Topic,
  timestamp: number,
  options: { version?: number; isolationLevel?: number; currentLeaderEpoch?: number } = {},
) {
  const { version = 7, isolationLevel = readUncommitted, currentLeaderEpoch = -1 } = options
  const response = await client.request(listOffsetsApi, version, {
    replicaId: -1,
    isolationLevel,
    topics: [
      { name: topic.name, partitions: [{ partitionIndex: 0, currentLeaderEpoch, timestamp }] },
    ],
  })
  return only(only(response.topics).partitions)
}

/** A producer id with its epoch, and the transactional id it belongs to. */
export interface Producer {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

export interface InitOptions {
  readonly version?: number
  readonly timeoutMs?: number
  readonly producerId?: number
  readonly producerEpoch?: number
}

/** Asks for a producer id; the answer may be an error. */
export function initProducerId(
  client: WireClient,
  transactionalId: string | null,
  options: InitOptions = {},
) {
  const { version = 4, timeoutMs = 60_000, producerId = -1, producerEpoch = -1 } = options
  return client.request(initProducerIdApi, version, {
    transactionalId,
    transactionTimeoutMs: timeoutMs,
    ...(version >= 3 && { producerId, producerEpoch }),
  })
}

/** An idempotent producer without transactions. */
export async function idempotentProducer(port: Port): Promise<Producer> {
  const client = await port.any()
  const answer = await port.settled(
    () => initProducerId(client, null),
    (response) => response.errorCode,
  )
  return { transactionalId: '', ...answer }
}

/** A transactional producer and a connection to its coordinator. */
export async function transactionalProducer(
  port: Port,
  options: InitOptions & { transactionalId?: string } = {},
): Promise<{ producer: Producer; coordinator: WireClient }> {
  const transactionalId = options.transactionalId ?? port.name('tx')
  const coordinator = await port.coordinator('transaction', transactionalId)
  const answer = await port.settled(
    () => initProducerId(coordinator, transactionalId, options),
    (response) => response.errorCode,
    ['CONCURRENT_TRANSACTIONS'],
  )
  if (answer.errorCode !== 0) throw new Error(`no producer id: ${answer.errorCode}`)
  return { producer: { transactionalId, ...answer }, coordinator }
}

export interface TopicPartitions {
  readonly name: string
  readonly partitions: readonly number[]
}

/** Adds partitions to a transaction; answers the error of each, in the order of the answer. */
export async function addPartitions(
  port: Port,
  coordinator: WireClient,
  producer: Producer,
  topics: readonly TopicPartitions[],
  version = 3,
) {
  const request = () =>
    coordinator.request(addPartitionsToTxnApi, version, {
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: topics.map(({ name, partitions }) => ({
        name,
        partitions: [...partitions],
      })),
    })
  // A transaction that has just ended may not have written all its markers.
  const response = await port.settled(
    request,
    (answer) => answer.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode ?? 0,
    ['CONCURRENT_TRANSACTIONS'],
  )
  return response.resultsByTopicV3AndBelow.flatMap((topic) =>
    topic.resultsByPartition.map((partition) => ({
      topic: topic.name,
      partition: partition.partitionIndex,
      errorCode: partition.partitionErrorCode,
    })),
  )
}

/** Ends a transaction; answers the error code. */
export async function endTransaction(
  coordinator: WireClient,
  producer: Producer,
  committed: boolean,
  version = 3,
): Promise<number> {
  const { transactionalId, producerId, producerEpoch } = producer
  const response = await coordinator.request(endTxnApi, version, {
    transactionalId,
    producerId,
    producerEpoch,
    committed,
  })
  return response.errorCode
}

/** A batch of a transaction. */
export function transactionalBatch(
  producer: Producer,
  baseSequence: number,
  value: string,
): Buffer {
  const { producerId, producerEpoch } = producer
  return makeBatch({
    records: [{ key: 'key', value }],
    producerId,
    producerEpoch,
    baseSequence,
    transactional: true,
  })
}

/** Begins a transaction on partition 0 of a topic with one record in it. */
export async function beginTransaction(
  port: Port,
  coordinator: WireClient,
  producer: Producer,
  topic: Topic,
  value: string,
  baseSequence = 0,
): Promise<ProducedPartition> {
  await addPartitions(port, coordinator, producer, [{ name: topic.name, partitions: [0] }])
  const leader = await port.leader(topic.name)
  const batch = transactionalBatch(producer, baseSequence, value)
  const { transactionalId } = producer
  return produceVerified(port, leader, topic, batch, { transactionalId })
}

/** Waits until the markers of ended transactions are written: the partition is stable up to its end. */
export async function untilStable(port: Port, client: WireClient, topic: Topic): Promise<void> {
  await port.eventually(`${topic.name} is stable`, async () => {
    const { highWatermark, lastStableOffset } = await fetch(client, topic, 0)
    return highWatermark === lastStableOffset ? true : undefined
  })
}

/** Adds a group's offsets to a transaction; answers the error code. */
export async function addOffsets(
  coordinator: WireClient,
  producer: Producer,
  groupId: string,
  version = 3,
): Promise<number> {
  const { transactionalId, producerId, producerEpoch } = producer
  const response = await coordinator.request(addOffsetsToTxnApi, version, {
    transactionalId,
    producerId,
    producerEpoch,
    groupId,
  })
  return response.errorCode
}

export interface MemberIdentity {
  readonly memberId?: string
  readonly generationId?: number
  readonly groupInstanceId?: string | null
}

/** Commits an offset of partition 0 within a transaction; answers the error code. */
export async function commitInTransaction(
  groupCoordinator: WireClient,
  producer: Producer,
  groupId: string,
  topic: Topic,
  offset: number,
  member: MemberIdentity = {},
): Promise<number> {
  const { transactionalId, producerId, producerEpoch } = producer
  const response = await groupCoordinator.request(txnOffsetCommitApi, 3, {
    transactionalId,
    groupId,
    producerId,
    producerEpoch,
    memberId: member.memberId ?? '',
    generationId: member.generationId ?? -1,
    groupInstanceId: member.groupInstanceId ?? null,
    topics: [
      {
        name: topic.name,
        partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: '' }],
      },
    ],
  })
  return only(only(response.topics).partitions).errorCode
}

export interface JoinOptions extends MemberIdentity {
  readonly version?: number
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly protocolType?: string
  readonly protocols?: readonly string[]
  readonly subscribedTopic?: string
}

/** What a consumer says of itself when it joins; Kafka looks into it. */
export function subscriptionTo(topic: string): Buffer {
  // The version comes first.
  const version = Buffer.from([0, 0])
  return Buffer.concat([version, consumerSubscription.encode({ topics: [topic] }, 0)])
}

/** One JoinGroup. */
export function join(client: WireClient, groupId: string, options: JoinOptions = {}) {
  const { version = 7, protocols = ['range'] } = options
  return client.request(joinGroupApi, version, {
    groupId,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 30_000,
    rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 30_000,
    memberId: options.memberId ?? '',
    ...(version >= 5 && { groupInstanceId: options.groupInstanceId ?? null }),
    protocolType: options.protocolType ?? 'consumer',
    protocols: protocols.map((name) => ({
      name,
      metadata: subscriptionTo(options.subscribedTopic ?? 'subscribed'),
    })),
  })
}

/** A member that has joined: how it is known, and what the coordinator has told it. */
export interface Joined {
  readonly memberId: string
  readonly generationId: number
  readonly leader: string
  readonly memberIds: readonly string[]
}

/** Joins as a new dynamic or static member, with the second request that a dynamic one needs. */
export async function joinNew(
  port: Port,
  client: WireClient,
  groupId: string,
  options: JoinOptions = {},
): Promise<Joined> {
  let answer = await port.settled(
    () => join(client, groupId, options),
    (response) => response.errorCode,
  )
  if (answer.errorCode !== 0 && answer.memberId !== '') {
    answer = await join(client, groupId, { ...options, memberId: answer.memberId })
  }
  return joinedOf(answer)
}

/** Reads a JoinGroup's answer, which must not be an error. */
export function joinedOf(answer: ResponseOf<typeof joinGroupApi>): Joined {
  if (answer.errorCode !== 0) throw new Error(`the join was refused: ${answer.errorCode}`)
  const { memberId, generationId, leader } = answer
  return { memberId, generationId, leader, memberIds: answer.members.map((one) => one.memberId) }
}

/** One SyncGroup; the leader gives each member its name as its assignment. */
export function sync(
  client: WireClient,
  groupId: string,
  member: MemberIdentity & { memberIds?: readonly string[] },
  version = 5,
  protocol: { type?: string; name?: string } = {},
) {
  return client.request(syncGroupApi, version, {
    groupId,
    generationId: member.generationId ?? -1,
    memberId: member.memberId ?? '',
    groupInstanceId: member.groupInstanceId ?? null,
    ...(version >= 5 && {
      protocolType: protocol.type ?? 'consumer',
      protocolName: protocol.name ?? 'range',
    }),
    assignments: (member.memberIds ?? []).map((memberId) => ({
      memberId,
      assignment: Buffer.from(`for ${memberId}`),
    })),
  })
}

/** A group with one member, stable. */
export async function stableGroup(
  port: Port,
  options: JoinOptions = {},
): Promise<{ groupId: string; client: WireClient; member: Joined }> {
  const groupId = port.name('group')
  const client = await port.coordinator('group', groupId)
  const member = await joinNew(port, client, groupId, options)
  const { groupInstanceId = null } = options
  const answer = await sync(client, groupId, { ...member, groupInstanceId })
  if (answer.errorCode !== 0) throw new Error(`the sync was refused: ${answer.errorCode}`)
  return { groupId, client, member }
}

/** One Heartbeat; answers the error code. */
export async function heartbeat(
  client: WireClient,
  groupId: string,
  member: MemberIdentity,
): Promise<number> {
  const response = await client.request(heartbeatApi, 4, {
    groupId,
    generationId: member.generationId ?? -1,
    memberId: member.memberId ?? '',
    groupInstanceId: member.groupInstanceId ?? null,
  })
  return response.errorCode
}

/** One LeaveGroup for some members. */
export function leave(client: WireClient, groupId: string, members: readonly MemberIdentity[]) {
  return client.request(leaveGroupApi, 4, {
    groupId,
    members: members.map(({ memberId = '', groupInstanceId = null }) => ({
      memberId,
      groupInstanceId,
    })),
  })
}

export interface CommitOptions extends MemberIdentity {
  readonly version?: number
  readonly metadata?: string | null
  readonly leaderEpoch?: number
  readonly partition?: number
}

/** Commits one offset; answers the error code. */
export async function commit(
  client: WireClient,
  groupId: string,
  topic: { readonly name: string },
  offset: number,
  options: CommitOptions = {},
): Promise<number> {
  const { version = 8, metadata = '', leaderEpoch = -1, partition = 0 } = options
  const response = await client.request(offsetCommitApi, version, {
    groupId,
    generationIdOrMemberEpoch: options.generationId ?? -1,
    memberId: options.memberId ?? '',
    ...(version >= 7 && { groupInstanceId: options.groupInstanceId ?? null }),
    topics: [
      {
        name: topic.name,
        partitions: [
          {
            partitionIndex: partition,
            committedOffset: offset,
            ...(version >= 6 && { committedLeaderEpoch: leaderEpoch }),
            committedMetadata: metadata,
          },
        ],
      },
    ],
  })
  return only(only(response.topics).partitions).errorCode
}

/** Fetches the committed offset of partition 0. */
export async function committed(
  client: WireClient,
  groupId: string,
  topic: { readonly name: string },
  options: { requireStable?: boolean; version?: number } = {},
) {
  const response = await client.request(offsetFetchApi, options.version ?? 7, {
    groupId,
    topics: [{ name: topic.name, partitionIndexes: [0] }],
    ...((options.version ?? 7) >= 7 && { requireStable: options.requireStable ?? false }),
  })
  return only(only(response.topics).partitions)
}

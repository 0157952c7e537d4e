import type { MillraceError } from '../../errors.ts'
import {
  kafkaError,
  offsetCommitApi,
  offsetDeleteApi,
  offsetFetchApi,
} from '../../protocol/index.ts'
import { checkKafkaCode, KafkaError } from '../client-error.ts'
import type { Broker } from '../cluster/cluster.ts'
import { byTopic, partitionKey } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { AdminCall } from './admin-call.ts'
import { isUnknownTopic } from './admin-world.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach, isWorthAskingAgain } from './ask-each.ts'
import type { ItemResult, PartitionResult } from './item-result.ts'
import { topicsOf } from './partitions.ts'
import { coordinatorRoute } from './routes.ts'

/** An offset that a group has committed: the next record that it reads. */
export interface GroupOffset {
  readonly offset: number
  /** The leader epoch of the record before it, where it is known. */
  readonly leaderEpoch: number | undefined
  readonly metadata: string
}

/** An offset for a group to go on from. */
export interface NewGroupOffset extends TopicPartition {
  readonly offset: number
  /** The leader epoch of the record before it. @defaultValue not known */
  readonly leaderEpoch?: number
  /** @defaultValue '' */
  readonly metadata?: string
}

/** A group, and the partitions whose offsets are wanted. */
export interface GroupOffsetsQuestion {
  readonly groupId: string
  /** @defaultValue all partitions that have one */
  readonly partitions?: readonly TopicPartition[]
}

/** The offsets of a group. Partitions without one are missing. */
export interface GroupOffsets {
  readonly offsets: readonly PartitionResult<GroupOffset>[]
}

/** The first version that takes many groups (Kafka 3.0). */
const takesManyVersion = 8
/** The last version that names topics; later ones have ids, which a deleted topic's offsets would need. */
const namesTopicsVersion = 9

interface OffsetTopic {
  readonly name: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly committedOffset: number
    readonly committedLeaderEpoch: number
    readonly metadata: string | null
    readonly errorCode: number
  }[]
}

/** Reads the offsets of groups from their coordinators. */
export function readGroupOffsets(
  call: AdminCall,
  groups: ReadonlyMap<string, GroupOffsetsQuestion>,
  requireStable: boolean,
): Promise<Map<string, ItemResult<GroupOffsets>>> {
  return askEach<GroupOffsetsQuestion, GroupOffsets>(call, groups, {
    route: coordinatorRoute(call, 'group', ({ groupId }) => groupId),
    effect: 'reads',
    name: ({ groupId }) => `offsets of group ${groupId}`,
    async ask(broker, asked) {
      const questions = asked.map(({ item }) => item)
      const need = { versionMax: namesTopicsVersion }
      const version = await call.version(broker, offsetFetchApi, need)
      if (version >= takesManyVersion) return askTogether(call, broker, questions, requireStable)
      const answers = questions.map((each) => askAlone(call, broker, each, requireStable))
      return new Map(await Promise.all(answers))
    },
  })
}

type GroupAnswer = [string, GroupOffsets | MillraceError]

async function askTogether(
  call: AdminCall,
  broker: Broker,
  questions: readonly GroupOffsetsQuestion[],
  requireStable: boolean,
): Promise<Map<string, GroupOffsets | MillraceError>> {
  const request = {
    groupId: '',
    topics: [],
    groups: questions.map(({ groupId, partitions }) => ({
      groupId,
      topics: partitions === undefined ? null : topicsOf(partitions),
    })),
    requireStable,
  }
  const need = { versionMin: takesManyVersion, versionMax: namesTopicsVersion }
  const answer = await call.request(broker, offsetFetchApi, request, need)
  return new Map(
    answer.groups.map(({ groupId, errorCode, topics }) => readAnswer(groupId, errorCode, topics)),
  )
}

async function askAlone(
  call: AdminCall,
  broker: Broker,
  { groupId, partitions }: GroupOffsetsQuestion,
  requireStable: boolean,
): Promise<GroupAnswer> {
  const request = {
    groupId,
    topics: partitions === undefined ? null : topicsOf(partitions),
    groups: [],
    requireStable,
  }
  const need = { versionMax: takesManyVersion - 1 }
  const { errorCode, topics } = await call.request(broker, offsetFetchApi, request, need)
  return readAnswer(groupId, errorCode, topics)
}

function readAnswer(
  groupId: string,
  errorCode: number,
  topics: readonly OffsetTopic[],
): GroupAnswer {
  if (errorCode !== 0) return [groupId, new KafkaError(errorCode, `offsets of group ${groupId}`)]
  const offsets: PartitionResult<GroupOffset>[] = []
  for (const { name: topic, partitions } of topics) {
    for (const { partitionIndex: partition, ...found } of partitions) {
      if (found.errorCode !== 0) {
        const what = `offset of group ${groupId} in ${topic}-${partition}`
        const error = new KafkaError(found.errorCode, what)
        // A transaction that is about to end holds it back; then the group is asked about as a whole.
        if (isWorthAskingAgain(error)) return [groupId, error]
        offsets.push({ topic, partition, error })
      } else if (found.committedOffset >= 0) {
        const { committedOffset: offset, committedLeaderEpoch: epoch, metadata } = found
        const leaderEpoch = epoch < 0 ? undefined : epoch
        offsets.push({ topic, partition, offset, leaderEpoch, metadata: metadata ?? '' })
      }
    }
  }
  return [groupId, { offsets }]
}

/** Sets offsets of a group that has no members. */
export function alterGroupOffsets(
  { newTopics }: AdminWorld,
  call: AdminCall,
  groupId: string,
  offsets: ReadonlyMap<string, NewGroupOffset>,
): Promise<Map<string, ItemResult>> {
  const what = (partition: TopicPartition) =>
    `offset of group ${groupId} in ${partitionKey(partition)}`
  return askEach<NewGroupOffset, object>(call, offsets, {
    route: coordinatorRoute(call, 'group', () => groupId),
    effect: 'changes',
    name: what,
    mayRetry: (error, { item }) =>
      isWorthAskingAgain(error) || (isUnknownTopic(error) && newTopics.has(item.topic)),
    async ask(broker, asked) {
      const topics = [...byTopic(asked.map(({ item }) => item))].map(([name, some]) => ({
        name,
        partitions: some.map((each) => ({
          partitionIndex: each.partition,
          committedOffset: each.offset,
          committedLeaderEpoch: each.leaderEpoch ?? -1,
          committedMetadata: each.metadata ?? '',
        })),
      }))
      const request = { groupId, memberId: '', topics }
      const need = { versionMax: namesTopicsVersion }
      const answer = await call.request(broker, offsetCommitApi, request, need)
      return readCodes(answer.topics, what)
    },
  })
}

/** Deletes offsets of a group; those of topics that its members are subscribed to are refused. */
export function deleteGroupOffsets(
  call: AdminCall,
  groupId: string,
  partitions: ReadonlyMap<string, TopicPartition>,
): Promise<Map<string, ItemResult>> {
  const what = (partition: TopicPartition) =>
    `offset of group ${groupId} in ${partitionKey(partition)}`
  return askEach<TopicPartition, object>(call, partitions, {
    route: coordinatorRoute(call, 'group', () => groupId),
    effect: 'changes',
    name: what,
    async ask(broker, asked) {
      const topics = [...byTopic(asked.map(({ item }) => item))].map(([name, some]) => ({
        name,
        partitions: some.map(({ partition }) => ({ partitionIndex: partition })),
      }))
      const answer = await call.request(broker, offsetDeleteApi, { groupId, topics })
      checkKafkaCode(answer.errorCode, `offsets of group ${groupId}`)
      return readCodes(answer.topics, what)
    },
  })
}

function readCodes(
  topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[],
  what: (partition: TopicPartition) => string,
): Map<string, object | MillraceError> {
  const answers = new Map<string, object | MillraceError>()
  for (const { name: topic, partitions } of topics) {
    for (const { partitionIndex: partition, errorCode } of partitions) {
      const hint = hints.get(errorCode)
      const refusal = () => new KafkaError(errorCode, what({ topic, partition }), hint)
      answers.set(partitionKey({ topic, partition }), errorCode === 0 ? {} : refusal())
    }
  }
  return answers
}

const activeHint = 'the group has members, and only they commit until they have left'

/** What codes mean that do not say it. */
const hints: ReadonlyMap<number, string> = new Map([
  [kafkaError.UNKNOWN_MEMBER_ID, activeHint],
  [kafkaError.ILLEGAL_GENERATION, activeHint],
  [kafkaError.STALE_MEMBER_EPOCH, activeHint],
])

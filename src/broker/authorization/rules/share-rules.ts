import {
  alterShareGroupOffsetsApi,
  deleteShareGroupOffsetsApi,
  describeShareGroupOffsetsApi,
  kafkaError,
  shareAcknowledgeApi,
  shareFetchApi,
  shareGroupDescribeApi,
  shareGroupHeartbeatApi,
} from '../../../protocol/index.ts'
import type { RequestOf, ResponseInput } from '../../../protocol/index.ts'
import type { Refusal } from '../../refusal.ts'
import { authorizedOperations } from '../access.ts'
import {
  accessRule,
  bits,
  each,
  leftOut,
  unauthorized,
  unauthorizedCode,
  whole,
  within,
} from '../gate.ts'
import type { Check, Right } from '../gate.ts'

const readGroup: Right = { operation: 'read', on: 'group' }
const describeGroup: Right = { operation: 'describe', on: 'group' }
const deleteGroup: Right = { operation: 'delete', on: 'group' }
const readTopic: Right = { operation: 'read', on: 'topic' }
const describeTopic: Right = { operation: 'describe', on: 'topic' }

/** What stands for the id of a topic that must not be told. */
const noTopicId = 'A'.repeat(22)

function fields({ error, message }: Refusal) {
  return { errorCode: kafkaError[error], errorMessage: message }
}

function refusedGroup(groupId: string, errorCode: number, errorMessage: string | null) {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  }
}

function refusedHeartbeat(errorCode: number, errorMessage: string | null) {
  return { throttleTimeMs: 0, errorCode, errorMessage, memberEpoch: 0, heartbeatIntervalMs: 0 }
}

type DescribedGroup = ResponseInput<typeof shareGroupDescribeApi>['groups'][number]
type OffsetsRequest = RequestOf<typeof describeShareGroupOffsetsApi>
type OffsetsTopic = ResponseInput<
  typeof describeShareGroupOffsetsApi
>['groups'][number]['topics'][number]

function topicsOf({ members }: DescribedGroup): readonly string[] {
  return members.flatMap(({ assignment }) =>
    assignment.topicPartitions.map(({ topicName }) => topicName),
  )
}

function refusedOffsets(
  topicName: string,
  partitions: readonly number[],
  refusal: Refusal,
): OffsetsTopic {
  return {
    topicName,
    topicId: noTopicId,
    partitions: partitions.map((partitionIndex) => ({
      partitionIndex,
      startOffset: -1,
      leaderEpoch: 0,
      ...fields(refusal),
    })),
  }
}

/** Topics that were named are refused one by one; of all topics, those are told that may be known. */
const describedOffsets: Check<typeof describeShareGroupOffsetsApi> = {
  right: describeTopic,
  refused: 'each',
  pass(request, { access }) {
    const mayKnow = (topic: string) => access.allows('describe', 'topic', topic)
    const groups: OffsetsRequest['groups'] = request.groups.map((group) => ({
      ...group,
      topics: group.topics?.filter(({ topicName }) => mayKnow(topicName)) ?? null,
    }))
    const refusedOf = new Map(
      request.groups.map(({ groupId, topics }) => [
        groupId,
        (topics ?? []).filter(({ topicName }) => !mayKnow(topicName)),
      ]),
    )
    return {
      request: { ...request, groups },
      amend: (answer) =>
        typeof answer !== 'object'
          ? answer
          : {
              ...answer,
              groups: answer.groups.map((group) => ({
                ...group,
                topics: [
                  ...group.topics.filter(({ topicName }) => mayKnow(topicName)),
                  ...(refusedOf.get(group.groupId) ?? []).map(({ topicName, partitions }) =>
                    refusedOffsets(topicName, partitions, unauthorized(describeTopic, topicName)),
                  ),
                ],
              })),
            },
    }
  },
}

/** Share groups: their members, the records they share, and where they are. */
export const shareRules = [
  accessRule(
    shareGroupHeartbeatApi,
    whole(readGroup, {
      of: ({ groupId }) => [groupId],
      answer: (_request, { error, message }) => refusedHeartbeat(kafkaError[error], message),
    }),
    whole(describeTopic, {
      of: ({ subscribedTopicNames }) => subscribedTopicNames ?? [],
      // The error says nothing of which topic it is: one of those may be nobody's business.
      answer: (_request, { error }) => refusedHeartbeat(kafkaError[error], null),
    }),
  ),
  accessRule(
    shareGroupDescribeApi,
    each(describeGroup, {
      items: ({ groupIds }) => groupIds,
      name: (groupId) => groupId,
      keep: (request, groupIds) => ({ ...request, groupIds }),
      join: (answer, refused) => ({
        ...answer,
        groups: [
          ...answer.groups,
          ...refused.map(({ item, refusal }) =>
            refusedGroup(item, kafkaError[refusal.error], refusal.message),
          ),
        ],
      }),
    }),
    {
      ...leftOut<typeof shareGroupDescribeApi>(describeTopic, (answer, mayKnow) => ({
        ...answer,
        groups: answer.groups.map((group) =>
          topicsOf(group).every(mayKnow)
            ? group
            : refusedGroup(
                group.groupId,
                unauthorizedCode(describeTopic),
                'the group has partitions of topics that may not be described',
              ),
        ),
      })),
      refused: 'each',
    },
    bits(describeGroup, (answer, { access }, { includeAuthorizedOperations }) => ({
      ...answer,
      groups: answer.groups.map((group) =>
        includeAuthorizedOperations && group.errorCode === kafkaError.NONE
          ? { ...group, authorizedOperations: authorizedOperations(access, 'group', group.groupId) }
          : group,
      ),
    })),
  ),
  accessRule(
    shareFetchApi,
    whole(readGroup, {
      of: ({ groupId }) => (groupId === null ? [] : [groupId]),
      answer: (_request, refusal) => ({
        throttleTimeMs: 0,
        ...fields(refusal),
        acquisitionLockTimeoutMs: 0,
        responses: [],
        nodeEndpoints: [],
      }),
    }),
    within(readTopic, 'each'),
  ),
  accessRule(
    shareAcknowledgeApi,
    whole(readGroup, {
      of: ({ groupId }) => (groupId === null ? [] : [groupId]),
      answer: (_request, refusal) => ({
        throttleTimeMs: 0,
        ...fields(refusal),
        responses: [],
        nodeEndpoints: [],
      }),
    }),
    within(readTopic, 'each'),
  ),
  accessRule(
    describeShareGroupOffsetsApi,
    each(describeGroup, {
      items: ({ groups }) => groups,
      name: ({ groupId }) => groupId,
      keep: (request, groups) => ({ ...request, groups }),
      join: (answer, refused) => ({
        ...answer,
        groups: [
          ...answer.groups,
          ...refused.map(({ item: { groupId }, refusal }) => ({
            groupId,
            topics: [],
            ...fields(refusal),
          })),
        ],
      }),
    }),
    describedOffsets,
  ),
  accessRule(
    alterShareGroupOffsetsApi,
    whole(readGroup, {
      of: ({ groupId }) => [groupId],
      answer: (_request, refusal) => ({ throttleTimeMs: 0, ...fields(refusal), responses: [] }),
    }),
    each(readTopic, {
      items: ({ topics }) => topics,
      name: ({ topicName }) => topicName,
      keep: (request, topics) => ({ ...request, topics }),
      join: (answer, refused) => ({
        ...answer,
        responses: [
          ...answer.responses,
          ...refused.map(({ item: { topicName, partitions }, refusal }) => ({
            topicName,
            topicId: noTopicId,
            partitions: partitions.map(({ partitionIndex }) => ({
              partitionIndex,
              ...fields(refusal),
            })),
          })),
        ],
      }),
    }),
  ),
  accessRule(
    deleteShareGroupOffsetsApi,
    whole(deleteGroup, {
      of: ({ groupId }) => [groupId],
      answer: (_request, refusal) => ({ throttleTimeMs: 0, ...fields(refusal), responses: [] }),
    }),
    each(readTopic, {
      items: ({ topics }) => topics,
      name: ({ topicName }) => topicName,
      keep: (request, topics) => ({ ...request, topics }),
      join: (answer, refused) => ({
        ...answer,
        responses: [
          ...answer.responses,
          ...refused.map(({ item: { topicName }, refusal }) => ({
            topicName,
            topicId: noTopicId,
            ...fields(refusal),
          })),
        ],
      }),
    }),
  ),
]

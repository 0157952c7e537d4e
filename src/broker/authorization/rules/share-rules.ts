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
import { refusalFields } from '../../handler/refusal-fields.ts'
import { noTopicId } from '../../handler/topic-id.ts'
import type { Refusal } from '../../refusal.ts'
import {
  accessRule,
  amendBody,
  bits,
  eachIn,
  leftOut,
  unauthorized,
  whole,
  within,
} from '../gate.ts'
import type { Check } from '../gate.ts'
import { undescribedGroup } from '../../group/index.ts'
import { groupBits, refusedHeartbeat, withoutUnknownTopics } from './described-group.ts'
import { deleteGroup, describeGroup, describeTopic, readGroup, readTopic } from './rights.ts'

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
      ...refusalFields(refusal),
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
      amend: amendBody((answer) => ({
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
      })),
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
    eachIn(describeGroup, 'groupIds', 'groups', {
      name: (groupId) => groupId,
      refused: undescribedGroup,
    }),
    {
      ...leftOut<typeof shareGroupDescribeApi>(describeTopic, (answer, mayKnow) => ({
        ...answer,
        groups: withoutUnknownTopics(answer.groups, topicsOf, mayKnow),
      })),
      refused: 'each',
    },
    bits(describeGroup, (answer, { access }, { includeAuthorizedOperations }) => ({
      ...answer,
      groups: groupBits(answer.groups, includeAuthorizedOperations, access),
    })),
  ),
  accessRule(
    shareFetchApi,
    whole(readGroup, {
      of: ({ groupId }) => (groupId === null ? [] : [groupId]),
      answer: (_request, refusal) => ({
        throttleTimeMs: 0,
        ...refusalFields(refusal),
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
        ...refusalFields(refusal),
        responses: [],
        nodeEndpoints: [],
      }),
    }),
    within(readTopic, 'each'),
  ),
  accessRule(
    describeShareGroupOffsetsApi,
    eachIn(describeGroup, 'groups', 'groups', {
      name: ({ groupId }) => groupId,
      refused: ({ groupId }, refusal) => ({ groupId, topics: [], ...refusalFields(refusal) }),
    }),
    describedOffsets,
  ),
  accessRule(
    alterShareGroupOffsetsApi,
    whole(readGroup, {
      of: ({ groupId }) => [groupId],
      answer: (_request, refusal) => ({
        throttleTimeMs: 0,
        ...refusalFields(refusal),
        responses: [],
      }),
    }),
    eachIn(readTopic, 'topics', 'responses', {
      name: ({ topicName }) => topicName,
      refused: ({ topicName, partitions }, refusal) => ({
        topicName,
        topicId: noTopicId,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          ...refusalFields(refusal),
        })),
      }),
    }),
  ),
  accessRule(
    deleteShareGroupOffsetsApi,
    whole(deleteGroup, {
      of: ({ groupId }) => [groupId],
      answer: (_request, refusal) => ({
        throttleTimeMs: 0,
        ...refusalFields(refusal),
        responses: [],
      }),
    }),
    eachIn(readTopic, 'topics', 'responses', {
      name: ({ topicName }) => topicName,
      refused: ({ topicName }, refusal) => ({
        topicName,
        topicId: noTopicId,
        ...refusalFields(refusal),
      }),
    }),
  ),
]

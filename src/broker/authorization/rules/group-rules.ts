import {
  consumerGroupDescribeApi,
  consumerGroupHeartbeatApi,
  deleteGroupsApi,
  describeGroupsApi,
  findCoordinatorApi,
  heartbeatApi,
  joinGroupApi,
  kafkaError,
  leaveGroupApi,
  listGroupsApi,
  offsetCommitApi,
  offsetDeleteApi,
  offsetFetchApi,
  syncGroupApi,
} from '../../../protocol/index.ts'
import type { ResponseInput } from '../../../protocol/index.ts'
import type { RequestContext } from '../../handler/handler.ts'
import type { Refusal } from '../../refusal.ts'
import { authorizedOperations } from '../access.ts'
import type { Access } from '../access.ts'
import { accessRule, bits, each, leftOut, unauthorizedCode, whole, within } from '../gate.ts'
import type { Right } from '../gate.ts'
import { offsetFetchTopics, offsetFetchGroup, offsetFetchGroups } from './offset-fetch-checks.ts'

const readGroup: Right = { operation: 'read', on: 'group' }
const describeGroup: Right = { operation: 'describe', on: 'group' }
const deleteGroup: Right = { operation: 'delete', on: 'group' }
const readTopic: Right = { operation: 'read', on: 'topic' }
const describeTopic: Right = { operation: 'describe', on: 'topic' }

const coordinated = {
  group: { keyType: 0, right: describeGroup },
  transaction: { keyType: 1, right: { operation: 'describe', on: 'transactionalId' } },
} as const satisfies Record<string, { keyType: number; right: Right }>

const versions = { manyCoordinators: 4, joinWithoutProtocol: 7, syncWithProtocol: 5 } as const

function errorOnly(_request: unknown, { error }: Refusal): { errorCode: number } {
  return { errorCode: kafkaError[error] }
}

function coordinatorOfOne(kind: keyof typeof coordinated) {
  const { keyType, right } = coordinated[kind]
  return whole<typeof findCoordinatorApi>(right, {
    of: (request, { header }) =>
      request.keyType === keyType && header.version < versions.manyCoordinators
        ? [request.key]
        : [],
    answer: (_request, refusal) => refusedCoordinator('', refusal),
  })
}

function coordinatorOfMany(kind: keyof typeof coordinated) {
  const { keyType, right } = coordinated[kind]
  return each<typeof findCoordinatorApi, string>(right, {
    items: (request) => (request.keyType === keyType ? request.coordinatorKeys : []),
    name: (key) => key,
    keep: (request, coordinatorKeys) => ({ ...request, coordinatorKeys }),
    join: (answer, refused) => ({
      ...answer,
      coordinators: [
        ...(answer.coordinators ?? []),
        ...refused.map(({ item, refusal }) => refusedCoordinator(item, refusal)),
      ],
    }),
  })
}

function refusedCoordinator(key: string, { error, message }: Refusal) {
  const errorCode = kafkaError[error]
  return { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage: message }
}

function refusedGroup(groupId: string, { error }: Refusal) {
  return {
    errorCode: kafkaError[error],
    groupId,
    groupState: '',
    protocolType: '',
    protocolData: '',
    members: [],
  }
}

function refusedConsumerGroup(groupId: string, errorCode: number, errorMessage: string | null) {
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

type ConsumerGroupAnswer = ResponseInput<typeof consumerGroupDescribeApi>['groups'][number]

/** The topics of which the members of a group have partitions, or are to have some. */
function topicsOf({ members }: ConsumerGroupAnswer): readonly string[] {
  return members
    .flatMap(({ assignment, targetAssignment }) => [assignment, targetAssignment])
    .flatMap(({ topicPartitions }) => topicPartitions.map(({ topicName }) => topicName))
}

/** Tells what a client may do with each group that was described, if it asks. */
function groupBits<
  Group extends {
    readonly errorCode: number
    readonly groupId: string
    readonly authorizedOperations?: number | undefined
  },
>(groups: readonly Group[], asked: boolean, access: Access): Group[] {
  return groups.map((group) =>
    asked && group.errorCode === kafkaError.NONE
      ? { ...group, authorizedOperations: authorizedOperations(access, 'group', group.groupId) }
      : group,
  )
}

function committedName(
  { name, topicId }: { readonly name: string; readonly topicId: string },
  { broker, header }: RequestContext,
): string | undefined {
  return header.version < 10 ? name : broker.cluster.topicById(topicId)?.name
}

interface NamedPartitions {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}

function failedPartitions({ name, topicId, partitions }: NamedPartitions, { error }: Refusal) {
  return {
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: kafkaError[error],
    })),
  }
}

/** Groups, their members and their offsets. */
export const groupRules = [
  accessRule(
    offsetCommitApi,
    whole(readGroup, {
      of: ({ groupId }) => [groupId],
      answer: ({ topics }, refusal) => ({
        topics: topics.map((topic) => failedPartitions(topic, refusal)),
      }),
    }),
    each(readTopic, {
      items: ({ topics }) => topics,
      name: committedName,
      keep: (request, topics) => ({ ...request, topics }),
      join: (answer, refused) => ({
        ...answer,
        topics: [
          ...answer.topics,
          ...refused.map(({ item, refusal }) => failedPartitions(item, refusal)),
        ],
      }),
    }),
  ),
  accessRule(offsetFetchApi, offsetFetchGroup, offsetFetchGroups, offsetFetchTopics),
  accessRule(
    findCoordinatorApi,
    coordinatorOfOne('group'),
    coordinatorOfOne('transaction'),
    coordinatorOfMany('group'),
    coordinatorOfMany('transaction'),
  ),
  accessRule(
    joinGroupApi,
    whole(readGroup, {
      of: ({ groupId }) => [groupId],
      answer: (_request, { error }, { header }) => ({
        errorCode: kafkaError[error],
        generationId: -1,
        protocolName: header.version < versions.joinWithoutProtocol ? '' : null,
        leader: '',
        memberId: '',
        members: [],
      }),
    }),
  ),
  accessRule(heartbeatApi, whole(readGroup, { of: ({ groupId }) => [groupId], answer: errorOnly })),
  accessRule(
    leaveGroupApi,
    whole(readGroup, {
      of: ({ groupId }) => [groupId],
      answer: (_request, { error }) => ({ errorCode: kafkaError[error], members: [] }),
    }),
  ),
  accessRule(
    syncGroupApi,
    whole(readGroup, {
      // Who does not say its protocol is told so first.
      of: ({ groupId, protocolType, protocolName }, { header }) =>
        header.version >= versions.syncWithProtocol &&
        (protocolType === null || protocolName === null)
          ? []
          : [groupId],
      answer: (_request, { error }) => ({
        errorCode: kafkaError[error],
        assignment: Buffer.alloc(0),
      }),
    }),
  ),
  accessRule(
    describeGroupsApi,
    each(describeGroup, {
      items: ({ groups }) => groups,
      name: (groupId) => groupId,
      keep: (request, groups) => ({ ...request, groups }),
      join: (answer, refused) => ({
        ...answer,
        groups: [
          ...answer.groups,
          ...refused.map(({ item, refusal }) => refusedGroup(item, refusal)),
        ],
      }),
    }),
    bits(describeGroup, (answer, { access }, { includeAuthorizedOperations }) => ({
      ...answer,
      groups: groupBits(answer.groups, includeAuthorizedOperations, access),
    })),
  ),
  accessRule(
    listGroupsApi,
    leftOut({ ...describeGroup, unless: 'describe' }, (answer, mayKnow) => ({
      ...answer,
      groups: answer.groups.filter(({ groupId }) => mayKnow(groupId)),
    })),
  ),
  accessRule(
    deleteGroupsApi,
    each(deleteGroup, {
      items: ({ groupsNames }) => [...new Set(groupsNames)],
      name: (groupId) => groupId,
      keep: (request, groupsNames) => ({ ...request, groupsNames }),
      join: (answer, refused) => ({
        ...answer,
        results: [
          ...answer.results,
          ...refused.map(({ item: groupId, refusal }) => ({
            groupId,
            errorCode: kafkaError[refusal.error],
          })),
        ],
      }),
    }),
  ),
  accessRule(
    offsetDeleteApi,
    whole(deleteGroup, {
      of: ({ groupId }) => [groupId],
      answer: (_request, { error }) => ({
        errorCode: kafkaError[error],
        throttleTimeMs: 0,
        topics: [],
      }),
    }),
    each(readTopic, {
      items: ({ topics }) => topics,
      name: ({ name }) => name,
      keep: (request, topics) => ({ ...request, topics }),
      join: (answer, refused) => ({
        ...answer,
        topics: [
          ...answer.topics,
          ...refused.map(({ item: { name, partitions }, refusal }) => ({
            name,
            partitions: partitions.map(({ partitionIndex }) => ({
              partitionIndex,
              errorCode: kafkaError[refusal.error],
            })),
          })),
        ],
      }),
    }),
  ),
  accessRule(
    consumerGroupHeartbeatApi,
    whole(readGroup, {
      of: ({ groupId }) => [groupId],
      answer: (_request, { error, message }) => refusedHeartbeat(kafkaError[error], message),
    }),
    whole(describeTopic, {
      of: ({ subscribedTopicNames }) => subscribedTopicNames ?? [],
      // The error says nothing of which topic it is: one of those may be nobody's business.
      answer: (_request, { error }) => refusedHeartbeat(kafkaError[error], null),
    }),
    within(describeTopic, 'left out'),
  ),
  accessRule(
    consumerGroupDescribeApi,
    each(describeGroup, {
      items: ({ groupIds }) => groupIds,
      name: (groupId) => groupId,
      keep: (request, groupIds) => ({ ...request, groupIds }),
      join: (answer, refused) => ({
        ...answer,
        groups: [
          ...answer.groups,
          ...refused.map(({ item, refusal }) =>
            refusedConsumerGroup(item, kafkaError[refusal.error], refusal.message),
          ),
        ],
      }),
    }),
    {
      ...leftOut<typeof consumerGroupDescribeApi>(describeTopic, (answer, mayKnow) => ({
        ...answer,
        groups: answer.groups.map((group) =>
          topicsOf(group).every(mayKnow)
            ? group
            : refusedConsumerGroup(
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
      groups: groupBits(answer.groups, includeAuthorizedOperations, access),
    })),
  ),
]

function refusedHeartbeat(errorCode: number, errorMessage: string | null) {
  return { throttleTimeMs: 0, errorCode, errorMessage, memberEpoch: 0, heartbeatIntervalMs: 0 }
}

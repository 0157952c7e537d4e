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
import type { RequestOf, ResponseInput } from '../../../protocol/index.ts'
import type { RequestContext } from '../../handler/handler.ts'
import type { Refusal } from '../../refusal.ts'
import { accessRule, bits, each, eachIn, leftOut, whole, within } from '../gate.ts'
import type { Right } from '../gate.ts'
import { undescribedGroup } from '../../group/index.ts'
import { groupBits, refusedHeartbeat, withoutUnknownTopics } from './described-group.ts'
import { offsetFetchTopics, offsetFetchGroup, offsetFetchGroups } from './offset-fetch-checks.ts'
import { refusedPartitions } from './refused-partitions.ts'
import {
  deleteGroup,
  describeGroup,
  describeTopic,
  describeTransaction,
  readGroup,
  readTopic,
} from './rights.ts'

const coordinated = {
  group: { keyType: 0, right: describeGroup },
  transaction: { keyType: 1, right: describeTransaction },
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

function refusedClassicGroup(groupId: string, { error }: Refusal) {
  return {
    errorCode: kafkaError[error],
    groupId,
    groupState: '',
    protocolType: '',
    protocolData: '',
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

function committedName(
  { name, topicId }: { readonly name: string; readonly topicId: string },
  { broker, header }: RequestContext,
): string | undefined {
  return header.version < 10 ? name : broker.cluster.topicById(topicId)?.name
}

type CommittedTopic = RequestOf<typeof offsetCommitApi>['topics'][number]

function refusedCommit(topic: CommittedTopic, refusal: Refusal) {
  return { topicId: topic.topicId, ...refusedPartitions(topic, refusal) }
}

/** Groups, their members and their offsets. */
export const groupRules = [
  accessRule(
    offsetCommitApi,
    whole(readGroup, {
      of: ({ groupId }) => [groupId],
      answer: ({ topics }, refusal) => ({
        topics: topics.map((topic) => refusedCommit(topic, refusal)),
      }),
    }),
    eachIn(readTopic, 'topics', 'topics', { name: committedName, refused: refusedCommit }),
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
    eachIn(describeGroup, 'groups', 'groups', {
      name: (groupId) => groupId,
      refused: refusedClassicGroup,
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
    eachIn(readTopic, 'topics', 'topics', {
      name: ({ name }) => name,
      refused: refusedPartitions,
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
    eachIn(describeGroup, 'groupIds', 'groups', {
      name: (groupId) => groupId,
      refused: undescribedGroup,
    }),
    {
      ...leftOut<typeof consumerGroupDescribeApi>(describeTopic, (answer, mayKnow) => ({
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
]

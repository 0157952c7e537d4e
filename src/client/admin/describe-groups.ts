import { isMillraceError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import { consumerGroupDescribeApi, describeGroupsApi, kafkaError } from '../../protocol/index.ts'
import type { ResponseOf } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import type { Broker } from '../cluster/cluster.ts'
import {
  consumerProtocolType,
  readAssignment,
  readSubscription,
} from '../consumer/group/consumer-protocol.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { AclOperation } from './acl-codes.ts'
import type { AdminCall } from './admin-call.ts'
import { askEach } from './ask-each.ts'
import { readAuthorizedOperations } from './authorized-operations.ts'
import type { ItemResult } from './item-result.ts'
import { coordinatorRoute } from './routes.ts'

/** Kafka's names of the states of groups, of both protocols. */
export const groupStates = [
  'Empty',
  'PreparingRebalance',
  'CompletingRebalance',
  'Assigning',
  'Reconciling',
  'Stable',
  'Dead',
  'NotReady',
] as const

export const groupTypes = ['classic', 'consumer', 'share', 'streams'] as const

export type GroupState = (typeof groupStates)[number] | 'unknown'
export type GroupType = (typeof groupTypes)[number] | 'unknown'

/** A member of a group. What is undefined its protocol does not have. */
export interface GroupMemberDescription {
  readonly memberId: string
  /** Of a static member. */
  readonly groupInstanceId: string | undefined
  readonly clientId: string
  readonly clientHost: string
  readonly rack: string | undefined
  /** In the consumer protocol: how far it has come; the group's epoch when it has all it shall have. */
  readonly memberEpoch: number | undefined
  /** Undefined where the member's own protocol is not a consumer's. */
  readonly topics: readonly string[] | undefined
  /** In the consumer protocol: a regular expression that it subscribes to besides. */
  readonly topicPattern: string | undefined
  /** Undefined where the member's own protocol is not a consumer's. */
  readonly assignment: readonly TopicPartition[] | undefined
  /** In the consumer protocol: what it shall have. */
  readonly targetAssignment: readonly TopicPartition[] | undefined
}

/** A group of either protocol. */
export interface GroupDescription {
  readonly groupId: string
  readonly type: 'classic' | 'consumer'
  /** `'consumer'` for groups of consumers; others have their own (`'connect'`), an unused one has `''`. */
  readonly protocolType: string
  readonly state: GroupState
  /** Who distributes the partitions: `'range'`, `'uniform'`; `''` while that is not decided. */
  readonly assignor: string
  readonly coordinatorId: number
  /** In the consumer protocol; undefined in the classic one. */
  readonly groupEpoch: number | undefined
  /** The epoch of the target assignment in the consumer protocol. */
  readonly assignmentEpoch: number | undefined
  readonly members: readonly GroupMemberDescription[]
  /** What the client may do with the group, where it was asked for. */
  readonly authorizedOperations: readonly AclOperation[] | undefined
}

type ClassicGroup = ResponseOf<typeof describeGroupsApi>['groups'][number]
type ConsumerGroup = ResponseOf<typeof consumerGroupDescribeApi>['groups'][number]
type GroupAnswers = Map<string, GroupDescription | MillraceError>

/** Describes groups of either protocol, by their coordinators. */
export function describeGroups(
  call: AdminCall,
  groupIds: ReadonlyMap<string, string>,
  authorizedOperations: boolean,
): Promise<Map<string, ItemResult<GroupDescription>>> {
  return askEach<string, GroupDescription>(call, groupIds, {
    route: coordinatorRoute(call, 'group', (groupId) => groupId),
    effect: 'reads',
    name: (groupId) => `group ${groupId}`,
    async ask(broker, asked) {
      const ids = asked.map(({ key }) => key)
      const answers = await askConsumerProtocol(call, broker, ids, authorizedOperations)
      const others = ids.filter((groupId) => isOfNoConsumerGroup(answers.get(groupId)))
      if (others.length === 0) return answers
      const classic = await askClassicProtocol(call, broker, others, authorizedOperations)
      return new Map([...answers, ...classic])
    },
  })
}

/** Kafka answers so for groups of another protocol, and where it has this one switched off. */
function isOfNoConsumerGroup(answer: GroupDescription | MillraceError | undefined): boolean {
  if (answer === undefined) return true
  const { GROUP_ID_NOT_FOUND, UNSUPPORTED_VERSION } = kafkaError
  return (
    answer instanceof KafkaError &&
    (answer.kafkaCode === GROUP_ID_NOT_FOUND || answer.kafkaCode === UNSUPPORTED_VERSION)
  )
}

async function askConsumerProtocol(
  call: AdminCall,
  broker: Broker,
  groupIds: readonly string[],
  includeAuthorizedOperations: boolean,
): Promise<GroupAnswers> {
  try {
    const request = { groupIds, includeAuthorizedOperations }
    const { groups } = await call.request(broker, consumerGroupDescribeApi, request)
    const answers: GroupAnswers = new Map()
    for (const group of groups) {
      const answer = refusalOf(group) ?? readConsumerGroup(group, broker.nodeId)
      // Up to Kafka 3.9 each partition of the groups' log answers for all groups: only one knows the group.
      if (answers.get(group.groupId) instanceof Error || !answers.has(group.groupId)) {
        answers.set(group.groupId, answer)
      }
    }
    return answers
  } catch (error) {
    // Before Kafka 3.7 all groups are classic.
    if (isMillraceError(error, 'MILLRACE_CLIENT_UNSUPPORTED')) return new Map()
    throw error
  }
}

async function askClassicProtocol(
  call: AdminCall,
  broker: Broker,
  groupIds: readonly string[],
  includeAuthorizedOperations: boolean,
): Promise<GroupAnswers> {
  const request = { groups: groupIds, includeAuthorizedOperations }
  const { groups } = await call.request(broker, describeGroupsApi, request)
  return new Map(
    groups.map((group) => [
      group.groupId,
      refusalOf(group) ?? absenceOf(group) ?? readClassicGroup(group, broker.nodeId),
    ]),
  )
}

function refusalOf(group: ClassicGroup | ConsumerGroup): KafkaError | undefined {
  const { errorCode, errorMessage, groupId } = group
  return errorCode === 0 ? undefined : new KafkaError(errorCode, `group ${groupId}`, errorMessage)
}

/** Before Kafka 4 a group that does not exist is described as dead, and nothing else ever is. */
function absenceOf({ groupId, groupState, members }: ClassicGroup): KafkaError | undefined {
  if (groupState !== 'Dead' || members.length > 0) return undefined
  return new KafkaError(kafkaError.GROUP_ID_NOT_FOUND, `group ${groupId}`)
}

export function readGroupState(state: string): GroupState {
  return groupStates.find((known) => known === state) ?? 'unknown'
}

export function readGroupType(type: string): GroupType {
  return groupTypes.find((known) => known === type.toLowerCase()) ?? 'unknown'
}

function readClassicGroup(group: ClassicGroup, coordinatorId: number): GroupDescription {
  const isOfConsumers = group.protocolType === consumerProtocolType
  return {
    groupId: group.groupId,
    type: 'classic',
    protocolType: group.protocolType,
    state: readGroupState(group.groupState),
    assignor: group.protocolData,
    coordinatorId,
    groupEpoch: undefined,
    assignmentEpoch: undefined,
    members: group.members.map((member) => readClassicMember(member, isOfConsumers)),
    authorizedOperations: readAuthorizedOperations(group.authorizedOperations),
  }
}

function readClassicMember(
  member: ClassicGroup['members'][number],
  isConsumer: boolean,
): GroupMemberDescription {
  const subscription = isConsumer ? readSubscription(member.memberMetadata) : undefined
  // A member that was not given its assignment yet has no bytes for it.
  const nothing = member.memberAssignment.length === 0 ? [] : undefined
  return {
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId ?? undefined,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rack: subscription?.rack,
    memberEpoch: undefined,
    topics: subscription?.topics,
    topicPattern: undefined,
    assignment: isConsumer ? (nothing ?? readAssignment(member.memberAssignment)) : undefined,
    targetAssignment: undefined,
  }
}

function readConsumerGroup(group: ConsumerGroup, coordinatorId: number): GroupDescription {
  return {
    groupId: group.groupId,
    type: 'consumer',
    protocolType: consumerProtocolType,
    state: readGroupState(group.groupState),
    assignor: group.assignorName,
    coordinatorId,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    members: group.members.map(readConsumerMember),
    authorizedOperations: readAuthorizedOperations(group.authorizedOperations),
  }
}

function readConsumerMember(member: ConsumerGroup['members'][number]): GroupMemberDescription {
  const pattern = member.subscribedTopicRegex
  return {
    memberId: member.memberId,
    groupInstanceId: member.instanceId ?? undefined,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rack: member.rackId ?? undefined,
    memberEpoch: member.memberEpoch,
    topics: member.subscribedTopicNames,
    topicPattern: pattern === null || pattern === '' ? undefined : pattern,
    assignment: partitionsOf(member.assignment),
    targetAssignment: partitionsOf(member.targetAssignment),
  }
}

function partitionsOf({
  topicPartitions,
}: ConsumerGroup['members'][number]['assignment']): TopicPartition[] {
  return topicPartitions.flatMap(({ topicName, partitions }) =>
    partitions.map((partition) => ({ topic: topicName, partition })),
  )
}

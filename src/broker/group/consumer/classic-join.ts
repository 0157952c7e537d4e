import { kafkaError } from '../../../protocol/index.ts'
import { isRefusal } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import { joinError } from '../classic/classic-group.ts'
import type { JoinResponse } from '../classic/classic-group.ts'
import { copiedProtocols } from '../classic/classic-member.ts'
import type { JoinRequest } from '../classic/join.ts'
import { consumerProtocolType, readSubscription, withTopicIds } from '../consumer-protocol.ts'
import type { Subscription } from '../consumer-protocol.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import { consumerMemberId } from '../identifiers.ts'
import type { Requester } from '../ports.ts'
import type { PartitionList } from '../topic-partitions.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { isReconciled, newMember, sortedNames } from './consumer-member.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { downgrade, mayDowngrade } from './downgrade.ts'
import { finished, groupEpoch, moveMember, noteDescription, targetOf } from './draft.ts'
import type { Draft } from './draft.ts'
import { problemWithSize } from './heartbeat.ts'
import { knownStaticMember, successor } from './membership.ts'
import { notePattern } from './patterns.ts'
import { awaitHeartbeat, awaitSync } from './sessions.ts'

/** From this version on a dynamic member has to come back with the id that it is given (KIP-394). */
const knownIdVersion = 4

/**
 * A member of the classic protocol joins a consumer group, as it does while a group is upgraded one
 * member at a time. It is never the leader: the broker assigns. Its generation is its epoch, and it
 * reports what it has with each join, so that joins do for it what heartbeats do for the others.
 */
export function joinConsumerGroup(
  partition: GroupPartition,
  group: ConsumerGroup,
  request: JoinRequest,
  requester: Requester,
): Change<JoinResponse> {
  const isNew = request.memberId === ''
  const memberId = isNew ? consumerMemberId(partition.ports.random) : request.memberId
  const draft: Draft = { partition, group, records: [], afterwards: [] }
  const full = problemWithSize(draft, memberId)
  if (full !== undefined) return refused(full, memberId)
  const subscription = commonSubscription(group, request)
  if (subscription === undefined) {
    return { answer: joinError(kafkaError.INCONSISTENT_GROUP_PROTOCOL, memberId) }
  }
  if (isNew && request.groupInstanceId === null && requester.version >= knownIdVersion) {
    return { answer: joinError(kafkaError.MEMBER_ID_REQUIRED, memberId) }
  }
  const before = memberBefore(draft, request, memberId, isNew)
  if (isRefusal(before)) return refused(before, memberId)
  const described = withJoin(before, request, subscription, requester)
  const namesChanged = noteDescription(draft, before, described)
  const patternChanged = notePattern(draft, before, described, requester) === true
  const mustAdvance = namesChanged || patternChanged
  const epoch = groupEpoch(draft, described, mustAdvance)
  const owned = withTopicIds(subscription.ownedPartitions, partition.ports.topics)
  const replaced = group.memberOfInstance(request.groupInstanceId)
  if (replaced?.classic === null) {
    const remaining = group.membersAfter(new Set(), described)
    if (mayDowngrade(partition, remaining)) {
      return joinWithDowngrade(draft, { described, remaining, owned, rebalance: mustAdvance })
    }
  }
  const member = moveMember(draft, described, targetOf(draft, described, epoch), owned)
  draft.afterwards.push(() => {
    partition.timers.cancel(group.groupId, 'join', memberId)
    awaitHeartbeat(partition, group.groupId, member)
    awaitSync(partition, group.groupId, member)
  })
  return finished(draft, joined(member))
}

/**
 * The last member of the next generation is replaced by one of the classic protocol. Its place is
 * kept, and nobody has to join again, if all members are where the target wants them: in a classic
 * group, nobody would take them there.
 */
function joinWithDowngrade(
  draft: Draft,
  join: {
    readonly described: ConsumerMember
    readonly remaining: readonly ConsumerMember[]
    readonly owned: readonly PartitionList[]
    readonly rebalance: boolean
  },
): Change<JoinResponse> {
  const { partition, group, records } = draft
  const { described, owned, rebalance } = join
  const target = targetOf(draft, described, group.targetEpoch)
  // With another subscription the group rebalances anyway, and assigns as a classic group does.
  const member = rebalance ? described : moveMember(draft, described, target, owned)
  const remaining = join.remaining.map((one) => (one === described ? member : one))
  const settled =
    group.epoch === group.targetEpoch &&
    remaining.every((one) => isReconciled(one, group.targetEpoch))
  const { records: conversion = [], ...change } = downgrade(
    partition,
    group,
    remaining,
    rebalance || !settled,
  )
  return { ...change, records: [...records, ...conversion], answer: joined(member) }
}

/** The subscription, if the member has a protocol that all classic members of the group have, too. */
function commonSubscription(group: ConsumerGroup, request: JoinRequest): Subscription | undefined {
  if (request.protocolType !== consumerProtocolType) return undefined
  const supporters = new Map<string, number>()
  for (const { classic } of group.members.values()) {
    for (const { name } of classic?.protocols ?? []) {
      supporters.set(name, (supporters.get(name) ?? 0) + 1)
    }
  }
  const isCommon = request.protocols.some(
    ({ name }) => (supporters.get(name) ?? 0) === group.classicMemberCount,
  )
  const [first] = request.protocols
  return isCommon && first !== undefined ? readSubscription(first.metadata) : undefined
}

function memberBefore(
  draft: Draft,
  request: JoinRequest,
  memberId: string,
  isNew: boolean,
): ConsumerMember | Refusal {
  const { group } = draft
  const instanceId = request.groupInstanceId
  if (instanceId === null) return group.members.get(memberId) ?? newMember(memberId)
  if (!isNew) return knownStaticMember(group, memberId, instanceId)
  const last = group.memberOfInstance(instanceId)
  return last === undefined ? newMember(memberId) : successor(draft, last, memberId, false)
}

function withJoin(
  before: ConsumerMember,
  request: JoinRequest,
  subscription: Subscription,
  requester: Requester,
): ConsumerMember {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request
  const { rackId } = subscription
  return {
    ...before,
    instanceId: request.groupInstanceId ?? before.instanceId,
    rackId: rackId === null || rackId === '' ? before.rackId : rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? sessionTimeoutMs : rebalanceTimeoutMs,
    topicNames: sortedNames(subscription.topics),
    topicPattern: null,
    clientId: requester.clientId,
    clientHost: requester.clientHost,
    classic: { sessionTimeoutMs, protocols: copiedProtocols(request.protocols) },
  }
}

function joined(member: ConsumerMember): JoinResponse {
  return {
    errorCode: kafkaError.NONE,
    generationId: member.epoch,
    protocolType: consumerProtocolType,
    protocolName: member.classic?.protocols[0]?.name ?? '',
    leader: '',
    memberId: member.memberId,
    members: [],
  }
}

function refused(refusal: Refusal, memberId: string): Change<JoinResponse> {
  return { answer: joinError(kafkaError[refusal.error], memberId) }
}

import { kafkaError } from '../../../protocol/index.ts'
import type { RequestOf, ResponseInput, shareGroupHeartbeatApi } from '../../../protocol/index.ts'
import { isRefusal, refuse } from '../../refusal.ts'
import type { Refusal } from '../../refusal.ts'
import { metadataHash } from '../consumer/metadata-hash.ts'
import type { Change, GroupPartition } from '../group-partition.ts'
import type { GroupTopics, Requester } from '../ports.ts'
import { addPartition, noPartitions, samePartitions, toList, unionOf } from '../topic-partitions.ts'
import type { TopicPartitions } from '../topic-partitions.ts'
import { assignShares } from './assign-shares.ts'
import {
  newShareMember,
  ShareGroup,
  shareAssignmentRecord,
  shareEpochRecord,
  shareMemberRecord,
  shareMemberTombstones,
} from './share-group.ts'
import type { ShareMember } from './share-group.ts'
import { sharePartitionsRecord } from './share-record.ts'
import type { ShareGroupRecord } from './share-record.ts'

export type ShareHeartbeat = RequestOf<typeof shareGroupHeartbeatApi>
export type ShareHeartbeatResponse = ResponseInput<typeof shareGroupHeartbeatApi>

const joinEpoch = 0
const leaveEpoch = -1

/** What is wrong with a heartbeat by itself, whatever the state of the group. */
export function problemWithShareHeartbeat(request: ShareHeartbeat): Refusal | undefined {
  const { memberId, groupId, rackId, memberEpoch, subscribedTopicNames } = request
  if (memberId.trim() === '') return invalid("MemberId can't be empty.")
  if (groupId.trim() === '') return invalid("GroupId can't be empty.")
  if (rackId !== null && rackId.trim() === '') return invalid("RackId can't be empty.")
  if (memberEpoch < leaveEpoch) return invalid('MemberEpoch is invalid.')
  if (memberEpoch === joinEpoch && (subscribedTopicNames ?? []).length === 0) {
    return invalid('SubscribedTopicNames must be set in first request.')
  }
  return undefined
}

function invalid(message: string): Refusal {
  return refuse('INVALID_REQUEST', message)
}

/** One heartbeat of a member of a share group: it joins, stays or leaves. */
export function heartbeatOfShareGroup(
  partition: GroupPartition,
  request: ShareHeartbeat,
  requester: Requester,
): Change<ShareHeartbeatResponse | Refusal> {
  const group = shareGroupFor(partition, request)
  if (isRefusal(group)) return { answer: group }
  const before = memberFor(partition, group, request)
  if (isRefusal(before)) return { answer: before }
  if (request.memberEpoch === leaveEpoch) return leave(partition, group, request)
  const described = withRequest(before, request, requester)
  const members = [...group.members.values()].filter(({ memberId }) => memberId !== before.memberId)
  const records: ShareGroupRecord[] = []
  const isNew = !group.members.has(before.memberId)
  if (isNew || !sameDescription(before, described)) {
    records.push(shareMemberRecord(group.groupId, described))
  }
  const resubscribed = isNew || before.topicNames.join() !== described.topicNames.join()
  const next = retarget(partition, group, [...members, described], resubscribed, records)
  const moved = movedTo(described, next, records, group.groupId)
  const tell =
    request.memberEpoch === joinEpoch ||
    request.subscribedTopicNames !== null ||
    !samePartitions(before.assigned, moved.assigned)
  const { topicsVersion } = partition
  const checkedVersion = topicsVersion.current
  return {
    records,
    after: () => {
      const current = partition.state.group(group.groupId)
      if (current?.type === 'share') current.checkedTopicsVersion = checkedVersion
      awaitShareHeartbeat(partition, group.groupId, moved.memberId)
    },
    answer: {
      throttleTimeMs: 0,
      errorCode: kafkaError.NONE,
      memberId: moved.memberId,
      memberEpoch: moved.epoch,
      heartbeatIntervalMs: partition.ports.shareTiming(group.groupId).heartbeatIntervalMs,
      assignment: tell ? { topicPartitions: toList(moved.assigned) } : null,
    },
  }
}

function shareGroupFor(
  partition: GroupPartition,
  { groupId, memberEpoch }: ShareHeartbeat,
): ShareGroup | Refusal {
  const known = partition.state.group(groupId)
  if (known?.type === 'share') return known
  if (known !== undefined) {
    return refuse('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a share group.`)
  }
  if (memberEpoch === joinEpoch) return new ShareGroup(groupId)
  return refuse('GROUP_ID_NOT_FOUND', `Share group ${groupId} not found.`)
}

/** The member as it is; a new one as it would be if it had said nothing yet. */
function memberFor(
  { ports }: GroupPartition,
  { groupId, members }: ShareGroup,
  { memberId, memberEpoch }: ShareHeartbeat,
): ShareMember | Refusal {
  const known = members.get(memberId)
  if (known !== undefined) {
    return memberEpoch === leaveEpoch ? known : (problemWithEpoch(known, memberEpoch) ?? known)
  }
  if (memberEpoch !== joinEpoch) {
    return refuse('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${groupId}.`)
  }
  const { shareMembersMax } = ports.config()
  if (members.size < shareMembersMax) return newShareMember(memberId)
  return refuse(
    'GROUP_MAX_SIZE_REACHED',
    `The share group has reached its maximum capacity of ${shareMembersMax} members.`,
  )
}

/** A member that is an epoch behind has missed an answer of ours. */
function problemWithEpoch(member: ShareMember, memberEpoch: number): Refusal | undefined {
  if (memberEpoch === member.epoch || memberEpoch === member.previousEpoch) return undefined
  const relation = memberEpoch > member.epoch ? 'greater' : 'smaller'
  return refuse(
    'FENCED_MEMBER_EPOCH',
    `The share group member has a ${relation} member epoch (${memberEpoch}) than the one known by the group coordinator (${member.epoch}). The member must abandon all its partitions and rejoin.`,
  )
}

/** What a heartbeat leaves out is as it was. */
function withRequest(
  before: ShareMember,
  { rackId, subscribedTopicNames }: ShareHeartbeat,
  { clientId, clientHost }: Requester,
): ShareMember {
  return {
    ...before,
    rackId: rackId ?? before.rackId,
    clientId,
    clientHost,
    topicNames:
      subscribedTopicNames === null ? before.topicNames : [...new Set(subscribedTopicNames)].sort(),
  }
}

function sameDescription(a: ShareMember, b: ShareMember): boolean {
  return (
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.topicNames.join() === b.topicNames.join()
  )
}

interface Retargeted {
  readonly epoch: number
  readonly target: (memberId: string) => TopicPartitions
}

/** The target with these members: a new one when they, what they read or the topics have changed. */
function retarget(
  partition: GroupPartition,
  group: ShareGroup,
  members: readonly ShareMember[],
  mustAdvance: boolean,
  records: ShareGroupRecord[],
): Retargeted {
  const { topics } = partition.ports
  const asBefore = { epoch: group.targetEpoch, target: (id: string) => group.target(id) }
  const isDue = mustAdvance || group.targetEpoch < group.epoch
  if (!isDue && group.checkedTopicsVersion === partition.topicsVersion.current) return asBefore
  const subscribed = group.subscribedTopics(members)
  const hash = metadataHash(topics, subscribed)
  if (!isDue && hash === group.metadataHash) return asBefore
  const { groupId } = group
  const epoch = group.epoch + 1
  records.push(shareEpochRecord(groupId, epoch, hash))
  const assignment = assignShares(
    [...members]
      .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
      .map(({ memberId, topicNames }) => ({
        memberId,
        topicIds: new Set(topicNames.flatMap((name) => topics.topic(name)?.id ?? [])),
        assigned: group.target(memberId),
      })),
    (topicId) => topics.topicById(topicId)?.partitionCount ?? 0,
  )
  for (const [member, assigned] of assignment) {
    if (group.members.has(member) && samePartitions(assigned, group.target(member))) continue
    const value = { topicPartitions: toList(assigned) }
    records.push({ kind: 'share-target-member', group: groupId, member, value })
  }
  records.push({ kind: 'share-target-epoch', group: groupId, value: { assignmentEpoch: epoch } })
  noteBegun(topics, group, subscribed, records)
  return { epoch, target: (id) => assignment.get(id) ?? noPartitions }
}

/** The group has, or may have, state of all partitions that it subscribes to. */
function noteBegun(
  topics: GroupTopics,
  group: ShareGroup,
  subscribed: ReadonlySet<string>,
  records: ShareGroupRecord[],
): void {
  const wanted = new Map<string, Set<number>>()
  for (const name of subscribed) {
    const topic = topics.topic(name)
    for (let index = 0; index < (topic?.partitionCount ?? 0); index++) {
      addPartition(wanted, topic?.id ?? '', index)
    }
  }
  const all = unionOf(group.partitions, wanted)
  if (samePartitions(all, group.partitions)) return
  const nameOf = (topicId: string) => topics.topicById(topicId)?.name ?? ''
  records.push(sharePartitionsRecord(group.groupId, all, nameOf))
}

/** The member in the target's epoch, with what it is to have: nobody has to give anything up first. */
function movedTo(
  member: ShareMember,
  { epoch, target }: Retargeted,
  records: ShareGroupRecord[],
  groupId: string,
): ShareMember {
  const assigned = target(member.memberId)
  if (member.epoch === epoch && samePartitions(assigned, member.assigned)) return member
  const moved = { ...member, epoch, previousEpoch: member.epoch, assigned }
  records.push(shareAssignmentRecord(groupId, moved))
  return moved
}

/**
 * A member that leaves keeps its sessions until it has ended them, or its connections end: it may be saying
 * to other nodes, at the same moment, what it has done.
 */
function leave(
  partition: GroupPartition,
  group: ShareGroup,
  { memberId, memberEpoch }: ShareHeartbeat,
): Change<ShareHeartbeatResponse> {
  return {
    ...withoutMember(partition, group, memberId),
    answer: {
      throttleTimeMs: 0,
      errorCode: kafkaError.NONE,
      memberId,
      memberEpoch,
      heartbeatIntervalMs: 0,
    },
  }
}

/** Takes a member out: the group gets a new epoch. */
function withoutMember(
  partition: GroupPartition,
  group: ShareGroup,
  memberId: string,
): Pick<Change<unknown>, 'records' | 'after'> {
  const { groupId } = group
  const remaining = [...group.members.values()].filter((member) => member.memberId !== memberId)
  const hash = metadataHash(partition.ports.topics, group.subscribedTopics(remaining))
  return {
    records: [
      ...shareMemberTombstones(groupId, memberId),
      shareEpochRecord(groupId, group.epoch + 1, hash),
    ],
    after: () => partition.timers.cancelMember(groupId, memberId),
  }
}

/** The member must be heard of within its session timeout. */
export function awaitShareHeartbeat(
  partition: GroupPartition,
  groupId: string,
  memberId: string,
): void {
  const { sessionTimeoutMs } = partition.ports.shareTiming(groupId)
  partition.schedule(groupId, 'session', memberId, sessionTimeoutMs, () => {
    const group = partition.state.group(groupId)
    if (group?.type !== 'share' || !group.members.has(memberId)) return { answer: undefined }
    const change = withoutMember(partition, group, memberId)
    return {
      ...change,
      answer: undefined,
      after: () => {
        change.after?.()
        partition.ports.sharingMemberGone(groupId, memberId)
      },
    }
  })
}

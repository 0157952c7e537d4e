import type { GroupMemberOptions } from '../group-member-options.ts'
import { consumerProtocolType, writeSubscription } from '../consumer-protocol.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import type {
  joinGroupApi,
  leaveGroupApi,
  RequestInput,
  syncGroupApi,
} from '../../../../protocol/index.ts'
import type { MemberAssignment } from './leader.ts'

/** What a member was last given, and when. */
export interface LastAssignment {
  readonly partitions: readonly TopicPartition[]
  readonly generation: number
}

/** What JoinGroup says of a member. */
export function joinRequest(
  options: GroupMemberOptions,
  member: {
    readonly memberId: string
    readonly topics: readonly string[]
    readonly held: readonly TopicPartition[]
    readonly last: LastAssignment | undefined
    readonly reason: string
  },
): RequestInput<typeof joinGroupApi> {
  const { memberId, topics, held, last, reason } = member
  const generation = last?.generation ?? -1
  return {
    groupId: options.groupId,
    sessionTimeoutMs: options.sessionTimeoutMs,
    rebalanceTimeoutMs: options.rebalanceTimeoutMs,
    memberId,
    groupInstanceId: options.groupInstanceId ?? null,
    protocolType: consumerProtocolType,
    protocols: options.assignors.map((assignor) => {
      const context = { topics, lastAssignment: last?.partitions, lastGeneration: generation }
      const userData = assignor.userData?.(context) ?? null
      const { rack } = options
      const subscription = { topics, userData, owned: held, generation, rack }
      return { name: assignor.name, metadata: writeSubscription(subscription) }
    }),
    reason: reason.slice(0, reasonLengthMax),
  }
}

/** Brokers cut longer ones off, or refuse them. */
const reasonLengthMax = 255

/** Who speaks, in which generation. */
export interface ClassicIdentity {
  readonly memberId: string
  readonly generation: number
  readonly groupInstanceId: string | undefined
}

export function syncRequest(
  groupId: string,
  identity: ClassicIdentity,
  protocolName: string | null,
  assignments: readonly MemberAssignment[],
): RequestInput<typeof syncGroupApi> {
  return {
    groupId,
    generationId: identity.generation,
    memberId: identity.memberId,
    groupInstanceId: identity.groupInstanceId ?? null,
    protocolType: consumerProtocolType,
    protocolName,
    assignments: [...assignments],
  }
}

/** Before version 3 a member can only speak of itself. */
export function leaveRequest(
  groupId: string,
  { memberId, groupInstanceId }: ClassicIdentity,
  reason: string,
): (version: number) => RequestInput<typeof leaveGroupApi> {
  const members = [
    {
      memberId,
      groupInstanceId: groupInstanceId ?? null,
      reason: reason.slice(0, reasonLengthMax),
    },
  ]
  return (version) =>
    version >= 3 ? { groupId, memberId: '', members } : { groupId, memberId, members: [] }
}

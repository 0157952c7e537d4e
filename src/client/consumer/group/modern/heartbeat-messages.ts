import type { consumerGroupHeartbeatApi, RequestInput } from '../../../../protocol/index.ts'
import { sortedByTopic } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'
import type { Subscription } from '../../group-member.ts'
import type { GroupMemberOptions } from '../group-member-options.ts'

export type HeartbeatRequest = RequestInput<typeof consumerGroupHeartbeatApi>

/** The partitions of a topic that the coordinator names by its id. */
export interface TopicIdPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

/** What a heartbeat says besides that the member is alive; what is left out has not changed. */
export interface HeartbeatContent {
  readonly subscription?: Subscription
  /** Whether the coordinator may still have a pattern, which has to be taken back. */
  readonly hadPattern?: boolean
  readonly owned?: readonly TopicIdPartitions[]
  /** The rest of what a member says of itself when it joins. */
  readonly isComplete: boolean
}

/** Epochs that say that a member leaves, or stays away for a while (KIP-848). */
export const leaveEpoch = -1
export const stayAwayEpoch = -2

export function heartbeatRequest(
  options: GroupMemberOptions,
  { memberId, memberEpoch }: { readonly memberId: string; readonly memberEpoch: number },
  { subscription, hadPattern, owned, isComplete }: HeartbeatContent,
): HeartbeatRequest {
  const isPattern = subscription?.kind === 'pattern'
  const noPattern = hadPattern === true && subscription !== undefined ? '' : null
  return {
    groupId: options.groupId,
    memberId,
    memberEpoch,
    instanceId: options.groupInstanceId ?? null,
    rackId: isComplete ? (options.rack ?? null) : null,
    rebalanceTimeoutMs: isComplete ? options.rebalanceTimeoutMs : -1,
    subscribedTopicNames: namesOf(subscription),
    subscribedTopicRegex: isPattern ? subscription.pattern : noPattern,
    serverAssignor: isComplete ? (options.remoteAssignor ?? null) : null,
    topicPartitions:
      owned === undefined
        ? null
        : owned.map(({ topicId, partitions }) => ({ topicId, partitions: [...partitions] })),
  }
}

/** With a pattern there are no names: an empty list takes back those that were there. */
function namesOf(subscription: Subscription | undefined): string[] | null {
  if (subscription === undefined) return null
  return subscription.kind === 'topics' ? [...new Set(subscription.topics)] : []
}

/** Partitions by name as partitions by id. */
export function withIds(
  partitions: readonly TopicPartition[],
  ids: ReadonlyMap<string, string>,
): TopicIdPartitions[] {
  return sortedByTopic(partitions).flatMap(({ topic, partitions: numbers }) => {
    const topicId = ids.get(topic)
    return topicId === undefined ? [] : [{ topicId, partitions: numbers }]
  })
}

/** What groups with epochs have in common: those of consumers (KIP-848), and those that share records. */
import { kafkaError } from '../../../protocol/index.ts'
import { authorizedOperations } from '../access.ts'
import type { Access } from '../access.ts'
import { undescribedGroup } from '../../group/index.ts'
import type { UndescribedGroup } from '../../group/index.ts'
import { refuse } from '../../refusal.ts'

const hasUnknownTopics = refuse(
  'TOPIC_AUTHORIZATION_FAILED',
  'the group has partitions of topics that may not be described',
)

/** The groups; of those that have partitions of a topic that may not be known, only that this is so. */
export function withoutUnknownTopics<Group extends { readonly groupId: string }>(
  groups: readonly Group[],
  topicsOf: (group: Group) => readonly string[],
  mayKnow: (topic: string) => boolean,
): (Group | UndescribedGroup)[] {
  return groups.map((group) =>
    topicsOf(group).every(mayKnow) ? group : undescribedGroup(group.groupId, hasUnknownTopics),
  )
}

/** Tells what a client may do with each group that was described, if it asks. */
export function groupBits<
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

/** The answer to a heartbeat of a member that may not be one. */
export function refusedHeartbeat(errorCode: number, errorMessage: string | null) {
  return { throttleTimeMs: 0, errorCode, errorMessage, memberEpoch: 0, heartbeatIntervalMs: 0 }
}

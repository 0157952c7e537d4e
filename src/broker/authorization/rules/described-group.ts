/** What groups with epochs have in common: those of consumers (KIP-848), and those that share records. */
import { kafkaError } from '../../../protocol/index.ts'
import { authorizedOperations } from '../access.ts'
import type { Access } from '../access.ts'
import { unauthorizedCode } from '../gate.ts'
import { describeTopic } from './rights.ts'

interface RefusedGroup {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly groupId: string
  readonly groupState: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly assignorName: string
  readonly members: []
}

/** A group of which nothing is told. */
export function refusedGroup(
  groupId: string,
  errorCode: number,
  errorMessage: string | null,
): RefusedGroup {
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

/** The groups; of those that have partitions of a topic that may not be known, only that this is so. */
export function withoutUnknownTopics<Group extends { readonly groupId: string }>(
  groups: readonly Group[],
  topicsOf: (group: Group) => readonly string[],
  mayKnow: (topic: string) => boolean,
): (Group | RefusedGroup)[] {
  return groups.map((group) =>
    topicsOf(group).every(mayKnow)
      ? group
      : refusedGroup(
          group.groupId,
          unauthorizedCode(describeTopic),
          'the group has partitions of topics that may not be described',
        ),
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

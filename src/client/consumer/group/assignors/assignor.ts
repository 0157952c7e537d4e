import { compareText } from '../../../topic-partition.ts'
import type { TopicPartition } from '../../../topic-partition.ts'

/** A member of a group as its leader sees it. */
export interface AssignorMember {
  readonly memberId: string
  readonly groupInstanceId: string | undefined
  readonly topics: readonly string[]
  /** What it says it holds; empty where it has given everything up before it joined. */
  readonly owned: readonly TopicPartition[]
  /** The generation in which it was given `owned`; -1 where it does not tell. */
  readonly generation: number
  readonly rack: string | undefined
  /** What the assignor of the member has written; null for nothing. */
  readonly userData: Buffer | null
}

/** Topics that exist and are wanted by some member, with their numbers of partitions. */
export type PartitionCounts = ReadonlyMap<string, number>

/** The partitions of each member. */
export type Assignments = ReadonlyMap<string, readonly TopicPartition[]>

/** What an assignor may tell the next leader through the member's subscription. */
export interface UserDataContext {
  readonly topics: readonly string[]
  /** What the member was last assigned; undefined before the first time, and after all was lost. */
  readonly lastAssignment: readonly TopicPartition[] | undefined
  /** The generation of `lastAssignment`, -1 without one. */
  readonly lastGeneration: number
}

/**
 * Shares partitions out among the members of a group of the classic protocol; the leader of each
 * generation runs it. It keeps nothing between calls, and the same arguments give the same answer.
 */
export interface Assignor {
  /** All members must know it by this name. */
  readonly name: string
  /**
   * Whether members keep what they hold while the group rebalances (KIP-429). Then a partition that a member
   * still holds must not be given to another in the same answer.
   */
  readonly isCooperative: boolean
  /** @defaultValue null */
  userData?(context: UserDataContext): Buffer | null
  /**
   * Answers the partitions of every member. Members come in the order of their ids. A topic that is
   * not in `counts` does not exist (yet).
   */
  assign(members: readonly AssignorMember[], counts: PartitionCounts): Assignments
}

/** The order in which Java's assignors hand out: static members first, by their instance ids. */
export function compareMembers(one: AssignorMember, other: AssignorMember): number {
  if (one.groupInstanceId !== undefined && other.groupInstanceId !== undefined) {
    return compareText(one.groupInstanceId, other.groupInstanceId)
  }
  if (one.groupInstanceId !== undefined) return -1
  if (other.groupInstanceId !== undefined) return 1
  return compareText(one.memberId, other.memberId)
}

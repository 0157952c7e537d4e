import type { Assignor } from './assignors/assignor.ts'
import { cooperativeStickyAssignor } from './assignors/sticky.ts'

/** Which of Kafka's two protocols for groups is spoken; `'auto'` takes the new one where the broker has it. */
export type GroupProtocol = 'auto' | 'classic' | 'consumer'

/** How a member of a group behaves, with every default in place. */
export interface GroupMemberOptions {
  readonly groupId: string
  /** The name of a static member, which keeps its partitions over a restart. */
  readonly groupInstanceId: string | undefined
  readonly groupProtocol: GroupProtocol
  /** Who shares partitions out in the classic protocol: what all members know, the preferred one first. */
  readonly assignors: readonly Assignor[]
  /** Without a sign of life for so long a member has lost what it holds. In the consumer protocol the broker decides. */
  readonly sessionTimeoutMs: number
  /** In the consumer protocol the broker tells. */
  readonly heartbeatIntervalMs: number
  /** Which of these two somebody has asked for, who is to hear that brokers decide. */
  readonly classicTimesGiven: readonly ('sessionTimeoutMs' | 'heartbeatIntervalMs')[]
  /** How long the group waits for a member that has to give partitions up. */
  readonly rebalanceTimeoutMs: number
  /** A member whose application asks for nothing for so long leaves. */
  readonly processingTimeoutMs: number
  /** How often topics are looked for that a pattern matches. In the consumer protocol the broker does it. */
  readonly patternRefreshMs: number
  readonly rack: string | undefined
  /** Who shares partitions out at the broker, in the consumer protocol; undefined for the broker's own choice. */
  readonly remoteAssignor: string | undefined
}

/** What applies where nothing is said. */
export const groupMemberDefaults = {
  groupInstanceId: undefined,
  groupProtocol: 'auto',
  assignors: [cooperativeStickyAssignor],
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 3_000,
  classicTimesGiven: [],
  rebalanceTimeoutMs: 60_000,
  processingTimeoutMs: 300_000,
  patternRefreshMs: 30_000,
  rack: undefined,
  remoteAssignor: undefined,
} as const satisfies Omit<GroupMemberOptions, 'groupId'>

/**
 * How long a member may take to let go of partitions: the rebalance timeout, less what it takes to hear
 * of the rebalance (`noticeMs`) and to have the last commit answered, but half of it at least.
 */
export function revocationMs(
  rebalanceTimeoutMs: number,
  noticeMs: number,
  requestTimeoutMs: number,
): number {
  return Math.max(rebalanceTimeoutMs / 2, rebalanceTimeoutMs - noticeMs - requestTimeoutMs)
}

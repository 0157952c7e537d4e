import type { TopicPartition } from '../topic-partition.ts'

/** A position in a partition, as groups keep it. */
export interface CommittedOffset extends TopicPartition {
  /** The offset of the next record to be read. */
  readonly offset: number
  /** The leader epoch of the record before it; -1 where it is not known. */
  readonly leaderEpoch: number
  readonly metadata: string
}

/** An offset that is to be committed. */
export interface OffsetToCommit extends CommittedOffset {
  /** Only who holds this partition may commit it. @defaultValue the partition of the offset */
  readonly heldBy?: TopicPartition
}

/** Whether the member has held its partitions without a loss since it answered its metadata. */
export const isStillHeld = Symbol('still held')

/** What fences offsets that a transaction commits for a group (KIP-447). */
export interface GroupMetadata {
  readonly groupId: string
  /** The generation, or the member epoch in the consumer protocol; -1 outside a group. */
  readonly generation: number
  readonly memberId: string
  readonly groupInstanceId: string | undefined
  /**
   * Of our own members: a member that lost its partitions and comes back may find itself in the same generation, which the
   * broker cannot tell apart.
   */
  readonly [isStillHeld]?: () => boolean
}

/** What topics a member wants: names, or a pattern (RE2, as Kafka has them). */
export type Subscription =
  | { readonly kind: 'topics'; readonly topics: readonly string[] }
  | { readonly kind: 'pattern'; readonly pattern: string }

/** What a member tells the consumer that it works for. Calls never overlap. */
export interface GroupMemberHandler {
  /** These partitions are ours from now on, besides those that we have. */
  assigned(partitions: readonly TopicPartition[]): Promise<void>
  /**
   * These partitions go to another member once the promise has resolved, or at the deadline (the clock's
   * `elapsedMs`); until then offsets can be committed. Heartbeats go on meanwhile.
   */
  revoked(partitions: readonly TopicPartition[], deadlineMs: number): Promise<void>
  /** These partitions may be another member's already: nothing of them can be committed. */
  lost(partitions: readonly TopicPartition[]): Promise<void>
  /** Membership has ended for good: fenced, not authorized, or refused. */
  failed(error: Error): void
}

/**
 * Membership in a group, in the classic or the consumer protocol (KIP-848). It joins, keeps the
 * heartbeats going whatever its user does, and holds the offsets of what is assigned to it.
 */
export interface GroupMember {
  readonly groupId: string
  /**
   * What `sendOffsets` of a transaction needs. Throws while the member has not joined, and while the application has not been
   * told of everything that it has lost.
   */
  groupMetadata(): GroupMetadata
  readonly assignment: readonly TopicPartition[]
  /** Replaces the subscription; the first one joins. */
  subscribe(subscription: Subscription): void
  /**
   * Commits. Refuses partitions that are not assigned (MILLRACE_CLIENT_NOT_OWNED) without asking the broker;
   * waits through rebalances in progress and coordinator moves, and takes a newer member epoch for
   * partitions held without a break.
   */
  commit(offsets: readonly OffsetToCommit[], signal?: AbortSignal): Promise<void>
  /** Committed offsets; partitions without one are missing. Waits for pending transactions (stable reads). */
  committed(
    partitions: readonly TopicPartition[],
    signal?: AbortSignal,
  ): Promise<readonly CommittedOffset[]>
  /** The application asked for records: it is alive (`processingTimeoutMs`). */
  polled(): void
  /**
   * Gives up what is assigned (`revoked` is called) and leaves; static members stay unless `leave`. At the deadline
   * (the clock's `elapsedMs`) it resolves, whatever is left to do.
   */
  close(options: { readonly deadlineMs: number; readonly leave: boolean }): Promise<void>
}

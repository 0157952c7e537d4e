import type { OffsetToCommit, ProducerRecord } from '../../client/index.ts'

/** What is committed of a partition. */
export interface PartitionCommit extends OffsetToCommit {
  /** What is written together with it, or not at all: only under exactly-once there is something. */
  readonly outputs?: readonly ProducerRecord[]
}

export interface CommitCall {
  /** Whether offsets may lie below what was committed before: after a seek. */
  readonly allowBackwards?: boolean
  readonly signal?: AbortSignal
}

/**
 * How what has ended is made durable. Calls never overlap. It resolves when the broker has acknowledged all of it, and
 * rejects when some of it may not be committed.
 */
export interface CommitStrategy {
  commit(commits: readonly PartitionCommit[], call: CommitCall): Promise<unknown>
  /**
   * Resolves when it is known what became of all that was given to `commit` before, also of what nobody waits for any more.
   * Where this is not given, a late commit can only make records run again.
   */
  settled?(): Promise<void>
  /** Nothing more is committed. What is on its way is left alone when the time is over. */
  close?(options: { readonly timeoutMs: number }): Promise<void>
}

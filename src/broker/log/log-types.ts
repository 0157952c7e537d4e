import type { Clock } from '../../platform/index.ts'
import type { GroupCommit } from './group-commit.ts'
import type { LogConfig } from './log-config.ts'
import type { LogState } from './log-state.ts'
import type { Segment } from './segment.ts'
import type { ReadBuffers } from './segment-bytes.ts'
import type { LogStorage } from './storage.ts'
import type { AbortedTransaction } from './transactions.ts'

/** Which records a reader may see: all durable ones, or only those of decided transactions. */
export type Isolation = 'committed' | 'uncommitted'

export interface AppendOptions {
  /** The epoch of the leader that appends. @defaultValue the latest epoch in the log */
  readonly leaderEpoch?: number
  /**
   * Whether a transactional producer that the log does not know must start with sequence 0, as those
   * of transactions v2 do in every transaction.
   * @defaultValue false
   */
  readonly startsAtSequenceZero?: boolean
  /**
   * How many bytes of the buffer that the batch lies in are kept as long as the batch will be: in
   * memory the buffer itself is kept then, and nothing copied.
   * @defaultValue the batch alone
   */
  readonly keptTogetherBytes?: number
}

/** A batch that is in the log, now or since an earlier attempt. */
export interface Appended {
  readonly baseOffset: number
  readonly lastOffset: number
  /** The time that the log gave to the records, -1 when they have their own. */
  readonly logAppendTime: number
  readonly logStartOffset: number
  /** Resolves when a power failure cannot take it back. Absent: it is as durable as it will be. */
  readonly durable: Promise<void> | undefined
}

export interface ReadOptions {
  readonly offset: number
  readonly isolation: Isolation
  readonly bytesMax: number
  /** Whether the first batch is wanted even if it is bigger than `bytesMax`. */
  readonly atLeastOneBatch: boolean
  /**
   * What is read from a disk is read into these, and the reader may give them back.
   * @defaultValue new buffers
   */
  readonly buffers?: ReadBuffers | undefined
}

export interface LogRead {
  /** Whole batches, one after the other. They belong to the log: nobody may write to them. */
  readonly chunks: readonly Buffer[]
  readonly bytes: number
  /** The offset after the last record. */
  readonly nextOffset: number
  /** By first offset; null for readers of uncommitted data. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null
}

/** What ends a transaction in this partition. */
export interface MarkerOptions {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly commit: boolean
  /** From 2 on the epoch is above the one of the transaction (KIP-890). */
  readonly transactionVersion: number
  /** @defaultValue the latest epoch in the log */
  readonly leaderEpoch?: number
}

/** A producer that the log remembers. */
export interface ActiveProducer {
  readonly producerId: number
  readonly producerEpoch: number
  /** -1 before its first record in this epoch. */
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** -1 when no transaction is open. */
  readonly currentTxnStartOffset: number
  readonly transactionOpen: boolean
}

/** A log as it was found, or an empty one. */
export interface RecoveredLog {
  readonly segments: readonly Segment[]
  readonly state: LogState
  readonly logStartOffset: number
  readonly compactedOffset: number
  /** What lies above was found, but is not known to be synced. */
  readonly durableOffset: number
}

export interface PartitionLogOptions {
  readonly topic: string
  readonly partition: number
  /** Asked on every use, so that changes count at once. */
  readonly config: () => LogConfig
  readonly clock: Pick<Clock, 'now' | 'defer'>
  readonly storage: LogStorage
  readonly groupCommit: GroupCommit
  readonly recovered: RecoveredLog
  /** Told when the log refuses writes from now on, because what it wrote may be lost. */
  readonly failed?: (error: unknown) => void
  /** Told when it was closed or deleted. */
  readonly ended?: () => void
}

import type { Clock } from '../platform/index.ts'
import type { BlockWatch } from './block-watch.ts'
import type { Commits } from './commit/commits.ts'
import type { StagedBytes } from './commit/partition-outputs.ts'
import type { Delivery } from './delivery.ts'
import type { Failures } from './failure/failures.ts'
import type { OutageGuard } from './failure/outage-guard.ts'
import type { Alone } from './lanes/alone.ts'
import type { RecordOrder } from './lanes/record-order.ts'
import type { Turns } from './lanes/turns.ts'
import type { LatestTime } from './latest-time.ts'
import type { Ending, Way } from './outcome.ts'
import type { PartitionRun } from './partition-run.ts'
import type { Running } from './running.ts'

/** What the partitions of a consumer share. */
export interface PartitionWorld {
  readonly order: RecordOrder
  readonly way: Way
  readonly turns: Turns
  readonly alone: Alone
  readonly running: Running
  readonly blockWatch: BlockWatch
  readonly failures: Failures
  readonly guard: OutageGuard
  readonly clock: Clock
  readonly time: LatestTime
  readonly commits: Commits
  /** Where what is written goes with the commits. */
  readonly staged: StagedBytes | undefined
  /** The most records of a partition that wait in lanes, and the most bytes of them. */
  readonly waitingMax: number
  readonly waitingBytesMax: number
  /** The partition has no room for more, or has again. */
  readonly full: (run: PartitionRun, isFull: boolean) => void
  readonly ended: (delivery: Delivery, ending: Ending) => void
  /** A handler came to its end after its partition was given up: what it did counts for nothing. */
  readonly late: (delivery: Delivery) => void
  /** Nothing more of the partition starts until its oldest open record ends, or fewer records fail. */
  readonly blocked: (run: PartitionRun) => void
  readonly stopped: (run: PartitionRun, reason: string, error: unknown) => void
}

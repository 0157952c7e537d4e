import type { Cluster } from '../cluster/cluster.ts'
import type { OwnConnections } from '../cluster/own-connections.ts'
import type { ResolvedFetchOptions } from './consumer-options.ts'
import type { PartitionError } from './partition-error.ts'
import type { PartitionState } from './partition-state.ts'

/** What the parts of the fetcher share. */
export interface FetchWorld {
  readonly cluster: Cluster
  readonly options: ResolvedFetchOptions
  /** For long polls: another consumer of the client would wait behind them. */
  readonly connections: OwnConnections
  /** Something has changed for a partition or a broker: look soon what is to be done. */
  wake(): void
  /** There is something to hand out of the partition. */
  arrived(state: PartitionState): void
  /** Nothing can be read from where the partition is; its user has to know. */
  failed(state: PartitionState, error: PartitionError): void
  /** Something went wrong that no retry helps, a refused login perhaps: the next poll throws it. */
  report(error: Error): void
  /** Something went wrong that passes: the partition is left alone for a while, longer each time. */
  retryLater(state: PartitionState): void
  /** What partitions that are paused have buffered is in the way of those that are not. */
  dropPaused(): void
}

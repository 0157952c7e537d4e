export { batchesOf, fetchedBatches } from './fetched-batches.ts'
export { ShareCoordinator } from './share-coordinator.ts'
export type { SharedLog, SharePorts } from './share-coordinator.ts'
export type { SharePartition, Turn } from './share-partition.ts'
export { sessionEpoch, ShareSessions } from './share-sessions.ts'
export type { SharedTarget, ShareSession } from './share-sessions.ts'
export {
  acknowledge,
  acquire,
  archiveAcquired,
  hasRoom,
  nextOffset,
  startAt,
} from './share-state.ts'
export type { Acknowledgement, AcquiredRange } from './share-state.ts'
export type { SharePartitionKey } from './stored-state.ts'

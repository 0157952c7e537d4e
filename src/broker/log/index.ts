export type { AppendRefusal, RecordError } from './admission.ts'
export { coordinatorLog } from './coordinator-log.ts'
export type { CoordinatedPartition } from './coordinator-log.ts'
export type { EpochEnd, LeaderEpoch } from './leader-epochs.ts'
export { defaultLogConfig } from './log-config.ts'
export type { LogConfig } from './log-config.ts'
export { openLogFolder } from './log-folder.ts'
export type { LogFailure, LogFolder, LogFolderOptions, LogIdentity } from './log-folder.ts'
export type { Truncation } from './log-recovery.ts'
export type {
  ActiveProducer,
  AppendOptions,
  Appended,
  Isolation,
  LogRead,
  MarkerOptions,
  ReadOptions,
} from './log-types.ts'
export { isKeptByItself } from './memory-bytes.ts'
export { PartitionLog } from './partition-log.ts'
export type { OffsetAtTimestamp } from './timestamp-search.ts'
export type { AbortedTransaction } from './transactions.ts'

export { checkHistory, assertHistory } from './check.ts'
export type { CheckOptions } from './check.ts'
export { recordHistory, recordHistoryLines } from './record.ts'
export type {
  HistoryRecorder,
  InstantKind,
  RecordLinesOptions,
  RecordOptions,
  RunningOperation,
  RunningOperations,
  RunningTransaction,
  TransactionalSend,
} from './record.ts'
export { historyLines, readHistory } from './json-lines.ts'
export { mergeHistories } from './merge.ts'
export { HistoryViolationError, formatReport } from './report.ts'
export type { HistoryFigures, HistoryReport, RealtimeLag } from './report.ts'
export { anomalies } from './anomaly.ts'
export type { Anomaly, Invariant } from './anomaly.ts'
export type { Finding } from './findings.ts'
export type { Story } from './narrator.ts'
export type {
  BeginEvent,
  EndEvent,
  EndedAs,
  History,
  HistoryEvent,
  OperationKind,
  OperationKinds,
  OperationStart,
  Outcome,
  PolledPartition,
  PolledRecord,
  StepEvent,
  TopicPartition,
  TopicPartitionOffset,
  Value,
} from './operation.ts'

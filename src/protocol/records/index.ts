export { crc32c, crc32cUpdate } from './crc32c.ts'
export { RecordBatch, recordBatchBytesAt } from './record-batch.ts'
export type { TimestampType } from './record-batch.ts'
export { RecordBatches } from './record-batches.ts'
export type { RecordReader } from './record-reader.ts'
export type { Record, RecordHeader } from './record.ts'
export { RecordBatchBuilder } from './record-batch-builder.ts'
export type { RecordBatchOptions, RecordInput } from './record-batch-builder.ts'
export {
  contentBytes,
  fieldBytes,
  makeRecord,
  putContent,
  recordOfContent,
} from './record-content.ts'
export type {
  FieldInput,
  RecordContent,
  RecordHeaderInput,
  RecordOrigin,
} from './record-content.ts'
export { buildControlBatch, readControlRecord } from './control-record.ts'
export type { ControlBatchInput, ControlRecord, TransactionOutcome } from './control-record.ts'
export { checkProducedBatch, findRecordDefects } from './produced-batch.ts'
export type {
  BatchDefect,
  BatchRule,
  ProducedBatch,
  RecordDefect,
  RecordRules,
} from './produced-batch.ts'
export { emptyBatch, retainRecords } from './retained-records.ts'
export type { RetainOptions } from './retained-records.ts'

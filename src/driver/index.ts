export type {
  CompressionFrom,
  Driver,
  DriverAdmin,
  DriverFeatures,
  LogReader,
  Promised,
  RecordSink,
  RecordSource,
  SourceBatch,
  SourceHeader,
  SourceOptions,
  SinkTransaction,
  SourceRecord,
  TransactionalSink,
} from './driver.ts'
export { createKafkaJsDriver } from './kafkajs.ts'
export type { KafkaJsDriverOptions } from './kafkajs.ts'
export type { KafkaJs } from './kafkajs/kafkajs-api.ts'
export { createNativeDriver } from './native.ts'
export { RenewedSink } from './renewed-sink.ts'
export type { NativeDriver } from './native.ts'

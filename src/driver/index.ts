export type {
  Driver,
  DriverFeatures,
  RecordSink,
  RecordSource,
  SourceBatch,
  SourceHeader,
  SourceOptions,
  SourceRecord,
} from './driver.ts'
export { createNativeDriver } from './native.ts'

/** The properties of a topic that its logs obey. Times in milliseconds, sizes in bytes. */
export interface LogConfig {
  /** `segment.bytes` */
  readonly segmentBytes: number
  /** `segment.ms` */
  readonly segmentMs: number
  /** `retention.ms`, -1 for no limit. */
  readonly retentionMs: number
  /** `retention.bytes`, -1 for no limit. */
  readonly retentionBytes: number
  /** Whether `cleanup.policy` names `compact`. */
  readonly compacted: boolean
  /** Whether `cleanup.policy` names `delete`. */
  readonly deleted: boolean
  /** `max.message.bytes`: of a batch as it is stored. */
  readonly maxMessageBytes: number
  /** `message.timestamp.type` */
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  /** `message.timestamp.before.max.ms` */
  readonly timestampBeforeMaxMs: number
  /** `message.timestamp.after.max.ms` */
  readonly timestampAfterMaxMs: number
  /** `compression.type` */
  readonly compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** `min.compaction.lag.ms` */
  readonly minCompactionLagMs: number
  /** `max.compaction.lag.ms` */
  readonly maxCompactionLagMs: number
  /** `min.cleanable.dirty.ratio` */
  readonly minCleanableDirtyRatio: number
  /** `delete.retention.ms` */
  readonly deleteRetentionMs: number
  /** `producer.id.expiration.ms`, a property of the broker. */
  readonly producerIdExpirationMs: number
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Kafka's defaults. */
export const defaultLogConfig: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 7 * dayMs,
  retentionMs: 7 * dayMs,
  retentionBytes: -1,
  compacted: false,
  deleted: true,
  maxMessageBytes: 1_048_588,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: hourMs,
  compressionType: 'producer',
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  minCleanableDirtyRatio: 0.5,
  deleteRetentionMs: dayMs,
  producerIdExpirationMs: dayMs,
}

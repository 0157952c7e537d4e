import { double, flag, int, list, long, text } from './property.ts'

/**
 * The properties of a topic, as Apache Kafka 4.1 has them, by name. What is `obeyed` changes what the
 * broker does; the rest is accepted, kept and described, as nothing here could obey it.
 */
export const topicProperties = {
  'cleanup.policy': list('delete', { oneOf: ['compact', 'delete'], obeyed: true }),
  'compression.gzip.level': int('-1', { min: 1, max: 9, also: -1 }),
  'compression.lz4.level': int('9', { min: 1, max: 17 }),
  'compression.type': text('producer', {
    oneOf: ['gzip', 'lz4', 'producer', 'snappy', 'uncompressed', 'zstd'],
    obeyed: true,
  }),
  'compression.zstd.level': int('3', { min: -131_072, max: 22 }),
  'delete.retention.ms': long('86400000', { min: 0, obeyed: true }),
  'file.delete.delay.ms': long('60000', { min: 0 }),
  'flush.messages': long('9223372036854775807', { min: 1 }),
  'flush.ms': long('9223372036854775807', { min: 0 }),
  'follower.replication.throttled.replicas': list('', { format: 'replicas' }),
  'index.interval.bytes': int('4096', { min: 0 }),
  'internal.segment.bytes': int(null, { internal: true, obeyed: true }),
  'leader.replication.throttled.replicas': list('', { format: 'replicas' }),
  'local.retention.bytes': long('-2', { min: -2 }),
  'local.retention.ms': long('-2', { min: -2 }),
  'max.compaction.lag.ms': long('9223372036854775807', { min: 1, obeyed: true }),
  'max.message.bytes': int('1048588', { min: 0, obeyed: true }),
  'message.timestamp.after.max.ms': long('3600000', { min: 0, obeyed: true }),
  'message.timestamp.before.max.ms': long('9223372036854775807', { min: 0, obeyed: true }),
  'message.timestamp.type': text('CreateTime', {
    oneOf: ['CreateTime', 'LogAppendTime'],
    obeyed: true,
  }),
  'min.cleanable.dirty.ratio': double('0.5', { min: 0, max: 1, obeyed: true }),
  'min.compaction.lag.ms': long('0', { min: 0, obeyed: true }),
  'min.insync.replicas': int('1', { min: 1, obeyed: true }),
  preallocate: flag('false'),
  'remote.log.copy.disable': flag('false'),
  'remote.log.delete.on.disable': flag('false'),
  'remote.storage.enable': flag('false'),
  'retention.bytes': long('-1', { obeyed: true }),
  'retention.ms': long('604800000', { min: -1, obeyed: true }),
  'segment.bytes': int('1073741824', { min: 1_048_576, obeyed: true }),
  'segment.index.bytes': int('10485760', { min: 4 }),
  'segment.jitter.ms': long('0', { min: 0 }),
  'segment.ms': long('604800000', { min: 1, obeyed: true }),
  'unclean.leader.election.enable': flag('false'),
} as const

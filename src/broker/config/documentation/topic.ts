import type { TopicPropertyName } from '../synonyms.ts'

/** What each property of a topic says, for DescribeConfigs. */
export const topicDocumentation: Readonly<Record<TopicPropertyName, string>> = {
  'cleanup.policy':
    'How old records go: delete drops whole segments by age and size, compact keeps the last record of each key, both together do both.',
  'compression.gzip.level':
    'The level at which the broker compresses with gzip; -1 is the default.',
  'compression.lz4.level': 'The level at which the broker compresses with lz4.',
  'compression.type':
    "The codec in which batches are stored; producer keeps each batch in its producer's codec, uncompressed stores it plain.",
  'compression.zstd.level': 'The level at which the broker compresses with zstd.',
  'delete.retention.ms':
    'How long a compacted topic keeps the record that deletes a key, so that readers who start late still learn of it.',
  'file.delete.delay.ms': 'How long the files of a deleted segment stay on the disk.',
  'flush.messages': 'After how many records the log is forced to the disk.',
  'flush.ms': 'After which time the log is forced to the disk.',
  'follower.replication.throttled.replicas':
    'The replicas whose following is slowed down, as partition:broker, or * for all.',
  'index.interval.bytes': 'How many bytes of a log lie between two entries of its index.',
  'internal.segment.bytes':
    'The size at which a segment is closed, without the lower bound that segment.bytes has; for tests.',
  'leader.replication.throttled.replicas':
    'The replicas whose leading is slowed down, as partition:broker, or * for all.',
  'local.retention.bytes':
    'With tiered storage: how many bytes of a partition stay on the broker; -2 stands for retention.bytes.',
  'local.retention.ms':
    'With tiered storage: how long records stay on the broker; -2 stands for retention.ms.',
  'max.compaction.lag.ms':
    'The longest time for which a record of a compacted topic may stay uncompacted.',
  'max.message.bytes': 'The largest batch of records that is taken, as it comes: compressed.',
  'message.timestamp.after.max.ms':
    "How far ahead of the broker's clock the timestamp of a record may be.",
  'message.timestamp.before.max.ms':
    "How far behind the broker's clock the timestamp of a record may be.",
  'message.timestamp.type':
    'Whether records keep the time that their producer gave them (CreateTime) or get the time of their append (LogAppendTime).',
  'min.cleanable.dirty.ratio':
    'What part of a log must be uncompacted before it is compacted; lower values save space and cost more work.',
  'min.compaction.lag.ms': 'The shortest time for which a record stays uncompacted.',
  'min.insync.replicas':
    'How many replicas must be in sync for a write with acks=all to be taken; fewer are answered with NOT_ENOUGH_REPLICAS.',
  preallocate: 'Whether the file of a new segment is made in its full size at once.',
  'remote.log.copy.disable': 'With tiered storage: whether no more segments are copied there.',
  'remote.log.delete.on.disable':
    'With tiered storage: whether what is stored there is deleted when it is turned off.',
  'remote.storage.enable': 'Whether the topic uses tiered storage.',
  'retention.bytes':
    'How large a partition may grow before its oldest segments are deleted; -1 sets no bound. It holds for each partition by itself.',
  'retention.ms':
    'How long records are kept before the segments that hold them are deleted; -1 keeps them for ever.',
  'segment.bytes':
    'The size at which a segment is closed and the next begins. Segments are deleted and compacted whole, when they are closed.',
  'segment.index.bytes': 'The largest size of the index of a segment.',
  'segment.jitter.ms':
    'By how much, at random, segments are closed earlier than segment.ms says, so that not all are closed together.',
  'segment.ms': 'The age at which a segment is closed though it is not full.',
  'unclean.leader.election.enable':
    'Whether a replica that is not in sync may lead when there is no other, at the price of lost records.',
}

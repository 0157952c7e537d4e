import type { BrokerPropertyName } from '../synonyms.ts'

/** What the properties of logs say, for DescribeConfigs. Most are what topics begin with. */
export const logDocumentation = {
  'compression.gzip.level':
    'The level at which the broker compresses with gzip; -1 is the default.',
  'compression.lz4.level': 'The level at which the broker compresses with lz4.',
  'compression.type':
    "The codec in which batches are stored; producer keeps each batch in its producer's codec, uncompressed stores it plain.",
  'compression.zstd.level': 'The level at which the broker compresses with zstd.',
  'log.cleaner.backoff.ms': 'How long compaction sleeps when there is nothing to compact.',
  'log.cleaner.dedupe.buffer.size':
    'How much memory all compacting threads together use to remember keys.',
  'log.cleaner.delete.retention.ms':
    'How long a compacted topic keeps the record that deletes a key, so that readers who start late still learn of it.',
  'log.cleaner.enable': 'Whether logs are compacted at all.',
  'log.cleaner.io.buffer.load.factor':
    'How full the memory for keys may get; fuller remembers more keys at once, and finds them more slowly.',
  'log.cleaner.io.buffer.size':
    'How much memory all compacting threads together use to read and write.',
  'log.cleaner.io.max.bytes.per.second':
    'How many bytes a second compaction reads and writes at most.',
  'log.cleaner.max.compaction.lag.ms':
    'The longest time for which a record of a compacted topic may stay uncompacted.',
  'log.cleaner.min.cleanable.ratio':
    'What part of a log must be uncompacted before it is compacted; lower values save space and cost more work.',
  'log.cleaner.min.compaction.lag.ms': 'The shortest time for which a record stays uncompacted.',
  'log.cleaner.threads': 'How many threads compact logs.',
  'log.cleanup.policy':
    'How old records go: delete drops whole segments by age and size, compact keeps the last record of each key, both together do both.',
  'log.dir': 'The folder that holds the logs; log.dirs comes before it.',
  'log.dir.failure.timeout.ms':
    'After which time a broker ends that could not tell the controller of a folder that has failed.',
  'log.dirs': 'The folders that hold the logs.',
  'log.flush.interval.messages': 'After how many records a log is forced to the disk.',
  'log.flush.interval.ms': 'After which time a log is forced to the disk.',
  'log.flush.offset.checkpoint.interval.ms':
    'How often it is written down up to where logs are known to be on the disk.',
  'log.flush.scheduler.interval.ms': 'How often the broker looks for logs to force to the disk.',
  'log.flush.start.offset.checkpoint.interval.ms': 'How often it is written down where logs begin.',
  'log.index.interval.bytes': 'How many bytes of a log lie between two entries of its index.',
  'log.index.size.max.bytes': 'The largest size of the index of a segment.',
  'log.initial.task.delay.ms':
    'How long after the start retention and the other chores of logs begin.',
  'log.message.timestamp.after.max.ms':
    "How far ahead of the broker's clock the timestamp of a record may be.",
  'log.message.timestamp.before.max.ms':
    "How far behind the broker's clock the timestamp of a record may be.",
  'log.message.timestamp.type':
    'Whether records keep the time that their producer gave them (CreateTime) or get the time of their append (LogAppendTime).',
  'log.preallocate': 'Whether the file of a new segment is made in its full size at once.',
  'log.retention.bytes':
    'How large a partition may grow before its oldest segments are deleted; -1 sets no bound.',
  'log.retention.check.interval.ms': 'How often the broker looks for segments to delete.',
  'log.retention.hours':
    'How many hours records are kept; log.retention.minutes and log.retention.ms come before it.',
  'log.retention.minutes': 'How many minutes records are kept; log.retention.ms comes before it.',
  'log.retention.ms':
    'How long records are kept before the segments that hold them are deleted; -1 keeps them for ever.',
  'log.roll.hours': 'The age in hours at which a segment is closed; log.roll.ms comes before it.',
  'log.roll.jitter.hours':
    'By how many hours, at random, segments are closed earlier; log.roll.jitter.ms comes before it.',
  'log.roll.jitter.ms':
    'By how much, at random, segments are closed earlier, so that not all are closed together.',
  'log.roll.ms': 'The age at which a segment is closed though it is not full.',
  'log.segment.bytes': 'The size at which a segment is closed and the next begins.',
  'log.segment.delete.delay.ms': 'How long the files of a deleted segment stay on the disk.',
  'message.max.bytes': 'The largest batch of records that is taken, as it comes: compressed.',
  'min.insync.replicas':
    'How many replicas must be in sync for a write with acks=all to be taken; fewer are answered with NOT_ENOUGH_REPLICAS.',
  'num.recovery.threads.per.data.dir':
    'How many threads a folder open logs at the start and write them out at the end.',
  'unclean.leader.election.enable':
    'Whether a replica that is not in sync may lead when there is no other, at the price of lost records.',
  'unclean.leader.election.interval.ms':
    'How often the broker looks for partitions that only a replica out of sync could lead.',
} as const satisfies Partial<Record<BrokerPropertyName, string>>

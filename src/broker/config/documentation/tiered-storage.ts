import type { BrokerPropertyName } from '../synonyms.ts'

/** What the properties of tiered storage say, for DescribeConfigs. */
export const tieredStorageDocumentation = {
  'log.local.retention.bytes':
    'With tiered storage: how many bytes of a partition stay on the broker; -2 stands for log.retention.bytes.',
  'log.local.retention.ms':
    'With tiered storage: how long records stay on the broker; -2 stands for log.retention.ms.',
  'remote.fetch.max.wait.ms': 'The longest time for which a fetch waits for tiered storage.',
  'remote.list.offsets.request.timeout.ms':
    'The longest time for which a search by timestamp waits for tiered storage.',
  'remote.log.index.file.cache.total.size.bytes':
    'How much of the indexes of tiered segments is kept on the disk.',
  'remote.log.manager.copier.thread.pool.size': 'How many threads copy segments to tiered storage.',
  'remote.log.manager.copy.max.bytes.per.second':
    'How many bytes a second are copied to tiered storage at most.',
  'remote.log.manager.copy.quota.window.num':
    'Over how many windows the rate of copying is measured.',
  'remote.log.manager.copy.quota.window.size.seconds':
    'The length of one window in which the rate of copying is measured.',
  'remote.log.manager.expiration.thread.pool.size':
    'How many threads delete old segments from tiered storage.',
  'remote.log.manager.fetch.max.bytes.per.second':
    'How many bytes a second are read from tiered storage at most.',
  'remote.log.manager.fetch.quota.window.num':
    'Over how many windows the rate of reading is measured.',
  'remote.log.manager.fetch.quota.window.size.seconds':
    'The length of one window in which the rate of reading is measured.',
  'remote.log.manager.task.interval.ms':
    'How often the broker looks for segments to copy to tiered storage and to delete from it.',
  'remote.log.manager.task.retry.backoff.max.ms':
    'The longest time between two tries of a task of tiered storage.',
  'remote.log.manager.task.retry.backoff.ms':
    'The time before a task of tiered storage is tried again.',
  'remote.log.manager.task.retry.jitter':
    'By which part, at random, the time between two tries of a task of tiered storage is changed.',
  'remote.log.manager.thread.pool.size':
    'How many threads follow the partitions with tiered storage.',
  'remote.log.metadata.custom.metadata.max.bytes':
    'How large what a store adds to the metadata of a segment may be.',
  'remote.log.metadata.manager.class.name':
    'The class that keeps what is known of tiered segments.',
  'remote.log.metadata.manager.class.path': 'Where that class is loaded from.',
  'remote.log.metadata.manager.impl.prefix':
    'The prefix of the properties that are handed to that class.',
  'remote.log.metadata.manager.listener.name':
    'The listener by which that class reaches the brokers.',
  'remote.log.reader.max.pending.tasks': 'How many reads may wait for tiered storage.',
  'remote.log.reader.threads': 'How many threads read from tiered storage.',
  'remote.log.storage.manager.class.name': 'The class that keeps tiered segments.',
  'remote.log.storage.manager.class.path': 'Where that class is loaded from.',
  'remote.log.storage.manager.impl.prefix':
    'The prefix of the properties that are handed to that class.',
  'remote.log.storage.system.enable': 'Whether there is tiered storage at all.',
} as const satisfies Partial<Record<BrokerPropertyName, string>>

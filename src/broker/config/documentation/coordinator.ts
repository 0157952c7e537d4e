import type { BrokerPropertyName } from '../synonyms.ts'

/** What the properties of groups, offsets and transactions say, for DescribeConfigs. */
export const coordinatorDocumentation = {
  'add.partitions.to.txn.retry.backoff.max.ms':
    'The longest time for which a write waits while the transaction before its own is being ended.',
  'add.partitions.to.txn.retry.backoff.ms':
    'The time between two tries to add a partition to a transaction.',
  'group.consumer.assignors':
    'How the partitions of a consumer group are given to its members: the first is used unless members ask for another.',
  'group.consumer.heartbeat.interval.ms':
    'How often the members of a consumer group are told to send heartbeats.',
  'group.consumer.max.heartbeat.interval.ms':
    'The longest interval of heartbeats that can be set for a consumer group.',
  'group.consumer.max.session.timeout.ms':
    'The longest session timeout that can be set for a consumer group.',
  'group.consumer.max.size': 'How many members a consumer group may have.',
  'group.consumer.migration.policy':
    'Whether a group may change to the consumer protocol (upgrade), back to the classic one (downgrade), both (bidirectional) or neither (disabled).',
  'group.consumer.min.heartbeat.interval.ms':
    'The shortest interval of heartbeats that can be set for a consumer group.',
  'group.consumer.min.session.timeout.ms':
    'The shortest session timeout that can be set for a consumer group.',
  'group.consumer.regex.refresh.interval.ms':
    'How often the patterns that members subscribe to are compared with the topics again.',
  'group.consumer.session.timeout.ms':
    'After which silence a member of a consumer group counts as gone, and its partitions go to others.',
  'group.coordinator.append.linger.ms':
    'How long the coordinator of groups gathers records before it writes them.',
  'group.coordinator.rebalance.protocols': 'The protocols that groups may use.',
  'group.coordinator.threads': 'How many threads coordinate groups.',
  'group.initial.rebalance.delay.ms':
    'How long a new classic group waits for more members before it gives out partitions.',
  'group.max.session.timeout.ms':
    'The longest session timeout that a member of a classic group may ask for.',
  'group.max.size': 'How many members a classic group may have.',
  'group.min.session.timeout.ms':
    'The shortest session timeout that a member of a classic group may ask for.',
  'group.share.assignors': 'How the partitions of a share group are given to its members.',
  'group.share.delivery.count.limit': 'How often a share group tries to deliver a record.',
  'group.share.enable': 'Whether there are share groups.',
  'group.share.heartbeat.interval.ms':
    'How often the members of a share group are told to send heartbeats.',
  'group.share.max.heartbeat.interval.ms':
    'The longest interval of heartbeats that can be set for a share group.',
  'group.share.max.record.lock.duration.ms':
    'The longest time that can be set for holding a record of a share group.',
  'group.share.max.session.timeout.ms':
    'The longest session timeout that can be set for a share group.',
  'group.share.max.share.sessions': 'How many share sessions a broker keeps.',
  'group.share.max.size': 'How many members a share group may have.',
  'group.share.min.heartbeat.interval.ms':
    'The shortest interval of heartbeats that can be set for a share group.',
  'group.share.min.record.lock.duration.ms':
    'The shortest time that can be set for holding a record of a share group.',
  'group.share.min.session.timeout.ms':
    'The shortest session timeout that can be set for a share group.',
  'group.share.partition.max.record.locks':
    'How many records of a partition the members of a share group may hold together.',
  'group.share.persister.class.name': 'The class that keeps the state of share groups.',
  'group.share.record.lock.duration.ms': 'How long a member of a share group holds a record.',
  'group.share.session.timeout.ms': 'After which silence a member of a share group counts as gone.',
  'group.streams.heartbeat.interval.ms':
    'How often the members of a Streams group are told to send heartbeats.',
  'group.streams.max.heartbeat.interval.ms':
    'The longest interval of heartbeats that can be set for a Streams group.',
  'group.streams.max.session.timeout.ms':
    'The longest session timeout that can be set for a Streams group.',
  'group.streams.max.size': 'How many members a Streams group may have.',
  'group.streams.max.standby.replicas':
    'The largest number of copies in reserve that can be set for a Streams group.',
  'group.streams.min.heartbeat.interval.ms':
    'The shortest interval of heartbeats that can be set for a Streams group.',
  'group.streams.min.session.timeout.ms':
    'The shortest session timeout that can be set for a Streams group.',
  'group.streams.num.standby.replicas':
    'How many copies of its state a Streams group keeps in reserve.',
  'group.streams.session.timeout.ms':
    'After which silence a member of a Streams group counts as gone.',
  'offset.metadata.max.bytes': 'How long the text that is committed with an offset may be.',
  'offsets.commit.timeout.ms':
    'How long a commit of offsets waits until all replicas in sync have it.',
  'offsets.load.buffer.size': 'How many bytes are read at once when offsets are loaded.',
  'offsets.retention.check.interval.ms': 'How often the broker looks for offsets to forget.',
  'offsets.retention.minutes':
    'How long the offsets of a group are kept after its last member, or its last commit.',
  'offsets.topic.compression.codec':
    'The number of the codec in which offsets are written; 0 is none.',
  'offsets.topic.num.partitions':
    'How many partitions __consumer_offsets is made with; it cannot be changed afterwards.',
  'offsets.topic.replication.factor': 'How many replicas __consumer_offsets is made with.',
  'offsets.topic.segment.bytes': 'The size at which a segment of __consumer_offsets is closed.',
  'producer.id.expiration.check.interval.ms': 'How often the broker looks for producers to forget.',
  'producer.id.expiration.ms':
    'After which silence a partition forgets what it knows of a producer, and no longer finds its duplicates.',
  'share.coordinator.append.linger.ms':
    'How long the coordinator of share groups gathers records before it writes them.',
  'share.coordinator.cold.partition.snapshot.interval.ms':
    'How often the state of a share partition is written down whole though nothing happens to it.',
  'share.coordinator.load.buffer.size':
    'How many bytes are read at once when the state of share groups is loaded.',
  'share.coordinator.snapshot.update.records.per.snapshot':
    'After how many updates the state of a share partition is written down whole.',
  'share.coordinator.state.topic.compression.codec':
    'The number of the codec in which the state of share groups is written; 0 is none.',
  'share.coordinator.state.topic.min.isr':
    'How many replicas of the state of share groups must be in sync for a write.',
  'share.coordinator.state.topic.num.partitions':
    'How many partitions the topic with the state of share groups is made with.',
  'share.coordinator.state.topic.prune.interval.ms':
    'How often state of share groups that nobody needs is deleted.',
  'share.coordinator.state.topic.replication.factor':
    'How many replicas the topic with the state of share groups is made with.',
  'share.coordinator.state.topic.segment.bytes':
    'The size at which a segment of the topic with the state of share groups is closed.',
  'share.coordinator.threads': 'How many threads coordinate the state of share groups.',
  'share.coordinator.write.timeout.ms':
    'How long a write of the state of share groups waits for all replicas in sync.',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms':
    'How often the broker looks for transactions to abort because their time is over.',
  'transaction.max.timeout.ms': 'The longest time that a producer may ask for its transactions.',
  'transaction.partition.verification.enable':
    'Whether a partition asks the coordinator before it takes the first record of a transaction.',
  'transaction.remove.expired.transaction.cleanup.interval.ms':
    'How often the broker looks for transactional ids to forget.',
  'transaction.state.log.load.buffer.size':
    'How many bytes are read at once when transactions are loaded.',
  'transaction.state.log.min.isr':
    'How many replicas of __transaction_state must be in sync for a write.',
  'transaction.state.log.num.partitions':
    'How many partitions __transaction_state is made with; it cannot be changed afterwards.',
  'transaction.state.log.replication.factor': 'How many replicas __transaction_state is made with.',
  'transaction.state.log.segment.bytes':
    'The size at which a segment of __transaction_state is closed.',
  'transaction.two.phase.commit.enable':
    'Whether a producer may prepare a transaction and leave it open without a timeout.',
  'transactional.id.expiration.ms':
    'After which silence a transactional id without an open transaction is forgotten.',
} as const satisfies Partial<Record<BrokerPropertyName, string>>

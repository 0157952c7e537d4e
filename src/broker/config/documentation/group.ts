import type { groupProperties } from '../group-properties.ts'

/** What each property of a group says, for DescribeConfigs. */
export const groupDocumentation: Readonly<Record<keyof typeof groupProperties, string>> = {
  'consumer.heartbeat.interval.ms':
    'How often the members of a consumer group are told to send heartbeats.',
  'consumer.session.timeout.ms':
    'After which silence a member of a consumer group counts as gone, and its partitions go to others.',
  'share.auto.offset.reset':
    'Where a share group begins in a partition that it has not read: earliest, latest or by_duration:PnDTnHnMnS.',
  'share.heartbeat.interval.ms':
    'How often the members of a share group are told to send heartbeats.',
  'share.isolation.level':
    'Whether a share group reads records of transactions that are not committed.',
  'share.record.lock.duration.ms': 'How long a member of a share group holds a record.',
  'share.session.timeout.ms': 'After which silence a member of a share group counts as gone.',
  'streams.heartbeat.interval.ms':
    'How often the members of a Streams group are told to send heartbeats.',
  'streams.num.standby.replicas': 'How many copies of its state a Streams group keeps in reserve.',
  'streams.session.timeout.ms': 'After which silence a member of a Streams group counts as gone.',
}

import { int, text } from './property.ts'

/**
 * The properties of a group, as Apache Kafka 4.1 has them, by name. The timeouts default to the
 * broker's own: see `group-settings.ts`.
 */
export const groupProperties = {
  'consumer.heartbeat.interval.ms': int('5000', { min: 1, obeyed: true }),
  'consumer.session.timeout.ms': int('45000', { min: 1, obeyed: true }),
  'share.auto.offset.reset': text('latest', { format: 'offset-reset', obeyed: true }),
  'share.heartbeat.interval.ms': int('5000', { min: 1, obeyed: true }),
  'share.isolation.level': text('read_uncommitted', {
    oneOf: ['read_committed', 'read_uncommitted'],
    obeyed: true,
  }),
  'share.record.lock.duration.ms': int('30000', { min: 1000, obeyed: true }),
  'share.session.timeout.ms': int('45000', { min: 1, obeyed: true }),
  'streams.heartbeat.interval.ms': int('5000', { min: 1 }),
  'streams.num.standby.replicas': int('0', { min: 0 }),
  'streams.session.timeout.ms': int('45000', { min: 1 }),
} as const

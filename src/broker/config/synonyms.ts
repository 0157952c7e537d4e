import type { brokerProperties } from './broker-properties.ts'
import type { topicProperties } from './topic-properties.ts'

export type TopicPropertyName = keyof typeof topicProperties
export type BrokerPropertyName = keyof typeof brokerProperties

/** A property of the broker that gives a topic its value, and how many of the topic's units one of its units is. */
export interface Synonym {
  readonly name: BrokerPropertyName
  readonly factor: number
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

function same(name: BrokerPropertyName): readonly Synonym[] {
  return [{ name, factor: 1 }]
}

/**
 * Where a topic's property comes from when it is not set on the topic: the first of these properties
 * of the broker that has a value. Properties that are missing here have nothing but their default.
 */
export const topicSynonyms: Partial<Record<TopicPropertyName, readonly Synonym[]>> = {
  'cleanup.policy': same('log.cleanup.policy'),
  'compression.gzip.level': same('compression.gzip.level'),
  'compression.lz4.level': same('compression.lz4.level'),
  'compression.type': same('compression.type'),
  'compression.zstd.level': same('compression.zstd.level'),
  'delete.retention.ms': same('log.cleaner.delete.retention.ms'),
  'file.delete.delay.ms': same('log.segment.delete.delay.ms'),
  'flush.messages': same('log.flush.interval.messages'),
  'flush.ms': [
    { name: 'log.flush.interval.ms', factor: 1 },
    { name: 'log.flush.scheduler.interval.ms', factor: 1 },
  ],
  'index.interval.bytes': same('log.index.interval.bytes'),
  'local.retention.bytes': same('log.local.retention.bytes'),
  'local.retention.ms': same('log.local.retention.ms'),
  'max.compaction.lag.ms': same('log.cleaner.max.compaction.lag.ms'),
  'max.message.bytes': same('message.max.bytes'),
  'message.timestamp.after.max.ms': same('log.message.timestamp.after.max.ms'),
  'message.timestamp.before.max.ms': same('log.message.timestamp.before.max.ms'),
  'message.timestamp.type': same('log.message.timestamp.type'),
  'min.cleanable.dirty.ratio': same('log.cleaner.min.cleanable.ratio'),
  'min.compaction.lag.ms': same('log.cleaner.min.compaction.lag.ms'),
  'min.insync.replicas': same('min.insync.replicas'),
  preallocate: same('log.preallocate'),
  'retention.bytes': same('log.retention.bytes'),
  'retention.ms': [
    { name: 'log.retention.ms', factor: 1 },
    { name: 'log.retention.minutes', factor: minuteMs },
    { name: 'log.retention.hours', factor: hourMs },
  ],
  'segment.bytes': same('log.segment.bytes'),
  'segment.index.bytes': same('log.index.size.max.bytes'),
  'segment.jitter.ms': [
    { name: 'log.roll.jitter.ms', factor: 1 },
    { name: 'log.roll.jitter.hours', factor: hourMs },
  ],
  'segment.ms': [
    { name: 'log.roll.ms', factor: 1 },
    { name: 'log.roll.hours', factor: hourMs },
  ],
  'unclean.leader.election.enable': same('unclean.leader.election.enable'),
}

/** The properties of the broker that say the same thing in other units, in order of precedence. */
const brokerSynonyms: readonly (readonly BrokerPropertyName[])[] = Object.values(topicSynonyms)
  .filter((synonyms) => synonyms.length > 1)
  .map((synonyms) => synonyms.map(({ name }) => name))

/** All names under which a broker's property can be given, the one with precedence first. */
export function synonymsOf(name: string): readonly string[] {
  const group = brokerSynonyms.find((names: readonly string[]) => names.includes(name))
  return group ?? [name]
}

import type { LogConfig } from '../log/log-config.ts'
import type { BrokerConfig } from './broker-config.ts'
import { canonicalText, parseValue, valueOf } from './property-value.ts'
import type { Property, ValueOf } from './property.ts'
import { topicProperties } from './topic-properties.ts'
import { topicSynonyms } from './synonyms.ts'
import type { Synonym, TopicPropertyName } from './synonyms.ts'

type Table = typeof topicProperties

/**
 * What applies to a topic: what is set on it, then the broker's configuration, then the defaults. It
 * is resolved once and does not change; a topic gets another one when anything of it has changed.
 */
export class TopicConfig implements LogConfig {
  readonly cleanupPolicy: readonly string[]
  readonly compacted: boolean
  readonly deleted: boolean
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly maxMessageBytes: number
  readonly minInsyncReplicas: number
  readonly compressionType: LogConfig['compressionType']
  readonly timestampType: LogConfig['timestampType']
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly deleteRetentionMs: number
  readonly minCleanableDirtyRatio: number
  readonly producerIdExpirationMs: number

  constructor(overrides: ReadonlyMap<string, string>, broker: BrokerConfig) {
    const value = <Name extends TopicPropertyName>(name: Name) =>
      topicValue(name, overrides, broker)
    this.cleanupPolicy = value('cleanup.policy')
    this.compacted = this.cleanupPolicy.includes('compact')
    this.deleted = this.cleanupPolicy.includes('delete')
    // Kafka's own tests use the internal property for segments smaller than it otherwise allows.
    this.segmentBytes = value('internal.segment.bytes') ?? value('segment.bytes')
    this.segmentMs = value('segment.ms')
    this.retentionMs = Math.max(-1, value('retention.ms'))
    this.retentionBytes = Math.max(-1, value('retention.bytes'))
    this.maxMessageBytes = value('max.message.bytes')
    this.minInsyncReplicas = value('min.insync.replicas')
    this.compressionType = value('compression.type') as LogConfig['compressionType']
    this.timestampType = value('message.timestamp.type') as LogConfig['timestampType']
    this.timestampBeforeMaxMs = value('message.timestamp.before.max.ms')
    this.timestampAfterMaxMs = value('message.timestamp.after.max.ms')
    this.minCompactionLagMs = value('min.compaction.lag.ms')
    this.maxCompactionLagMs = value('max.compaction.lag.ms')
    this.deleteRetentionMs = value('delete.retention.ms')
    this.minCleanableDirtyRatio = value('min.cleanable.dirty.ratio')
    this.producerIdExpirationMs = broker.producerIdExpirationMs
  }
}

/** The value of one property of a topic. */
export function topicValue<Name extends TopicPropertyName>(
  name: Name,
  overrides: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): ValueOf<Table[Name]> {
  const text = topicText(name, overrides, broker)
  const value = text === null ? null : valueOf(topicProperties[name], text)
  return value as ValueOf<Table[Name]>
}

/** The value of one property of a topic, as Kafka writes it. */
export function topicText(
  name: TopicPropertyName,
  overrides: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): string | null {
  const property = topicProperties[name]
  const own = overrides.get(name)
  if (own !== undefined && 'value' in parseValue(property, own)) return canonicalText(property, own)
  for (const synonym of topicSynonyms[name] ?? []) {
    const written = broker.text(synonym.name)
    if (written === null) continue
    const text = inTopicUnit(property, synonym, written)
    if ('value' in parseValue(property, text)) return canonicalText(property, text)
  }
  return property.default
}

/**
 * What would be wrong with topics if a property of the broker had this value; the broker's own bounds
 * are wider where Kafka converts units.
 */
export function topicProblem(brokerName: string, written: string): string | undefined {
  for (const [name, synonyms] of Object.entries(topicSynonyms)) {
    const property = topicProperties[name as TopicPropertyName]
    for (const synonym of synonyms) {
      if (synonym.name !== brokerName) continue
      const parsed = parseValue(property, inTopicUnit(property, synonym, written))
      if ('problem' in parsed) return `${parsed.problem}, as ${name} of topics`
    }
  }
  return undefined
}

function inTopicUnit(property: Property, { factor }: Synonym, written: string): string {
  const value = Number(written)
  // Where -1 stands for no limit, every negative number does.
  if (property.min === -1 && value < 0) return '-1'
  return factor === 1 ? written : String(value * factor)
}

import type { KafkaErrorName } from '../../protocol/index.ts'
import type { Refusal } from '../refusal.ts'
import { refuse } from '../refusal.ts'
import type { BrokerConfig } from './broker-config.ts'
import { brokerProperties } from './broker-properties.ts'
import { clientMetricsProperties } from './client-metrics-properties.ts'
import { groupProperties } from './group-properties.ts'
import { refuseGroupBounds } from './group-settings.ts'
import { parseValue } from './property-value.ts'
import { findProperty } from './property.ts'
import type { Property, PropertyTable } from './property.ts'
import { TopicConfig, topicProblem } from './topic-config.ts'
import { topicProperties } from './topic-properties.ts'

const metricsIntervalMsMin = 100
const metricsIntervalMsMax = 3_600_000

type Settings = ReadonlyMap<string, string>

/** What is wrong with what is, or is to be, set on a topic. */
export function refuseTopicConfigs(settings: Settings, broker: BrokerConfig): Refusal | undefined {
  const wrong = refuseEach(topicProperties, 'topic', settings)
  if (wrong !== undefined) return wrong
  if (settings.get('remote.storage.enable')?.trim().toLowerCase() === 'true') {
    return refuse(
      'INVALID_CONFIG',
      "remote.storage.enable ('true') must be false: this broker has no tiered storage",
    )
  }
  return refuseCompactionLags(settings, broker)
}

/** A topic that sets neither is not blamed for what the broker has. */
function refuseCompactionLags(settings: Settings, broker: BrokerConfig): Refusal | undefined {
  if (!settings.has('min.compaction.lag.ms') && !settings.has('max.compaction.lag.ms')) {
    return undefined
  }
  const { minCompactionLagMs, maxCompactionLagMs } = new TopicConfig(settings, broker)
  if (minCompactionLagMs <= maxCompactionLagMs) return undefined
  return refuse(
    'INVALID_CONFIG',
    `min.compaction.lag.ms (${minCompactionLagMs}) must not exceed max.compaction.lag.ms (${maxCompactionLagMs})`,
  )
}

/**
 * What is wrong with what is to be set, at run time, on one broker or on `all`. A name that is not
 * known is taken, as in Kafka, where it may be a plug-in's. The error is INVALID_REQUEST, also as there.
 */
export function refuseBrokerConfigs(settings: Settings, scope: 'one' | 'all'): Refusal | undefined {
  for (const [name, written] of settings) {
    const problem = dynamicProblem(name, scope)
    if (problem !== undefined) return refuse('INVALID_REQUEST', `${name} ${problem}`)
    const property = findProperty(brokerProperties, name)
    const wrong = property && refuseValue(name, property, written, 'INVALID_REQUEST')
    if (wrong !== undefined) return wrong
    const forTopics = topicProblem(name, written)
    if (forTopics !== undefined) {
      return refuse('INVALID_REQUEST', `${name} ('${written}') ${forTopics}`)
    }
  }
  return undefined
}

/** Kerberos is not among them: what is set of it is kept, as by a Kafka without Kerberos. */
const ofListeners =
  /^(?:listener\.name\..*|listeners|listener\.security\.protocol\.map|ssl\..*|sasl\.(?!kerberos\.).*)$/

function dynamicProblem(name: string, scope: 'one' | 'all'): string | undefined {
  if (ofListeners.test(name)) return 'cannot change while this broker runs: its listeners stay'
  const property = findProperty(brokerProperties, name)
  if (property === undefined) return undefined
  if (property.dynamic === undefined) return 'cannot change while the broker runs'
  if (property.dynamic === 'broker' && scope === 'all') return 'can be set on one broker only'
  return undefined
}

/** What is wrong with what is to be set on a group. */
export function refuseGroupConfigs(settings: Settings, broker: BrokerConfig): Refusal | undefined {
  return refuseEach(groupProperties, 'group', settings) ?? refuseGroupBounds(settings, broker)
}

/** What is wrong with a subscription of clients' metrics. */
export function refuseClientMetricsConfigs(settings: Settings): Refusal | undefined {
  const wrong = refuseEach(clientMetricsProperties, 'client metrics', settings, 'INVALID_REQUEST')
  if (wrong !== undefined) return wrong
  const intervalMs = Number(
    settings.get('interval.ms') ?? clientMetricsProperties['interval.ms'].default,
  )
  if (intervalMs >= metricsIntervalMsMin && intervalMs <= metricsIntervalMsMax) return undefined
  return refuse(
    'INVALID_REQUEST',
    `interval.ms (${intervalMs}) must be from ${metricsIntervalMsMin} to ${metricsIntervalMsMax}`,
  )
}

function refuseEach(
  table: PropertyTable,
  kind: string,
  settings: Settings,
  unknownName: KafkaErrorName = 'INVALID_CONFIG',
): Refusal | undefined {
  for (const [name, written] of settings) {
    const property = findProperty(table, name)
    if (property === undefined) {
      return refuse(unknownName, `${name} is not a ${kind} property`)
    }
    const wrong = refuseValue(name, property, written, 'INVALID_CONFIG')
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function refuseValue(
  name: string,
  property: Property,
  written: string,
  error: KafkaErrorName,
): Refusal | undefined {
  const parsed = parseValue(property, written)
  return 'problem' in parsed ? refuse(error, `${name} ('${written}') ${parsed.problem}`) : undefined
}

import type { Refusal } from '../refusal.ts'
import { refuse } from '../refusal.ts'
import type { PropertyValue } from './property.ts'
import type { BrokerPropertyName } from './synonyms.ts'

/** Pairs of which the first must not exceed the second. */
const ordered: readonly (readonly [BrokerPropertyName, BrokerPropertyName])[] = [
  ['group.min.session.timeout.ms', 'group.max.session.timeout.ms'],
  ['group.consumer.min.session.timeout.ms', 'group.consumer.session.timeout.ms'],
  ['group.consumer.session.timeout.ms', 'group.consumer.max.session.timeout.ms'],
  ['group.consumer.min.heartbeat.interval.ms', 'group.consumer.heartbeat.interval.ms'],
  ['group.consumer.heartbeat.interval.ms', 'group.consumer.max.heartbeat.interval.ms'],
  ['group.consumer.heartbeat.interval.ms', 'group.consumer.session.timeout.ms'],
]

/** What is wrong with the properties of a broker taken together, by Kafka's rules. */
export function refuseBrokerSettings(
  value: (name: BrokerPropertyName) => PropertyValue | null,
): Refusal | undefined {
  for (const [lower, upper] of ordered) {
    const [low, high] = [Number(value(lower)), Number(value(upper))]
    if (low > high) {
      return refuse('INVALID_CONFIG', `${lower} (${low}) must not exceed ${upper} (${high})`)
    }
  }
  return undefined
}

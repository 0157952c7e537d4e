import type { ConsumerTiming, GroupConfig, MigrationPolicy, ShareTiming } from '../group/ports.ts'
import type { Refusal } from '../refusal.ts'
import { refuse } from '../refusal.ts'
import type { BrokerConfig } from './broker-config.ts'
import { groupProperties } from './group-properties.ts'
import { findProperty } from './property.ts'
import type { BrokerPropertyName } from './synonyms.ts'

const minuteMs = 60_000

/** The properties of the broker that give a group its defaults and bounds. */
interface GroupBounds {
  readonly default: BrokerPropertyName
  readonly min?: BrokerPropertyName
  readonly max?: BrokerPropertyName
}

const bounds: Readonly<Record<string, GroupBounds>> = {
  'consumer.heartbeat.interval.ms': timing('group.consumer', 'heartbeat.interval.ms'),
  'consumer.session.timeout.ms': timing('group.consumer', 'session.timeout.ms'),
  'share.heartbeat.interval.ms': timing('group.share', 'heartbeat.interval.ms'),
  'share.record.lock.duration.ms': timing('group.share', 'record.lock.duration.ms'),
  'share.session.timeout.ms': timing('group.share', 'session.timeout.ms'),
  'streams.heartbeat.interval.ms': timing('group.streams', 'heartbeat.interval.ms'),
  'streams.num.standby.replicas': {
    default: 'group.streams.num.standby.replicas',
    max: 'group.streams.max.standby.replicas',
  },
  'streams.session.timeout.ms': timing('group.streams', 'session.timeout.ms'),
}

function timing(
  prefix: 'group.consumer' | 'group.share' | 'group.streams',
  name: 'heartbeat.interval.ms' | 'session.timeout.ms' | 'record.lock.duration.ms',
): GroupBounds {
  return {
    default: `${prefix}.${name}` as BrokerPropertyName,
    min: `${prefix}.min.${name}` as BrokerPropertyName,
    max: `${prefix}.max.${name}` as BrokerPropertyName,
  }
}

/** What a property of a group is when it is not set on the group. */
export function groupPropertyDefault(name: string, broker: BrokerConfig): string | null {
  const fromBroker = bounds[name]
  if (fromBroker !== undefined) return broker.text(fromBroker.default)
  return findProperty(groupProperties, name)?.default ?? null
}

/** What is wrong with what is set on a group, beyond each value for itself. */
export function refuseGroupBounds(
  settings: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): Refusal | undefined {
  for (const [name, written] of settings) {
    const value = Number(written)
    const { min, max } = bounds[name] ?? {}
    if (min !== undefined && value < Number(broker.value(min))) {
      const limit = `${min} (${String(broker.value(min))})`
      return refuse('INVALID_CONFIG', `${name} (${value}) must not be less than ${limit}`)
    }
    if (max !== undefined && value > Number(broker.value(max))) {
      const limit = `${max} (${String(broker.value(max))})`
      return refuse('INVALID_CONFIG', `${name} (${value}) must not exceed ${limit}`)
    }
  }
  const heartbeatMs = consumerTiming(settings, broker).heartbeatIntervalMs
  const sessionMs = consumerTiming(settings, broker).sessionTimeoutMs
  if (heartbeatMs >= sessionMs) {
    return refuse(
      'INVALID_CONFIG',
      `consumer.heartbeat.interval.ms (${heartbeatMs}) must be less than consumer.session.timeout.ms (${sessionMs})`,
    )
  }
  const share = shareTiming(settings, broker)
  if (share.heartbeatIntervalMs >= share.sessionTimeoutMs) {
    return refuse(
      'INVALID_CONFIG',
      `share.heartbeat.interval.ms (${share.heartbeatIntervalMs}) must be less than share.session.timeout.ms (${share.sessionTimeoutMs})`,
    )
  }
  return undefined
}

/** How often a group's members must be heard of: what is set on the group, or the broker's. */
export function consumerTiming(
  settings: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): ConsumerTiming {
  const own = (name: keyof typeof groupProperties) => numberOf(settings, name)
  return {
    sessionTimeoutMs: own('consumer.session.timeout.ms') ?? broker.groupConsumerSessionTimeoutMs,
    heartbeatIntervalMs:
      own('consumer.heartbeat.interval.ms') ?? broker.groupConsumerHeartbeatIntervalMs,
  }
}

/** The same of a share group. */
export function shareTiming(
  settings: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): ShareTiming {
  const own = (name: keyof typeof groupProperties) => numberOf(settings, name)
  return {
    sessionTimeoutMs: own('share.session.timeout.ms') ?? broker.groupShareSessionTimeoutMs,
    heartbeatIntervalMs: own('share.heartbeat.interval.ms') ?? broker.groupShareHeartbeatIntervalMs,
  }
}

/** How a share group reads. */
export interface ShareReading {
  /** For how long a member holds what it has acquired. */
  readonly lockMs: number
  readonly isolation: 'committed' | 'uncommitted'
  /** Where it begins in a partition: `latest`, `earliest` or `by_duration:` and a duration. */
  readonly offsetReset: string
}

/** How a share group reads: what is set on the group, or the broker's. */
export function shareReading(
  settings: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): ShareReading {
  const isolation =
    settings.get('share.isolation.level') ?? groupProperties['share.isolation.level'].default
  return {
    lockMs:
      numberOf(settings, 'share.record.lock.duration.ms') ?? broker.groupShareRecordLockDurationMs,
    isolation: isolation === 'read_committed' ? 'committed' : 'uncommitted',
    offsetReset:
      settings.get('share.auto.offset.reset') ?? groupProperties['share.auto.offset.reset'].default,
  }
}

function numberOf(
  settings: ReadonlyMap<string, string>,
  name: keyof typeof groupProperties,
): number | undefined {
  const written = settings.get(name)
  return written === undefined ? undefined : Number(written)
}

/** The broker's settings for groups, as they are now. */
export function groupConfig(broker: BrokerConfig): GroupConfig {
  return {
    sessionTimeoutMsMin: broker.groupMinSessionTimeoutMs,
    sessionTimeoutMsMax: broker.groupMaxSessionTimeoutMs,
    initialRebalanceDelayMs: broker.groupInitialRebalanceDelayMs,
    membersMax: broker.groupMaxSize,
    offsetsRetentionMs: broker.offsetsRetentionMinutes * minuteMs,
    offsetMetadataLengthMax: broker.offsetMetadataMaxBytes,
    consumerMembersMax: broker.groupConsumerMaxSize,
    consumerAssignors: broker.groupConsumerAssignors,
    consumerMigration: broker.groupConsumerMigrationPolicy.toLowerCase() as MigrationPolicy,
    regexRefreshIntervalMs: broker.groupConsumerRegexRefreshIntervalMs,
    shareMembersMax: broker.groupShareMaxSize,
  }
}

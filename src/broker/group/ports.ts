import type { Clock, Random } from '../../platform/index.ts'

/** A topic as groups see it. */
export interface GroupTopic {
  readonly name: string
  readonly id: string
  readonly partitionCount: number
}

/** The topics of the cluster, as they are now. */
export interface GroupTopics {
  names(): Iterable<string>
  topic(name: string): GroupTopic | undefined
  topicById(id: string): GroupTopic | undefined
}

/** Which conversions of a group that has members are allowed (`group.consumer.migration.policy`). */
export type MigrationPolicy = 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled'

/** The settings of groups; each names Kafka's property. */
export interface GroupConfig {
  /** `group.min.session.timeout.ms` */
  readonly sessionTimeoutMsMin: number
  /** `group.max.session.timeout.ms` */
  readonly sessionTimeoutMsMax: number
  /** `group.initial.rebalance.delay.ms` */
  readonly initialRebalanceDelayMs: number
  /** `group.max.size` */
  readonly membersMax: number
  /** `offsets.retention.minutes` */
  readonly offsetsRetentionMs: number
  /** `offset.metadata.max.bytes`, which Kafka counts in UTF-16 units. */
  readonly offsetMetadataLengthMax: number
  /** `group.consumer.max.size` */
  readonly consumerMembersMax: number
  /** `group.consumer.assignors`; the first is taken where the members name none. */
  readonly consumerAssignors: readonly string[]
  readonly consumerMigration: MigrationPolicy
  /** `group.consumer.regex.refresh.interval.ms` */
  readonly regexRefreshIntervalMs: number
  /** `group.share.max.size` */
  readonly shareMembersMax: number
}

/** The settings that can differ from group to group. */
export interface ConsumerTiming {
  /** `group.consumer.session.timeout.ms`, or `consumer.session.timeout.ms` of the group. */
  readonly sessionTimeoutMs: number
  /** `group.consumer.heartbeat.interval.ms`, or `consumer.heartbeat.interval.ms` of the group. */
  readonly heartbeatIntervalMs: number
}

/** The same of share groups: `group.share.…`, or `share.…` of the group. */
export type ShareTiming = ConsumerTiming

/** Kafka's defaults, but for the initial delay: a development broker should not wait 3 seconds. */
export const defaultGroupConfig = {
  sessionTimeoutMsMin: 6_000,
  sessionTimeoutMsMax: 1_800_000,
  initialRebalanceDelayMs: 0,
  membersMax: 0x7fff_ffff,
  offsetsRetentionMs: 7 * 24 * 3_600_000,
  offsetMetadataLengthMax: 4_096,
  consumerMembersMax: 0x7fff_ffff,
  consumerAssignors: ['uniform', 'range'],
  consumerMigration: 'bidirectional',
  regexRefreshIntervalMs: 600_000,
  shareMembersMax: 200,
} as const satisfies GroupConfig

/** Kafka's defaults. */
export const defaultConsumerTiming = {
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 5_000,
} as const satisfies ConsumerTiming

/** What the group coordinator needs of the broker around it. */
export interface GroupPorts {
  readonly clock: Clock
  readonly random: Random
  readonly topics: GroupTopics
  /** Asked each time a setting is needed, so that a changed one applies at once. */
  config(): GroupConfig
  consumerTiming(groupId: string): ConsumerTiming
  shareTiming(groupId: string): ShareTiming
  /** A member of a share group was not heard of: others may have what it has acquired. */
  sharingMemberGone(groupId: string, memberId: string): void
  /** The partition of `__consumer_offsets` that holds a group, undefined while there is none. */
  partitionFor(groupId: string): number | undefined
}

/** Who sends a request, and in which version of its API. */
export interface Requester {
  readonly version: number
  readonly clientId: string
  readonly clientHost: string
  /** Which topics its patterns may find. @defaultValue all */
  readonly mayDescribe?: (topic: string) => boolean
}

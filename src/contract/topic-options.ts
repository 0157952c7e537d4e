import type { Codec, ContractLimits } from './codec/codec.ts'
import type { Duration } from './duration.ts'
import type { EventContent, EventKey } from './event.ts'
import type { EventContract } from './event-contract.ts'
import type { TopicNaming } from './topic-name.ts'

/**
 * How an event lies in its record. All of them are read and written with the same headers.
 *
 * - `event`: the value is JSON, `{ id, type, timestamp, data }`.
 * - `headers`: the value is the data alone; id and type are headers, the time is the record's.
 * - `cloudevents`: CloudEvents 1.0, written in binary mode, read in both.
 * - `cloudevents-structured`: CloudEvents 1.0, written in structured mode, read in both.
 */
export type EnvelopeName = 'event' | 'headers' | 'cloudevents' | 'cloudevents-structured'

/**
 * What a record without a value is: `refuse`, an error as any other; `skip`, nothing to handle; `handle`,
 * the deletion of its key, which goes to a handler.
 */
export type TombstoneRule = 'refuse' | 'skip' | 'handle'

/** What is known of the events of a topic, as far as its key needs it. */
export type ContentOf<Events extends readonly EventContract[]> = {
  [Index in keyof Events]: Events[Index] extends EventContract<infer Type, infer Input, unknown>
    ? EventContent<Type, Input>
    : never
}[number]

interface CommonTopicOptions<Events extends readonly EventContract[]> {
  /** All events that may be in the topic. None: a topic of anything, where nothing is checked. */
  readonly events?: Events
  /**
   * The key of a record; records of one key keep their order. Null, for the function or its result: no
   * order. Required unless every event has a key of its own.
   */
  readonly key?: ((event: ContentOf<Events>) => EventKey) | null
  /** @defaultValue what the cluster says for new topics */
  readonly partitions?: number
  /** @defaultValue what the cluster says for new topics */
  readonly replicas?: number
  /** How long records are kept: milliseconds, text as '7d', or 'forever'. @defaultValue the cluster's */
  readonly retention?: Duration | 'forever'
  /** How many replicas must have a record before it is acknowledged. @defaultValue the cluster's */
  readonly minInSyncReplicas?: number
  /** The largest batch, in bytes, that the topic takes: Kafka's `max.message.bytes`. @defaultValue the cluster's */
  readonly maxMessageBytes?: number
  /** Further settings of the topic, by Kafka's names. */
  readonly config?: Readonly<Record<string, string>>
  /** @defaultValue 'event' with JSON, else 'headers' */
  readonly envelope?: EnvelopeName
  /** What data is written with, and read with when a record has no content type. @defaultValue JSON */
  readonly codec?: Codec
  /** Codecs for further content types that may be read. Bytes, text and JSON are always among them. */
  readonly codecs?: readonly Codec[]
  /** What a value may be before it is refused, on both sides. */
  readonly limits?: Partial<ContractLimits>
  /** @defaultValue Kafka's own rules alone */
  readonly naming?: TopicNaming
  /** What the topic is for, for `describeTopics`. */
  readonly description?: string
}

/**
 * Compaction keeps the last record of each key, and a null value deletes it: what that means to a reader
 * has to be said, since to pass over a deletion is to keep what should be gone.
 */
type CompactionOptions =
  | { readonly compaction?: false; readonly tombstones?: TombstoneRule }
  | { readonly compaction: true; readonly tombstones: TombstoneRule }

export type TopicOptions<Events extends readonly EventContract[]> = CommonTopicOptions<Events> &
  CompactionOptions

/** The options of a topic as they come from whoever does without types. */
export type AnyTopicOptions = CommonTopicOptions<readonly EventContract[]> & {
  readonly compaction?: boolean
  readonly tombstones?: TombstoneRule
}

export const topicOptionNames: readonly (keyof AnyTopicOptions)[] = [
  'events',
  'key',
  'partitions',
  'replicas',
  'retention',
  'minInSyncReplicas',
  'maxMessageBytes',
  'config',
  'envelope',
  'codec',
  'codecs',
  'limits',
  'naming',
  'description',
  'compaction',
  'tombstones',
]

import { OptionError } from '../errors.ts'
import { oneOf, optionsOf } from '../option-checks.ts'
import { bytesCodec } from './codec/bytes-codec.ts'
import type { Codec, ContractLimits } from './codec/codec.ts'
import { CodecTable } from './codec/content-type.ts'
import { jsonCodec } from './codec/json-codec.ts'
import { textCodec } from './codec/text-codec.ts'
import { durationMs } from './duration.ts'
import type { EventContent, EventKey, KeyRule } from './event.ts'
import { EventContract } from './event-contract.ts'
import { wholeNumber } from './option-checks.ts'
import { shown } from './schema/shown.ts'
import { checkTopicName } from './topic-name.ts'
import { topicOptionNames } from './topic-options.ts'
import type { AnyTopicOptions, EnvelopeName, TombstoneRule, TopicOptions } from './topic-options.ts'

/** How a topic is set up in the cluster; undefined is whatever the cluster does by default. */
export interface TopicSettings {
  readonly partitions: number | undefined
  readonly replicas: number | undefined
  /** By Kafka's names: `retention.ms`, `cleanup.policy`. */
  readonly config: Readonly<Record<string, string>>
}

/** What Kafka takes by default in one batch, 1 MiB and its header. */
const messageBytesDefault = 1_048_588
const depthMaxDefault = 100

declare const topicEvents: unique symbol

/** A topic: its events, their keys, how they lie in records, and how it is set up in the cluster. */
export class TopicContract<
  Name extends string = string,
  Events extends readonly EventContract[] = readonly EventContract[],
> {
  /** For the type checker alone. */
  declare readonly [topicEvents]?: Events
  readonly name: Name
  readonly description: string | undefined
  /** By their types. Empty for a topic of anything. */
  readonly events: ReadonlyMap<string, EventContract>
  readonly envelope: EnvelopeName
  readonly tombstones: TombstoneRule
  readonly limits: ContractLimits
  readonly settings: TopicSettings
  /** @internal */
  readonly codec: Codec
  /** @internal */
  readonly codecs: CodecTable
  readonly #key: KeyRule | null | undefined

  /** Use `defineTopic`. */
  constructor(name: Name, options: AnyTopicOptions, option: string) {
    this.name = name
    this.description = options.description
    this.events = eventsByType(options.events ?? [], option)
    this.codec = options.codec ?? jsonCodec
    this.codecs = new CodecTable(this.codec, [
      jsonCodec,
      textCodec,
      bytesCodec,
      ...(options.codecs ?? []),
    ])
    this.envelope = envelopeOf(options, this.codec, option)
    this.tombstones = tombstonesOf(options, option)
    this.settings = settingsOf(options, option)
    this.limits = limitsOf(options, option)
    this.#key = options.key
    this.#checkKeys(option)
  }

  /** Whether anything may be in the topic: then nothing is checked. */
  get isOpen(): boolean {
    return this.events.size === 0
  }

  /** The key of an event: by its own rule, else by the topic's. @internal */
  keyOf(contract: EventContract | undefined, content: EventContent): EventKey | undefined {
    if (contract?.hasKey === true) return contract.keyOf(content)
    return typeof this.#key === 'function' ? this.#key(content) : null
  }

  /** Whether records have keys: by the topic's rule or each by its event's. */
  get hasKey(): boolean {
    return typeof this.#key === 'function' || [...this.events.values()].some(({ hasKey }) => hasKey)
  }

  /** The source of the rule for keys, for descriptions; undefined when there is none. */
  get keyRule(): string | undefined {
    return this.#key?.toString()
  }

  /** To forget the key is to lose the order, so that it has to be said. */
  #checkKeys(option: string): void {
    const given: unknown = this.#key
    if (given !== undefined && given !== null && typeof given !== 'function') {
      throw new OptionError(`${option}.key`, `(${shown(given)}) must be a function or null`)
    }
    if (given !== undefined) return
    const keyless = [...this.events.values()]
      .filter(({ hasKey }) => !hasKey)
      .map(({ type }) => type)
    if (keyless.length === 0) return
    throw new OptionError(
      `${option}.key`,
      `is missing, and ${keyless.join(', ')} has none either; records without a key have no order:` +
        ' say so with null',
    )
  }
}

function eventsByType(
  events: readonly EventContract[],
  option: string,
): ReadonlyMap<string, EventContract> {
  const byType = new Map<string, EventContract>()
  events.forEach((event, index) => {
    const place = `${option}.events[${index}]`
    if (!(event instanceof EventContract)) {
      throw new OptionError(place, `(${shown(event)}) must come from defineEvent`)
    }
    if (byType.has(event.type)) {
      throw new OptionError(
        place,
        `is the second one of type '${event.type}'; use versions instead`,
      )
    }
    byType.set(event.type, event)
  })
  return byType
}

function envelopeOf(options: AnyTopicOptions, codec: Codec, option: string): EnvelopeName {
  const envelope = oneOf(
    options.envelope ?? (codec.isJson ? 'event' : 'headers'),
    `${option}.envelope`,
    ['event', 'headers', 'cloudevents', 'cloudevents-structured'],
  )
  const isPossible = envelope === 'cloudevents-structured' ? codec === jsonCodec : codec.isJson
  if (isPossible || envelope === 'headers' || envelope === 'cloudevents') return envelope
  throw new OptionError(
    `${option}.envelope`,
    `('${envelope}') is JSON and cannot hold ${codec.contentType}; use 'headers' or 'cloudevents'`,
  )
}

function tombstonesOf(options: AnyTopicOptions, option: string): TombstoneRule {
  const place = `${option}.tombstones`
  if (options.compaction === true && options.tombstones === undefined) {
    throw new OptionError(
      place,
      "is missing: in a compacted topic a null value deletes its key; 'handle', 'skip' or 'refuse' it",
    )
  }
  return oneOf(options.tombstones ?? 'refuse', place, ['refuse', 'skip', 'handle'])
}

function settingsOf(options: AnyTopicOptions, option: string): TopicSettings {
  const bounded = (name: 'partitions' | 'replicas' | 'minInSyncReplicas', max: number) => {
    const value = options[name]
    return value === undefined
      ? undefined
      : wholeNumber(value, `${option}.${name}`, { min: 1, max })
  }
  const replicas = bounded('replicas', 32_767)
  const minInSyncReplicas = bounded('minInSyncReplicas', 32_767)
  if (replicas !== undefined && minInSyncReplicas !== undefined && minInSyncReplicas > replicas) {
    throw new OptionError(
      `${option}.minInSyncReplicas`,
      `(${minInSyncReplicas}) must not exceed replicas (${replicas}): nothing could be written`,
    )
  }
  const config = { ...kafkaConfig(options, minInSyncReplicas, option), ...options.config }
  return { partitions: bounded('partitions', 1_000_000), replicas, config }
}

function kafkaConfig(
  { compaction, retention, maxMessageBytes }: AnyTopicOptions,
  minInSyncReplicas: number | undefined,
  option: string,
): Record<string, string> {
  const config: Record<string, string> = {}
  if (compaction === true) {
    // Kept forever, unless a time is given: compaction alone never deletes the last record of a key.
    const alsoDeletes = retention !== undefined && retention !== 'forever'
    config['cleanup.policy'] = alsoDeletes ? 'compact,delete' : 'compact'
  } else if (compaction === false) {
    config['cleanup.policy'] = 'delete'
  }
  if (retention === 'forever') config['retention.ms'] = '-1'
  else if (retention !== undefined) {
    config['retention.ms'] = String(durationMs(retention, `${option}.retention`))
  }
  if (minInSyncReplicas !== undefined) config['min.insync.replicas'] = String(minInSyncReplicas)
  if (maxMessageBytes !== undefined) {
    const bytes = wholeNumber(maxMessageBytes, `${option}.maxMessageBytes`, {
      min: 1,
      max: 2 ** 31 - 1,
    })
    config['max.message.bytes'] = String(bytes)
  }
  return config
}

function limitsOf(
  { limits = {}, maxMessageBytes }: AnyTopicOptions,
  option: string,
): ContractLimits {
  const place = `${option}.limits`
  optionsOf(limits, place, ['valueBytesMax', 'depthMax', 'duplicateKeys'])
  return {
    valueBytesMax: wholeNumber(
      limits.valueBytesMax ?? maxMessageBytes ?? messageBytesDefault,
      `${place}.valueBytesMax`,
      { min: 1, max: 2 ** 29 },
    ),
    depthMax: wholeNumber(limits.depthMax ?? depthMaxDefault, `${place}.depthMax`, {
      min: 1,
      max: 1_000,
    }),
    duplicateKeys: oneOf(limits.duplicateKeys ?? 'last', `${place}.duplicateKeys`, [
      'last',
      'refuse',
    ]),
  }
}

/**
 * Declares a topic.
 *
 * @example
 * const orders = defineTopic('orders.events.v1', {
 *   events: [OrderCreated, OrderCancelled],
 *   key: ({ data }) => data.orderId,
 *   partitions: 12, replicas: 3, minInSyncReplicas: 2, retention: '7d',
 * })
 */
export function defineTopic<
  const Name extends string,
  const Events extends readonly EventContract[] = readonly [],
>(name: Name, options: TopicOptions<Events>): TopicContract<Name, Events> {
  const option = `defineTopic(${shown(name)})`
  optionsOf(options, option, topicOptionNames)
  checkTopicName(name, `${option}.name`, options.naming)
  return new TopicContract(name, options as AnyTopicOptions, option)
}

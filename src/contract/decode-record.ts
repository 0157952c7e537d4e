import type { Awaitable } from './awaitable.ts'
import type { ContractLimits } from './codec/codec.ts'
import { ContractViolation, DecodeError } from './contract-error.ts'
import type { EventOf } from './contract-types.ts'
import { readCloudEvent } from './envelope/cloud-event.ts'
import type { EventParts } from './envelope/event-parts.ts'
import { readEventEnvelope } from './envelope/event-envelope.ts'
import { readHeadersEnvelope } from './envelope/headers-envelope.ts'
import type { Event } from './event.ts'
import type { EventContract } from './event-contract.ts'
import { headerNames, nameIn } from './headers.ts'
import { isMillraceError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { RawRecord } from './raw-record.ts'
import { oneLine } from './schema/shown.ts'
import type { TopicContract } from './topic-contract.ts'

export interface DecodeOptions {
  /** Instead of the topic's. */
  readonly limits?: ContractLimits
  /**
   * The types of events that somebody handles: an event of the topic that is none of these comes back as
   * `unhandled`, without being read when its headers say its type. @defaultValue all
   */
  readonly handled?: ReadonlySet<string>
  /** What stands for the id of an event that has none, as its coordinates. @defaultValue '' */
  readonly fallbackId?: (record: RawRecord) => string
}

/** An event that was read. */
export interface DecodedEvent<Contracted extends Event = Event> {
  readonly kind: 'event'
  readonly event: Contracted
  /** The id that the record has; undefined where `event.id` is the fallback. */
  readonly id: string | undefined
  /** Undefined in a topic of anything. */
  readonly contract: EventContract | undefined
  /** The version that the record was written in. */
  readonly version: number
  /** The other attributes of a CloudEvent. */
  readonly attributes: Readonly<Record<string, unknown>> | undefined
}

/** A record without a value: the deletion of its key. The topic's `tombstones` says what is done with it. */
export interface DecodedTombstone {
  readonly kind: 'tombstone'
  readonly key: Buffer
  readonly timestamp: number
}

/** An event of the topic that nobody handles. Neither its data nor, mostly, its envelope was looked at. */
export interface UnhandledEvent {
  readonly kind: 'unhandled'
  readonly contract: EventContract
}

export type DecodedRecord<Topic extends TopicContract = TopicContract> =
  DecodedEvent<EventOf<Topic>> | DecodedTombstone | UnhandledEvent

type Decoded = DecodedEvent | DecodedTombstone | UnhandledEvent

const noOptions: DecodeOptions = {}

/**
 * Reads a record by the contract of its topic: guards, codec, envelope, version, schema, in this order.
 * Throws a `DecodeError`, or rejects with one, for what is wrong with the record. Whatever else is
 * thrown comes from a codec or a schema that could not do its work, and says nothing about the record.
 *
 * Answers a promise only where a codec or schema of the topic is asynchronous.
 */
export function decodeRecord<Topic extends TopicContract>(
  topic: Topic,
  record: RawRecord,
  options: DecodeOptions = noOptions,
): Awaitable<DecodedRecord<Topic>> {
  let result: Awaitable<Decoded>
  try {
    const { value } = record
    result = value === null ? tombstone(topic, record) : readEvent(topic, record, value, options)
  } catch (error) {
    throw decodeError(topic, record, error)
  }
  const checked =
    result instanceof Promise
      ? result.catch((error: unknown) => {
          throw decodeError(topic, record, error)
        })
      : result
  return checked as Awaitable<DecodedRecord<Topic>>
}

/** The type that the headers of a record say it is, without reading its value. */
export function eventTypeOf(
  topic: TopicContract,
  record: Pick<RawRecord, 'header'>,
): string | undefined {
  const isCloudEvent = topic.envelope.startsWith('cloudevents')
  return nameIn(record.header(isCloudEvent ? 'ce_type' : headerNames.eventType))
}

function readEvent(
  topic: TopicContract,
  record: RawRecord,
  value: Buffer,
  options: DecodeOptions,
): Awaitable<Decoded> {
  const { handled } = options
  // The headers are asked only where somebody may be spared the work.
  if (handled !== undefined && handled.size < topic.events.size) {
    const type = eventTypeOf(topic, record)
    const contract = type === undefined ? undefined : unhandled(topic, type, handled)
    if (contract !== undefined) return { kind: 'unhandled', contract }
  }
  const limits = options.limits ?? topic.limits
  if (value.length > limits.valueBytesMax) {
    throw new ContractViolation(
      'value-too-large',
      `the value has ${value.length} bytes; at most ${limits.valueBytesMax} are allowed`,
    )
  }
  const parts = readParts(topic, record, value, limits)
  return parts instanceof Promise
    ? parts.then((read) => finish(topic, record, read, options))
    : finish(topic, record, parts, options)
}

function readParts(
  topic: TopicContract,
  record: RawRecord,
  value: Buffer,
  limits: ContractLimits,
): Awaitable<EventParts> {
  switch (topic.envelope) {
    case 'event':
      return readEventEnvelope(topic, record, value, limits)
    case 'headers':
      return readHeadersEnvelope(topic, record, value, limits)
    default:
      return readCloudEvent(topic, record, value, limits)
  }
}

/** The contract of an event that is the topic's and that nobody handles. */
function unhandled(
  topic: TopicContract,
  type: string,
  handled: ReadonlySet<string>,
): EventContract | undefined {
  return handled.has(type) ? undefined : topic.events.get(type)
}

function finish(
  topic: TopicContract,
  record: RawRecord,
  parts: EventParts,
  options: DecodeOptions,
): Awaitable<Decoded> {
  const contract = contractOf(topic, parts.type)
  if (contract !== undefined && options.handled?.has(parts.type) === false) {
    return { kind: 'unhandled', contract }
  }
  const data =
    contract === undefined ? parts.data : contract.read(parts.data, parts.version, parts.dataPath)
  return data instanceof Promise
    ? data.then((checked: unknown) => decoded(record, parts, contract, checked, options))
    : decoded(record, parts, contract, data, options)
}

function decoded(
  record: RawRecord,
  { id, type, timestamp, version, attributes }: EventParts,
  contract: EventContract | undefined,
  data: unknown,
  { fallbackId }: DecodeOptions,
): DecodedEvent {
  return {
    kind: 'event',
    event: {
      id: id ?? fallbackId?.(record) ?? '',
      type,
      timestamp: timestamp ?? record.timestamp,
      data,
    },
    id,
    contract,
    version,
    attributes,
  }
}

function contractOf(topic: TopicContract, type: string): EventContract | undefined {
  const contract = topic.events.get(type)
  if (contract !== undefined || topic.isOpen) return contract
  const meant = nearest(type, topic.events.keys())
  const known = [...topic.events.keys()].slice(0, 10).join(', ')
  const hint = meant === undefined ? `its events are ${known}` : `did its sender mean ${meant}?`
  throw new ContractViolation('event-type-unknown', `is no event of the topic; ${hint}`, {
    path: 'event-type',
    shown: oneLine(type),
  })
}

function tombstone(topic: TopicContract, { key, timestamp }: RawRecord): DecodedTombstone {
  if (topic.tombstones === 'refuse') {
    throw new ContractViolation('null-value', 'the value is null, which the topic does not allow')
  }
  if (key === null) {
    throw new ContractViolation('null-key', 'key and value are null: there is nothing to delete')
  }
  return { kind: 'tombstone', key, timestamp }
}

/** Only a violation, and headers that are none, are the record's fault; everything else stays as it is. */
function decodeError(topic: TopicContract, record: RawRecord, error: unknown): unknown {
  if (isMillraceError(error, 'MILLRACE_PROTOCOL_INVALID')) {
    const violation = new ContractViolation('header-invalid', 'the headers are malformed', {
      detail: error.message,
      cause: error,
    })
    return violation.in(DecodeError, topic.name, undefined)
  }
  if (!(error instanceof ContractViolation)) return error
  return error.in(DecodeError, topic.name, eventTypeForMessage(topic, record))
}

/** The headers may be what is wrong. */
function eventTypeForMessage(topic: TopicContract, record: RawRecord): string | undefined {
  try {
    return eventTypeOf(topic, record)
  } catch {
    return undefined
  }
}

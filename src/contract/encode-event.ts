import type { Awaitable } from './awaitable.ts'
import { whenDone } from './awaitable.ts'
import type { EncodeContext } from './codec/codec.ts'
import { checkedJson, jsonCodec, stringify } from './codec/json-codec.ts'
import { isWellFormed } from './codec/text-codec.ts'
import { ContractViolation, EncodeError } from './contract-error.ts'
import type { ContractsOf, DataOf } from './contract-types.ts'
import { cloudEventHeaders, structuredAttributes } from './envelope/write-cloud-event.ts'
import type { EventKey } from './event.ts'
import type { EventContract } from './event-contract.ts'
import { headerNames } from './headers.ts'
import type { EncodedHeader } from './headers.ts'
import { addOutgoingHeaders } from './message-context.ts'
import type { MessageContext } from './message-context.ts'
import { givenHeaders } from './given-headers.ts'
import { oneLine, shown } from './schema/shown.ts'
import type { TopicContract } from './topic-contract.ts'
import type { EnvelopeName } from './topic-options.ts'

export interface EncodeOptions {
  /** The event's id, as `createEventIds` makes them: unique to the event, never a business key. */
  readonly id: string
  /** When it happened, in milliseconds since the epoch; also the record's timestamp. */
  readonly timestamp: number
  /** Instead of the contract's. */
  readonly key?: EventKey | undefined
  /** Added to what the contract writes. They may replace what ties messages together, never what the value is. */
  readonly headers?:
    readonly EncodedHeader[] | Readonly<Record<string, Uint8Array | string | null>> | undefined
  /** Where it goes, instead of where its key says. */
  readonly partition?: number | undefined
  /** The service that sends it. CloudEvents need one. */
  readonly source?: string | undefined
  /** The message because of which it is sent. */
  readonly context?: MessageContext | undefined
  /** Further attributes of a CloudEvent, as `subject`. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined
}

/** A record as the client takes it. */
export interface EncodedRecord {
  readonly topic: string
  readonly key: EventKey
  /** Text goes out as UTF-8. */
  readonly value: Uint8Array | string | null
  readonly headers: readonly EncodedHeader[]
  readonly timestamp: number
  readonly partition?: number
}

/**
 * Makes the record of an event: checks the data, finds the key, writes the envelope. Throws an
 * `EncodeError`, or rejects with one, for what is wrong with what was given.
 *
 * Answers a promise only where a codec or schema of the topic is asynchronous.
 */
export function encodeEvent<Topic extends TopicContract, Contract extends ContractsOf<Topic>>(
  topic: Topic,
  event: Contract,
  data: DataOf<Contract>,
  options: EncodeOptions,
): Awaitable<EncodedRecord> {
  try {
    const record = encode(topic, event, data, options)
    if (!(record instanceof Promise)) return record
    return record.catch((error: unknown) => {
      throw encodeError(topic, event, error)
    })
  } catch (error) {
    throw encodeError(topic, event, error)
  }
}

/** Makes the record that deletes a key from a compacted topic. */
export function encodeTombstone(
  topic: TopicContract,
  key: string | Uint8Array,
  options: Pick<EncodeOptions, 'timestamp' | 'headers' | 'partition' | 'source' | 'context'>,
): EncodedRecord {
  try {
    if (topic.tombstones === 'refuse') {
      throw new ContractViolation('null-value', 'the topic allows no records without a value')
    }
    const headers: EncodedHeader[] =
      options.source === undefined ? [] : [[headerNames.sourceService, options.source]]
    if (options.context !== undefined) {
      addOutgoingHeaders(headers, options.context, options.context.causationId)
    }
    return recordOf(topic, checkedKey(key), null, headers, options)
  } catch (error) {
    throw encodeError(topic, undefined, error)
  }
}

function encode(
  topic: TopicContract,
  event: EventContract,
  data: unknown,
  options: EncodeOptions,
): Awaitable<EncodedRecord> {
  if (topic.events.get(event.type) !== event && !topic.isOpen) {
    throw new ContractViolation('event-type-unknown', `${event.type} is no event of the topic`)
  }
  checkIdentity(options)
  const headers = headersOf(topic, event, options)
  if (topic.codec === jsonCodec) return encodeJson(topic, event, data, options, headers)
  return whenDone(event.check(data, 'data'), () => {
    const enveloped = envelopeAround(topic, event, data, options)
    const value = topic.codec.encode(enveloped, encodeContext(topic, event, headers))
    const key = keyFor(topic, event, data, options)
    return whenDone(value, (bytes) => recordOf(topic, key, bytes, headers, options))
  })
}

/** The way of nearly all events: the data becomes text once, and the envelope is written around it. */
function encodeJson(
  topic: TopicContract,
  event: EventContract,
  data: unknown,
  options: EncodeOptions,
  headers: readonly EncodedHeader[],
): Awaitable<EncodedRecord> {
  // A schema that makes other data of what it is given is tried on what readers will see.
  const early = event.transforms ? stringify(data) : undefined
  const checked = event.check(early === undefined ? data : JSON.parse(early), 'data')
  const record = () => {
    const value = jsonValue(topic, event, early ?? stringify(data), options)
    return recordOf(topic, keyFor(topic, event, data, options), value, headers, options)
  }
  return checked instanceof Promise ? checked.then(record) : record()
}

/** The key that was given, or what the contract makes of data that has been checked. */
function keyFor(
  topic: TopicContract,
  event: EventContract,
  data: unknown,
  { key }: EncodeOptions,
): EventKey {
  if (key !== undefined) return checkedKey(key)
  let made: unknown
  try {
    made = topic.keyOf(event, { type: event.type, data })
  } catch (cause) {
    const detail = cause instanceof Error ? oneLine(cause.message) : oneLine(String(cause))
    throw new ContractViolation('key-invalid', 'cannot be made', { path: 'key', detail, cause })
  }
  return checkedKey(made)
}

function checkIdentity({ id, timestamp }: EncodeOptions): void {
  if (typeof id !== 'string' || id === '' || id.length > 256 || !isWellFormed(id)) {
    throw new ContractViolation('event-id', 'must be text of 1 to 256 characters', {
      path: 'id',
      shown: shown(id),
    })
  }
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw new ContractViolation('envelope', 'must be whole milliseconds since 1970', {
      path: 'timestamp',
      shown: shown(timestamp),
    })
  }
}

function checkedKey(key: unknown): EventKey {
  if (key === null || key instanceof Uint8Array) return key
  if (typeof key === 'string' && isWellFormed(key)) return key
  throw new ContractViolation('key-invalid', 'must be text, bytes (Uint8Array) or null', {
    path: 'key',
    shown: shown(key),
  })
}

function headersOf(
  topic: TopicContract,
  event: EventContract,
  options: EncodeOptions,
): EncodedHeader[] {
  const headers: EncodedHeader[] = []
  if (topic.envelope === 'cloudevents-structured') {
    headers.push([headerNames.contentType, 'application/cloudevents+json; charset=utf-8'])
  } else {
    if (topic.envelope === 'cloudevents') headers.push(...cloudEventHeaders(event.type, options))
    else headers.push([headerNames.eventType, event.type])
    headers.push([headerNames.contentType, topic.codec.contentType])
  }
  if (topic.envelope === 'headers') headers.push([headerNames.eventId, options.id])
  headers.push([headerNames.schemaVersion, String(event.version)])
  if (options.source !== undefined) headers.push([headerNames.sourceService, options.source])
  addOutgoingHeaders(headers, options.context, options.id)
  return headers
}

function jsonValue(
  { envelope, limits }: TopicContract,
  { type }: EventContract,
  data: string,
  options: EncodeOptions,
): string {
  return checkedJson(jsonText(envelope, type, data, options), limits)
}

function jsonText(
  envelope: EnvelopeName,
  type: string,
  data: string,
  options: EncodeOptions,
): string {
  const { id, timestamp } = options
  if (envelope === 'event') {
    return `{"id":${JSON.stringify(id)},"type":${JSON.stringify(type)},"timestamp":${timestamp},"data":${data}}`
  }
  if (envelope !== 'cloudevents-structured') return data
  const attributes = JSON.stringify(structuredAttributes(type, options))
  return `${attributes.slice(0, -1)},"data":${data}}`
}

function envelopeAround(
  { envelope }: TopicContract,
  { type }: EventContract,
  data: unknown,
  options: EncodeOptions,
): unknown {
  const { id, timestamp } = options
  if (envelope === 'event') return { id, type, timestamp, data }
  if (envelope !== 'cloudevents-structured') return data
  return { ...structuredAttributes(type, options), data }
}

function encodeContext(
  { name, limits }: TopicContract,
  { type, version }: EventContract,
  headers: EncodedHeader[],
): EncodeContext {
  const addHeader: EncodeContext['addHeader'] = (header, value) => headers.push([header, value])
  return { topic: name, eventType: type, version, limits, addHeader }
}

function checkSize(value: Uint8Array | string, valueBytesMax: number): void {
  // A character of JavaScript has at most three bytes in UTF-8.
  if (value.length * 3 <= valueBytesMax) return
  const bytes = typeof value === 'string' ? Buffer.byteLength(value) : value.length
  if (bytes <= valueBytesMax) return
  throw new ContractViolation(
    'value-too-large',
    `the value has ${bytes} bytes; at most ${valueBytesMax} are allowed`,
  )
}

function recordOf(
  { name, limits }: TopicContract,
  key: EventKey,
  value: Uint8Array | string | null,
  own: readonly EncodedHeader[],
  {
    timestamp,
    partition,
    headers: given,
  }: Pick<EncodeOptions, 'timestamp' | 'partition' | 'headers'>,
): EncodedRecord {
  if (value !== null) checkSize(value, limits.valueBytesMax)
  const headers = givenHeaders(own, given)
  const record = { topic: name, key, value, headers, timestamp }
  return partition === undefined ? record : { ...record, partition }
}

function encodeError(
  topic: TopicContract,
  event: EventContract | undefined,
  error: unknown,
): unknown {
  if (!(error instanceof ContractViolation)) return error
  return error.in(EncodeError, topic.name, event?.type)
}

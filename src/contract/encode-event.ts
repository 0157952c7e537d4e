import type { Awaitable } from './awaitable.ts'
import { whenDone } from './awaitable.ts'
import type { EncodeContext } from './codec/codec.ts'
import { jsonCodec, writeJson } from './codec/json-codec.ts'
import { isWellFormed } from './codec/text-codec.ts'
import { ContractViolation, EncodeError } from './contract-error.ts'
import type { ContractsOf, DataOf } from './contract-types.ts'
import { cloudEventHeaders, structuredCloudEvent } from './envelope/write-cloud-event.ts'
import type { EventKey } from './event.ts'
import type { EventContract } from './event-contract.ts'
import { headerNames } from './headers.ts'
import type { EncodedHeader } from './headers.ts'
import { outgoingHeaders } from './message-context.ts'
import type { MessageContext } from './message-context.ts'
import { givenHeaders } from './given-headers.ts'
import { shown } from './schema/shown.ts'
import type { TopicContract } from './topic-contract.ts'

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
      headers.push(...outgoingHeaders(options.context, options.context.causationId))
    }
    return recordOf(topic, checkedKey(key), null, givenHeaders(headers, options.headers), options)
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
  const key = checkedKey(
    options.key === undefined ? topic.keyOf(event, { type: event.type, data }) : options.key,
  )
  const headers = headersOf(topic, event, options)
  // A schema that makes other data of what it is given is tried on what readers will see.
  const checked = event.transforms && topic.codec.isJson ? undefined : event.check(data, 'data')
  return whenDone(checked, () =>
    whenDone(valueOf(topic, event, data, options, headers), (value) => {
      checkSize(value, topic.limits.valueBytesMax)
      const record = recordOf(topic, key, value, givenHeaders(headers, options.headers), options)
      if (!event.transforms || !topic.codec.isJson) return record
      return whenDone(event.check(asRead(data), 'data'), () => record)
    }),
  )
}

/** Data as JSON brings it to readers. Data that JSON cannot hold has been refused before. */
function asRead(data: unknown): unknown {
  const text = JSON.stringify(data) as string | undefined
  return text === undefined ? undefined : JSON.parse(text)
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
  headers.push(...outgoingHeaders(options.context, options.id))
  return headers
}

function valueOf(
  topic: TopicContract,
  event: EventContract,
  data: unknown,
  options: EncodeOptions,
  headers: EncodedHeader[],
): Awaitable<Uint8Array | string> {
  const enveloped = envelopeAround(topic, event, data, options)
  if (topic.codec === jsonCodec) return writeJson(enveloped, topic.limits)
  const context: EncodeContext = {
    topic: topic.name,
    eventType: event.type,
    version: event.version,
    limits: topic.limits,
    addHeader: (name, value) => headers.push([name, value]),
  }
  return topic.codec.encode(enveloped, context)
}

function envelopeAround(
  topic: TopicContract,
  { type }: EventContract,
  data: unknown,
  options: EncodeOptions,
): unknown {
  const { id, timestamp } = options
  if (topic.envelope === 'event') return { id, type, timestamp, data }
  if (topic.envelope === 'cloudevents-structured') return structuredCloudEvent(type, data, options)
  return data
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
  topic: TopicContract,
  key: EventKey,
  value: Uint8Array | string | null,
  headers: readonly EncodedHeader[],
  { timestamp, partition }: Pick<EncodeOptions, 'timestamp' | 'partition'>,
): EncodedRecord {
  const record = { topic: topic.name, key, value, headers, timestamp }
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

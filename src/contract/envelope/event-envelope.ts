import type { Awaitable } from '../awaitable.ts'
import type { Codec, ContractLimits } from '../codec/codec.ts'
import { readJson } from '../codec/json-codec.ts'
import { ContractViolation } from '../contract-error.ts'
import { headerNames, nameIn } from '../headers.ts'
import type { RawRecord } from '../raw-record.ts'
import { shown } from '../schema/shown.ts'
import type { TopicContract } from '../topic-contract.ts'
import { decodeContext } from './decode-context.ts'
import type { EventParts } from './event-parts.ts'
import { eventIdOf, timestampOf, versionOf } from './event-parts.ts'

/** Reads the envelope `{ id, type, timestamp, data }`. */
export function readEventEnvelope(
  topic: TopicContract,
  record: RawRecord,
  value: Buffer,
  limits: ContractLimits,
): Awaitable<EventParts> {
  if (topic.codecs.hasOneJson) return readPlainEnvelope(topic, record, value, limits)
  const codec = jsonCodecOf(topic, record)
  const decoded = codec.decode(value, decodeContext(topic, record, limits, undefined, undefined))
  return decoded instanceof Promise
    ? decoded.then((read: unknown) => partsOf(read, record))
    : partsOf(decoded, record)
}

/**
 * Where only one codec can hold an envelope it need not be looked up: what is no JSON fails as such, and
 * the content type is read to say why.
 */
function readPlainEnvelope(
  topic: TopicContract,
  record: RawRecord,
  value: Buffer,
  limits: ContractLimits,
): EventParts {
  try {
    return partsOf(readJson(value, limits), record)
  } catch (error) {
    jsonCodecOf(topic, record)
    throw error
  }
}

function jsonCodecOf(topic: TopicContract, record: RawRecord): Codec {
  const codec = topic.codecs.codecFor(record.header(headerNames.contentType))
  if (codec.isJson) return codec
  throw new ContractViolation(
    'content-type-unknown',
    `has the content type '${codec.contentType}', which cannot hold the envelope of an event`,
  )
}

function partsOf(value: unknown, record: RawRecord): EventParts {
  if (typeof value !== 'object' || value === null || !('data' in value)) {
    throw new ContractViolation('envelope', 'must be an envelope: { id, type, timestamp, data }', {
      path: 'value',
      shown: shown(value),
    })
  }
  const envelope = value as Readonly<Record<'id' | 'type' | 'timestamp' | 'data', unknown>>
  return {
    id: eventIdOf(envelope.id),
    type: typeOf(envelope.type, record),
    timestamp: timestampOf(envelope.timestamp, 'timestamp'),
    data: envelope.data,
    version: versionOf(record.header(headerNames.schemaVersion)),
    dataPath: 'data',
    attributes: undefined,
  }
}

/** The type in the envelope and the one in the header are one, where both are there. */
function typeOf(inside: unknown, record: RawRecord): string {
  const header = record.header(headerNames.eventType)
  if (typeof inside === 'string' && inside !== '') {
    if (header === null || header === undefined || holds(header, inside)) return inside
    throw new ContractViolation(
      'event-type-conflict',
      `differs from the header event-type ${shown(header.toString('utf8', 0, 200))}`,
      { path: 'type', shown: shown(inside) },
    )
  }
  const outside = inside === undefined || inside === null ? nameIn(header) : undefined
  if (outside !== undefined) return outside
  throw new ContractViolation('event-type-missing', 'must name the type of the event', {
    path: 'type',
    shown: shown(inside),
  })
}

/** Whether bytes are the UTF-8 of a text. Types are short: a loop is done before a conversion begins. */
function holds(bytes: Buffer, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit > 0x7f) return bytes.toString('utf8') === text
    if (bytes[index] !== unit) return false
  }
  return bytes.length === text.length
}

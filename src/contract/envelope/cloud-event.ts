import type { Awaitable } from '../awaitable.ts'
import { whenDone } from '../awaitable.ts'
import type { ContractLimits } from '../codec/codec.ts'
import { parseContentType } from '../codec/content-type.ts'
import { readJson } from '../codec/json-codec.ts'
import { ContractViolation } from '../contract-error.ts'
import { headerNames } from '../headers.ts'
import type { RawRecord } from '../raw-record.ts'
import { oneLine, shown } from '../schema/shown.ts'
import type { TopicContract } from '../topic-contract.ts'
import { decodeContext } from './decode-context.ts'
import type { EventParts } from './event-parts.ts'
import { eventIdOf, timestampOf, versionOf } from './event-parts.ts'

/*
 * CloudEvents 1.0.2 and its Kafka binding. In binary mode each attribute is a header `ce_<name>` in
 * UTF-8, `content-type` is the data's, and the value is the data. In structured mode the content type is
 * application/cloudevents+json and the value is an object of the attributes, with `data` or `data_base64`.
 */

export const attributePrefix = 'ce_'
export const specVersion = '1.0'
export const structuredType = 'application/cloudevents+json'
const structuredFamily = 'application/cloudevents'

/** Attributes that become parts of the event; the others are handed on as they are. */
const coreAttributes: ReadonlySet<string> = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'time',
  'datacontenttype',
  'data',
  'data_base64',
])

/** Reads a CloudEvent in the mode that its content type says, as the specification asks of receivers. */
export function readCloudEvent(
  topic: TopicContract,
  record: RawRecord,
  value: Buffer,
  limits: ContractLimits,
): Awaitable<EventParts> {
  const contentType = record.header(headerNames.contentType) ?? undefined
  const mediaType =
    contentType === undefined ? '' : parseContentType(contentType.toString('latin1')).mediaType
  if (!mediaType.startsWith(structuredFamily)) return readBinary(topic, record, value, limits)
  if (mediaType !== structuredType) {
    throw new ContractViolation(
      'content-type-unknown',
      `has the content type '${oneLine(mediaType)}'; of CloudEvents only ${structuredType} is read`,
    )
  }
  return readStructured(topic, record, value, limits)
}

type Attributes = Readonly<Record<string, unknown>>

function readBinary(
  topic: TopicContract,
  record: RawRecord,
  value: Buffer,
  limits: ContractLimits,
): Awaitable<EventParts> {
  const attributes = binaryAttributes(record)
  const head = headOf(attributes, record)
  const codec = topic.codecs.codecFor(record.header(headerNames.contentType))
  const context = decodeContext(topic, record, limits, head.type, head.version)
  return whenDone(codec.decode(value, context), (data) => ({ ...head, data }))
}

/** Attributes are few; a record with more headers of this kind than that is no event. */
const attributesMax = 100

function binaryAttributes(record: RawRecord): Attributes {
  const attributes: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  let count = 0
  for (const { key, value } of record.headers) {
    if (!key.startsWith(attributePrefix) || value === null) continue
    if (++count > attributesMax) throw tooManyAttributes()
    attributes[key.slice(attributePrefix.length)] = value.toString('utf8')
  }
  return attributes
}

function tooManyAttributes(): ContractViolation {
  return new ContractViolation('envelope', `has more than ${attributesMax} attributes`)
}

function readStructured(
  topic: TopicContract,
  record: RawRecord,
  value: Buffer,
  limits: ContractLimits,
): Awaitable<EventParts> {
  const attributes = readJson(value, limits)
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
    throw new ContractViolation('envelope', 'must be the object of a CloudEvent', {
      path: 'value',
      shown: shown(attributes),
    })
  }
  if (Object.keys(attributes).length > attributesMax) throw tooManyAttributes()
  const head = headOf(attributes as Attributes, record)
  return whenDone(
    structuredData(topic, record, attributes as Attributes, head, limits),
    (data) => ({
      ...head,
      data,
    }),
  )
}

type Head = Omit<EventParts, 'data'>

function structuredData(
  topic: TopicContract,
  record: RawRecord,
  attributes: Attributes,
  head: Head,
  limits: ContractLimits,
): unknown {
  const { data, data_base64: base64, datacontenttype } = attributes
  if (base64 === undefined) return data
  if (typeof base64 !== 'string' || data !== undefined || !isBase64(base64)) {
    throw new ContractViolation('envelope', 'must be base64, and the only data', {
      path: 'data_base64',
      shown: shown(base64),
    })
  }
  const codec = topic.codecs.codecFor(
    typeof datacontenttype === 'string' ? Buffer.from(datacontenttype) : undefined,
  )
  const context = decodeContext(topic, record, limits, head.type, head.version)
  return codec.decode(Buffer.from(base64, 'base64'), context)
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
}

function headOf(attributes: Attributes, record: RawRecord): Head {
  const version = required(attributes, 'specversion')
  if (version !== specVersion) {
    throw new ContractViolation('envelope', `must be '${specVersion}'`, {
      path: 'specversion',
      shown: shown(version),
    })
  }
  const type = required(attributes, 'type')
  required(attributes, 'source')
  return {
    id: eventIdOf(required(attributes, 'id')),
    type,
    timestamp: timestampOf(attributes['time'], 'time'),
    version: versionOf(record.header(headerNames.schemaVersion)),
    dataPath: 'data',
    attributes: handedOn(attributes),
  }
}

/** An attribute that every CloudEvent has: text that is not empty. */
function required(attributes: Attributes, name: string): string {
  const value = attributes[name]
  if (typeof value === 'string' && value !== '') return value
  const missing = value === undefined ? 'is missing' : 'must be text that is not empty'
  throw new ContractViolation(name === 'type' ? 'event-type-missing' : 'envelope', missing, {
    path: name,
    ...(value === undefined ? {} : { shown: shown(value) }),
  })
}

/** What is left: the source, the subject, extensions. */
function handedOn(attributes: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => name === 'source' || !coreAttributes.has(name)),
  )
}

/** Whether an attribute is a part of the event itself. */
export function isCoreAttribute(name: string): boolean {
  return coreAttributes.has(name)
}

import type { Awaitable } from '../awaitable.ts'
import { whenDone } from '../awaitable.ts'
import type { ContractLimits } from '../codec/codec.ts'
import { ContractViolation } from '../contract-error.ts'
import { headerNames, nameIn } from '../headers.ts'
import type { RawRecord } from '../raw-record.ts'
import type { TopicContract } from '../topic-contract.ts'
import { decodeContext } from './decode-context.ts'
import type { EventParts } from './event-parts.ts'
import { versionOf } from './event-parts.ts'

/** Reads a record whose value is the data, and whose headers say what it is. */
export function readHeadersEnvelope(
  topic: TopicContract,
  record: RawRecord,
  value: Buffer,
  limits: ContractLimits,
): Awaitable<EventParts> {
  const type = nameIn(record.header(headerNames.eventType)) ?? onlyTypeOf(topic)
  const version = versionOf(record.header(headerNames.schemaVersion))
  const codec = topic.codecs.codecFor(record.header(headerNames.contentType))
  const context = decodeContext(topic, record, limits, type, version)
  return whenDone(codec.decode(value, context), (data) => ({
    // `id` is the name that outbox connectors use.
    id: nameIn(record.header(headerNames.eventId)) ?? nameIn(record.header('id')),
    type,
    timestamp: undefined,
    data,
    version,
    dataPath: 'data',
    attributes: undefined,
  }))
}

/** In a topic of one event, or of anything, a record need not say what it is. */
function onlyTypeOf(topic: TopicContract): string {
  const [only, another] = topic.events.keys()
  if (only === undefined) return ''
  if (another === undefined) return only
  throw new ContractViolation(
    'event-type-missing',
    `has no header ${headerNames.eventType}, and the topic has several events`,
  )
}

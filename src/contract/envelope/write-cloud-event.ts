import { ContractViolation } from '../contract-error.ts'
import type { EncodedHeader } from '../headers.ts'
import { shown } from '../schema/shown.ts'
import { attributePrefix, isCoreAttribute, specVersion } from './cloud-event.ts'

/** What is known of an event beside its type and data. */
export interface CloudEventSource {
  readonly id: string
  readonly timestamp: number
  readonly source?: string | undefined
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined
}

/** The headers of an event in binary mode, but for the content type. */
export function cloudEventHeaders(type: string, event: CloudEventSource): EncodedHeader[] {
  return Object.entries(attributesOf(type, event)).map(([name, value]) => [
    attributePrefix + name,
    String(value),
  ])
}

/** The value of an event in structured mode, but for the data. */
export function structuredAttributes(type: string, event: CloudEventSource): object {
  return { ...attributesOf(type, event), datacontenttype: 'application/json' }
}

function attributesOf(
  type: string,
  { id, timestamp, source, attributes = {} }: CloudEventSource,
): Record<string, string | number | boolean> {
  if (source === undefined || source === '') {
    throw new ContractViolation('envelope', 'must name who sends the CloudEvent', {
      path: 'source',
    })
  }
  for (const [name, value] of Object.entries(attributes)) checkAttribute(name, value)
  const time = new Date(timestamp).toISOString()
  return { specversion: specVersion, id, source, type, time, ...attributes }
}

/** CloudEvents 1.0.2: names are lower-case letters and digits, whole numbers have 32 bits. */
function checkAttribute(name: string, value: unknown): void {
  const isValue =
    typeof value === 'boolean' ||
    (typeof value === 'string' && !/[\p{Cc}\p{Surrogate}]/u.test(value)) ||
    (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31)
  if (/^[a-z0-9]{1,64}$/.test(name) && !isCoreAttribute(name) && isValue) return
  throw new ContractViolation(
    'envelope',
    'must be named by lower-case letters and digits, and be text, a whole number or a boolean',
    { path: `attributes.${shown(name)}`, shown: shown(value) },
  )
}

/** Names of the headers of an event's record. */
export const headerNames = {
  eventId: 'event-id',
  eventType: 'event-type',
  contentType: 'content-type',
  schemaVersion: 'schema-version',
  sourceService: 'source-service',
  correlationId: 'correlation-id',
  causationId: 'causation-id',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  traceId: 'trace-id',
} as const

/** A header that is written. Names may repeat. */
export type EncodedHeader = readonly [name: string, value: Uint8Array | string | null]

/** What a header may hold that names something: longer ones are no names. */
const nameLengthMax = 256

/** The text of a header that is an id or a name; undefined when there is none, or it cannot be one. */
export function nameIn(header: Buffer | null | undefined): string | undefined {
  if (header === null || header === undefined) return undefined
  if (header.length === 0 || header.length > nameLengthMax) return undefined
  if (isPrintableAscii(header)) return header.toString('latin1')
  const text = header.toString('utf8')
  return /^[^\p{Cc}\ufffd]+$/u.test(text) ? text : undefined
}

/** Nearly all are. */
function isPrintableAscii(bytes: Buffer): boolean {
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] as number
    if (byte < 0x20 || byte > 0x7e) return false
  }
  return true
}

import { headerNames, nameIn } from './headers.ts'
import type { EncodedHeader } from './headers.ts'
import type { RawRecord } from './raw-record.ts'

/** What a message hands on to those that are sent because of it. */
export interface MessageContext {
  /** What all messages share that go back to the same one: its id, unless somebody chose another. */
  readonly correlationId: string
  /** The id of the message that is handled: the cause of what is sent meanwhile. */
  readonly causationId: string
  /** As in W3C Trace Context. */
  readonly traceparent?: string
  readonly tracestate?: string
  /** A trace id without the rest, from those that do not write `traceparent`. */
  readonly traceId?: string
}

/** What a record that was read hands on. `id` is its event's id, or what stands for it. */
export function contextOf(record: Pick<RawRecord, 'header'>, id: string): MessageContext {
  const correlationId = nameIn(record.header(headerNames.correlationId)) ?? id
  const trace = traceOf(record)
  return trace === noTrace
    ? { correlationId, causationId: id }
    : { correlationId, causationId: id, ...trace }
}

type Trace = Pick<MessageContext, 'traceparent' | 'tracestate' | 'traceId'>

const noTrace: Trace = {}

/** The trace that a record belongs to, as far as its headers are well formed. */
export function traceOf(record: Pick<RawRecord, 'header'>): Trace {
  const traceparent = nameIn(
    record.header(headerNames.traceparent) ?? record.header(`ce_${headerNames.traceparent}`),
  )
  if (traceparent !== undefined && isTraceparent(traceparent)) {
    const tracestate = stateIn(record.header(headerNames.tracestate))
    return tracestate === undefined ? { traceparent } : { traceparent, tracestate }
  }
  const traceId = nameIn(record.header(headerNames.traceId))
  return traceId === undefined ? noTrace : { traceId }
}

/** Version, trace id, parent id and flags (W3C Trace Context, 3.2); neither id may be all zeros. */
function isTraceparent(text: string): boolean {
  const [, version, rest] =
    /^([\da-f]{2})-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(-.*)?$/.exec(text) ?? []
  if (version === undefined || version === 'ff') return false
  return rest === undefined || version !== '00'
}

/** `tracestate` may be longer than a name; more than 512 characters need not be handed on. */
function stateIn(header: Buffer | null | undefined): string | undefined {
  if (header === null || header === undefined) return undefined
  if (header.length === 0 || header.length > 512) return undefined
  const text = header.toString('latin1')
  return /^[\x20-\x7e]+$/.test(text) ? text : undefined
}

/** The headers that tie a message to the one that it is sent because of. */
export function outgoingHeaders(context: MessageContext | undefined, id: string): EncodedHeader[] {
  const headers: EncodedHeader[] = []
  addOutgoingHeaders(headers, context, id)
  return headers
}

/**
 * Adds the headers that tie a message to the one that it is sent because of. Without one it is the first: its
 * own id is the correlation id, and it has no cause.
 */
export function addOutgoingHeaders(
  headers: EncodedHeader[],
  context: MessageContext | undefined,
  id: string,
): void {
  headers.push([headerNames.correlationId, context?.correlationId ?? id])
  if (context === undefined) return
  headers.push([headerNames.causationId, context.causationId])
  if (context.traceparent !== undefined) {
    headers.push([headerNames.traceparent, context.traceparent])
    if (context.tracestate !== undefined) headers.push([headerNames.tracestate, context.tracestate])
  } else if (context.traceId !== undefined) {
    headers.push([headerNames.traceId, context.traceId])
  }
}

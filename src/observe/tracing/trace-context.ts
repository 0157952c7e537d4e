/** Where a message stands in a trace, as W3C Trace Context writes it into headers. */
export interface TraceContext {
  readonly traceparent: string
  readonly tracestate?: string
}

/** The headers that carry a `TraceContext`. */
const traceHeaderNames = { traceparent: 'traceparent', tracestate: 'tracestate' } as const

/** More need not be handed on (W3C Trace Context, 3.3.1.5). */
const tracestateLengthMax = 512

/** The parts of a `traceparent`. */
export interface TraceParent {
  readonly traceId: string
  readonly spanId: string
  readonly flags: number
}

/**
 *     traceparent = version "-" trace-id "-" parent-id "-" trace-flags [ "-" what later versions add ]
 *
 * Lower-case hexadecimal; neither id is all zeros; version `ff` does not exist.
 */
const pattern =
  /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/

/** Undefined where it is not well formed: it then counts as absent. */
export function parseTraceparent(text: string): TraceParent | undefined {
  const [, version, traceId, spanId, flags, more] = pattern.exec(text) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (version === '00' && more !== undefined) return undefined
  return { traceId, spanId, flags: Number.parseInt(flags, 16) }
}

/** A `traceparent` of version 00. */
export function formatTraceparent({ traceId, spanId, flags }: TraceParent): string {
  return `00-${traceId}-${spanId}-${(flags & 0xff).toString(16).padStart(2, '0')}`
}

/** The context in headers, of which `header` reads one by its name. Undefined where there is none that is well formed. */
export function readTraceContext(
  header: (name: string) => string | undefined,
): TraceContext | undefined {
  const traceparent = header(traceHeaderNames.traceparent)
  if (traceparent === undefined || parseTraceparent(traceparent) === undefined) return undefined
  const tracestate = header(traceHeaderNames.tracestate)
  const isKept =
    tracestate !== undefined && tracestate !== '' && tracestate.length <= tracestateLengthMax
  return isKept ? { traceparent, tracestate } : { traceparent }
}

/** The headers that hand a context on. */
export function traceHeaders(
  context: TraceContext | undefined,
): readonly (readonly [name: string, value: string])[] {
  if (context === undefined) return []
  const { traceparent, tracestate } = context
  const first = [traceHeaderNames.traceparent, traceparent] as const
  return tracestate === undefined ? [first] : [first, [traceHeaderNames.tracestate, tracestate]]
}

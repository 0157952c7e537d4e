import type * as OpenTelemetry from '@opentelemetry/api'
import { version } from '../../version.ts'
import type { Log } from '../log.ts'
import { passThroughTracer } from './pass-through-tracer.ts'
import { formatTraceparent, parseTraceparent } from './trace-context.ts'
import type { TraceContext } from './trace-context.ts'
import { HeaderTraceState } from './trace-state.ts'
import type { Span, SpanAttributes, SpanEnd, SpanOptions, Tracer } from './tracer.ts'

/** `@opentelemetry/api`, as a module. */
export type OpenTelemetryApi = typeof OpenTelemetry

/** More links of a span OpenTelemetry drops by default. */
const linksMax = 128

/** Spans for whatever SDK the service has set up, now or later. */
export class OpenTelemetryTracer implements Tracer {
  readonly #api: OpenTelemetryApi
  /** Of the SDK, once there is one. */
  #found: OpenTelemetry.Tracer | undefined

  constructor(api: OpenTelemetryApi) {
    this.#api = api
  }

  get isEnabled(): boolean {
    this.#tracer()
    return this.#found !== undefined
  }

  startSpan(options: SpanOptions): Span {
    const { name, kind, attributes = {}, links = [] } = options
    const api = this.#api
    const within = this.#contextOf(options.parent)
    const span = this.#tracer().startSpan(
      name,
      {
        kind: api.SpanKind[kindNames[kind]],
        attributes: defined(attributes),
        links: links.slice(0, linksMax).flatMap(({ context, attributes: more = {} }) => {
          const linked = spanContextOf(context)
          return linked === undefined ? [] : [{ context: linked, attributes: defined(more) }]
        }),
      },
      within,
    )
    return new OpenTelemetrySpan(api, span, api.trace.setSpan(within, span))
  }

  /** Where there is no SDK yet, the interface answers a tracer that waits for one. */
  #tracer(): OpenTelemetry.Tracer {
    if (this.#found !== undefined) return this.#found
    const tracer = this.#api.trace.getTracer('millrace', version)
    if (!(tracer instanceof this.#api.ProxyTracer)) this.#found = tracer
    return tracer
  }

  #contextOf(parent: SpanOptions['parent']): OpenTelemetry.Context {
    const api = this.#api
    if (parent === 'active') return api.context.active()
    // Not the active context: where records are handled, that is whatever the consumer was started in.
    if (parent === 'none') return api.ROOT_CONTEXT
    if (parent instanceof OpenTelemetrySpan) return parent.within
    const given = 'traceparent' in parent ? parent : parent.context
    const remote = given === undefined ? undefined : spanContextOf(given)
    return remote === undefined
      ? api.ROOT_CONTEXT
      : api.trace.setSpanContext(api.ROOT_CONTEXT, remote)
  }
}

const kindNames = {
  producer: 'PRODUCER',
  consumer: 'CONSUMER',
  client: 'CLIENT',
  internal: 'INTERNAL',
} as const

class OpenTelemetrySpan implements Span {
  /** The context in which this span is the active one. */
  readonly within: OpenTelemetry.Context
  readonly #api: OpenTelemetryApi
  readonly #span: OpenTelemetry.Span

  constructor(api: OpenTelemetryApi, span: OpenTelemetry.Span, within: OpenTelemetry.Context) {
    this.#api = api
    this.#span = span
    this.within = within
  }

  get context(): TraceContext | undefined {
    const { traceId, spanId, traceFlags, traceState } = this.#span.spanContext()
    const traceparent = formatTraceparent({ traceId, spanId, flags: traceFlags })
    // Without an SDK, and outside of any trace, both ids are zeros.
    if (parseTraceparent(traceparent) === undefined) return undefined
    const tracestate = traceState?.serialize() ?? ''
    return tracestate === '' ? { traceparent } : { traceparent, tracestate }
  }

  setAttributes(attributes: SpanAttributes): void {
    this.#span.setAttributes(defined(attributes))
  }

  run<Result>(run: () => Result): Result {
    return this.#api.context.with(this.within, run)
  }

  end({ error, errorType }: SpanEnd = {}): void {
    if (error !== undefined || errorType !== undefined) {
      this.#span.setAttribute('error.type', errorType ?? errorTypeOf(error))
      this.#span.setStatus({ code: this.#api.SpanStatusCode.ERROR })
    }
    this.#span.end()
  }
}

function spanContextOf({
  traceparent,
  tracestate,
}: TraceContext): OpenTelemetry.SpanContext | undefined {
  const parent = parseTraceparent(traceparent)
  if (parent === undefined) return undefined
  const { traceId, spanId, flags } = parent
  const remote = { traceId, spanId, traceFlags: flags, isRemote: true }
  return tracestate === undefined
    ? remote
    : { ...remote, traceState: new HeaderTraceState(tracestate) }
}

/** A code where there is one, such as `NOT_ENOUGH_REPLICAS`; else the class. Never the message. */
function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return '_OTHER'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

function defined(attributes: SpanAttributes): OpenTelemetry.Attributes {
  const entries = Object.entries(attributes).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries)
}

/** The tracer for what `load` answers. */
export async function tracerOf(load: () => Promise<OpenTelemetryApi>, log: Log): Promise<Tracer> {
  try {
    return new OpenTelemetryTracer(await load())
  } catch (error) {
    if (!isAbsent(error)) {
      log('warn', 'there are no spans: @opentelemetry/api is installed, but cannot be used', {
        error: error instanceof Error ? error.message : String(error),
      })
    }
    return passThroughTracer
  }
}

/** Whether it is the package itself that is not installed, and not something that it needs. */
function isAbsent(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes("'@opentelemetry/api'")
}

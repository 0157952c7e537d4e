import { AsyncLocalStorage } from 'node:async_hooks'
import * as api from '@opentelemetry/api'
import type { Attributes, Context, Link, Span, SpanContext, SpanStatus } from '@opentelemetry/api'

/** A span as somebody made it. */
export interface RecordedSpan {
  readonly name: string
  readonly kind: string
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
  /** Whether the parent is a span of another process. */
  readonly isContinued: boolean
  readonly links: readonly Link[]
  readonly attributes: Attributes
  status: SpanStatus | undefined
  ended: boolean
}

/** Sets up an SDK that keeps what it is told, for as long as it is not disposed of. */
export function recordSpans(): { readonly spans: RecordedSpan[] } & Disposable {
  const spans: RecordedSpan[] = []
  const storage = new AsyncLocalStorage<Context>()
  const hex = (number: number, length: number) => number.toString(16).padStart(length, '0')
  api.context.setGlobalContextManager({
    active: () => storage.getStore() ?? api.ROOT_CONTEXT,
    with: (context, run, self, ...args) => storage.run(context, () => run.apply(self, args)),
    bind: (_context, target) => target,
    enable: () => undefined as never,
    disable: () => undefined as never,
  })
  api.trace.setGlobalTracerProvider({
    getTracer: () => ({
      startSpan: (name, options = {}, context = api.context.active()) => {
        const parent = options.root === true ? undefined : api.trace.getSpanContext(context)
        const number = spans.length + 1
        const span: RecordedSpan = {
          name,
          kind: api.SpanKind[options.kind ?? 0] ?? '',
          traceId: parent?.traceId ?? hex(number, 32),
          spanId: hex(number, 16),
          parentId: parent?.spanId,
          isContinued: parent?.isRemote === true,
          links: options.links ?? [],
          attributes: { ...options.attributes },
          status: undefined,
          ended: false,
        }
        spans.push(span)
        return recorder(span, parent)
      },
      startActiveSpan: () => undefined as never,
    }),
  })
  return {
    spans,
    [Symbol.dispose]: () => {
      api.trace.disable()
      api.context.disable()
    },
  }
}

function recorder(span: RecordedSpan, parent: SpanContext | undefined): Span {
  const { traceId, spanId } = span
  const state = parent?.traceState
  const context = { traceId, spanId, traceFlags: 1, ...(state && { traceState: state }) }
  const made: Span = {
    spanContext: () => context,
    setAttribute: (name, value) => {
      span.attributes[name] = value
      return made
    },
    setAttributes: (attributes) => {
      Object.assign(span.attributes, attributes)
      return made
    },
    setStatus: (status) => {
      span.status = status
      return made
    },
    addEvent: () => made,
    addLink: () => made,
    addLinks: () => made,
    updateName: () => made,
    end: () => {
      span.ended = true
    },
    isRecording: () => true,
    recordException: () => undefined,
  }
  return made
}

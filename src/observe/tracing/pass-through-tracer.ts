import type { TraceContext } from './trace-context.ts'
import type { Span, SpanOptions, Tracer } from './tracer.ts'

/**
 * Makes no spans, and hands on the context that it is given: a service without tracing does not cut the traces
 * of those before and behind it.
 */
export const passThroughTracer: Tracer = {
  isEnabled: false,
  startSpan: ({ parent }) => new PassedOn(contextOf(parent)),
}

class PassedOn implements Span {
  readonly context: TraceContext | undefined

  constructor(context: TraceContext | undefined) {
    this.context = context
  }

  setAttributes(): void {
    // Nobody would see them.
  }

  run<Result>(run: () => Result): Result {
    return run()
  }

  end(): void {
    // Nothing has begun.
  }
}

function contextOf(parent: SpanOptions['parent']): TraceContext | undefined {
  if (typeof parent === 'string') return undefined
  return 'traceparent' in parent ? parent : parent.context
}

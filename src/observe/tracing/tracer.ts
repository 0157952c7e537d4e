import type { TraceContext } from './trace-context.ts'

export type SpanKind = 'producer' | 'consumer' | 'client' | 'internal'

/** What is undefined is left out. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>

/** Another span that this one has to do with, most often in another trace. */
export interface SpanLink {
  readonly context: TraceContext
  readonly attributes?: SpanAttributes
}

export interface SpanOptions {
  readonly name: string
  readonly kind: SpanKind
  readonly attributes?: SpanAttributes
  readonly links?: readonly SpanLink[]
  /**
   * `'active'`: the span that is active where this one is started, if one is. `'none'`: it begins a trace.
   * A span or context: that one, whatever is active.
   */
  readonly parent: 'active' | 'none' | Span | TraceContext
}

/** How what a span stands for has ended. */
export interface SpanEnd {
  /** What went wrong. Only its class or code is told: its message may hold what the record does. */
  readonly error?: unknown
  /** In place of the class or code of `error`, where that says too little; one of few values. */
  readonly errorType?: string
}

/** Something that takes time and is part of a trace. */
export interface Span {
  /** What goes into the headers of messages that are sent because of it. Undefined outside of any trace. */
  readonly context: TraceContext | undefined
  setAttributes(attributes: SpanAttributes): void
  /** Runs `run` with this span as the active one, also for what it starts asynchronously. */
  run<Result>(run: () => Result): Result
  /** Call it once. */
  end(end?: SpanEnd): void
}

/** Where an area that takes part in traces gets its spans. */
export interface Tracer {
  /**
   * Whether spans go anywhere at the moment. Where they do not, what describes them need not be put together, and a
   * message hands on the context that it came with.
   */
  readonly isEnabled: boolean
  startSpan(options: SpanOptions): Span
}

export { createConsoleLog } from './console-log.ts'
export { createJsonLog } from './json-log.ts'
export type { JsonLogOptions } from './json-log.ts'
export { silentLog } from './log.ts'
export type { Log, LogFields, LogLevel } from './log.ts'
export { toLog } from './logger.ts'
export type { Logger } from './logger.ts'

// Metrics: a registry, and what the consumer runtime counts.
export type { HistogramOptions, MetricKind, MetricOptions } from './metrics/definition.ts'
export { expositionFormatFor } from './metrics/accept.ts'
export { exposeTogether } from './metrics/expose-together.ts'
export type { Exposition, ForeignRegistry } from './metrics/expose-together.ts'
export { expositionContentTypes } from './metrics/exposition.ts'
export type { ExpositionFormat } from './metrics/exposition.ts'
export type { Family, ObservedFamily, Report } from './metrics/family.ts'
export type { Histogram, HistogramFamily } from './metrics/histogram.ts'
export type { Labels, LabelSet, LabelsArgument } from './metrics/labels.ts'
export { createMetrics } from './metrics/metrics.ts'
export type { Metrics, MetricsOptions } from './metrics/metrics.ts'
export { processMetrics, processMetricTable } from './metrics/process-metrics.ts'
export type { ProcessMetricsOptions } from './metrics/process-metrics.ts'
export type { FamilyReading, HistogramSeries, ValueSeries } from './metrics/reading.ts'
export { runtimeMetrics, runtimeMetricTable } from './metrics/runtime-metrics.ts'
export type { RuntimeMetrics } from './metrics/runtime-metrics.ts'
export type { Counter, CounterFamily, Gauge, GaugeFamily } from './metrics/value-family.ts'

// The server for metrics and health.
export { createHealth } from './health.ts'
export type {
  CheckReport,
  CheckResult,
  Health,
  HealthCheck,
  HealthKind,
  HealthOptions,
  HealthReport,
} from './health.ts'
export type { ConnectionTimeouts, Route } from './http/connection.ts'
export type { HttpRequest } from './http/request-reader.ts'
export type { HttpResponse } from './http/response.ts'
export {
  healthRoute,
  joinedMetricsRoute,
  localRoute,
  metricsRoute,
  observeRoutes,
} from './http/routes.ts'
export { startHttpServer } from './http/server.ts'
export type { HttpServer, HttpServerOptions } from './http/server.ts'

// Traces: the port, and OpenTelemetry behind it where that is installed.
export { loadTracer } from './tracing/load-tracer.ts'
export type { LoadTracerOptions } from './tracing/load-tracer.ts'
export {
  commitSpan,
  createSpan,
  processBatchSpan,
  processSpan,
  recordAttributes,
  sendBatchSpan,
  sendSpan,
} from './tracing/messaging-spans.ts'
export type {
  CommitSpanOptions,
  ProcessBatchSpanOptions,
  ProcessSpanOptions,
  SendBatchSpanOptions,
  SendSpanOptions,
  TracedClient,
  TracedRecord,
} from './tracing/messaging-spans.ts'
export { passThroughTracer } from './tracing/pass-through-tracer.ts'
export { readTraceContext, traceHeaders } from './tracing/trace-context.ts'
export type { TraceContext } from './tracing/trace-context.ts'
export type {
  Span,
  SpanAttributes,
  SpanEnd,
  SpanKind,
  SpanLink,
  SpanOptions,
  Tracer,
} from './tracing/tracer.ts'

import { expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'
import { parseExposition } from './parse-exposition-fixture.ts'
import { runtimeMetrics, runtimeMetricTable } from './runtime-metrics.ts'

it('the runtime counts under the names that are promised', () => {
  const metrics = createMetrics()
  const runtime = runtimeMetrics(metrics)
  const event = { topic: 'orders.events.v1', event_type: 'ORDER_CREATED' }
  runtime.eventsProcessed.with({ ...event, status: 'done' }).add(1)
  runtime.eventProcessing.with(event).observe(0.02)
  runtime.poisonRecords.with(event).add(1)
  runtime.consumerLag.observe((report) => {
    report({ group: 'billing', topic: 'orders.events.v1', partition: 3 }, 12)
  })
  // @ts-expect-error a label is missing
  expect(() => runtime.poisonRecords.with({ topic: 'orders.events.v1' })).toThrow('event_type')
  const text = metrics.expose()
  const labels = 'topic="orders.events.v1",event_type="ORDER_CREATED"'
  expect(text).toContain(`kafka_events_processed_total{${labels},status="done"} 1\n`)
  expect(text).toContain(`kafka_event_processing_seconds_bucket{${labels},le="0.025"} 1\n`)
  expect(text).toContain(`kafka_poison_records_total{${labels}} 1\n`)
  expect(text).toContain(
    'millrace_consumer_lag_records{group="billing",topic="orders.events.v1",partition="3"} 12\n',
  )
})

it('every family of the runtime is one of its registry, and asked for again the same', () => {
  const metrics = createMetrics()
  const runtime = runtimeMetrics(metrics)
  expect(Object.keys(runtime)).toEqual(Object.keys(runtimeMetricTable))
  expect(metrics.read().map(({ name }) => name)).toEqual(
    Object.values(runtimeMetricTable)
      .map(({ name }) => name)
      .sort(),
  )
  const again = runtimeMetrics(metrics)
  for (const [key, family] of Object.entries(runtime)) {
    expect(again[key as keyof typeof runtime]).toBe(family)
  }
  for (const format of ['text', 'openmetrics'] as const) {
    expect(parseExposition(metrics.expose(format), format)).toHaveLength(metrics.read().length)
  }
})

it('no histogram of the runtime has a label without a bound of its own', () => {
  const histograms = Object.values(runtimeMetricTable).filter(({ kind }) => kind === 'histogram')
  const labels = new Set(histograms.flatMap((metric): readonly string[] => metric.labels))
  expect([...labels].sort()).toEqual(['event_type', 'group', 'topic'])
})

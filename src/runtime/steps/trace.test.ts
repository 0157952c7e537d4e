import { expect, it } from 'vitest'
import type { Span, Tracer } from '../../observe/index.ts'
import { deliveryOf } from '../fixture/delivery.ts'
import { traceStep } from './trace.ts'

it('a tracer that comes later is noticed soon, and then has a span of every record', () => {
  const tracer = {
    isEnabled: false,
    spans: 0,
    startSpan() {
      tracer.spans++
      const span = { run: (work: () => unknown) => work(), end: () => undefined }
      return span as unknown as Span
    },
  }
  const step = traceStep(tracer satisfies Tracer, 'workers')
  const runs = (count: number) => {
    for (let run = 0; run < count; run++) void step(deliveryOf('e-1'), () => undefined)
  }
  runs(1_000)
  expect(tracer.spans).toBe(0)
  tracer.isEnabled = true
  runs(64)
  expect(tracer.spans).toBeGreaterThan(0)
  const { spans } = tracer
  runs(100)
  expect(tracer.spans).toBe(spans + 100)
})

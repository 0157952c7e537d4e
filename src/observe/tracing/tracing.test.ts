import * as api from '@opentelemetry/api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silentLog } from '../log.ts'
import { loadTracer } from './load-tracer.ts'
import { tracerOf } from './open-telemetry-tracer.ts'
import {
  commitSpan,
  createSpan,
  processBatchSpan,
  processSpan,
  recordAttributes,
  sendBatchSpan,
  sendSpan,
} from './messaging-spans.ts'
import { passThroughTracer } from './pass-through-tracer.ts'
import { recordSpans } from './recording-provider-fixture.ts'
import {
  formatTraceparent,
  parseTraceparent,
  readTraceContext,
  traceHeaders,
} from './trace-context.ts'
import { HeaderTraceState } from './trace-state.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const context = { traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'rojo=1,congo=2' }
const record = { topic: 'orders', partition: 3, offset: 42 }

describe('the headers', () => {
  it('carry a context there and back', () => {
    const hex = (bytes: number) =>
      fc
        .uint8Array({ minLength: bytes, maxLength: bytes })
        .filter((id) => id.some((byte) => byte > 0))
        .map((id) => Buffer.from(id).toString('hex'))
    const parent = fc.record({ traceId: hex(16), spanId: hex(8), flags: fc.nat(255) })
    fc.assert(
      fc.property(parent, fc.option(fc.constantFrom('a=1', 'b=2,c=3')), (given, tracestate) => {
        const traceparent = formatTraceparent(given)
        expect(parseTraceparent(traceparent)).toEqual(given)
        const written = tracestate === null ? { traceparent } : { traceparent, tracestate }
        const headers = new Map(traceHeaders(written))
        expect(readTraceContext((name) => headers.get(name))).toEqual(written)
      }),
      { seed: 4 },
    )
  })

  it.each([
    '',
    'a',
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-01-more`,
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    ` 00-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01\n`,
  ])('count as absent when they are %j', (traceparent) => {
    expect(readTraceContext(() => traceparent)).toBeUndefined()
  })

  it('of later versions are understood as far as they are known', () => {
    expect(parseTraceparent(`cc-${traceId}-${spanId}-01-what-comes`)).toEqual({
      traceId,
      spanId,
      flags: 1,
    })
  })

  it('lose a state that is too long, and are none without a context', () => {
    const { traceparent } = context
    const headers: Record<string, string> = { traceparent, tracestate: `a=${'b'.repeat(511)}` }
    expect(readTraceContext((name) => headers[name])).toEqual({ traceparent })
    expect(traceHeaders(undefined)).toEqual([])
  })
})

describe('without OpenTelemetry', () => {
  it('contexts are handed on', () => {
    const span = passThroughTracer.startSpan({ name: 'a', kind: 'consumer', parent: context })
    const child = passThroughTracer.startSpan({ name: 'b', kind: 'producer', parent: span })
    expect([span.context, child.context]).toEqual([context, context])
    expect(child.run(() => 5)).toBe(5)
    child.setAttributes({ a: 1 })
    child.end()
    for (const parent of ['active', 'none'] as const) {
      const alone = passThroughTracer.startSpan({ name: 'c', kind: 'client', parent })
      expect(alone.context).toBeUndefined()
    }
    expect(passThroughTracer.isEnabled).toBe(false)
  })

  it.each([
    ["Cannot find package '@opentelemetry/api' imported from /service", 0],
    ["Cannot find package 'something-else' imported from /node_modules/@opentelemetry/api", 1],
  ])('it is what there is instead: %s', async (message, warnings) => {
    const lines: unknown[] = []
    const load = () =>
      Promise.reject(Object.assign(new Error(message), { code: 'ERR_MODULE_NOT_FOUND' }))
    const tracer = await tracerOf(load, (...line) => lines.push(line))
    expect(tracer).toBe(passThroughTracer)
    expect(lines).toHaveLength(warnings)
  })
})

describe('with OpenTelemetry', () => {
  it('that has no SDK, contexts are handed on and nothing is enabled until there is one', async () => {
    const tracer = await loadTracer()
    expect(tracer.isEnabled).toBe(false)
    const passed = tracer.startSpan({ name: 'a', kind: 'consumer', parent: context })
    expect(passed.context).toEqual(context)
    const alone = tracer.startSpan({ name: 'a', kind: 'consumer', parent: 'none' })
    expect(alone.context).toBeUndefined()
    alone.end({ error: new Error('a') })
    using recorded = recordSpans()
    expect(tracer.isEnabled).toBe(true)
    tracer.startSpan({ name: 'b', kind: 'consumer', parent: 'none' })
    expect(recorded.spans.map(({ name }) => name)).toEqual(['b'])
  })

  it('a record is processed on the trace that it came with, and what is sent meanwhile too', async () => {
    using recorded = recordSpans()
    const tracer = await tracerOf(() => Promise.resolve(api), silentLog)
    const groupId = 'billing'
    const span = tracer.startSpan(processSpan({ record, groupId, context, clientId: 'c-1' }))
    const sent = await span.run(async () => {
      await Promise.resolve()
      return tracer.startSpan(sendSpan({ record: { topic: 'bills', key: 'k' } }))
    })
    sent.setAttributes(recordAttributes({ topic: 'bills', partition: 0, offset: 7 }))
    sent.end()
    const commit = tracer.startSpan(commitSpan({ topic: 'orders', groupId, parent: span }))
    commit.end()
    span.end()
    expect(recorded.spans).toEqual([
      {
        name: 'process orders',
        kind: 'CONSUMER',
        traceId,
        spanId: '0000000000000001',
        parentId: spanId,
        isContinued: true,
        links: [
          {
            context: {
              traceId,
              spanId,
              traceFlags: 1,
              isRemote: true,
              traceState: new HeaderTraceState('rojo=1,congo=2'),
            },
            attributes: {},
          },
        ],
        attributes: {
          'messaging.system': 'kafka',
          'messaging.operation.name': 'process',
          'messaging.operation.type': 'process',
          'messaging.client.id': 'c-1',
          'messaging.consumer.group.name': 'billing',
          'messaging.destination.name': 'orders',
          'messaging.destination.partition.id': '3',
          'messaging.kafka.offset': 42,
        },
        status: undefined,
        ended: true,
      },
      {
        name: 'send bills',
        kind: 'PRODUCER',
        traceId,
        spanId: '0000000000000002',
        parentId: '0000000000000001',
        isContinued: false,
        links: [],
        attributes: {
          'messaging.system': 'kafka',
          'messaging.operation.name': 'send',
          'messaging.operation.type': 'send',
          'messaging.destination.name': 'bills',
          'messaging.destination.partition.id': '0',
          'messaging.kafka.offset': 7,
          'messaging.kafka.message.key': 'k',
        },
        status: undefined,
        ended: true,
      },
      {
        name: 'commit orders',
        kind: 'CLIENT',
        traceId,
        spanId: '0000000000000003',
        parentId: '0000000000000001',
        isContinued: false,
        links: [],
        attributes: {
          'messaging.system': 'kafka',
          'messaging.operation.name': 'commit',
          'messaging.operation.type': 'settle',
          'messaging.destination.name': 'orders',
          'messaging.consumer.group.name': 'billing',
        },
        status: undefined,
        ended: true,
      },
    ])
    expect(sent.context).toEqual({
      traceparent: `00-${traceId}-0000000000000002-01`,
      tracestate: 'rojo=1,congo=2',
    })
  })

  it('a record may also be processed on a trace of its own, linked to the other', async () => {
    using recorded = recordSpans()
    const tracer = await loadTracer()
    const outer = tracer.startSpan({
      name: 'start of the service',
      kind: 'internal',
      parent: 'none',
    })
    outer.run(() => {
      tracer.startSpan(processSpan({ record, groupId: 'g', context, continuesTrace: false }))
      tracer.startSpan(processSpan({ record, groupId: 'g', context: undefined }))
      tracer.startSpan(processSpan({ record, groupId: 'g', context: { traceparent: 'broken' } }))
    })
    const [, linked, without, broken] = recorded.spans
    expect([linked?.parentId, without?.parentId, broken?.parentId]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect([linked, without, broken].map((span) => span?.links.length)).toEqual([1, 0, 0])
  })

  it('a batch is linked to each of its records, which say what differs between them', async () => {
    using recorded = recordSpans()
    const tracer = await loadTracer()
    const records = Array.from({ length: 300 }, (_, offset) => ({
      topic: 'orders',
      partition: 3,
      offset,
      isTombstone: offset === 1,
      context: offset === 0 ? undefined : context,
    }))
    const batch = { topic: 'orders', partition: undefined, groupId: 'g', records }
    tracer.startSpan(processBatchSpan(batch)).end()
    const [span] = recorded.spans
    expect(span).toMatchObject({
      name: 'process orders',
      kind: 'CONSUMER',
      parentId: undefined,
      attributes: { 'messaging.batch.message_count': 300, 'messaging.destination.name': 'orders' },
    })
    expect(span?.attributes).not.toHaveProperty('messaging.kafka.offset')
    expect(span?.links).toHaveLength(128)
    expect(span?.links[0]).toMatchObject({
      context: { traceId, spanId },
      attributes: {
        'messaging.destination.partition.id': '3',
        'messaging.kafka.offset': 1,
        'messaging.kafka.message.tombstone': true,
      },
    })
    expect(span?.links[1]?.attributes).not.toHaveProperty('messaging.kafka.message.tombstone')
  })

  it('records that are sent together are each created, and linked to the sending', async () => {
    using recorded = recordSpans()
    const tracer = await loadTracer()
    const created = [1, 2].map(() => tracer.startSpan(createSpan({ record: { topic: 'a' } })))
    const contexts = created.flatMap((span) => span.context ?? [])
    tracer.startSpan(sendBatchSpan({ topic: undefined, count: 2, contexts }))
    expect(recorded.spans.map(({ name, kind, links }) => [name, kind, links.length])).toEqual([
      ['create a', 'PRODUCER', 0],
      ['create a', 'PRODUCER', 0],
      ['send', 'CLIENT', 2],
    ])
  })

  it.each([
    [
      { error: Object.assign(new Error('the secret'), { code: 'NOT_ENOUGH_REPLICAS' }) },
      'NOT_ENOUGH_REPLICAS',
    ],
    [{ error: new TypeError('the secret') }, 'TypeError'],
    [{ error: 'the secret' }, '_OTHER'],
    [{ errorType: 'timeout' }, 'timeout'],
    [{ error: new TypeError('the secret'), errorType: 'timeout' }, 'timeout'],
  ])(
    'a span that ends with an error says its kind, and nothing of its message',
    async (end, type) => {
      using recorded = recordSpans()
      const tracer = await loadTracer()
      tracer.startSpan({ name: 'a', kind: 'client', parent: 'none' }).end(end)
      expect(recorded.spans[0]).toMatchObject({
        attributes: { 'error.type': type },
        status: { code: api.SpanStatusCode.ERROR },
        ended: true,
      })
      expect(JSON.stringify(recorded.spans)).not.toContain('secret')
    },
  )
})

describe('a trace state', () => {
  it('is handed on as it came, and changed at its front', () => {
    const state = new HeaderTraceState('a=1, b=x=y,')
    expect(state.serialize()).toBe('a=1,b=x=y')
    expect([state.get('b'), state.get('c')]).toEqual(['x=y', undefined])
    expect(state.set('b', '2').serialize()).toBe('b=2,a=1')
    expect(state.unset('a').serialize()).toBe('b=x=y')
    expect(state.serialize()).toBe('a=1,b=x=y')
  })
})

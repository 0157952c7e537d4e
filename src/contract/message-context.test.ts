import { describe, expect, it } from 'vitest'
import { atOnce } from './fixture/decode.ts'
import { orderData, OrderCreated, orders } from './fixture/orders.ts'
import { rawRecord } from './fixture/raw-record.ts'
import {
  contextOf,
  defineEvent,
  defineTopic,
  encodeEvent,
  encodeTombstone,
  outgoingHeaders,
  Type,
} from './index.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

const contextFrom = (headers: Record<string, string | null>, id = 'e-1') =>
  contextOf(rawRecord({ value: '', headers: Object.entries(headers) }), id)

describe('what a record hands on', () => {
  it('is its own id where nothing else was handed to it', () => {
    expect(contextFrom({})).toEqual({ correlationId: 'e-1', causationId: 'e-1' })
  })

  it('is the correlation of the first, with itself as the cause', () => {
    expect(contextFrom({ 'correlation-id': 'first', 'causation-id': 'before' })).toEqual({
      correlationId: 'first',
      causationId: 'e-1',
    })
  })

  it.each([null, '', 'x'.repeat(300), 'a\r\nb'])('is no forged correlation id %j', (forged) => {
    expect(contextFrom({ 'correlation-id': forged }).correlationId).toBe('e-1')
  })

  it('is the trace, as W3C writes it', () => {
    expect(contextFrom({ traceparent, tracestate: 'a=1,b=2' })).toMatchObject({
      traceparent,
      tracestate: 'a=1,b=2',
    })
    // A later version may have more.
    const later = traceparent.replace(/^00/, '01') + '-more'
    expect(contextFrom({ traceparent: later }).traceparent).toBe(later)
  })

  it.each([
    'x',
    traceparent.toUpperCase(),
    traceparent.replace(/^00/, 'ff'),
    traceparent + '-more',
    traceparent.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
    traceparent.replace('b7ad6b7169203331', '0'.repeat(16)),
  ])('is no malformed trace: %s', (malformed) => {
    expect(contextFrom({ traceparent: malformed, tracestate: 'a=1' })).toEqual({
      correlationId: 'e-1',
      causationId: 'e-1',
    })
  })

  it('is a plain trace id where there is no more', () => {
    expect(contextFrom({ 'trace-id': 't-1' }).traceId).toBe('t-1')
    expect(contextFrom({ 'trace-id': 't-1', traceparent }).traceId).toBeUndefined()
    expect(outgoingHeaders(contextFrom({ 'trace-id': 't-1' }), 'e-2')).toContainEqual([
      'trace-id',
      't-1',
    ])
  })

  it('leaves out a state of the trace that is too long or no text', () => {
    for (const tracestate of ['x'.repeat(513), 'a=\u0001']) {
      expect(contextFrom({ traceparent, tracestate }).tracestate).toBeUndefined()
    }
  })
})

it('a handed-on context becomes headers; the first message is its own correlation', () => {
  expect(outgoingHeaders(undefined, 'e-1')).toEqual([['correlation-id', 'e-1']])
  expect(outgoingHeaders(contextFrom({ traceparent, tracestate: 'a=1' }), 'e-2')).toEqual([
    ['correlation-id', 'e-1'],
    ['causation-id', 'e-1'],
    ['traceparent', traceparent],
    ['tracestate', 'a=1'],
  ])
})

describe('headers that are given', () => {
  const identity = { id: 'e-1', timestamp: 0 }
  const headersWith = (headers: object) =>
    atOnce(encodeEvent(orders, OrderCreated, orderData, { ...identity, headers: headers as never }))
      .headers

  it('replace what ties messages together, and keep their order, repetitions and null values', () => {
    const given = [
      ['correlation-id', 'mine'],
      ['tenant', 'a'],
      ['tenant', null],
      ['tenant', Uint8Array.of(1)],
    ]
    expect(headersWith(given).slice(3)).toEqual(given)
    expect(headersWith({ traceparent, tenant: 'a' }).slice(-2)).toEqual([
      ['traceparent', traceparent],
      ['tenant', 'a'],
    ])
  })

  it.each(['event-type', 'content-type', 'schema-version', 'event-id', 'ce_type'])(
    'cannot say what the value is: %s',
    (name) => {
      expect(() => headersWith({ [name]: 'forged' })).toThrow('is written by the contract')
    },
  )

  it('must be headers', () => {
    expect(() => headersWith([['a']])).toThrow('must be a name with text, bytes or null')
    expect(() => headersWith([[1, 'a']])).toThrow('must be a name')
    expect(() => headersWith({ a: 1 })).toThrow("headers ('a') must be a name with text")
  })
})

it('a deletion names its cause', () => {
  const topic = defineTopic('t', { key: null, compaction: true, tombstones: 'skip' })
  const context = contextFrom({ 'correlation-id': 'first' })
  expect(encodeTombstone(topic, 'k', { timestamp: 0, context }).headers).toEqual([
    ['correlation-id', 'first'],
    ['causation-id', 'e-1'],
  ])
})

it('an event without a proper id or time is not written', () => {
  for (const id of ['', 'x'.repeat(257), '\ud800', 7 as never]) {
    expect(() => encodeEvent(orders, OrderCreated, orderData, { id, timestamp: 0 })).toThrow('id (')
  }
  for (const timestamp of [-1, 1.5, NaN, '0' as never]) {
    const options = { id: 'i', timestamp }
    expect(() => encodeEvent(orders, OrderCreated, orderData, options)).toThrow('timestamp (')
  }
})

it('an event of another topic is not written, whatever its type is called', () => {
  const Namesake = defineEvent('ORDER_CREATED', { data: Type.Unknown() })
  for (const foreign of [defineEvent('FOREIGN', { data: Type.Unknown() }), Namesake]) {
    const encode = () =>
      encodeEvent(orders, foreign as never, {} as never, { id: 'i', timestamp: 0 })
    expect(encode).toThrow(
      `orders.events.v1 ${foreign.type}: ${foreign.type} is no event of the topic`,
    )
  }
})

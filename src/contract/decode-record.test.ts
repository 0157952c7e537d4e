import { describe, expect, it } from 'vitest'
import { isMillraceError, ProtocolError } from '../errors.ts'
import { atOnce, decode, decodeEvent, refusal } from './fixture/decode.ts'
import { orderData, OrderCancelled, OrderCreated, orders } from './fixture/orders.ts'
import { rawRecord } from './fixture/raw-record.ts'
import type { RecordContent } from './fixture/raw-record.ts'
import {
  DecodeError,
  decodeRecord,
  defineTopic,
  encodeEvent,
  encodeTombstone,
  eventTypeOf,
} from './index.ts'

const identity = { id: 'e-1', timestamp: 1_732_219_200_000 }

/** The record of an order, with other fields in its envelope. */
function order(envelope: object = {}, headers: RecordContent['headers'] = []): RecordContent {
  const event = { ...identity, type: 'ORDER_CREATED', data: orderData, ...envelope }
  return { key: 'k', value: JSON.stringify(event), headers, timestamp: 7 }
}

describe('the envelope of an event', () => {
  it('is read without any header', () => {
    expect(decodeEvent(orders, order())).toEqual({
      kind: 'event',
      event: { ...identity, type: 'ORDER_CREATED', data: orderData },
      id: 'e-1',
      contract: OrderCreated,
      version: 1,
      attributes: undefined,
    })
  })

  it('may lack its id: then something else stands for it', () => {
    for (const id of [undefined, null]) {
      const decoded = decodeEvent(orders, order({ id }), { fallbackId: () => 'orders-0-7' })
      expect(decoded.id).toBeUndefined()
      expect(decoded.event.id).toBe('orders-0-7')
    }
    expect(decodeEvent(orders, order({ id: undefined })).event.id).toBe('')
  })

  it.each([[''], [7], [{}], ['x'.repeat(257)]])('cannot have the id %j', (id) => {
    expect(refusal(orders, order({ id }))).toMatchObject({ reason: 'event-id', path: 'id' })
  })

  it('may have its time as text, or take the time of the record', () => {
    const at = (timestamp: unknown) => decodeEvent(orders, order({ timestamp })).event.timestamp
    expect(at('2024-11-21T20:00:00Z')).toBe(1_732_219_200_000)
    expect(at('2024-11-21T21:00:00.000+01:00')).toBe(1_732_219_200_000)
    expect(at(undefined)).toBe(7)
    expect(at(null)).toBe(7)
  })

  it.each([[-1], [1.5], ['yesterday'], ['2024'], ['2024-13-01T00:00:00Z'], [{}], [true]])(
    'cannot have the time %j',
    (timestamp) => {
      expect(refusal(orders, order({ timestamp }))).toMatchObject({
        code: 'MILLRACE_CONTRACT_MALFORMED',
        reason: 'envelope',
        path: 'timestamp',
      })
    },
  )

  it.each(['[]', '7', 'null', '"text"', '{}', '{"id":"1"}'])('is not %s', (value) => {
    expect(refusal(orders, { value })).toMatchObject({ reason: 'envelope', path: 'value' })
  })
})

describe('the type of an event', () => {
  it('is in the header where the envelope has none', () => {
    const record = order({ type: undefined }, [['event-type', 'ORDER_CREATED']])
    expect(decodeEvent(orders, record).contract).toBe(OrderCreated)
  })

  it('must be somewhere', () => {
    for (const type of [undefined, null, '', 7]) {
      expect(refusal(orders, order({ type }))).toMatchObject({
        code: 'MILLRACE_CONTRACT_TYPE_UNKNOWN',
        reason: 'event-type-missing',
      })
    }
  })

  it('is one: a forged header makes no other event of it', () => {
    const forged = order({}, [['event-type', 'ORDER_CANCELLED']])
    expect(refusal(orders, forged)).toMatchObject({
      code: 'MILLRACE_CONTRACT_MALFORMED',
      reason: 'event-type-conflict',
    })
    // The last header of a name is the one that counts.
    const twice = order({}, [
      ['event-type', 'ORDER_CANCELLED'],
      ['event-type', 'ORDER_CREATED'],
    ])
    expect(decodeEvent(orders, twice).contract).toBe(OrderCreated)
    expect(refusal(orders, order({}, [['event-type', 'ORDER_CREATED2']])).path).toBe('type')
    expect(refusal(orders, order({}, [['event-type', 'ORDER_CREATE']])).path).toBe('type')
  })

  it('must be one of the topic, which has a code of its own', () => {
    const error = refusal(orders, order({ type: 'ORDER_CREATE' }))
    expect(error).toMatchObject({
      code: 'MILLRACE_CONTRACT_TYPE_UNKNOWN',
      reason: 'event-type-unknown',
      message:
        'orders.events.v1: event-type (ORDER_CREATE) is no event of the topic;' +
        ' did its sender mean ORDER_CREATED?',
    })
    expect(refusal(orders, order({ type: '__proto__' })).reason).toBe('event-type-unknown')
    expect(refusal(orders, order({ type: 'x'.repeat(100_000) })).message.length).toBeLessThan(400)
  })

  it('can be told from the headers alone', () => {
    const header = (value: string | null) => rawRecord(order({}, [['event-type', value]]))
    expect(eventTypeOf(orders, header('ORDER_CREATED'))).toBe('ORDER_CREATED')
    expect(eventTypeOf(orders, header(null))).toBeUndefined()
    expect(eventTypeOf(orders, header('a\nb'))).toBeUndefined()
    expect(eventTypeOf(orders, header('x'.repeat(300)))).toBeUndefined()
    expect(eventTypeOf(orders, rawRecord(order()))).toBeUndefined()
  })
})

describe('events that nobody handles', () => {
  const handled = new Set(['ORDER_CANCELLED'])

  it('are passed over, without a look at the value when the header says enough', () => {
    const broken = { ...order({}, [['event-type', 'ORDER_CREATED']]), value: 'no JSON' }
    expect(decode(orders, broken, { handled })).toEqual({
      kind: 'unhandled',
      contract: OrderCreated,
    })
    expect(decode(orders, order({ data: 'anything' }), { handled })).toEqual({
      kind: 'unhandled',
      contract: OrderCreated,
    })
  })

  it('are not those that the topic does not know', () => {
    const foreign = order({ type: 'SHIPPED' }, [['event-type', 'SHIPPED']])
    expect(refusal(orders, foreign, { handled }).reason).toBe('event-type-unknown')
  })

  it('are not those that are handled', () => {
    const cancelled = order({ type: 'ORDER_CANCELLED', data: { orderId: 'o' } })
    expect(decodeEvent(orders, cancelled, { handled }).contract).toBe(OrderCancelled)
  })
})

describe('a broken rule of the schema', () => {
  it('is told with path, rule and value', () => {
    const products = [orderData.products[0], { productId: 'p', quantity: 0, price: 1 }]
    const error = refusal(orders, order({ data: { ...orderData, products } }))
    expect(error).toMatchObject({
      code: 'MILLRACE_CONTRACT_INVALID',
      reason: 'data-invalid',
      path: 'data.products[1].quantity',
      rule: 'minimum',
      message: 'orders.events.v1: data.products[1].quantity (0) must be >= 1',
      summary: 'orders.events.v1: data.products[1].quantity must be >= 1',
      retriable: false,
    })
    expect(isMillraceError(error, 'MILLRACE_CONTRACT_INVALID')).toBe(true)
  })

  it('shows no more than about a hundred characters of the value, and none in the summary', () => {
    const secret = `secret\n${'x'.repeat(100_000)}`
    const error = refusal(orders, order({ data: { ...orderData, totalAmount: secret } }))
    expect(error.message).toContain("('secret xxx")
    expect(error.message.length).toBeLessThan(250)
    expect(error.summary).not.toContain('secret')
  })

  it('stops at the first, however many there are', () => {
    const products = Array.from({ length: 10_000 }, () => ({ productId: 1 }))
    const error = refusal(orders, order({ data: { ...orderData, products } }))
    expect(error.path).toMatch(/^data\.products\[0\]/)
  })

  it('names the event where the headers do', () => {
    const record = order({ data: {} }, [['event-type', 'ORDER_CREATED']])
    expect(refusal(orders, record).message).toBe(
      "orders.events.v1 ORDER_CREATED: data (an object) must have required property 'orderId'",
    )
  })
})

describe('headers', () => {
  it('may be thousands', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => [`h${index % 7}`, 'v'] as const)
    const record = order({}, [...many, ['schema-version', '1'], ['event-type', 'ORDER_CREATED']])
    expect(decodeEvent(orders, record).id).toBe('e-1')
  })

  it('that are malformed make the record so; what else fails comes as it is', () => {
    const failing = (error: Error) => ({
      ...rawRecord(order()),
      header: () => {
        throw error
      },
    })
    const malformed = new ProtocolError('the name of a header has -1 bytes')
    expect(() => decodeRecord(orders, failing(malformed))).toThrow(
      'orders.events.v1: the headers are malformed: the name of a header has -1 bytes',
    )
    expect(() => decodeRecord(orders, failing(malformed))).toThrow(DecodeError)
    const other = new Error('out of memory')
    expect(() => decodeRecord(orders, failing(other))).toThrow(other)
  })

  it.each(['text/plain', 'application/octet-stream', 'application/avro', 'x'.repeat(1_000)])(
    'may name a content type that holds no envelope: %s',
    (type) => {
      expect(refusal(orders, { value: 'text', headers: [['content-type', type]] })).toMatchObject({
        code: 'MILLRACE_CONTRACT_CONTENT_TYPE_UNKNOWN',
      })
    },
  )
})

describe('a record without a value', () => {
  const tombstone = { key: 'k', value: null, timestamp: 5 }
  const events = [OrderCancelled] as const

  it('is refused unless the topic says what it is', () => {
    expect(refusal(orders, tombstone)).toMatchObject({ reason: 'null-value' })
    expect(() => encodeTombstone(orders, 'k', { timestamp: 5 })).toThrow('allows no records')
  })

  it.each(['skip', 'handle'] as const)('is the deletion of its key: %s', (tombstones) => {
    const topic = defineTopic('carts', { events, key: null, compaction: true, tombstones })
    expect(topic.tombstones).toBe(tombstones)
    expect(decode(topic, tombstone)).toEqual({
      kind: 'tombstone',
      key: Buffer.from('k'),
      timestamp: 5,
    })
    expect(decode(topic, { ...tombstone, key: '' })).toMatchObject({ key: Buffer.alloc(0) })
    expect(refusal(topic, { ...tombstone, key: null })).toMatchObject({ reason: 'null-key' })
    expect(encodeTombstone(topic, 'k', { timestamp: 5, partition: 3, source: 's' })).toEqual({
      topic: 'carts',
      key: 'k',
      value: null,
      headers: [['source-service', 's']],
      timestamp: 5,
      partition: 3,
    })
  })

  it('is another thing than an empty value', () => {
    const topic = defineTopic('carts', { events, key: null, compaction: true, tombstones: 'skip' })
    expect(refusal(topic, { ...tombstone, value: '' }).reason).toBe('invalid-json')
  })
})

describe('a topic of anything', () => {
  it('takes any JSON without an envelope', () => {
    const open = defineTopic('anything', { envelope: 'headers' })
    expect(decodeEvent(open, { value: '{"a":1}', timestamp: 3 })).toEqual({
      kind: 'event',
      event: { id: '', type: '', timestamp: 3, data: { a: 1 } },
      id: undefined,
      contract: undefined,
      version: 1,
      attributes: undefined,
    })
  })

  it('takes any event in an envelope', () => {
    const open = defineTopic('anything', {})
    expect(decodeEvent(open, order({ type: 'WHATEVER' })).event.type).toBe('WHATEVER')
    const record = atOnce(encodeEvent(open, OrderCancelled, { orderId: 'o' }, identity))
    expect(decodeEvent(open, record).event.data).toEqual({ orderId: 'o' })
  })
})

describe('the envelope of headers', () => {
  it('has id and type in headers, and the time of the record', () => {
    const topic = defineTopic('o', { events: [OrderCancelled], key: null, envelope: 'headers' })
    const record = atOnce(encodeEvent(topic, OrderCancelled, { orderId: 'o' }, identity))
    expect(record.value).toBe('{"orderId":"o"}')
    expect(record.headers).toContainEqual(['event-id', 'e-1'])
    expect(decodeEvent(topic, record)).toMatchObject({ id: 'e-1', event: identity })
    // What outbox connectors call it; and the only event needs no name.
    const foreign = { value: record.value, headers: [['id', 'e-2']] as const, timestamp: 9 }
    expect(decodeEvent(topic, foreign).event).toMatchObject({ id: 'e-2', timestamp: 9 })
  })

  it('must name its type where there are several', () => {
    const events = [OrderCancelled, OrderCreated] as const
    const topic = defineTopic('o', { events, key: null, envelope: 'headers' })
    expect(refusal(topic, { value: '{}' }).reason).toBe('event-type-missing')
  })
})

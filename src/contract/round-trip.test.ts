import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DecodedRecord, TopicContract } from './index.ts'
import { contextOf, decodeRecord, defineEvent, defineTopic, encodeEvent, Type } from './index.ts'
import type { EncodedRecord, EnvelopeName } from './index.ts'
import { asRead } from './fixture/raw-record.ts'
import { orderData, OrderCreated, orders } from './fixture/orders.ts'

const identity = { id: '0193500e-0000-7000-8000-000000000001', timestamp: 1_732_219_200_000 }

const envelopes: readonly EnvelopeName[] = [
  'event',
  'headers',
  'cloudevents',
  'cloudevents-structured',
]

/** Any JSON that can be written: numbers that JSON keeps, and no key that reaches a prototype. */
const json = fc.jsonValue({ maxDepth: 5 }).filter((value) => {
  const text = JSON.stringify(value)
  return !/__proto__|constructor|\d{16}|-0|e\+/.test(text)
})

const Anything = defineEvent('ANYTHING', { data: Type.Unknown() })

function encodeNow(record: EncodedRecord | Promise<EncodedRecord>): EncodedRecord {
  if (record instanceof Promise) throw new Error('nothing here is asynchronous')
  return record
}

function decodeNow(topic: TopicContract, record: EncodedRecord): DecodedRecord {
  const decoded = decodeRecord(topic, asRead(record))
  if (decoded instanceof Promise) throw new Error('nothing here is asynchronous')
  return decoded
}

describe.each(envelopes)('an event in the envelope %s', (envelope) => {
  const topic = defineTopic('any.events.v1', { events: [Anything], key: () => 'k', envelope })

  it('comes back as it was written, whatever it holds', () => {
    fc.assert(
      fc.property(
        json,
        fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
        fc.nat({ max: 2 ** 42 }),
        (data, id, timestamp) => {
          const options = { id, timestamp, source: 'service' }
          const record = encodeNow(encodeEvent(topic, Anything, data, options))
          expect(decodeNow(topic, record)).toMatchObject({
            kind: 'event',
            id,
            event: { id, type: 'ANYTHING', timestamp },
            contract: Anything,
            version: 1,
          })
          const { event } = decodeNow(topic, record) as { event: { data: unknown } }
          expect(event.data).toEqual(data)
        },
      ),
      { seed: 5, numRuns: 300 },
    )
  })
})

it('writes the envelope and the headers of an event', () => {
  const options = { ...identity, source: 'checkout' }
  const record = encodeNow(encodeEvent(orders, OrderCreated, orderData, options))
  expect(record).toEqual({
    topic: 'orders.events.v1',
    key: 'order-4711',
    value: JSON.stringify({ ...identity, type: 'ORDER_CREATED', data: orderData }).replace(
      /("id":"[^"]*"),("timestamp":\d+),("type":"\w+")/,
      '$1,$3,$2',
    ),
    headers: [
      ['event-type', 'ORDER_CREATED'],
      ['content-type', 'application/json'],
      ['schema-version', '1'],
      ['source-service', 'checkout'],
      ['correlation-id', identity.id],
    ],
    timestamp: identity.timestamp,
  })
})

it('hands correlation and cause on from message to message', () => {
  const first = asRead(encodeNow(encodeEvent(orders, OrderCreated, orderData, identity)))
  const second = encodeNow(
    encodeEvent(orders, OrderCreated, orderData, {
      id: 'second',
      timestamp: 1,
      context: contextOf(first, identity.id),
    }),
  )
  const third = encodeNow(
    encodeEvent(orders, OrderCreated, orderData, {
      id: 'third',
      timestamp: 2,
      context: contextOf(asRead(second), 'second'),
    }),
  )
  expect(second.headers.slice(3)).toEqual([
    ['correlation-id', identity.id],
    ['causation-id', identity.id],
  ])
  expect(third.headers.slice(3)).toEqual([
    ['correlation-id', identity.id],
    ['causation-id', 'second'],
  ])
})

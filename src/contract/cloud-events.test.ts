import { describe, expect, it } from 'vitest'
import { atOnce, decodeEvent, refusal } from './fixture/decode.ts'
import { rawRecord } from './fixture/raw-record.ts'
import { contextOf, defineEvent, defineTopic, encodeEvent, eventTypeOf, Type } from './index.ts'
import type { EncodeOptions } from './index.ts'

const Shipped = defineEvent('com.example.shipped', {
  data: Type.Object({ orderId: Type.String() }),
  key: ({ data }) => data.orderId,
})
const events = [Shipped] as const
const binary = defineTopic('shipments', { events, envelope: 'cloudevents' })
const structured = defineTopic('shipments', { events, envelope: 'cloudevents-structured' })
const options: EncodeOptions = {
  id: 'A234-1234-1234',
  timestamp: Date.UTC(2018, 3, 5, 17, 31, 0),
  source: '/mycontext/subcontext',
  attributes: { subject: 'o-1', priority: 3, urgent: true },
}
const data = { orderId: 'o-1' }

const ce: Readonly<Record<string, string | undefined>> = {
  ce_specversion: '1.0',
  ce_id: 'A234-1234-1234',
  ce_source: '/mycontext/subcontext',
  ce_type: 'com.example.shipped',
  ce_time: '2018-04-05T17:31:00Z',
  'content-type': 'application/json',
}

function binaryRecord(
  changes: Record<string, string | undefined> = {},
  value = '{"orderId":"o-1"}',
) {
  const headers = Object.entries({ ...ce, ...changes }).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text] as const],
  )
  return { value, headers }
}

function structuredRecord(changes: object = {}, contentType = 'application/cloudevents+json') {
  const event = {
    specversion: '1.0',
    id: 'A234-1234-1234',
    source: '/mycontext/subcontext',
    type: 'com.example.shipped',
    time: '2018-04-05T17:31:00Z',
    data,
    ...changes,
  }
  return { value: JSON.stringify(event), headers: [['content-type', contentType] as const] }
}

describe('in binary mode', () => {
  it('attributes are headers in UTF-8 and the value is the data', () => {
    const record = atOnce(encodeEvent(binary, Shipped, data, options))
    expect(record.value).toBe('{"orderId":"o-1"}')
    expect(record.key).toBe('o-1')
    expect(record.headers).toEqual([
      ['ce_specversion', '1.0'],
      ['ce_id', 'A234-1234-1234'],
      ['ce_source', '/mycontext/subcontext'],
      ['ce_type', 'com.example.shipped'],
      ['ce_time', '2018-04-05T17:31:00.000Z'],
      ['ce_subject', 'o-1'],
      ['ce_priority', '3'],
      ['ce_urgent', 'true'],
      ['content-type', 'application/json'],
      ['schema-version', '1'],
      ['source-service', '/mycontext/subcontext'],
      ['correlation-id', 'A234-1234-1234'],
    ])
  })

  it("is read as the specification's example is written", () => {
    const record = binaryRecord({ ce_subject: 'grüße', ce_comexampleextension: 'value' })
    expect(decodeEvent(binary, record)).toMatchObject({
      id: 'A234-1234-1234',
      event: {
        id: 'A234-1234-1234',
        type: 'com.example.shipped',
        timestamp: options.timestamp,
        data,
      },
      attributes: {
        source: '/mycontext/subcontext',
        subject: 'grüße',
        comexampleextension: 'value',
      },
    })
    expect(eventTypeOf(binary, rawRecord(record))).toBe('com.example.shipped')
  })

  it.each([
    ['ce_specversion', '0.3', 'specversion'],
    ['ce_specversion', undefined, 'specversion'],
    ['ce_id', '', 'id'],
    ['ce_id', undefined, 'id'],
    ['ce_source', undefined, 'source'],
    ['ce_type', undefined, 'type'],
    ['ce_time', 'yesterday', 'time'],
  ])('refuses %s %j', (name, value, path) => {
    expect(refusal(binary, binaryRecord({ [name]: value }))).toMatchObject({ path })
  })

  it('takes the time of the record when there is none', () => {
    const record = { ...binaryRecord({ ce_time: undefined }), timestamp: 42 }
    expect(decodeEvent(binary, record).event.timestamp).toBe(42)
  })

  it('refuses thousands of attributes', () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`ce_a${i}`, 'v']))
    expect(refusal(binary, binaryRecord(many)).message).toContain('more than 100 attributes')
  })

  it('an attribute cannot reach a prototype', () => {
    const decoded = decodeEvent(binary, binaryRecord({ ce___proto__: 'p' }))
    expect(Object.getPrototypeOf(decoded.attributes)).toBe(Object.prototype)
    expect(Object.keys(decoded.attributes ?? {})).toContain('__proto__')
  })
})

describe('in structured mode', () => {
  it('the value is one object', () => {
    const record = atOnce(encodeEvent(structured, Shipped, data, options))
    expect(JSON.parse(record.value as string)).toEqual({
      specversion: '1.0',
      id: 'A234-1234-1234',
      source: '/mycontext/subcontext',
      type: 'com.example.shipped',
      time: '2018-04-05T17:31:00.000Z',
      subject: 'o-1',
      priority: 3,
      urgent: true,
      datacontenttype: 'application/json',
      data,
    })
    expect(record.headers[0]).toEqual([
      'content-type',
      'application/cloudevents+json; charset=utf-8',
    ])
  })

  it('is read from whatever topic of CloudEvents it is in', () => {
    for (const topic of [binary, structured]) {
      for (const type of [
        'application/cloudevents+json',
        'Application/CloudEvents+JSON; charset=UTF-8',
      ]) {
        expect(decodeEvent(topic, structuredRecord({ subject: 's' }, type))).toMatchObject({
          event: { id: 'A234-1234-1234', timestamp: options.timestamp, data },
          attributes: { subject: 's' },
        })
      }
      expect(decodeEvent(topic, binaryRecord()).event.data).toEqual(data)
    }
  })

  it('data may be base64 of another content type', () => {
    const Text = defineEvent('text', { data: Type.String() })
    const topic = defineTopic('t', { events: [Text], key: null, envelope: 'cloudevents' })
    const base64 = Buffer.from('grüße').toString('base64')
    const record = structuredRecord({
      type: 'text',
      data: undefined,
      data_base64: base64,
      datacontenttype: 'text/plain',
    })
    expect(decodeEvent(topic, record).event.data).toBe('grüße')
    expect(refusal(topic, structuredRecord({ type: 'text', data_base64: base64 })).path).toBe(
      'data_base64',
    )
    const broken = structuredRecord({ type: 'text', data: undefined, data_base64: '%%' })
    expect(refusal(topic, broken).path).toBe('data_base64')
  })

  it('refuses what is no object, other formats and other versions', () => {
    const list = { ...structuredRecord(), value: '[]' }
    expect(refusal(structured, list)).toMatchObject({ reason: 'envelope', path: 'value' })
    expect(refusal(structured, structuredRecord({}, 'application/cloudevents+avro')).code).toBe(
      'MILLRACE_CONTRACT_CONTENT_TYPE_UNKNOWN',
    )
    expect(
      refusal(structured, structuredRecord({}, 'application/cloudevents-batch+json')).code,
    ).toBe('MILLRACE_CONTRACT_CONTENT_TYPE_UNKNOWN')
    expect(refusal(structured, structuredRecord({ specversion: '2.0' })).path).toBe('specversion')
    expect(refusal(structured, structuredRecord({ id: 7 })).path).toBe('id')
    expect(refusal(structured, structuredRecord({ data: { orderId: 1 } })).path).toBe(
      'data.orderId',
    )
  })
})

it('writes no event that names nobody, and no attribute that is none', () => {
  const write = (changes: Partial<EncodeOptions>) => () =>
    encodeEvent(binary, Shipped, data, { ...options, ...changes })
  expect(write({ source: undefined })).toThrow('source must name who sends the CloudEvent')
  for (const attributes of [
    { Subject: 's' },
    { 'a-b': 's' },
    { id: 's' },
    { n: 1.5 },
    { t: 'a\u0000' },
  ]) {
    expect(write({ attributes })).toThrow('attributes')
  }
  expect(write({ headers: { ce_id: 'forged' } })).toThrow("headers ('ce_id') is written by")
})

it('a trace is found in its attribute too', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const record = rawRecord(binaryRecord({ ce_traceparent: traceparent }))
  expect(contextOf(record, 'i').traceparent).toBe(traceparent)
})

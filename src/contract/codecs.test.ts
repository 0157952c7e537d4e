import { describe, expect, it } from 'vitest'
import { atOnce, decodeEvent, refusal } from './fixture/decode.ts'
import { rawRecord } from './fixture/raw-record.ts'
import {
  bytesCodec,
  ContractViolation,
  DecodeError,
  decodeRecord,
  defineEvent,
  defineTopic,
  EncodeError,
  encodeEvent,
  jsonCodec,
  textCodec,
  Type,
} from './index.ts'
import type { Codec } from './index.ts'

const identity = { id: 'i', timestamp: 5 }
const Anything = defineEvent('ANYTHING', { data: Type.Unknown() })
const events = [Anything] as const

describe('bytes', () => {
  const topic = defineTopic('t', { events, key: null, codec: bytesCodec })

  it('are written and read as they are, with the envelope in headers', () => {
    const bytes = Uint8Array.of(0, 0xff, 0x7b)
    const record = atOnce(encodeEvent(topic, Anything, bytes, identity))
    expect(record.value).toBe(bytes)
    expect(record.headers).toContainEqual(['content-type', 'application/octet-stream'])
    const { event, id } = decodeEvent(topic, record)
    expect(id).toBe('i')
    expect(event).toMatchObject({ type: 'ANYTHING', timestamp: 5, data: Buffer.from(bytes) })
  })

  it('are nothing else', () => {
    expect(() => encodeEvent(topic, Anything, 'text', identity)).toThrow(
      "data ('text') must be bytes",
    )
  })

  it('cannot lie in an envelope of JSON', () => {
    for (const envelope of ['event', 'cloudevents-structured'] as const) {
      expect(() => defineTopic('t', { codec: bytesCodec, envelope })).toThrow(
        'is JSON and cannot hold application/octet-stream',
      )
    }
  })
})

describe('text', () => {
  const topic = defineTopic('t', { events, key: null, codec: textCodec })

  it('is UTF-8, nothing replaced', () => {
    const record = atOnce(encodeEvent(topic, Anything, 'grüße 🌊', identity))
    expect(decodeEvent(topic, record).event.data).toBe('grüße 🌊')
    expect(refusal(topic, { value: Uint8Array.of(0xff) }).reason).toBe('invalid-utf8')
    expect(() => encodeEvent(topic, Anything, '\ud83c', identity)).toThrow('half surrogate')
    expect(() => encodeEvent(topic, Anything, 7, identity)).toThrow('must be text')
  })
})

describe('the content type of a record', () => {
  const topic = defineTopic('t', { events, key: null, envelope: 'headers' })
  const withType = (type: string | Uint8Array, value = '"v"') => ({
    value,
    headers: [['content-type', type] as const],
  })

  it('chooses the codec', () => {
    expect(decodeEvent(topic, { value: '"v"' }).event.data).toBe('v')
    expect(decodeEvent(topic, withType('application/json')).event.data).toBe('v')
    expect(decodeEvent(topic, withType('Application/JSON ; charset="UTF-8"')).event.data).toBe('v')
    expect(decodeEvent(topic, withType('application/vnd.acme+json')).event.data).toBe('v')
    expect(decodeEvent(topic, withType('text/plain; charset=utf-8')).event.data).toBe('"v"')
    expect(decodeEvent(topic, withType('application/octet-stream')).event.data).toEqual(
      Buffer.from('"v"'),
    )
    expect(decodeEvent(topic, withType('')).event.data).toBe('v')
  })

  it.each(['application/avro', 'text/plain; charset=latin1', 'nonsense', ';;;', '__proto__'])(
    'is refused where nobody can read it: %s',
    (type) => {
      const error = refusal(topic, withType(type))
      expect(error).toMatchObject({ code: 'MILLRACE_CONTRACT_CONTENT_TYPE_UNKNOWN' })
      expect(error.message).toContain('application/json, text/plain, application/octet-stream')
    },
  )
})

/** A codec as those with a registry are: asynchronous, with a prefix and a header. */
function registryCodec(fail?: Error): Codec {
  return {
    contentType: 'application/x-registered',
    isJson: true,
    encode: async (value, { eventType, version, addHeader }) => {
      await Promise.resolve()
      if (fail !== undefined) throw fail
      addHeader('schema-id', `${eventType ?? ''}-${version ?? 0}`)
      return Buffer.concat([Buffer.of(0), Buffer.from(JSON.stringify(value))])
    },
    decode: async (bytes, { header }) => {
      await Promise.resolve()
      if (fail !== undefined) throw fail
      if (bytes[0] !== 0 || header('schema-id') === undefined) {
        throw new ContractViolation('envelope', 'has no schema id')
      }
      return JSON.parse(bytes.toString('utf8', 1)) as unknown
    },
  }
}

describe('a codec of somebody else', () => {
  it.each(['event', 'headers', 'cloudevents'] as const)(
    'may be asynchronous, in the envelope %s',
    async (envelope) => {
      const topic = defineTopic('t', { events, key: null, envelope, codec: registryCodec() })
      const options = { ...identity, source: 's' }
      const record = await encodeEvent(topic, Anything, { a: 1 }, options)
      expect(record.headers).toContainEqual(['schema-id', 'ANYTHING-1'])
      const decoded = await decodeRecord(topic, rawRecord(record))
      expect(decoded).toMatchObject({ kind: 'event', id: 'i', event: { data: { a: 1 } } })
    },
  )

  it('cannot write the JSON of structured CloudEvents', () => {
    const define = () =>
      defineTopic('t', { envelope: 'cloudevents-structured', codec: registryCodec() })
    expect(define).toThrow('cannot hold application/x-registered')
  })

  it('tells what is wrong with a record by a violation', async () => {
    const topic = defineTopic('t', { events, key: null, codec: registryCodec() })
    const broken = decodeRecord(topic, rawRecord({ value: 'x' }))
    await expect(broken).rejects.toThrow(DecodeError)
    await expect(broken).rejects.toThrow('t: has no schema id')
  })

  it('fails with its own error where the record is not to blame', async () => {
    const failure = new Error('the registry is away')
    const topic = defineTopic('t', { events, key: null, codec: registryCodec(failure) })
    await expect(decodeRecord(topic, rawRecord({ value: 'x' }))).rejects.toBe(failure)
    await expect(encodeEvent(topic, Anything, 1, identity)).rejects.toBe(failure)
  })

  it('reads along with JSON: each record by its content type', async () => {
    const topic = defineTopic('t', { events, key: null, codecs: [registryCodec()] })
    const json = atOnce(encodeEvent(topic, Anything, 1, identity))
    expect(decodeEvent(topic, json).event.data).toBe(1)
    const registered = rawRecord({
      value: Buffer.concat([Buffer.of(0), Buffer.from(json.value as string)]),
      headers: [
        ['content-type', 'application/x-registered'],
        ['schema-id', '1'],
      ],
    })
    expect(await decodeRecord(topic, registered)).toMatchObject({ event: { data: 1 } })
  })
})

it('a key is text, bytes or null, and nothing is made of anything else', () => {
  const Keyed = defineEvent('K', {
    data: Type.Object({ id: Type.String() }),
    key: ({ data }) => data.id,
  })
  const topic = defineTopic('t', { events: [Keyed], codec: jsonCodec })
  const keyOf = (data: unknown, options: object = {}) =>
    atOnce(encodeEvent(topic, Keyed, data as never, { ...identity, ...options })).key
  expect(keyOf({ id: 'k' })).toBe('k')
  expect(keyOf({ id: '' })).toBe('')
  expect(keyOf({ id: 'k' }, { key: Uint8Array.of(1) })).toEqual(Uint8Array.of(1))
  expect(keyOf({ id: 'k' }, { key: null })).toBeNull()
  expect(() => keyOf({})).toThrow(EncodeError)
  expect(() => keyOf({})).toThrow("data (an object) must have required property 'id'")
  expect(() => keyOf({ id: '\udc00' })).toThrow('key')
  expect(() => keyOf({ id: 'k' }, { key: 7 })).toThrow('key (7)')
  const keyed = (key: () => never) => () =>
    encodeEvent(defineTopic('t', { events, key }), Anything, 1, identity)
  expect(keyed(() => undefined as never)).toThrow(
    't ANYTHING: key (undefined) must be text, bytes (Uint8Array) or null',
  )
  const thrown = keyed(() => {
    throw new TypeError('no such field')
  })
  expect(thrown).toThrow(EncodeError)
  expect(thrown).toThrow('key cannot be made: no such field')
})

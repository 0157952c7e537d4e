import { type as ark } from 'arktype'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { atOnce, decodeEvent, refusal } from './fixture/decode.ts'
import { rawRecord } from './fixture/raw-record.ts'
import {
  DecodeError,
  decodeRecord,
  defineEvent,
  defineTopic,
  encodeEvent,
  EncodeError,
  jsonSchema,
  Type,
} from './index.ts'
import type { EventContract, EventSchema, StandardSchema } from './index.ts'

const identity = { id: 'i', timestamp: 0 }

function topicOf<const Contract extends EventContract>(event: Contract) {
  return defineTopic('t', { events: [event], key: null })
}

function withData(data: unknown) {
  return { value: JSON.stringify({ id: 'i', type: 'E', timestamp: 0, data }) }
}

const libraries: [string, EventSchema][] = [
  ['TypeBox', Type.Object({ name: Type.String(), tags: Type.Array(Type.String()) })],
  [
    'JSON Schema',
    jsonSchema<{ name: string }>({
      type: 'object',
      required: ['name', 'tags'],
      properties: { name: { type: 'string' }, tags: { type: 'array', items: { type: 'string' } } },
    }),
  ],
  ['Zod', z.object({ name: z.string(), tags: z.array(z.string()) })],
  ['Valibot', v.object({ name: v.string(), tags: v.array(v.string()) })],
  ['ArkType', ark({ name: 'string', tags: 'string[]' })],
]

describe.each(libraries)('a schema of %s', (_library, schema) => {
  const Named = defineEvent('E', { data: schema })
  const topic = topicOf(Named)
  const data = { name: 'n', tags: ['a'] }

  it('takes what it describes, on both sides', () => {
    const record = atOnce(encodeEvent(topic, Named, data as never, identity))
    expect(decodeEvent(topic, record).event.data).toEqual(data)
  })

  it('refuses what it does not, with path and value', () => {
    const wrong = { name: 'n', tags: ['a', 7] }
    const error = refusal(topic, withData(wrong))
    expect(error).toMatchObject({
      code: 'MILLRACE_CONTRACT_INVALID',
      reason: 'data-invalid',
      path: 'data.tags[1]',
    })
    expect(error.message).toContain('data.tags[1] (7) ')
    expect(error.summary).not.toContain('7')
    expect(() => encodeEvent(topic, Named, wrong as never, identity)).toThrow(EncodeError)
    expect(() => encodeEvent(topic, Named, wrong as never, identity)).toThrow('data.tags[1] (7)')
  })
})

describe('a schema that makes other data of what it reads', () => {
  const Dated = defineEvent('E', {
    data: z.object({ at: z.coerce.date(), note: z.string().default('none') }),
  })

  it('is given to the handler as the schema makes it, and written as it was given', () => {
    const topic = topicOf(Dated)
    const record = atOnce(encodeEvent(topic, Dated, { at: '2026-01-31T12:00:00.000Z' }, identity))
    expect(record.value).toContain('"data":{"at":"2026-01-31T12:00:00.000Z"}')
    expect(decodeEvent(topic, record).event.data).toEqual({
      at: new Date('2026-01-31T12:00:00.000Z'),
      note: 'none',
    })
  })

  it('is tried on what readers will see: a date that becomes text is refused where it is written', () => {
    const Wrong = defineEvent('E', { data: z.object({ at: z.date() }) })
    expect(() => encodeEvent(topicOf(Wrong), Wrong, { at: new Date(0) }, identity)).toThrow(
      't E: data.at',
    )
  })
})

describe('an asynchronous schema', () => {
  const Slow = defineEvent('E', {
    data: z.object({ n: z.number() }).refine(async ({ n }) => Promise.resolve(n > 0), 'too small'),
  })
  const topic = topicOf(Slow)

  it('makes promises of both ways', async () => {
    const record = encodeEvent(topic, Slow, { n: 1 }, identity)
    expect(record).toBeInstanceOf(Promise)
    const decoded = decodeRecord(topic, rawRecord(await record))
    expect(decoded).toBeInstanceOf(Promise)
    expect(await decoded).toMatchObject({ kind: 'event', event: { data: { n: 1 } } })
  })

  it('rejects with the same errors', async () => {
    await expect(encodeEvent(topic, Slow, { n: 0 }, identity)).rejects.toThrow(EncodeError)
    await expect(decodeRecord(topic, rawRecord(withData({ n: 0 })))).rejects.toThrow(DecodeError)
    await expect(decodeRecord(topic, rawRecord(withData({ n: 0 })))).rejects.toMatchObject({
      path: 'data',
      message: 't: data (an object) is invalid: too small',
      summary: 't: data is invalid',
    })
  })

  it('follows an upcast', async () => {
    const Newer = defineEvent('E', {
      version: 2,
      data: z.object({ n: z.number() }),
      upcast: {
        1: { data: z.object({}).refine(() => Promise.resolve(true)), to: () => ({ n: 5 }) },
      },
    })
    const decoded = await decodeRecord(topicOf(Newer), rawRecord(withData({})))
    expect(decoded).toMatchObject({ version: 1, event: { data: { n: 5 } } })
  })
})

describe('a schema that fails', () => {
  const failure = new Error('the database is away')
  const schemaThat = (validate: () => never | Promise<never>): StandardSchema => ({
    '~standard': { version: 1, vendor: 'test', validate },
  })

  it('says nothing about the record: its error comes as it is', async () => {
    const Throwing = defineEvent('E', {
      data: schemaThat(() => {
        throw failure
      }),
    })
    expect(() => decodeRecord(topicOf(Throwing), rawRecord(withData(1)))).toThrow(failure)
    const Rejecting = defineEvent('E', { data: schemaThat(() => Promise.reject(failure)) })
    await expect(decodeRecord(topicOf(Rejecting), rawRecord(withData(1)))).rejects.toBe(failure)
  })

  it('or gives no reason refuses all the same', () => {
    const schema: StandardSchema = {
      '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [] }) },
    }
    expect(refusal(topicOf(defineEvent('E', { data: schema })), withData(1)).message).toBe(
      't: data (1) is invalid: is refused by its schema',
    )
  })
})

describe('JSON Schema', () => {
  it('is compiled when the event is defined, and strictly', () => {
    const define = (schema: object) => () => defineEvent('E', { data: jsonSchema<unknown>(schema) })
    expect(define({ type: 'objekt' })).toThrow("defineEvent('E').data cannot be compiled")
    expect(define({ type: 'object', propertys: {} })).toThrow('unknown keyword: "propertys"')
    // Without its type it would take anything that is no object.
    expect(define({ properties: { a: { type: 'string' } } })).toThrow('missing type "object"')
    expect(define({ type: 'string', format: 'no-such' })).toThrow('unknown format "no-such"')
    expect(() => defineEvent('E', { data: Type.BigInt() })).toThrow('cannot be compiled')
    expect(() => defineEvent('E', { data: 7 as never })).toThrow('must be a TypeBox schema')
  })

  it('knows formats', () => {
    const Formatted = defineEvent('E', { data: Type.String({ format: 'date-time' }) })
    const topic = topicOf(Formatted)
    expect(decodeEvent(topic, withData('2026-01-31T12:00:00Z')).id).toBe('i')
    expect(refusal(topic, withData('yesterday'))).toMatchObject({ path: 'data', rule: 'format' })
  })

  it('changes nothing: no defaults, no coercion, nothing removed', () => {
    const schema = Type.Object({ n: Type.Number({ default: 1 }), s: Type.Optional(Type.String()) })
    const topic = topicOf(defineEvent('E', { data: schema }))
    expect(refusal(topic, withData({})).rule).toBe('required')
    expect(refusal(topic, withData({ n: '1' })).rule).toBe('type')
    expect(decodeEvent(topic, withData({ n: 1, more: 2 })).event.data).toEqual({ n: 1, more: 2 })
  })

  it('of the same $id may serve two events', () => {
    const schema = () => Type.Object({ n: Type.Number() }, { $id: 'same' })
    const one = defineEvent('E', { data: schema() })
    const two = defineEvent('E', { data: schema() })
    expect(decodeEvent(topicOf(one), withData({ n: 1 })).contract).toBe(one)
    expect(decodeEvent(topicOf(two), withData({ n: 1 })).contract).toBe(two)
  })

  it.each([
    [
      'enum',
      Type.Enum(['a', 'b']),
      "data ('c') must be equal to one of the allowed values: 'a', 'b'",
    ],
    ['const', Type.Literal('a'), "data ('c') must be equal to constant: 'a'"],
    ['pattern', Type.String({ pattern: '^a' }), `data ('c') must match pattern "^a"`],
  ])('says what would be allowed: %s', (rule, schema, message) => {
    const error = refusal(topicOf(defineEvent('E', { data: schema })), withData('c'))
    expect(error).toMatchObject({ rule, message: `t: ${message}` })
  })

  it('names what there is too much', () => {
    const schema = Type.Object({ a: Type.Optional(Type.Null()) }, { additionalProperties: false })
    const error = refusal(topicOf(defineEvent('E', { data: schema })), withData({ 'b c/d~e': 1 }))
    expect(error.message).toContain("must NOT have additional properties: 'b c/d~e'")
  })

  it('names odd paths so that they can be read', () => {
    const schema = Type.Object({ 'a b/c~d': Type.Array(Type.Object({ 'x-y': Type.Null() })) })
    const topic = topicOf(defineEvent('E', { data: schema }))
    const error = refusal(topic, withData({ 'a b/c~d': [{ 'x-y': 1 }] }))
    expect(error.path).toBe("data['a b/c~d'][0].x-y")
  })
})

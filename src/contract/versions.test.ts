import { describe, expect, it } from 'vitest'
import { atOnce, decodeEvent, refusal } from './fixture/decode.ts'
import { defineEvent, defineTopic, encodeEvent, Type, upcastFrom } from './index.ts'

const version1 = Type.Object({ name: Type.String() })
const version2 = Type.Object({ first: Type.String(), last: Type.String() })
const version3 = Type.Object({
  first: Type.String(),
  last: Type.String(),
  locale: Type.String({ minLength: 2 }),
})

const Renamed = defineEvent('RENAMED', {
  version: 3,
  data: version3,
  upcast: {
    1: upcastFrom(version1, ({ name }) => {
      const [first = '', last = ''] = name.split(' ')
      return { first, last }
    }),
    2: (data: { locale?: string; first: string; last: string }) => ({ ...data, locale: 'en' }),
  },
})
const topic = defineTopic('users', { events: [Renamed], key: null })

function written(version: string | null | undefined, data: unknown) {
  const value = JSON.stringify({ id: 'i', type: 'RENAMED', timestamp: 0, data })
  return { value, headers: version === undefined ? [] : [['schema-version', version] as const] }
}

describe('an event is read from', () => {
  it.each([
    ['1', { name: 'Ada Lovelace' }, { first: 'Ada', last: 'Lovelace', locale: 'en' }, 1],
    ['2', { first: 'A', last: 'L' }, { first: 'A', last: 'L', locale: 'en' }, 2],
    ['3', { first: 'A', last: 'L', locale: 'fr' }, { first: 'A', last: 'L', locale: 'fr' }, 3],
    // What does not say a version was written before there were any.
    [undefined, { name: 'Ada' }, { first: 'Ada', last: '', locale: 'en' }, 1],
    [null, { name: 'Ada' }, { first: 'Ada', last: '', locale: 'en' }, 1],
  ])('version %s', (version, data, newest, expected) => {
    expect(decodeEvent(topic, written(version, data))).toMatchObject({
      version: expected,
      event: { data: newest },
    })
  })
})

describe('an event is refused', () => {
  it('of a newer version, and the way out is told', () => {
    expect(refusal(topic, written('4', {}))).toMatchObject({
      code: 'MILLRACE_CONTRACT_VERSION_UNKNOWN',
      reason: 'version-unknown',
      message:
        'users: is of version 4 of RENAMED; known here: 1, 2, 3;' +
        ' it was written by a newer program: deploy readers first',
      retriable: false,
    })
  })

  it('of an older version that nothing makes newer', () => {
    const Later = defineEvent('RENAMED', {
      version: 3,
      data: version3,
      upcast: { 2: (data: object) => ({ ...data, locale: 'en' }) },
    })
    const error = refusal(
      defineTopic('users', { events: [Later], key: null }),
      written('1', { name: 'A' }),
    )
    expect(error.reason).toBe('version-unknown')
    expect(error.message).toContain('known here: 2, 3; add an upcast from version 1')
  })

  it.each(['0', '-1', '1.0', ' 1', '', 'one', '99999999999', '2147483648'])(
    'of the malformed version %j',
    (version) => {
      expect(refusal(topic, written(version, { name: 'A' }))).toMatchObject({
        code: 'MILLRACE_CONTRACT_VERSION_UNKNOWN',
        reason: 'version-malformed',
        path: 'schema-version',
      })
    },
  )

  it('when it does not keep to the schema of its own version', () => {
    expect(refusal(topic, written('1', { name: 1 }))).toMatchObject({
      reason: 'data-invalid',
      path: 'data.name',
      rule: 'type',
    })
  })

  it('when what an upcast has made is not what the newest schema takes', () => {
    expect(refusal(topic, written('2', { first: 1, last: 'L' }))).toMatchObject({
      reason: 'data-invalid',
      path: 'data.first',
    })
  })

  it('when an upcast throws: the same record would make it throw again', () => {
    const Broken = defineEvent('RENAMED', {
      version: 2,
      data: version2,
      upcast: {
        1: (data: { name: string }) => ({ first: data.name.trim(), last: '' }),
      },
    })
    const error = refusal(defineTopic('users', { events: [Broken], key: null }), written('1', {}))
    expect(error).toMatchObject({ code: 'MILLRACE_CONTRACT_INVALID', reason: 'upcast-failed' })
    expect(error.message).toContain('the upcast from version 1 failed: Cannot read properties')
    expect(error.summary).toBe('users: the upcast from version 1 failed')
    expect(error.cause).toBeInstanceOf(TypeError)
  })
})

it('writes the newest version', () => {
  const data = { first: 'A', last: 'L', locale: 'fr' }
  const record = atOnce(encodeEvent(topic, Renamed, data, { id: 'i', timestamp: 0 }))
  expect(record.headers).toContainEqual(['schema-version', '3'])
})

it('refuses upcasts that do not lead to the newest version', () => {
  const define = (version: number, steps: Record<number, () => object>) => () =>
    defineEvent('RENAMED', { version, data: version3, upcast: steps })
  const step = () => ({})
  expect(define(3, { 1: step })).toThrow(
    'has versions 1; they must lead without a gap to version 3',
  )
  expect(define(3, { 1: step, 3: step })).toThrow('(the last one is 2)')
  expect(define(1, { 0: step })).toThrow('without a gap')
  expect(define(3, { 2: 1 as never })).toThrow('upcast[2] must be a function or { data, to }')
  expect(define(3, { 1: step, 2: step })().versions).toEqual([1, 2, 3])
})

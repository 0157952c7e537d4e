import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { needsScan, scanJson } from './codec/json-scan.ts'
import { atOnce, decodeEvent, refusal } from './fixture/decode.ts'
import { ContractViolation, defineEvent, defineTopic, encodeEvent, Type } from './index.ts'

const Anything = defineEvent('ANYTHING', { data: Type.Unknown() })
const events = [Anything] as const
const topic = defineTopic('any', { events, key: null })
const strict = defineTopic('any', { events, key: null, limits: { duplicateKeys: 'refuse' } })
const identity = { id: 'i', timestamp: 0 }

/** A record whose data is this text. */
function withData(text: string) {
  return { value: `{"id":"i","type":"ANYTHING","timestamp":0,"data":${text}}` }
}

function dataOf(text: string): unknown {
  return decodeEvent(topic, withData(text)).event.data
}

describe('the guard refuses', () => {
  it('a value that is larger than the limit', () => {
    const small = defineTopic('any', { events, key: null, limits: { valueBytesMax: 100 } })
    const at = withData(`"${'x'.repeat(100 - withData('""').value.length)}"`)
    expect(decodeEvent(small, at).id).toBe('i')
    const over = { value: at.value.replace('xx', 'xxx') }
    expect(refusal(small, over)).toMatchObject({
      code: 'MILLRACE_CONTRACT_TOO_LARGE',
      reason: 'value-too-large',
      message: 'any: the value has 101 bytes; at most 100 are allowed',
    })
  })

  it('a value whose bytes are too many though its characters are not', () => {
    const small = defineTopic('any', { events, key: null, limits: { valueBytesMax: 100 } })
    expect(() => encodeEvent(small, Anything, 'ü'.repeat(30), identity)).toThrow('at most 100')
    expect(atOnce(encodeEvent(small, Anything, 'u'.repeat(30), identity)).key).toBeNull()
  })

  it('what is nested deeper than the limit, however deep', () => {
    for (const depth of [100, 10_000, 100_000]) {
      for (const [open, close] of [
        ['[', ']'],
        ['{"":', '}'],
        ['{"a":[', ']}'],
      ] as const) {
        const error = refusal(
          topic,
          withData(`${open.repeat(depth / 2)}${open.repeat(depth / 2)}1${close.repeat(depth)}`),
          {
            limits: { ...topic.limits, valueBytesMax: 2 ** 28 },
          },
        )
        expect(error).toMatchObject({ code: 'MILLRACE_CONTRACT_MALFORMED', reason: 'too-deep' })
        expect(error.message.length).toBeLessThan(300)
      }
    }
  })

  it('nothing that is as deep as the limit', () => {
    // The envelope is one level.
    expect(dataOf(`${'['.repeat(99)}${']'.repeat(99)}`)).toBeTruthy()
    expect(dataOf(`${'{"":'.repeat(99)}1${'}'.repeat(99)}`)).toBeTruthy()
    expect(dataOf(JSON.stringify(Array.from({ length: 500 }, () => ({}))))).toHaveLength(500)
    expect(dataOf(JSON.stringify('['.repeat(500)))).toHaveLength(500)
  })

  it.each([
    ['{"__proto__":{"admin":true}}'],
    [String.raw`{"\u005f_proto__":1}`],
    [String.raw`{"_\u005Fpr\u006fto__":1}`],
    ['[{"a":{"__proto__":null}}]'],
    ['{"constructor":{"prototype":{"admin":true}}}'],
    [String.raw`{"constr\u0075ctor":{"prototype":1}}`],
    [String.raw`{"constructor":{"prot\u006ftype":1}}`],
  ])('a key that reaches the prototype: %s', (text) => {
    expect(refusal(topic, withData(text))).toMatchObject({ reason: 'forbidden-key' })
    expect(() => encodeEvent(topic, Anything, JSON.parse(text), identity)).toThrow('__proto__')
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  it.each([
    ['{"constructor":"Boeing"}'],
    ['{"prototype":{"constructor":1}}'],
    ['"the __proto__ of things"'],
    ['{"a__b":1}'],
    [String.raw`"\u005f"`],
  ])('no innocent text: %s', (text) => {
    expect(dataOf(text)).toEqual(JSON.parse(text))
  })

  it('bytes that are no UTF-8, and no text that has replacement characters', () => {
    for (const broken of [
      [0xff],
      [0xc3],
      [0xed, 0xa0, 0x80],
      [0xc0, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
    ]) {
      const value = Buffer.concat([
        Buffer.from('{"id":"i","type":"ANYTHING","timestamp":0,"data":"'),
        Buffer.from(broken),
        Buffer.from('"}'),
      ])
      expect(refusal(topic, { value })).toMatchObject({ reason: 'invalid-utf8' })
    }
    expect(dataOf('"\ufffd"')).toBe('\ufffd')
  })

  it('what is no JSON, and says where without the payload in the summary', () => {
    const error = refusal(topic, { value: '{"secret":"x",}' })
    expect(error).toMatchObject({
      code: 'MILLRACE_CONTRACT_MALFORMED',
      reason: 'invalid-json',
      path: 'value',
      summary: 'any: value is not JSON at position 14',
    })
    expect(refusal(topic, { value: '' }).reason).toBe('invalid-json')
    expect(refusal(topic, { value: ' ' }).reason).toBe('invalid-json')
    expect(refusal(topic, { value: '{"data":NaN}' }).reason).toBe('invalid-json')
  })

  it('a key that is there twice, where the topic says so; else the last one counts', () => {
    const twice = withData('{"a":{"b":1,"c":[],"b":2}}')
    expect(refusal(strict, twice)).toMatchObject({ reason: 'duplicate-key', path: 'data.a.b' })
    expect(decodeEvent(topic, twice).event.data).toEqual({ a: { b: 2, c: [] } })
    expect(refusal(strict, withData(String.raw`{"a":1,"\u0061":2}`)).reason).toBe('duplicate-key')
    const once = withData('{"a":{"a":1,"b":[{"a":2},{"a":3}]},"b":"\\"a\\":1,\\"a\\":"}')
    expect(decodeEvent(strict, once).id).toBe('i')
    expect(refusal(strict, { value: '{"id":"1","id":"2","data":1}' }).path).toBe('id')
  })

  it.each([
    ['9007199254740992'],
    ['-9007199254740993'],
    ['12345678901234567890'],
    ['9007199254740993.0'],
    ['1e999'],
    ['-1E+400'],
    [`1${'0'.repeat(400)}`],
  ])('a number that would be changed: %s', (text) => {
    for (const data of [text, `[1,${text}]`, `{"n":${text}}`, `{"n": ${text} , "m":1}`]) {
      expect(refusal(topic, withData(data))).toMatchObject({ reason: 'unsafe-integer' })
    }
  })

  it('no number that is kept, and no digits in text', () => {
    for (const text of [
      '9007199254740991',
      '-9007199254740991',
      '0.12345678901234567',
      '1e308',
      '1e-400',
      '5e-324',
      '1.7976931348623157e+308',
    ]) {
      expect(dataOf(text)).toBe(Number(text))
    }
    for (const text of ['12345678901234567890', '1e999', 'a,1e999', '5e999,']) {
      expect(dataOf(JSON.stringify(text))).toBe(text)
    }
  })

  it('to write what readers would refuse', () => {
    expect(() => encodeEvent(topic, Anything, { n: 2 ** 53 }, identity)).toThrow(
      'any ANYTHING: data.n (9007199254740992) is beyond 2^53 - 1',
    )
    expect(() => encodeEvent(topic, Anything, 1n, identity)).toThrow('BigInt')
    for (const nothing of [undefined, () => 1, Symbol('s'), { toJSON: () => undefined }]) {
      expect(() => encodeEvent(topic, Anything, nothing, identity)).toThrow('there is no value')
    }
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    expect(() => encodeEvent(topic, Anything, circle, identity)).toThrow(
      'cannot be written as JSON',
    )
    let deep: unknown = 1
    for (let level = 0; level < 100; level++) deep = [deep]
    expect(() => encodeEvent(topic, Anything, deep, identity)).toThrow('deeper than 100')
  })
})

/** JSON text that the quick tests have something to find in. */
const jsonText = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('1', '-0', '1e5', '1e999', '12E+310', '9007199254740991', '9007199254740992'),
    fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
    fc.string({ maxLength: 24 }).map((text) => JSON.stringify(text)),
    fc.stringMatching(/^[0-9e+]{0,24}$/).map((text) => JSON.stringify(text)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(' , ')}]`),
    fc
      .array(fc.tuple(fc.constantFrom('a', 'b', 'n'), tie('value')), { maxLength: 4 })
      .map((pairs) => `{${pairs.map(([key, value]) => `"${key}" :${value}`).join(',')}}`),
  ),
})).value

const limits = { valueBytesMax: 2 ** 20, depthMax: 3, duplicateKeys: 'last' } as const

describe('the quick tests', () => {
  it('let nothing pass that the exact scan refuses', () => {
    let refused = 0
    fc.assert(
      fc.property(jsonText, (text) => {
        JSON.parse(text)
        try {
          scanJson(text, limits)
        } catch (error) {
          expect(error).toBeInstanceOf(ContractViolation)
          expect(needsScan(text, limits)).toBe(true)
          refused++
        }
      }),
      { seed: 5, numRuns: 5_000 },
    )
    expect(refused).toBeGreaterThan(500)
  })

  it('clear what is ordinary', () => {
    const order = JSON.stringify({
      id: '0193500e-5e12-7abc-8000-9e1237771234',
      type: 'ORDER_CREATED',
      timestamp: 1_732_219_200_000,
      data: { orderId: 'o-1', products: [{ price: 9.5 }, { price: 1.5e3 }] },
    })
    expect(needsScan(order, topic.limits)).toBe(false)
  })
})

describe('the exact scan', () => {
  it('finds what a look at the text without its strings finds', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        const scan = () => scanJson(text, limits)
        if (depthOf(text) > 3 || changesNumbers(text)) expect(scan).toThrow()
        else expect(scan).not.toThrow()
      }),
      { seed: 6, numRuns: 5_000 },
    )
  })
})

function withoutStrings(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
}

function depthOf(text: string): number {
  let [depth, deepest] = [0, 0]
  for (const character of withoutStrings(text)) {
    if ('[{'.includes(character)) deepest = Math.max(deepest, ++depth)
    if (']}'.includes(character)) depth--
  }
  return deepest
}

function changesNumbers(text: string): boolean {
  const numbers = withoutStrings(text).match(/-?\d[\d.eE+-]*/g) ?? []
  return numbers.some((literal) =>
    /[eE]/.test(literal)
      ? !Number.isFinite(Number(literal))
      : BigInt(literal) > 2n ** 53n - 1n || BigInt(literal) < 1n - 2n ** 53n,
  )
}

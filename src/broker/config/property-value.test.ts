import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { brokerProperties } from './broker-properties.ts'
import { clientMetricsProperties } from './client-metrics-properties.ts'
import { groupProperties } from './group-properties.ts'
import { canonicalText, parseValue, splitList } from './property-value.ts'
import { double, flag, int, list, long, short, text } from './property.ts'
import type { Property, PropertyTable } from './property.ts'
import { topicProperties } from './topic-properties.ts'

const seed = 20_260_101
const tables: readonly (readonly [string, PropertyTable])[] = [
  ['topics', topicProperties],
  ['brokers', brokerProperties],
  ['groups', groupProperties],
  ["clients' metrics", clientMetricsProperties],
]

/** A property without a value may have an empty default that it would refuse to be set to. */
const mayBeUnset = new Set(['controller.quorum.voters', 'controller.quorum.bootstrap.servers'])

describe('a property', () => {
  it.each(tables)('has a default that is allowed and canonical (%s)', (_of, table) => {
    for (const [name, property] of Object.entries(table)) {
      if (property.default === null || mayBeUnset.has(name)) continue
      const { default: written } = property
      expect([name, Object.keys(parseValue(property, written))]).toEqual([name, ['value']])
      expect([name, canonicalText(property, written)]).toEqual([name, written])
    }
  })

  it.each<[Property, number]>([
    [short('0'), 16],
    [int('0'), 32],
    [long('0'), 64],
  ])('takes exactly the whole numbers of its size: %o', (property, bits) => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }), (value) => {
        const fits = BigInt.asIntN(bits, value) === value
        expect('value' in parseValue(property, ` ${value} `)).toBe(fits)
        if (fits) expect(canonicalText(property, `+${value}`.replace('+-', '-'))).toBe(`${value}`)
      }),
      { seed },
    )
  })

  it('counts whole numbers beyond the safe ones as the nearest safe one', () => {
    const value = (written: string) => parseValue(long('0'), written)
    expect(value('9223372036854775807')).toEqual({ value: Number.MAX_SAFE_INTEGER })
    expect(value('-9223372036854775808')).toEqual({ value: Number.MIN_SAFE_INTEGER })
  })

  it.each(['', 'x', '1.5', '1e3', '0x10', '1 2', '--1', '１'])(
    'has no whole number %j',
    (written) => {
      expect(parseValue(int('0'), written)).toHaveProperty('problem')
    },
  )

  it('takes the numbers within its bounds, and one besides', () => {
    const property = int('-1', { min: 1, max: 9, also: -1 })
    fc.assert(
      fc.property(fc.integer({ min: -20, max: 20 }), (value) => {
        const allowed = value === -1 || (value >= 1 && value <= 9)
        expect('value' in parseValue(property, String(value))).toBe(allowed)
      }),
      { seed },
    )
    expect(parseValue(property, '0')).toEqual({
      problem: 'must be a whole number of 32 bits from 1 to 9, or -1',
    })
  })

  it('takes decimal numbers, and writes them as Java does', () => {
    const property = double('0.5', { min: 0, max: 1e9 })
    const written = ['.25', '1', '+2.50', '1e-4', '12345678', '0', '1E9']
    expect(written.map((each) => canonicalText(property, each))).toEqual([
      '0.25',
      '1.0',
      '2.5',
      '1.0E-4',
      '1.2345678E7',
      '0.0',
      '1.0E9',
    ])
    for (const wrong of ['', 'x', 'NaN', 'Infinity', '1,5', '-1', '1e10']) {
      expect(parseValue(property, wrong)).toHaveProperty('problem')
    }
  })

  it('is true or false in any case of letters', () => {
    expect(parseValue(flag('true'), ' FALSE ')).toEqual({ value: false })
    expect(canonicalText(flag('true'), ' TRUE ')).toBe('true')
    for (const wrong of ['', 'yes', '1']) {
      expect(parseValue(flag('true'), wrong)).toHaveProperty('problem')
    }
  })

  it('is one of some words, in their case or in any', () => {
    const words = ['Alpha', 'Beta'] as const
    expect(parseValue(text('Alpha', { oneOf: words }), ' Beta ')).toEqual({ value: 'Beta' })
    expect(parseValue(text('Alpha', { oneOf: words }), 'beta')).toHaveProperty('problem')
    const anyCase = text('Alpha', { oneOf: words, ignoreCase: true })
    expect(parseValue(anyCase, 'bETA')).toEqual({ value: 'bETA' })
    expect(parseValue(anyCase, 'gamma')).toHaveProperty('problem')
  })

  it('is a list of elements between commas', () => {
    const property = list('', { oneOf: ['compact', 'delete'] })
    expect(canonicalText(property, ' compact , delete ')).toBe('compact,delete')
    expect(parseValue(property, '')).toEqual({ value: [] })
    expect(parseValue(property, 'compact,,delete')).toHaveProperty('problem')
    expect(parseValue(list('', { empty: false }), ' ')).toHaveProperty('problem')
  })

  it('reads back the lists that it writes', () => {
    const element = fc.stringMatching(/^[a-z0-9.]+$/)
    fc.assert(
      fc.property(fc.array(element), (elements) => {
        expect(splitList(elements.join(' , '))).toEqual(elements)
      }),
      { seed },
    )
  })

  it.each([
    ['*', true],
    ['', true],
    ['0:1', true],
    ['0:1,1:2', true],
    ['0:1,*', false],
    ['x', false],
    ['0-1', false],
  ])('knows whether %j is a list of replicas', (written, allowed) => {
    expect('value' in parseValue(list('', { format: 'replicas' }), written)).toBe(allowed)
  })

  it.each([
    ['earliest', true],
    ['latest', true],
    ['by_duration:PT1H', true],
    ['by_duration:P1DT2H3M4.5S', true],
    ['by_duration:P1D', true],
    ['by_duration:P', false],
    ['by_duration:PT', false],
    ['by_duration:1h', false],
    ['none', false],
  ])('knows whether %j says where a share group begins', (written, allowed) => {
    expect('value' in parseValue(text('', { format: 'offset-reset' }), written)).toBe(allowed)
  })

  it.each([
    ['client_id=app.*', true],
    ['client_id=a,client_source_port=9.*', true],
    ['client_id=(', false],
    ['client_id', false],
    ['team=x', false],
  ])('knows whether %j matches clients', (written, allowed) => {
    expect('value' in parseValue(list('', { format: 'client-match' }), written)).toBe(allowed)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../refusal.ts'
import { changeSettings, replaceSettings } from './alter.ts'
import { splitList } from './property-value.ts'
import { topicProperties } from './topic-properties.ts'

const seed = 20_260_102
const [set, remove, append, subtract] = [0, 1, 2, 3] as const

const element = fc.constantFrom('a', 'b', 'c', 'd')
const elements = fc.array(element, { maxLength: 4 })

/** The list after one operation on it. */
function changed(
  current: readonly string[],
  operation: number,
  value: readonly string[],
): string[] {
  const before = new Map([['cleanup.policy', current.join(',')]])
  const next = changeSettings(topicProperties, before, [
    { name: 'cleanup.policy', operation, value: value.join(',') },
  ])
  return isRefusal(next) ? [next.message] : splitList(next.get('cleanup.policy') ?? '')
}

describe('changeSettings', () => {
  it('adds what is missing, at the end, once', () => {
    fc.assert(
      fc.property(elements, elements, (current, added) => {
        const next = changed(current, append, added)
        expect(next.slice(0, current.length)).toEqual(current)
        expect(new Set(next)).toEqual(new Set([...current, ...added]))
        const atTheEnd = next.slice(current.length)
        expect(new Set(atTheEnd).size).toBe(atTheEnd.length)
      }),
      { seed },
    )
  })

  it('takes away every occurrence of what is named, and nothing else', () => {
    fc.assert(
      fc.property(elements, elements, (current, taken) => {
        const left = current.filter((each) => !taken.includes(each))
        expect(changed(current, subtract, taken)).toEqual(left)
      }),
      { seed },
    )
  })

  it('leaves what it is given as it is', () => {
    const before = new Map([['retention.ms', '1']])
    changeSettings(topicProperties, before, [
      { name: 'retention.ms', operation: set, value: '2' },
      { name: 'flush.ms', operation: set, value: '3' },
    ])
    expect([...before]).toEqual([['retention.ms', '1']])
  })

  it('sets and deletes', () => {
    const before = new Map([
      ['retention.ms', '1'],
      ['flush.ms', '2'],
    ])
    const next = changeSettings(topicProperties, before, [
      { name: 'retention.ms', operation: remove, value: null },
      { name: 'segment.ms', operation: set, value: '3' },
    ])
    expect(next).toEqual(
      new Map([
        ['flush.ms', '2'],
        ['segment.ms', '3'],
      ]),
    )
  })
})

describe('replaceSettings', () => {
  it('takes the pairs as they are', () => {
    const next = replaceSettings([
      { name: 'a', value: '1' },
      { name: 'b', value: '' },
    ])
    expect(next).toEqual(
      new Map([
        ['a', '1'],
        ['b', ''],
      ]),
    )
  })

  it('refuses a name twice, and a name without a value', () => {
    const twice = [
      { name: 'a', value: '1' },
      { name: 'a', value: '1' },
    ]
    expect(replaceSettings(twice)).toMatchObject({ error: 'INVALID_REQUEST' })
    expect(replaceSettings([{ name: 'a', value: null }])).toMatchObject({
      error: 'INVALID_REQUEST',
    })
  })
})

import { describe, expect, it } from 'vitest'
import type { Delivery } from '../delivery.ts'
import { deliveryOf } from '../fixture/delivery.ts'
import { Marks } from './marks.ts'

const records = [0, 1, 2, 3].map((offset) => deliveryOf(undefined, { offset }))
const [a1, b1, a2, b2] = records as [Delivery, Delivery, Delivery, Delivery]
/** Two keys in turn. */
const keyOf = ({ offset }: Delivery) => (offset % 2 === 0 ? 'a' : 'b')

function verdictsOf(marks: Marks, isWhole: boolean): unknown[] {
  const verdicts = marks.verdicts(isWhole)
  return records.map((record) => verdicts.get(record))
}

describe('marks of a batch', () => {
  it('whose handler succeeds are all done, one that throws leaves all to run again', () => {
    expect(verdictsOf(new Marks(records, keyOf), true)).toEqual(['done', 'done', 'done', 'done'])
    const thrown = verdictsOf(new Marks(records, keyOf), false)
    expect(thrown).toEqual(['again', 'again', 'again', 'again'])
  })

  it('keep what was marked as done when it throws', () => {
    const marks = new Marks(records, keyOf)
    marks.done(a1)
    marks.done(a2)
    expect(verdictsOf(marks, false)).toEqual(['done', 'again', 'done', 'again'])
  })

  it('of a key count no more behind one that failed', () => {
    const marks = new Marks(records, keyOf)
    const error = new Error('no')
    marks.fail(a1, error)
    marks.done(a2)
    marks.done(b1)
    expect(verdictsOf(marks, true)).toEqual([{ error }, 'done', 'again', 'done'])
  })

  it('are refused out of the order of a key', () => {
    const marks = new Marks(records, keyOf)
    expect(() => marks.done(b2)).toThrow(/at offset 3 is marked before .* at offset 1/)
    marks.done(b1)
    marks.done(b2)
  })

  it('of records without a key stand for themselves', () => {
    const marks = new Marks(records, () => undefined)
    const error = new Error('no')
    marks.fail(a2, error)
    expect(verdictsOf(marks, true)).toEqual(['done', 'done', { error }, 'done'])
  })
})

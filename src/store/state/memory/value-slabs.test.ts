import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newEntry, ValueSlabs } from './value-slabs.ts'
import type { ValueEntry } from './value-slabs.ts'

const slabBytes = 16_384

/** What the slabs hold at most: twice what is kept, but for the last that was filled and the one that is being filled. */
function expectBounded(slabs: ValueSlabs, entries: Iterable<ValueEntry>): void {
  let keptBytes = 0
  for (const { value } of entries) if (value.length <= slabBytes / 8) keptBytes += value.length
  expect(slabs.bytes).toBeLessThanOrEqual(2 * keptBytes + 2 * slabBytes)
}

describe('the memory of values', () => {
  it('gives back what was put in, and is bounded by what is kept, whatever comes and goes', () => {
    const steps = fc.array(
      fc.record({
        first: fc.integer({ min: 0, max: 300 }),
        count: fc.integer({ min: 1, max: 300 }),
        every: fc.integer({ min: 1, max: 9 }),
        length: fc.oneof(
          fc.constant('gone' as const),
          fc.integer({ min: 0, max: 600 }),
          fc.constantFrom(2_047, 2_048, 2_049, 20_000),
        ),
      }),
      { minLength: 1, maxLength: 20 },
    )
    fc.assert(
      fc.property(steps, (taken) => {
        const slabs = new ValueSlabs()
        const entries = new Map<number, { entry: ValueEntry; expected: Buffer }>()
        for (const [step, { first, count, every, length }] of taken.entries()) {
          for (let id = first; id < first + count; id += every) {
            const found = entries.get(id)
            if (length === 'gone') {
              if (found !== undefined) slabs.delete(found.entry)
              entries.delete(id)
              continue
            }
            const entry = found?.entry ?? newEntry(String(id))
            const expected = Buffer.alloc(length, `${id}/${step} `)
            slabs.put(entry, expected)
            entries.set(id, { entry, expected })
          }
          expectBounded(
            slabs,
            [...entries.values()].map(({ entry }) => entry),
          )
        }
        for (const { entry, expected } of entries.values()) {
          expect(entry.value.equals(expected)).toBe(true)
        }
      }),
      { seed: 6, numRuns: 150 },
    )
  })

  it('is not held by the few that stay', () => {
    const slabs = new ValueSlabs()
    const entries = Array.from({ length: 20_000 }, (_, index) => newEntry(String(index)))
    for (const entry of entries) slabs.put(entry, Buffer.alloc(350))
    entries.forEach((entry, index) => {
      if (index % 40 > 0) slabs.delete(entry)
    })
    expectBounded(
      slabs,
      entries.filter((_, index) => index % 40 === 0),
    )
  })

  it('leaves alone what somebody has read of a slab that is given up', () => {
    const slabs = new ValueSlabs()
    const entries = Array.from({ length: 200 }, (_, index) => newEntry(String(index)))
    for (const entry of entries) slabs.put(entry, Buffer.alloc(350, entry.key))
    const read = entries.map(({ value }) => value)
    for (const entry of entries.slice(0, 190)) slabs.delete(entry)
    for (const entry of entries.slice(0, 190)) slabs.put(entry, Buffer.alloc(350, 'x'))
    entries.forEach(({ key }, index) => {
      expect(read[index]?.equals(Buffer.alloc(350, key))).toBe(true)
    })
  })
})

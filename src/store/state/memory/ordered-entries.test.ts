import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OrderedEntries } from './ordered-entries.ts'
import type { Keyed } from './ordered-entries.ts'

function listed(keys: OrderedEntries<Keyed>, from = '', to = '\xff'): string[] {
  const range = keys.range(from, to)
  const found: string[] = []
  for (let entry = range.next(); entry !== undefined; entry = range.next()) found.push(entry.key)
  return found
}

function expectChunksSound(keys: OrderedEntries<Keyed>): void {
  const sizes = keys.chunkSizes
  for (const [index, size] of sizes.entries()) {
    expect(size).toBeLessThanOrEqual(128)
    if (sizes.length > 1) expect(size).toBeGreaterThan(0)
    const next = sizes[index + 1]
    if (next !== undefined) expect(size + next).toBeGreaterThan(64)
  }
}

const keyOf = (number: number) => `k${String(number).padStart(6, '0')}`

describe('entries in order', () => {
  it('are those of a sorted list, in sound chunks, whatever comes and goes', () => {
    const runs = fc.array(
      fc.record({
        from: fc.integer({ min: 0, max: 3_000 }),
        count: fc.integer({ min: 1, max: 400 }),
        step: fc.constantFrom(-1, 1, 7, -7),
        isAdded: fc.boolean(),
      }),
      { minLength: 1, maxLength: 25 },
    )
    fc.assert(
      fc.property(runs, fc.integer({ min: 0, max: 3_000 }), (taken, bound) => {
        const keys = new OrderedEntries<Keyed>()
        const model = new Set<string>()
        for (const { from, count, step, isAdded } of taken) {
          for (let index = 0; index < count; index++) {
            const key = keyOf(Math.abs(from + index * step) % 3_000)
            if (model.has(key) === isAdded) continue
            if (isAdded) keys.add({ key })
            else keys.delete(key)
            if (isAdded) model.add(key)
            else model.delete(key)
          }
          expectChunksSound(keys)
        }
        const sorted = [...model].sort()
        expect(listed(keys)).toEqual(sorted)
        const [low, high] = [keyOf(bound), keyOf(bound + 500)]
        expect(listed(keys, low, high)).toEqual(sorted.filter((key) => key >= low && key < high))
      }),
      { seed: 5, numRuns: 150 },
    )
  })

  it('fill their chunks when they come in order', () => {
    const keys = new OrderedEntries<Keyed>()
    for (let number = 0; number < 12_800; number++) keys.add({ key: keyOf(number) })
    expect(keys.chunkSizes).toEqual(Array.from({ length: 100 }, () => 128))
  })

  it('are a short list of chunks again when most have gone', () => {
    const keys = new OrderedEntries<Keyed>()
    for (let number = 0; number < 10_000; number++) keys.add({ key: keyOf(number) })
    for (let number = 0; number < 10_000; number++) if (number % 100 > 0) keys.delete(keyOf(number))
    expect(keys.chunkSizes.length).toBeLessThanOrEqual(4)
    expect(listed(keys)).toHaveLength(100)
    keys.clear()
    expect(listed(keys)).toEqual([])
    expect(keys.chunkSizes).toEqual([0])
  })
})

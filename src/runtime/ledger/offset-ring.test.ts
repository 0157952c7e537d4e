import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OffsetRing } from './offset-ring.ts'

/** The offsets whose bits are set in `bytes`, the lowest being that of `from`. */
function offsetsIn(bytes: Uint8Array, from: number): number[] {
  return [...bytes].flatMap((byte, index) =>
    [0, 1, 2, 3, 4, 5, 6, 7]
      .filter((bit) => ((byte >>> bit) & 1) === 1)
      .map((bit) => from + index * 8 + bit),
  )
}

describe('OffsetRing', () => {
  it('has room for at least what was asked, in a power of two', () => {
    expect([1, 64, 65, 300, 16_384].map((least) => new OffsetRing(least).capacity)).toEqual([
      64, 64, 128, 512, 16_384,
    ])
  })

  it('keeps what a set of offsets keeps, wherever the ring begins', () => {
    const range = fc.tuple(fc.nat({ max: 128 }), fc.nat({ max: 128 }))
    const step = fc.tuple(fc.constantFrom('set', 'setRange', 'clearRange', 'clearRun'), range)
    const start = fc.oneof(
      fc.nat({ max: 300 }),
      fc.integer({ min: 2 ** 32 - 300, max: 2 ** 32 + 300 }),
      fc.nat(),
    )
    fc.assert(
      fc.property(start, fc.array(step, { maxLength: 25, size: 'max' }), (start, steps) => {
        const ring = new OffsetRing(128)
        const set = new Set<number>()
        const all = Array.from({ length: 128 }, (_, index) => start + index)
        for (const [act, bounds] of steps) {
          const [from, to] = bounds.map((bound) => start + bound).sort((a, b) => a - b) as [
            number,
            number,
          ]
          const within = all.filter((offset) => offset >= from && offset < to)
          if (act === 'set' && within.length > 0) {
            ring.set(from)
            set.add(from)
          } else if (act === 'setRange') {
            ring.setRange(from, to)
            for (const offset of within) set.add(offset)
          } else if (act === 'clearRange') {
            ring.clearRange(from, to)
            for (const offset of within) set.delete(offset)
          } else if (act === 'clearRun') {
            let end = from
            while (end < to && set.delete(end)) end += 1
            expect(ring.clearRun(from, to)).toBe(end)
          }
          expect(all.filter((offset) => ring.has(offset))).toEqual(
            all.filter((offset) => set.has(offset)),
          )
          expect(ring.count(from, to)).toBe(within.filter((offset) => set.has(offset)).length)
          expect(offsetsIn(ring.copy(from, to), from)).toEqual(
            within.filter((offset) => set.has(offset)),
          )
        }
      }),
      { seed: 5, numRuns: 150 },
    )
  })
})

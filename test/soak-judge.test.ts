import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judge } from '../benchmark/broker/soak/judge.ts'
import type { Sample } from '../benchmark/broker/soak/judge.ts'

const mebibyte = 2 ** 20
const usual: Sample = {
  residentBytes: 140 * mebibyte,
  heapBytes: 20 * mebibyte,
  externalBytes: 35 * mebibyte,
  handles: 8,
  files: 60,
}
const figures = Object.keys(usual) as (keyof Sample)[]

/** A history of the usual, in which one figure is what `at` says of each sample. */
function history(length: number, figure: keyof Sample, at: (index: number) => number): Sample[] {
  return Array.from({ length }, (_, index) => ({ ...usual, [figure]: at(index) }))
}

function growing(samples: readonly Sample[]): (keyof Sample)[] {
  return judge(samples)
    .filter(({ flat }) => !flat)
    .map(({ figure }) => figure)
}

describe('what a broker holds after a long time', () => {
  it.each(figures)(
    'is told to grow where it grows steadily, under whatever noise: %s',
    (figure) => {
      fc.assert(
        fc.property(
          fc.array(fc.double({ min: -0.2, max: 0.2, noNaN: true }), {
            ...{ minLength: 40, maxLength: 60 },
          }),
          (noise) => {
            // Twice as much at the end as at the beginning, or five times: whatever is above what only seems to grow.
            const factor = figure === 'handles' ? 5 : 2
            const slope = ((factor - 1) * usual[figure]) / noise.length
            const leak = (index: number) =>
              usual[figure] * (1 + (noise[index] ?? 0)) + slope * index
            expect(growing(history(noise.length, figure, leak))).toEqual([figure])
          },
        ),
        { seed: 3, numRuns: 30 },
      )
    },
  )

  it.each(figures)(
    'is flat where it only swings, and where it grew while it warmed up: %s',
    (figure) => {
      const swings = (index: number) => usual[figure] * (1 + 0.3 * Math.sin(index))
      expect(growing(history(48, figure, swings))).toEqual([])
      const warmUp = (index: number) => usual[figure] * Math.min(1, index / 12)
      expect(growing(history(48, figure, warmUp))).toEqual([])
    },
  )

  it('is flat with a few peaks, also at the end', () => {
    const peaks = (index: number) => usual.residentBytes * (index % 10 === 9 ? 8 : 1)
    expect(growing(history(50, 'residentBytes', peaks))).toEqual([])
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from './seeded-random.ts'

function words(random: SeededRandom, count = 8): number[] {
  return Array.from({ length: count }, () => random.word())
}

describe('seeded chance', () => {
  it('follows from the seed and label alone', () => {
    expect(words(new SeededRandom(1))).toEqual(words(new SeededRandom(1)))
    const streams = [
      new SeededRandom(1),
      new SeededRandom(2),
      new SeededRandom(1 + 2 ** 32),
      new SeededRandom(1, 'a'),
      new SeededRandom(1).split('a'),
      new SeededRandom(1).split('b'),
      new SeededRandom(1).split('a').split('a'),
    ]
    expect(new Set(streams.map((stream) => words(stream).join())).size).toBe(streams.length)
  })

  it('is the same on every version of Node', () => {
    expect(words(new SeededRandom(42, 'fixed'), 4)).toMatchInlineSnapshot(`
      [
        4208588617,
        4103336875,
        1094150576,
        415093124,
      ]
    `)
  })

  it('splits off streams without drawing from its own', () => {
    const random = new SeededRandom(3)
    const alone = words(new SeededRandom(3))
    random.split('process a').word()
    expect(words(random)).toEqual(alone)
    expect(words(random.split('process a'))).toEqual(words(new SeededRandom(3).split('process a')))
  })

  it('draws within bounds, and takes as many steps whatever the bound', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 2 ** 48 }), (seed, bound) => {
        const one = new SeededRandom(seed)
        const drawn = one.integer(bound)
        expect(Number.isSafeInteger(drawn) && drawn >= 0 && drawn < bound).toBe(true)
        const other = new SeededRandom(seed)
        other.integer(1)
        expect(one.word()).toBe(other.word())
      }),
      { seed: 1 },
    )
  })

  it('is spread evenly', () => {
    const random = new SeededRandom(5)
    const counts = new Array<number>(10).fill(0)
    for (let draw = 0; draw < 10_000; draw += 1) {
      const drawn = random.integer(10)
      counts[drawn] = (counts[drawn] ?? 0) + 1
    }
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150)
    const bytes = new SeededRandom(6).bytes(1_000)
    expect(new Set(bytes).size).toBeGreaterThan(240)
  })
})

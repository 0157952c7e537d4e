import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fingerprintOf } from './fingerprint.ts'

it('is the same for the same bytes, wherever they stand in memory', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: 0, max: 9 }), (bytes, gap) => {
      const elsewhere = Buffer.concat([Buffer.alloc(gap), bytes]).subarray(gap)
      expect(fingerprintOf(elsewhere)).toBe(fingerprintOf(bytes))
      expect(Number.isSafeInteger(fingerprintOf(bytes))).toBe(true)
    }),
    { seed: 7, numRuns: 500 },
  )
})

it('is another one when a single byte is', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 100 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (bytes, place, change) => {
        const other = Uint8Array.from(bytes)
        const at = place % bytes.length
        other[at] = (bytes[at] as number) ^ change
        expect(fingerprintOf(other)).not.toBe(fingerprintOf(bytes))
      },
    ),
    { seed: 7, numRuns: 2_000 },
  )
})

it('tells apart amounts, lengths, and nothing from no bytes', () => {
  const values = [
    ...Array.from({ length: 50_000 }, (_, amount) =>
      Buffer.from(`{"amount":${amount},"to":"o-1"}`),
    ),
    ...Array.from({ length: 200 }, (_, length) => Buffer.alloc(length)),
  ]
  const prints = new Set([fingerprintOf(null), ...values.map((value) => fingerprintOf(value))])
  expect(prints.size).toBe(values.length + 1)
})

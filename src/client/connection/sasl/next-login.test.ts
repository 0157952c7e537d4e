import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nextLoginMs } from './next-login.ts'

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

it('is between 85 and 95 % of the lifetime', () => {
  const lifetime = fc.integer({ min: 2_000, max: 2_000_000_000 })
  const property = fc.property(lifetime, fraction, (sessionLifetimeMs, drawn) => {
    const delayMs = nextLoginMs(sessionLifetimeMs, { fraction: () => drawn })!
    expect(delayMs).toBeGreaterThanOrEqual(sessionLifetimeMs * 0.85)
    expect(delayMs).toBeLessThanOrEqual(sessionLifetimeMs * 0.95)
  })
  fc.assert(property, { seed: 1 })
})

it('uses the whole of that time, so that clients spread', () => {
  const at = (drawn: number) => nextLoginMs(10_000, { fraction: () => drawn })
  expect([at(0), at(0.5)]).toEqual([8500, 9000])
})

it('is never within a second, in which the broker would refuse, nor beyond what a timer reaches', () => {
  const lifetime = fc.maxSafeInteger().map((ms) => Math.abs(ms) + 1)
  const property = fc.property(lifetime, fraction, (sessionLifetimeMs, drawn) => {
    const delayMs = nextLoginMs(sessionLifetimeMs, { fraction: () => drawn })!
    expect(delayMs).toBeGreaterThanOrEqual(1000)
    expect(delayMs).toBeLessThanOrEqual(2 ** 31 - 1)
  })
  fc.assert(property, { seed: 1 })
  expect(nextLoginMs(1, { fraction: () => 0 })).toBe(1000)
})

it.each([0, -1, Number.NaN])('is never, for a session of %s', (sessionLifetimeMs) => {
  expect(nextLoginMs(sessionLifetimeMs, { fraction: () => 0 })).toBeUndefined()
})

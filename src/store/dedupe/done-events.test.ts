import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DoneEvents } from './done-events.ts'
import { EventHash, hashOf } from './event-hash.ts'

/** Hashes that mostly want the same few places. */
const crowded = fc.record({
  low: fc.integer({ min: 0, max: 3 }).map((low) => low * 1_024 + (low % 2)),
  high: fc.integer({ min: 1, max: 60 }),
})

it('finds what was added and nothing else, also where all want the same place', () => {
  fc.assert(
    fc.property(fc.array(crowded, { maxLength: 200 }), (hashes) => {
      const events = new DoneEvents()
      const known = new Map<string, number>()
      hashes.forEach(({ low, high }, number) => {
        const hash = new EventHash(low, high)
        const name = `${low}/${high}`
        const place = events.find(hash)
        expect(place === -1 ? undefined : events.fingerprintAt(place)).toBe(known.get(name))
        if (place !== -1) return
        events.add(hash, number, -number)
        known.set(name, number)
      })
      expect(events.size).toBe(known.size)
    }),
    { seed: 7, numRuns: 200 },
  )
})

it('keeps all while it grows', () => {
  const events = new DoneEvents()
  const hashes = Array.from({ length: 20_000 }, (_, number) =>
    hashOf(new EventHash(1, 2), `event-${number}`),
  )
  hashes.forEach((hash, number) => events.add(hash, number * 2 ** 20, number))
  hashes.forEach((hash, number) => {
    const place = events.find(hash)
    expect([events.fingerprintAt(place), events.tokenAt(place)]).toEqual([number * 2 ** 20, number])
  })
  expect(events.find(hashOf(new EventHash(1, 2), 'event-20000'))).toBe(-1)
})

it('a hash differs where a text differs in one place, and by what it goes on from', () => {
  const text = fc.string({ minLength: 1, maxLength: 21, unit: 'binary' })
  fc.assert(
    fc.property(text, fc.nat(), fc.integer({ min: 1, max: 0xffff }), (one, at, change) => {
      const place = at % one.length
      const unit = String.fromCharCode(one.charCodeAt(place) ^ change)
      const other = one.slice(0, place) + unit + one.slice(place + 1)
      const [first, second] = [one, other].map((each) => hashOf(new EventHash(1, 2), each))
      expect(first).not.toEqual(second)
      expect(first).not.toEqual(hashOf(new EventHash(1, 3), one))
      expect(first).toEqual(hashOf(new EventHash(1, 2), one))
    }),
    { seed: 7 },
  )
})

it('hashes of many ids are all different, and spread', () => {
  const ids = Array.from({ length: 100_000 }, (_, number) => `order-${number}`)
  const hashes = ids.map((id) => hashOf(new EventHash(1, 2), id))
  expect(new Set(hashes.map(({ low, high }) => `${low}/${high}`)).size).toBe(ids.length)
  // Of 65,536 places about 51,300 are taken when 100,000 are taken by chance.
  expect(new Set(hashes.map(({ low }) => low & 0xffff)).size).toBeGreaterThan(51_000)
  expect(new Set(hashes.map(({ high }) => high & 0xffff)).size).toBeGreaterThan(51_000)
})

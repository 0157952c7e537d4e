import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Claim, ClaimAnswer } from './dedupe-store.ts'
import { ManualTime } from './fixture/manual-time.ts'
import { dedupeStoreConformance } from './fixture/store-conformance.ts'
import { memoryDedupeStore } from './memory-store.ts'

dedupeStoreConformance('the memory store', () => {
  const time = new ManualTime()
  const store = memoryDedupeStore({ clock: time })
  return Promise.resolve({
    store,
    beside: store,
    advance: (byMs) => time.advance(byMs),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })
})

const claimOf = (id: string, generation = 1): Claim => ({
  scope: 'group/orders',
  id,
  owner: 'owner',
  generation,
  fingerprint: 1,
})

describe('the memory store', () => {
  it('answers at once, without a promise', () => {
    const store = memoryDedupeStore({ clock: new ManualTime() })
    expect(store.claim(claimOf('e-1'), 100)).toEqual({ state: 'new' })
    expect(store.renew(claimOf('e-1'), 100)).toBe(true)
    expect(store.confirm(claimOf('e-1'), 100)).toBe(true)
    expect(store.release(claimOf('e-1'))).toBeUndefined()
  })

  it('remembers the events that were used last, and at most as many again', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.integer({ min: 0, max: 25 }), { maxLength: 200 }),
        (idsMax, uses) => {
          const store = memoryDedupeStore({ clock: new ManualTime(), idsMax })
          let latest: number[] = []
          uses.forEach((event, generation) => {
            const claim = claimOf(`e-${event}`, generation)
            const { state } = store.claim(claim, 100) as ClaimAnswer
            const place = latest.indexOf(event)
            if (place === -1 || place >= 2 * idsMax) expect(state).toBe('new')
            else if (place < idsMax) expect(state).toBe('done')
            if (state === 'new') expect(store.confirm(claim, 100)).toBe(true)
            latest = [event, ...latest.filter((other) => other !== event)]
          })
        },
      ),
      { seed: 7, numRuns: 300 },
    )
  })

  it('holds a claim however many events are done meanwhile, and takes it back for good', () => {
    const time = new ManualTime()
    const store = memoryDedupeStore({ clock: time, idsMax: 2 })
    const [kept, released] = [claimOf('kept'), claimOf('released')]
    for (const claim of [kept, released]) void store.claim(claim, 1_000)
    for (let event = 0; event < 20; event++) {
      const claim = claimOf(`e-${event}`)
      void store.claim(claim, 1_000)
      if (event === 3) void store.release(released)
      void store.confirm(claim, 1_000)
    }
    expect(store.claim(claimOf('kept', 2), 1_000)).toMatchObject({ state: 'busy' })
    expect(store.confirm(kept, 1_000)).toBe(true)
    expect(store.claim(claimOf('released', 2), 1_000)).toEqual({ state: 'new' })
  })

  it('gives no claim away because others are many, and forgets those that have expired', () => {
    const time = new ManualTime()
    const store = memoryDedupeStore({ clock: time, idsMax: 2 })
    for (let event = 0; event < 100; event++) void store.claim(claimOf(`e-${event}`), 100)
    expect(store.claim(claimOf('e-0', 2), 100)).toMatchObject({ state: 'busy' })
    time.advance(100)
    void store.claim(claimOf('other'), 100)
    expect(store.confirm(claimOf('e-99'), 100)).toBe(false)
  })

  it('refuses ids that are longer than it was promised', () => {
    const store = memoryDedupeStore({ clock: new ManualTime() })
    expect(() => store.claim(claimOf('x'.repeat(129)), 100)).toThrow(/claim\.id has 129 characters/)
  })
})

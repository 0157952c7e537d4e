import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Claim } from './dedupe-store.ts'
import { EventHash } from './event-hash.ts'
import { HeldClaim, HeldClaims } from './held-claims.ts'

const claimOf = (event: number): Claim => ({
  ...{ scope: 'group/orders', id: `e-${event}`, owner: 'owner' },
  ...{ generation: 1, fingerprint: 1 },
})

it('knows what is held and in which order, also where all want the same few places', () => {
  const steps = fc.array(
    fc.record({
      event: fc.integer({ min: 0, max: 150 }),
      act: fc.constantFrom('add', 'add', 'renew', 'delete'),
    }),
    { maxLength: 600, size: 'max' },
  )
  fc.assert(
    fc.property(steps, fc.constantFrom(0, 1, 7, 63), (history, spread) => {
      const claims = new HeldClaims()
      /** In the order of their time. */
      let model: HeldClaim[] = []
      history.forEach(({ event, act }, nowMs) => {
        const claim = claimOf(event)
        const hash = new EventHash(62 + (event & spread), 1)
        const known = model.find((held) => held.claim.id === claim.id)
        expect(claims.get(claim, hash)).toBe(known)
        if (act === 'add' && known === undefined) {
          const held = new HeldClaim(claim, hash, nowMs)
          claims.add(held)
          model.push(held)
        } else if (known !== undefined && act !== 'add') {
          if (act === 'renew') claims.renew(known, nowMs)
          else claims.delete(known)
          model = model.filter((held) => held !== known)
          if (act === 'renew') model.push(known)
        }
        expect(claims.first).toBe(model[0])
      })
      for (const held of model) expect(claims.get(held.claim, held.hash)).toBe(held)
    }),
    { seed: 7, numRuns: 60 },
  )
})

/**
 * Promise: what the administration calls done is done, what it calls not done has not happened, and only what
 * it calls unknown can be either, whatever is killed, paused, cut off or loses its power.
 */
import { describe, expect, it } from 'vitest'
import { simulateAdministrations } from './admin-clients.ts'
import { onceASeed } from './once-a-seed.ts'

const worldOf = onceASeed(simulateAdministrations)

describe('administrations in a simulated world', () => {
  it.each([1, 2, 3])('keep their promises (seed %i)', { timeout: 60_000 }, async (seed) => {
    const { counts } = await worldOf(seed)
    expect(counts.done).toBeGreaterThan(100)
    expect(counts.unknown).toBeGreaterThan(5)
  })

  it('do the same again with the same seed', { timeout: 60_000 }, async () => {
    const first = await worldOf(1)
    const second = await simulateAdministrations(1)
    expect(second.traceHash).toBe(first.traceHash)
    expect(second.counts).toEqual(first.counts)
  })
})

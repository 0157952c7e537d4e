/**
 * Promise: what the library's producer calls written is there once and in the order of the calls, what it
 * calls not written is not there, whatever is killed, paused, cut off or loses its power; and only what it calls
 * unknown can be either.
 */
import { describe, expect, it } from 'vitest'
import type { History } from '../../src/testing/index.ts'
import { simulateProducers } from './idempotent-clients.ts'
import { onceASeed } from './once-a-seed.ts'

const worldOf = onceASeed(simulateProducers)

/** How many sends of a history have ended in each way. */
function sendsIn({ events }: History): Record<'ok' | 'failed' | 'unknown', number> {
  const sends = new Set<number>()
  const count = { ok: 0, failed: 0, unknown: 0 }
  for (const event of events) {
    if (event.event === 'begin' && event.kind === 'send') sends.add(event.id)
    if (event.event === 'end' && sends.has(event.id)) count[event.outcome] += 1
  }
  return count
}

describe('producers in a simulated world', () => {
  it.each([1, 2, 3])('keep their promises (seed %i)', { timeout: 60_000 }, async (seed) => {
    const { ok, failed, unknown } = sendsIn((await worldOf(seed)).history)
    expect(ok).toBeGreaterThan(1_000)
    expect(failed).toBeGreaterThan(5)
    expect(unknown).toBeGreaterThan(5)
  })

  it('do the same again with the same seed', { timeout: 60_000 }, async () => {
    const first = await worldOf(1)
    const second = await simulateProducers(1)
    expect(second.traceHash).toBe(first.traceHash)
  })
})

/**
 * Promise: whatever is killed, paused, cut off or loses its power, an acknowledged record is read
 * once, in its place, and a record of an aborted transaction never; and a seed replays exactly.
 */
import { describe, expect, it } from 'vitest'
import { simulateBroker } from './broker-simulation.ts'

describe('the broker in a simulated world', () => {
  it.each([1, 2, 3])('keeps its promises with seed %i, twice the same way', async (seed) => {
    const first = await simulateBroker(seed)
    const second = await simulateBroker(seed)
    expect(second.traceHash).toBe(first.traceHash)
    expect(second.history.events).toEqual(first.history.events)
    expect(first.history.events.length).toBeGreaterThan(500)
  })
})

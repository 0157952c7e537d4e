/**
 * Promise: a stream's joins and tables come to what the rules alone say, each result once and nothing lost, whatever happens to
 * its processes, to their local state, to the brokers and to the network between.
 *
 * Proves: 1, 3, 6
 * Command: npm run simulate -- --streams --seeds 100
 * Figures: simulate --streams
 */
import { describe, expect, it } from 'vitest'
import { onceASeed } from '../once-a-seed.ts'
import { simulateStreams } from './stream-simulation.ts'

const seeds = [1, 4, 8]
const worldOf = onceASeed(simulateStreams)

describe('streams in a simulated world', () => {
  it.each(seeds)('come to what the rules say (seed %i)', { timeout: 60_000 }, async (seed) => {
    const { figures } = await worldOf(seed)
    expect(figures['matched']).toBeGreaterThan(10)
    expect(figures['totals']).toBeGreaterThan(10)
    expect(figures['unmatched']).toBeGreaterThan(0)
  })

  it('do the same again with the same seed', { timeout: 60_000 }, async () => {
    const first = await worldOf(1)
    const second = await simulateStreams(1)
    expect(second.traceHash).toBe(first.traceHash)
  })
})

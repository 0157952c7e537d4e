/**
 * Promise: under exactly-once each record that goes into a chain of stages comes out at one place and once, and the records
 * of a key in their order, as readers of committed records see it; whatever happens to the processes of the stages, to the
 * network between, and to the answers of their transactions.
 */
import { describe, expect, it } from 'vitest'
import { onceASeed } from '../once-a-seed.ts'
import { simulateChain } from './chain-simulation.ts'

const seeds = [0, 1, 5, 7]
const worldOf = onceASeed(simulateChain)

describe('stages that are chained exactly once, in a simulated world', () => {
  it.each(seeds)('keep their promise (seed %i)', { timeout: 60_000 }, async (seed) => {
    const { figures, shape } = await worldOf(seed)
    const found = Object.values(figures).reduce((sum, count) => sum + count, 0)
    expect(found).toBe(shape.records)
  })

  it('do the same again with the same seed', { timeout: 60_000 }, async () => {
    const first = await worldOf(0)
    const second = await simulateChain(0)
    expect(second.traceHash).toBe(first.traceHash)
  })
})

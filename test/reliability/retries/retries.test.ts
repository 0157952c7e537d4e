/**
 * Promise: a record that waits in retry topics has the attempts that it is owed in each of them, none before its time, and is
 * done or a dead letter in the end; whatever happens to the processes that read them.
 *
 * Proves: 1, 4
 * Command: npm run simulate -- --retries --seeds 100
 * Figures: simulate --retries
 */
import { describe, expect, it } from 'vitest'
import { simulateRetries } from './retry-simulation.ts'
import type { RetrySimulationResult } from './retry-simulation.ts'

async function holds(seed: number): Promise<RetrySimulationResult> {
  let broken: unknown
  const result = await simulateRetries(seed).catch((error: unknown) => (broken = error))
  expect(broken).toBeUndefined()
  return result as RetrySimulationResult
}

describe('retry topics in a simulated world', () => {
  it.each([0, 1, 2, 3, 4])('keep their promise (seed %i)', { timeout: 60_000 }, async (seed) => {
    const { figures, shape } = await holds(seed)
    expect(figures['runs']).toBeGreaterThan(shape.records)
    expect(figures['inRetryTopics']).toBeGreaterThan(5)
    expect(figures['letters']).toBeGreaterThan(0)
  })

  it('do the same again with the same seed', { timeout: 60_000 }, async () => {
    const [first, second] = [await holds(1), await holds(1)]
    expect(second.traceHash).toBe(first.traceHash)
    expect(second.figures).toEqual(first.figures)
  })
})

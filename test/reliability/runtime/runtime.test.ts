/**
 * Promise: the consumer runtime loses nothing, passes nothing in a commit that has not ended, keeps the order of keys,
 * gives each record the attempts that it is owed, and repeats nothing that it need not; whatever happens to its
 * processes, to the network between, and to what its handlers need.
 *
 * Proves: 1, 2, 3, 4, 5
 * Command: npm run simulate -- --runtime --seeds 1000
 * Figures: simulate --runtime
 */
import { describe, expect, it } from 'vitest'
import { onceASeed } from '../once-a-seed.ts'
import { simulateRuntime } from './runtime-simulation.ts'
import type { RuntimeSimulationResult } from './runtime-simulation.ts'
import { shapeOf } from './shape.ts'
import type { Weather } from './shape.ts'

const timeout = 60_000

/** Seeds of faulty weather: each of them shows a mistake that the others do not. */
const faulty = [5, 8, 12, 14]

/** A seed of an outage in which records come that nobody can decode, while others wait for it to end. */
const outage = [15]

const worldOf = onceASeed(simulateRuntime)

/** The first seeds of a weather. */
function seedsOf(weather: Weather, count: number): number[] {
  const all = Array.from({ length: 100 }, (_, seed) => seed)
  return all.filter((seed) => shapeOf(seed).weather === weather).slice(0, count)
}

async function holds(seed: number, simulate = worldOf): Promise<RuntimeSimulationResult> {
  let broken: unknown
  const result = await simulate(seed).catch((error: unknown) => (broken = error))
  expect(broken).toBeUndefined()
  return result as RuntimeSimulationResult
}

describe('the consumer runtime in a simulated world', () => {
  it.each(seedsOf('calm', 2))(
    'repeats nothing when all is in order (seed %i)',
    { timeout },
    async (seed) => {
      const { figures } = await holds(seed)
      expect(figures['revoked']).toBeGreaterThan(3)
      expect(figures['repeated']).toBeUndefined()
    },
  )

  it.each(faulty)('keeps its promises (seed %i)', { timeout }, async (seed) => {
    const { figures } = await holds(seed)
    expect(figures['runs']).toBeGreaterThan(80)
    expect(figures['assigned']).toBeGreaterThan(3)
  })

  it.each(seedsOf('kills', 1))(
    'quarantines nothing for rare kills (seed %i)',
    { timeout },
    async (seed) => {
      const { figures, faults } = await holds(seed)
      expect(faults.kill).toBeGreaterThan(2)
      expect(figures['poison']).toBeUndefined()
    },
  )

  it.each(seedsOf('killer', 1))('finds what kills (seed %i)', { timeout }, async (seed) => {
    const { figures } = await holds(seed)
    expect(figures['poison']).toBeGreaterThan(0)
  })

  it.each(outage)('dead-letters nothing in an outage (seed %i)', { timeout }, async (seed) => {
    const { figures, virtualMs } = await holds(seed)
    expect(virtualMs).toBeGreaterThan(300_000)
    expect(figures['failures']).toBeGreaterThan(30)
  })

  it('does the same again with the same seed', { timeout }, async () => {
    const first = await holds(5)
    const second = await holds(5, simulateRuntime)
    expect(second.traceHash).toBe(first.traceHash)
    expect(second.figures).toEqual(first.figures)
  })
})

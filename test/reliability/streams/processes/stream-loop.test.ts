/**
 * Promise: streams whose processes are killed (SIGKILL) or stand still for longer than their session, with their state in LMDB,
 * come to what the rules alone say of what was sent: each result once, and nothing lost.
 *
 * Proves: 1, 3, 6
 * Command: npm run kill-loop -- --streams --kills 100
 * Figures: kill-loop --streams, kill-loop --streams --kafka
 */
import { describe, expect, it } from 'vitest'
import { streamLoop } from './stream-loop.ts'

describe('streams in processes of their own', () => {
  it('come to what the rules say when they are killed', { timeout: 120_000 }, async () => {
    const { violations, figures } = await streamLoop({
      ...{ faults: 3, workers: 2, cluster: 'embedded', brokerOneIn: Infinity },
    })
    expect(violations).toEqual([])
    expect(figures['matched']).toBeGreaterThan(50)
    expect(figures['kills']).toBe(3)
  })
})

/**
 * Promise: services that are killed (SIGKILL), stand still for longer than their session and are started again lose no
 * record, commit none that has not ended, keep the order of keys, and dead-letter only what failed as often as it may.
 *
 * Proves: 1, 2, 3, 4, 5, 6
 * Command: npm run kill-loop -- --runtime --kills 200
 * Figures: kill-loop --runtime, kill-loop --runtime --exactly-once, kill-loop --runtime --kafka, kill-loop --runtime --kafka --exactly-once
 */
import { describe, expect, it } from 'vitest'
import { processLoop } from './process-loop.ts'

describe('services in processes of their own', () => {
  it('keep their promises when they are killed under load', { timeout: 120_000 }, async () => {
    const { violations, figures } = await processLoop({
      ...{ faults: 3, workers: 2, groupProtocol: 'classic' },
      ...{ exactlyOnce: false, cluster: 'embedded' },
    })
    expect(violations).toEqual([])
    expect(figures['kills']).toBe(3)
    expect(figures['handler runs']).toBeGreaterThan(100)
    expect(figures['commits looked at']).toBeGreaterThan(20)
  })
})

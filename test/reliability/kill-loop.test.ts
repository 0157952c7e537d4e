/**
 * Promise: with a data folder an acknowledged record survives `kill -9`, an aborted one does not come
 * back, and the broker always starts again. `npm run kill-loop` does it 200 times.
 *
 * Proves: 1
 * Command: npm run kill-loop -- --kills 200
 * Figures: kill-loop
 */
import { describe, expect, it } from 'vitest'
import { killLoop } from './kill-loop.ts'

describe('a broker with a data folder', () => {
  it('loses nothing when it is killed under load', { timeout: 120_000 }, async () => {
    const { history, verdict } = await killLoop({ kills: 5, workMsMax: 500 })
    expect(history.events.length).toBeGreaterThan(200)
    expect(verdict.violations).toEqual([])
  })
})

/**
 * Promise: what the library's consumers hand out is what was written and committed, in order, from where they were
 * sent; and a group handles every record at least once and commits nothing that it has not handled;
 * whatever is killed, paused, cut off or loses its power.
 */
import { describe, expect, it } from 'vitest'
import { simulateConsumers } from './consumer-clients.ts'
import { onceASeed } from './once-a-seed.ts'

const worldOf = onceASeed(simulateConsumers)

describe('consumers in a simulated world', () => {
  it.each([1, 2])('keep their promises (seed %i)', { timeout: 60_000 }, async (seed) => {
    const { history } = await worldOf(seed)
    const begun = (kind: string) =>
      history.events.filter((event) => event.event === 'begin' && event.kind === kind).length
    expect(begun('handler')).toBeGreaterThan(500)
    expect(begun('commit')).toBeGreaterThan(50)
    expect(begun('seek')).toBeGreaterThan(10)
  })

  it('do the same again with the same seed', { timeout: 60_000 }, async () => {
    const first = await worldOf(1)
    const second = await simulateConsumers(1)
    expect(second.traceHash).toBe(first.traceHash)
  })
})

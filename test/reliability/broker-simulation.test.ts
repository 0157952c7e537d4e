/**
 * Promise: whatever is killed, paused, cut off or loses its power, an acknowledged record is read
 * once, in its place, and a record of an aborted transaction never; a group that reads, writes and
 * commits in transactions does so exactly once; in the end nothing is left undecided. And a seed
 * replays exactly.
 *
 * Proves: 1, 6
 * Command: npm run simulate -- --seeds 100
 */
import { describe, expect, it } from 'vitest'
import type { History } from '../../src/testing/index.ts'
import { simulateBroker } from './broker-simulation.ts'
import { onceASeed } from './once-a-seed.ts'

const worldOf = onceASeed(simulateBroker)

/** How many transactions of a history have ended in each way. */
function transactionsIn({ events }: History): { committed: number; aborted: number } {
  const transactions = new Set<number>()
  const count = { committed: 0, aborted: 0 }
  for (const event of events) {
    if (event.event === 'begin' && event.kind === 'transaction') transactions.add(event.id)
    if (event.event !== 'end' || !transactions.has(event.id)) continue
    if (event.outcome === 'ok') count.committed += 1
    if (event.outcome === 'failed') count.aborted += 1
  }
  return count
}

describe('the broker in a simulated world', () => {
  // The disk is full while leaders change, which once let an epoch be used again: hanging transactions.
  it('keeps its promises', { timeout: 60_000 }, async () => {
    const { history } = await worldOf(7)
    const { committed, aborted } = transactionsIn(history)
    expect(committed).toBeGreaterThan(100)
    expect(aborted).toBeGreaterThan(20)
  })

  it('does the same again with the same seed', { timeout: 60_000 }, async () => {
    const first = await worldOf(7)
    const second = await simulateBroker(7)
    expect(second.traceHash).toBe(first.traceHash)
    expect(second.history.events).toEqual(first.history.events)
    expect(first.history.events.length).toBeGreaterThan(500)
  })
})

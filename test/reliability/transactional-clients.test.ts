/**
 * Promise: the library's transactions are there as a whole or not at all, once, and in order, and a group that
 * reads, writes and commits in them does so exactly once, whatever is killed, paused, cut off or loses its power;
 * in both versions of the protocol.
 *
 * Proves: 6
 * Command: npm run simulate -- --transactions 2 --seeds 100
 */
import { describe, expect, it } from 'vitest'
import type { History } from '../../src/testing/index.ts'
import { simulateTransactions } from './transactional-world.ts'

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

describe.each([1, 2] as const)('transactions of version %i in a simulated world', (version) => {
  it.each([1, 2])('keep their promises (seed %i)', { timeout: 60_000 }, async (seed) => {
    const { history } = await simulateTransactions(seed, version)
    const { committed, aborted } = transactionsIn(history)
    expect(committed).toBeGreaterThan(50)
    expect(aborted).toBeGreaterThan(10)
  })
})

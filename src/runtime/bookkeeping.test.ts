/**
 * Promise: what stands beside an offset is believed only where it can be read and is of this log; else records run
 * again.
 *
 * Proves: 1, 3
 */
import { describe, expect, it } from 'vitest'
import type { CommittedOffset } from '../client/index.ts'
import { Bookkeeping } from './bookkeeping.ts'

const lineage = { clusterId: 'cluster', topicId: 'topic' }
const place = { topic: 'orders', partition: 0 }

const acquired = (committed: Omit<CommittedOffset, 'topic' | 'partition'>) =>
  new Bookkeeping({
    committed: { ...place, ...committed },
    lineage,
    logEnd: 100,
    processId: 'process-1',
    window: 64,
  })

describe('what is known of a partition', () => {
  it('begins at the offset, and with nothing ended, when what stands beside it cannot be read', () => {
    for (const metadata of ['', 'something else', 'millrace', '1;!!!!']) {
      const books = acquired({ offset: 40, leaderEpoch: 0, metadata })
      expect(books.ledger.frontier).toBe(40)
      expect(books.ledger.read(40)).toBe(true)
      expect(books.takeCommit(place, 4_096).commit.offset).toBe(40)
    }
  })

  it('goes on from what a commit of it said: neither more nor less has ended', () => {
    const before = acquired({ offset: 40, leaderEpoch: 0, metadata: '' })
    for (let offset = 40; offset < 50; offset++) before.ledger.read(offset)
    for (const offset of [41, 42, 45]) before.ledger.end(offset)
    const { commit } = before.takeCommit(place, 4_096)
    const after = acquired({
      offset: commit.offset,
      leaderEpoch: 0,
      metadata: commit.metadata,
    })
    const isOpen = Array.from({ length: 10 }, (_, index) => after.ledger.read(40 + index))
    expect(isOpen.flatMap((open, index) => (open ? [40 + index] : []))).toEqual([
      40, 43, 44, 46, 47, 48, 49,
    ])
  })
})

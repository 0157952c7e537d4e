import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../../../platform/index.ts'
import { ControlledClock } from '../../../testing/index.ts'
import { offset } from './fixture/member-bench.ts'
import { LateCommits } from './late-commits.ts'

const lateMsMax = 30_000

/** Commits 4 without an answer, then 9; later the group has what `found` says. */
async function whatIsCommittedAgain(
  found: number,
  { mayRepeat = true, isClosed = false, hasNext = true } = {},
): Promise<readonly number[]> {
  const clock = new ControlledClock(createNodePlatform().clock)
  const again: number[] = []
  const late = new LateCommits({
    clock,
    lateMsMax,
    read: (partitions) =>
      Promise.resolve(partitions.map(({ topic, partition }) => offset(topic, partition, found))),
    mayRepeat: () => mayRepeat,
    commitAgain: (offsets) => Promise.resolve(void again.push(...offsets.map((at) => at.offset))),
    failed: (error) => {
      throw error
    },
  })
  // Nothing is known to be wrong with it.
  late.committed({ offset: offset('t', 0, 3), hold: 1 })
  late.unanswered([offset('t', 0, 4)])
  if (hasNext) late.committed({ offset: offset('t', 0, 9), hold: 1 })
  if (isClosed) late.close()
  await clock.advance(lateMsMax - 1_000)
  expect(again).toEqual([])
  await clock.advance(1_000)
  return again
}

describe('a commit that was not answered', () => {
  it('is undone when it has arrived after the next one', async () => {
    expect(await whatIsCommittedAgain(4)).toEqual([9])
  })

  it('is nothing to undo when it was in time, or never arrived', async () => {
    expect(await whatIsCommittedAgain(9)).toEqual([])
  })

  it('is nothing to undo when nothing was committed after it', async () => {
    expect(await whatIsCommittedAgain(4, { hasNext: false })).toEqual([])
  })

  it('is left alone when others have committed meanwhile, in a transaction perhaps', async () => {
    expect(await whatIsCommittedAgain(100)).toEqual([])
  })

  it('is left alone when the partition is not held any more, or the next commit is on its way', async () => {
    expect(await whatIsCommittedAgain(4, { mayRepeat: false })).toEqual([])
  })

  it('is left alone when the member is closed', async () => {
    expect(await whatIsCommittedAgain(4, { isClosed: true })).toEqual([])
  })
})

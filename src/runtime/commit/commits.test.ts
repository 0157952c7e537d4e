/**
 * Promise: nothing is committed of a partition that is not ours any more.
 *
 * Proves: 1, 5
 */
import { expect, it } from 'vitest'
import { ManualClock } from '../../broker/group/fixture/manual-clock.ts'
import { silentLog } from '../../observe/index.ts'
import type { PartitionCommit } from './commit-strategy.ts'
import { Commits } from './commits.ts'

it('of a partition that was given up are not made any more', async () => {
  const clock = new ManualClock()
  const made: string[] = []
  const strategy = {
    commit: (commits: readonly PartitionCommit[]) => {
      made.push(...commits.map(({ topic }) => topic))
      return Promise.resolve()
    },
  }
  const options = { intervalMs: 100, countMax: 1_000 }
  const commits = new Commits({ clock, log: silentLog, strategy, options })
  const partitionOf = (topic: string) => ({
    isDirty: true,
    takeCommit: () => ({
      commit: { topic, partition: 0, offset: 1, leaderEpoch: 0, metadata: '' },
      acknowledged: () => undefined,
    }),
  })
  const [kept, lost] = [partitionOf('kept'), partitionOf('lost')]
  for (const partition of [kept, lost]) commits.add(partition)
  commits.changed(1)
  commits.remove(lost)
  await clock.advance(150)
  expect(made).toEqual(['kept'])
  await expect(commits.acknowledged(lost)).rejects.toThrow(/given up/)
  await commits.close({ timeoutMs: 0 })
})

import { describe, expect, it } from 'vitest'
import { simulateGroup } from './fixture/simulated-group.ts'

const seeds = Number(process.env['MILLRACE_TEST_SEEDS'] ?? 4)
const first = Number(process.env['MILLRACE_TEST_FIRST_SEED'] ?? 1)

describe.each([
  'eager',
  'cooperative',
  'consumer',
  'mixed',
  'static cooperative',
  'static consumer',
] as const)(
  'a group of members of which some die, stand still and cannot be reached (%s)',
  (kind) => {
    it('has one owner for each partition, reads what was committed, and goes on', async () => {
      let commits = 0
      for (let seed = first; seed < first + seeds; seed++) {
        const result = await simulateGroup(seed, kind)
        commits += result.commits
      }
      expect(commits).toBeGreaterThan(seeds * 50)
    })

    it('goes the same way each time', async () => {
      const [one, again] = [await simulateGroup(7, kind), await simulateGroup(7, kind)]
      expect(again.traceHash).toBe(one.traceHash)
      expect(again.eventCount).toBe(one.eventCount)
    })
  },
)

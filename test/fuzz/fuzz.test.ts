/**
 * Promise: whatever bytes come from others, what comes of them is a value or one of our errors, soon.
 *
 * Proves: 9
 * Command: npm run fuzz
 */
import { expect, it } from 'vitest'
import { allTargets, fuzz } from './fuzz.ts'

it('answers changed inputs with a value or an error of ours', async () => {
  const targets = await allTargets()
  const { statistics, failures } = await fuzz(targets, { inputs: 40_000, seed: 42 })
  expect(failures).toEqual([])
  for (const { name, executions, refusals } of statistics) {
    expect(executions, name).toBeGreaterThan(0)
    expect(refusals, `${name}: some are spoilt`).toBeGreaterThan(0)
  }
}, 120_000)

it('tells of an error that is not ours, and of an input that takes too long', async () => {
  const bytes = Buffer.from('abc')
  const broken = {
    label: 'broken decoder',
    bytes,
    read: (): never => {
      throw new RangeError('offset is out of bounds')
    },
  }
  const slow = {
    label: 'slow decoder',
    bytes,
    read: () => {
      const before = process.cpuUsage()
      const usedMs = () => {
        const { user, system } = process.cpuUsage(before)
        return (user + system) / 1000
      }
      while (usedMs() < 150);
      return 'accepted' as const
    },
  }
  const targets = [broken, slow].map((sample) => ({ name: '', share: 1, samples: [sample] }))
  const { failures } = await fuzz(targets, { inputs: 2, seed: 1 })
  expect(failures.map(({ label }) => label)).toEqual(['broken decoder', 'slow decoder'])
  expect(failures[0]?.problem).toContain('RangeError')
})

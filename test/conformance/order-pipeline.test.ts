/**
 * Promise: on any Kafka the order pipeline, its join and all, comes out even, and again when it is started on what an earlier run
 * has left there: lost 0, duplicated 0, mismatches 0.
 *
 * Proves: 6
 */
import { expect } from 'vitest'
import { runPipeline } from '../pipeline-run.ts'
import { conformance } from './conformance.ts'
import { chosenImplementation } from './implementation.ts'

conformance('the order pipeline', {
  'its account comes out even, twice on the same topics': async ({ bootstrap }) => {
    // On ours it has a broker of its own: `test/order-pipeline.test.ts`.
    if (!chosenImplementation().startsWith('kafka')) return
    const options = ['--for', '3s', '--rate', '200', '--kafka', bootstrap]
    const joined = []
    for (let run = 1; run <= 2; run++) {
      const { code, text } = await runPipeline(...options)
      expect(text).toContain('All that was promised to be zero is zero.')
      expect(code).toBe(0)
      const [, paid, late] = /join +(\d+) orders paid, .*, (\d+) late/.exec(text) ?? []
      joined.push({ paid: Number(paid), late: Number(late) })
    }
    // The shop's time goes on: nothing of the second run is late because there was a first one.
    expect(joined[1]?.paid).toBeGreaterThan((joined[0]?.paid ?? 0) * 1.5)
    expect(joined[1]?.late).toBe(0)
  },
})

import type { RunSeedsOptions } from '../runtime/run-seeds.ts'
import { simulateStreams } from './stream-simulation.ts'
import type { StreamSimulationResult } from './stream-simulation.ts'

/** Runs worlds of streams one after another, and goes on behind one that breaks a promise; answers how many did. */
export async function runStreamSeeds({
  first,
  count,
  trace,
  say,
}: RunSeedsOptions): Promise<number> {
  const narrate = (atMs: number, who: string, what: () => string) =>
    say(`${atMs.toFixed(1).padStart(9)}  ${who}  ${what()}`)
  const startedMs = performance.now()
  let failures = 0
  for (let seed = first; seed < first + count; seed++) {
    const begunMs = performance.now()
    try {
      const result = await simulateStreams(seed, trace ? narrate : undefined)
      say(lineOf(result, performance.now() - begunMs))
    } catch (error) {
      failures++
      say(`seed ${seed} FAILS: ${String(error)}`)
    }
  }
  const realMs = performance.now() - startedMs
  say(`${count - failures} of ${count} seeds hold, ${(realMs / 1000 / count).toFixed(2)} s each`)
  return failures
}

function lineOf(result: StreamSimulationResult, realMs: number): string {
  const { seed, shape, traceHash, virtualMs, figures, faults } = result
  const told = Object.entries({ ...figures, ...faults }).map(([what, count]) => `${count} ${what}`)
  return [
    `seed ${seed} holds`,
    `${shape.shop.type} join in ${shape.workers} processes on ${shape.nodes} nodes`,
    `trace ${traceHash}`,
    `${Math.round(virtualMs / 1000)} s virtual in ${(realMs / 1000).toFixed(1)} s`,
    told.join(', '),
  ].join(' · ')
}

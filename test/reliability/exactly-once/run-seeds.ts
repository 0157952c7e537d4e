import type { RunSeedsOptions } from '../runtime/run-seeds.ts'
import { simulateChain } from './chain-simulation.ts'
import type { ChainSimulationResult } from './chain-simulation.ts'

/** Runs worlds of chained stages one after another; throws at the first that breaks a promise. */
export async function runChainSeeds({ first, count, trace, say }: RunSeedsOptions): Promise<void> {
  const narrate = (atMs: number, who: string, what: () => string) =>
    say(`${atMs.toFixed(1).padStart(9)}  ${who}  ${what()}`)
  const startedMs = performance.now()
  for (let seed = first; seed < first + count; seed++) {
    const begunMs = performance.now()
    const result = await simulateChain(seed, trace ? narrate : undefined)
    say(lineOf(result, performance.now() - begunMs))
  }
  const realMs = performance.now() - startedMs
  say(`${count} seeds hold, ${(realMs / 1000 / count).toFixed(2)} s each`)
}

function lineOf(result: ChainSimulationResult, realMs: number): string {
  const { seed, shape, traceHash, virtualMs, figures, faults } = result
  const told = Object.entries({ ...figures, ...faults }).map(([what, count]) => `${count} ${what}`)
  return [
    `seed ${seed} holds`,
    `${shape.stages} stages in ${shape.workers} processes`,
    `trace ${traceHash}`,
    `${Math.round(virtualMs / 1000)} s virtual in ${(realMs / 1000).toFixed(1)} s`,
    told.join(', '),
  ].join(' · ')
}

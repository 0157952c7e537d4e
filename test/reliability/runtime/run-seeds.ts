import { simulateRuntime } from './runtime-simulation.ts'
import type { RuntimeSimulationResult } from './runtime-simulation.ts'

export interface RunSeedsOptions {
  readonly first: number
  readonly count: number
  /** Says all that happens. */
  readonly trace: boolean
  readonly say: (text: string) => void
}

/** Runs worlds of the consumer runtime one after another; throws at the first that breaks a promise. */
export async function runRuntimeSeeds({
  first,
  count,
  trace,
  say,
}: RunSeedsOptions): Promise<void> {
  const narrate = (atMs: number, who: string, what: () => string) =>
    say(`${atMs.toFixed(1).padStart(9)}  ${who}  ${what()}`)
  const startedMs = performance.now()
  for (let seed = first; seed < first + count; seed++) {
    const begunMs = performance.now()
    const result = await simulateRuntime(seed, trace ? narrate : undefined)
    say(lineOf(result, performance.now() - begunMs))
  }
  const realMs = performance.now() - startedMs
  say(`${count} seeds hold, ${(realMs / 1000 / count).toFixed(2)} s each`)
}

function lineOf(result: RuntimeSimulationResult, realMs: number): string {
  const { seed, shape, traceHash, virtualMs, figures, faults } = result
  const told = Object.entries({ ...figures, ...faults }).map(([what, count]) => `${count} ${what}`)
  return [
    `seed ${seed} holds`,
    `${shape.weather}, ${shape.workers} processes`,
    `trace ${traceHash}`,
    `${Math.round(virtualMs / 1000)} s virtual in ${(realMs / 1000).toFixed(1)} s`,
    told.join(', '),
  ].join(' · ')
}

import { simulateRetries } from './retry-simulation.ts'
import type { RetrySimulationResult } from './retry-simulation.ts'

export interface RunSeedsOptions {
  readonly first: number
  readonly count: number
  /** Says all that happens. */
  readonly trace: boolean
  readonly say: (text: string) => void
}

/** Runs worlds with retry topics one after another; throws at the first that breaks a promise. */
export async function runRetrySeeds({ first, count, trace, say }: RunSeedsOptions): Promise<void> {
  const narrate = (atMs: number, who: string, what: () => string) =>
    say(`${atMs.toFixed(1).padStart(9)}  ${who}  ${what()}`)
  for (let seed = first; seed < first + count; seed++) {
    say(lineOf(await simulateRetries(seed, trace ? narrate : undefined)))
  }
  say(`${count} seeds hold`)
}

function lineOf({ seed, shape, traceHash, virtualMs, figures, faults }: RetrySimulationResult) {
  const told = Object.entries({ ...figures, ...faults }).map(([what, count]) => `${count} ${what}`)
  return [
    `seed ${seed} holds`,
    `${shape.isCalm ? 'calm' : 'faulty'}, ${shape.workers} processes`,
    `trace ${traceHash}`,
    `${Math.round(virtualMs / 1000)} s virtual`,
    told.join(', '),
  ].join(' · ')
}

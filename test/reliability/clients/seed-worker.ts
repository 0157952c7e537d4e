/** A process that runs the seeds it is sent, one after the other, and tells what came of each. */
import { simulateClients } from './client-simulation.ts'
import type { Exercised } from './exercised.ts'

/** What came of a seed. */
export type SeedOutcome =
  | {
      readonly seed: number
      readonly exercised: Exercised
      readonly virtualMs: number
      readonly memoryMiB: number
    }
  | { readonly seed: number; readonly failure: string }

/** Runs seeds until the process that sends them is gone. */
export function serveSeeds(): void {
  // Thousands of errors are made by faults in every world. A replay has whole stacks.
  Error.stackTraceLimit = 4
  process.on('message', (seed: number) => {
    void runSeed(seed).then((outcome) => process.send?.(outcome))
  })
  process.on('disconnect', () => process.exit(0))
}

async function runSeed(seed: number): Promise<SeedOutcome> {
  try {
    const { exercised, virtualMs } = await simulateClients(seed)
    const memoryMiB = Math.round(process.resourceUsage().maxRSS / 1024)
    return { seed, exercised, virtualMs, memoryMiB }
  } catch (error) {
    return { seed, failure: error instanceof Error ? error.message : String(error) }
  }
}

import { simulateClients } from './client-simulation.ts'

/** Runs a seed, and says in the order of time all that happens in it: faults, requests, what clients do. */
export async function replaySeed(seed: number, say: (text: string) => void): Promise<void> {
  const told: { readonly atMs: number; readonly line: string }[] = []
  try {
    await simulateClients(seed, (atMs, who, what) => {
      told.push({ atMs, line: `${atMs.toFixed(1).padStart(9)}  ${who}  ${what()}` })
    })
  } finally {
    told.sort((one, other) => one.atMs - other.atMs)
    for (const { line } of told) say(line)
  }
}

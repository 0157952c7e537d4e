/** What every client is asked to do: read numbered records, work on each, and write what comes of it. */
export interface RecipeTask {
  readonly brokers: readonly string[]
  readonly group: string
  readonly source: string
  readonly target: string
  /** Who this worker is, over all its lives. */
  readonly worker: string
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** Where the packages of others are installed. */
  readonly peers: string
}

/** A way to do it that somebody's own documentation shows. Runs until SIGTERM, and ends as the documentation says. */
export type Recipe = (task: RecipeTask) => Promise<void>

const workMs = 5

/** What is done with a record: it takes its time. */
export async function workOn(value: Buffer | string | null): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, workMs))
  return String(value)
}

/** Resolves at SIGTERM. */
export function untilToldToEnd(): Promise<void> {
  return new Promise((resolve) => process.once('SIGTERM', () => resolve()))
}

import { orderIn } from '../../side-by-side.ts'
import { median } from '../../statistics.ts'
import type { Figure } from '../../statistics.ts'
import { startServer } from './servers.ts'
import type { Server, ServerName } from './servers.ts'

/** Something that is measured of each broker in turn. */
export interface Aspect {
  readonly name: string
  readonly unit: string
  /** What ours must be by Kafka's: at least or at most so much. */
  readonly target?: { readonly atLeast: number } | { readonly atMost: number }
}

/** What one measurement found, in the order of the aspects. */
export type Found = readonly number[]

export interface Comparison {
  readonly servers: readonly ServerName[]
  readonly aspects: readonly Aspect[]
  /** Done once for each broker, before anything is measured. */
  readonly prepare?: (server: Server) => Promise<void>
  readonly measure: (server: Server, round: number) => Promise<Found>
}

/**
 * Measures brokers in turn, round after round; who comes first changes. All of them run meanwhile:
 * the one that is not asked does nothing, and keeps what it has learned.
 */
export async function compare(
  comparison: Comparison,
  rounds: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  const running = new Map<ServerName, Server>()
  try {
    for (const name of comparison.servers) {
      const server = await startServer(name)
      running.set(name, server)
      say(`prepare ${name}`)
      await comparison.prepare?.(server)
    }
    return await compareRunning(comparison, running, rounds, say)
  } finally {
    for (const server of running.values()) await server[Symbol.asyncDispose]()
  }
}

async function compareRunning(
  { servers, aspects, measure }: Comparison,
  running: ReadonlyMap<ServerName, Server>,
  rounds: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  const found = new Map<ServerName, Found[]>(servers.map((name) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const name of orderIn(round, servers) as ServerName[]) {
      const server = running.get(name)
      if (server === undefined) continue
      const values = await measure(server, round)
      found.get(name)?.push(values)
      const told = aspects.map((aspect, at) => `${aspect.name} ${values[at]?.toFixed(2)}`)
      say(`round ${round} of ${rounds}, ${name}: ${told.join(', ')}`)
    }
  }
  return aspects.flatMap((aspect, at) => figuresOf(aspect, at, found))
}

/** The figures of each broker, and ours and kfake's by Kafka's: medians of the rounds' ratios. */
function figuresOf(
  { name, unit, target }: Aspect,
  at: number,
  found: ReadonlyMap<string, Found[]>,
): Figure[] {
  const valuesOf = (server: string) => (found.get(server) ?? []).map((values) => values[at] ?? NaN)
  const servers = [...found.keys()]
  const reference = servers.find((server) => server.startsWith('kafka')) ?? ''
  const kafka = valuesOf(reference)
  const absolute = servers.map((server): Figure => ({
    name: `${name}, ${server}`,
    unit,
    values: valuesOf(server),
  }))
  const ratios = servers
    .filter((server) => server !== reference)
    .map((server): Figure => {
      const values = valuesOf(server).map((value, round) => value / (kafka[round] ?? NaN))
      const isOurs = server.startsWith('millrace')
      return {
        name: `${name}, ${server} by ${reference}`,
        unit: 'ratio',
        values,
        ...(target === undefined || !isOurs ? {} : judged(target, median(values))),
      }
    })
  return [...absolute, ...ratios]
}

function judged(
  target: NonNullable<Aspect['target']>,
  value: number,
): { readonly target: string; readonly met: boolean } {
  if ('atLeast' in target) {
    return { target: `at least ${target.atLeast}`, met: value >= target.atLeast }
  }
  return { target: `at most ${target.atMost}`, met: value <= target.atMost }
}

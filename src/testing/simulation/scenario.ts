import { FaultInjector, type FaultKind, type FaultPlan } from './fault-injector.ts'
import { Simulation, type SimulationOptions } from './simulation.ts'

/** A run in two phases: first anything may go wrong, then nothing does. */
export interface ScenarioOptions {
  readonly seed: number
  readonly simulation?: Omit<SimulationOptions, 'seed' | 'replayCommand'>
  /** Starts the processes. */
  readonly setup: (simulation: Simulation) => void | Promise<void>
  readonly faults: FaultPlan
  /** How long the world may take, without faults, until `progress` holds. */
  readonly healing: { readonly withinMs: number }
  /** What must come true once the faults are over. */
  readonly progress: (simulation: Simulation) => boolean
  /** What must hold in the end; throws when it does not. */
  readonly verify?: (simulation: Simulation) => void
  /** The command that runs a seed again. `npm run simulate -- --seed N` by default. */
  readonly replayCommand?: (seed: number) => string
}

/** What a scenario that held has to tell. */
export interface ScenarioResult {
  readonly seed: number
  readonly traceHash: string
  readonly eventCount: number
  readonly virtualMs: number
  /** Virtual time from the end of the faults until `progress` held. */
  readonly recoveryMs: number
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
}

/**
 * Runs a scenario. Rejects with a `SimulationError` when a process fails, when `progress` does not
 * hold in time, or when `verify` throws; its text says with which seed, and how to see it again.
 */
export async function runScenario(options: ScenarioOptions): Promise<ScenarioResult> {
  const { seed, faults, healing, progress, verify, replayCommand } = options
  const simulation = new Simulation({
    ...options.simulation,
    seed,
    ...(replayCommand === undefined ? {} : { replayCommand }),
  })
  await options.setup(simulation)
  const injector = new FaultInjector(simulation, faults)
  injector.start()
  await simulation.runFor(faults.durationMs)
  injector.stop()
  const healedAtMs = simulation.nowMs
  await simulation.runUntil(() => progress(simulation), healing)
  const recoveryMs = simulation.nowMs - healedAtMs
  try {
    verify?.(simulation)
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw simulation.failure(`what must hold in the end does not: ${text}`, error)
  }
  return {
    seed,
    traceHash: simulation.traceHash,
    eventCount: simulation.eventCount,
    virtualMs: simulation.nowMs,
    recoveryMs,
    faults: injector.counts,
  }
}

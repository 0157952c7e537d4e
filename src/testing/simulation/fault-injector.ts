import type { SimulatedHost } from './host.ts'
import type { SimulatedProcess } from './process.ts'
import type { Range, SeededRandom } from './seeded-random.ts'
import type { Simulation } from './simulation.ts'

/** What can befall a world. Each lasts for a while, then it is undone. */
export type FaultKind =
  /** A process is killed, and started again later. */
  | 'kill'
  /** A process stands still. */
  | 'pause'
  /** A host loses its power, and what it had not synced. */
  | 'power-loss'
  /** The hosts are divided into two groups that do not reach each other. */
  | 'partition'
  /** As `partition`, but one group still hears the other. */
  | 'one-way-partition'
  /** The connections of a host are reset. */
  | 'reset'
  /** The connections of a host are gone for it; the other sides are not told. */
  | 'vanish'
  /** Everything on the network takes many times as long. */
  | 'slow-network'
  /** The syncs of a host take many times as long. */
  | 'slow-disk'
  /** The syncs of a host fail. */
  | 'failing-disk'
  /** The disk of a host takes no more. */
  | 'full-disk'
  /** The clock of a host is wrong. */
  | 'clock-step'

/** Which faults, how often, and how long each lasts. */
export interface FaultPlan {
  /** How long the phase with faults takes. */
  readonly durationMs: number
  /** Time between two faults. */
  readonly everyMs: Range
  /** How long a fault lasts: a partition, a pause, the time until a process starts again. */
  readonly lastMs: Range
  /** How often each kind is chosen, compared with the others. Kinds that are left out never are. */
  readonly weights: Partial<Record<FaultKind, number>>
  /** Probabilities of faults at every call through the seam, as long as the phase lasts. */
  readonly killProbability?: number
  readonly pauseProbability?: number
  /** Which processes may be killed and paused. All of them by default. */
  readonly targets?: (process: SimulatedProcess) => boolean
  /** Which hosts a fault of hosts may befall. All of them by default. */
  readonly hosts?: (host: SimulatedHost, kind: FaultKind) => boolean
  /** Called when a fault begins, with whom it befalls: a process, a host, or `'the network'`. */
  readonly onFault?: (kind: FaultKind, whom: string) => void
}

const slowLatencyMs: Range = { min: 50, max: 1_000 }
const slowSyncMs: Range = { min: 200, max: 3_000 }
const clockStepMsMax = 10 * 60 * 1000

/**
 * Chooses faults and undoes them.
 *
 * States: idle → at work (`start`) → idle (`stop`, which undoes whatever still lasts). A process
 * that is not there, for whatever reason but its own end, is started again after a while; also one that
 * fails after `stop`, as it may: what a fault has begun can show when it is over, a sync that fails late.
 */
export class FaultInjector {
  readonly counts: Partial<Record<FaultKind, number>> = {}
  readonly #simulation: Simulation
  readonly #plan: FaultPlan
  readonly #random: SeededRandom
  readonly #kinds: readonly FaultKind[]
  readonly #undo = new Set<() => void>()
  readonly #returning = new Set<SimulatedProcess>()
  readonly #usualLatencyMs: Range
  #isAtWork = false
  /** Whom the latest fault befell. */
  #befallen = ''

  constructor(simulation: Simulation, plan: FaultPlan) {
    this.#simulation = simulation
    this.#plan = plan
    this.#usualLatencyMs = simulation.network.conditions.latencyMs
    this.#random = simulation.random.split('faults')
    this.#kinds = Object.keys(plan.weights) as FaultKind[]
  }

  start(): void {
    const { killProbability = 0, pauseProbability = 0, lastMs } = this.#plan
    this.#isAtWork = true
    this.#simulation.changeCallFaults({ killProbability, pauseProbability, pauseMs: lastMs })
    this.#next()
  }

  /** Undoes everything: no faults, all hosts up, all processes running that have not ended. */
  stop(): void {
    this.#isAtWork = false
    this.#undo.clear()
    this.#simulation.whenFailed((process) => this.#returnLater(process))
    this.#simulation.calm()
    for (const host of this.#simulation.hosts) {
      host.clockOffsetMs = 0
      host.boot()
      for (const process of host.processes) {
        process.resume()
        if (isMissing(process)) host.restart(process.name)
      }
    }
  }

  #next(): void {
    this.#simulation.after(this.#random.within(this.#plan.everyMs), () => {
      if (!this.#isAtWork) return
      this.#returnMissing()
      this.#inject(this.#choose())
      this.#next()
    })
  }

  #choose(): FaultKind | undefined {
    const { weights } = this.#plan
    const total = this.#kinds.reduce((sum, kind) => sum + (weights[kind] ?? 0), 0)
    let draw = this.#random.fraction() * total
    return this.#kinds.find((kind) => (draw -= weights[kind] ?? 0) < 0)
  }

  #inject(kind: FaultKind | undefined): void {
    if (kind === undefined) return
    const undo = this.#begin(kind)
    if (undo === undefined) return
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
    this.#simulation.trace(`fault ${kind}`)
    this.#plan.onFault?.(kind, this.#befallen)
    this.#undo.add(undo)
    this.#simulation.after(this.#random.within(this.#plan.lastMs), () => {
      if (this.#undo.delete(undo)) undo()
    })
  }

  /** Answers how to undo it; undefined when there is nothing it could befall. */
  #begin(kind: FaultKind): (() => void) | undefined {
    this.#befallen = 'the network'
    if (kind === 'kill' || kind === 'pause') return this.#befallProcess(kind)
    if (kind === 'partition') return this.#partition(false)
    if (kind === 'one-way-partition') return this.#partition(true)
    if (kind === 'slow-network') return this.#slowNetwork()
    return this.#befallHost(kind)
  }

  #befallProcess(kind: 'kill' | 'pause'): (() => void) | undefined {
    const { targets = () => true } = this.#plan
    const candidates = this.#simulation.processes.filter(
      (process) => process.state === 'running' && targets(process),
    )
    const process = this.#random.pick(candidates)
    if (process === undefined) return undefined
    this.#befallen = process.name
    if (kind === 'kill') process.kill()
    else process.pause()
    return () => process.resume()
  }

  #partition(isOneWay: boolean): (() => void) | undefined {
    const names = this.#simulation.hosts.map(({ name }) => name)
    const group = names.filter(() => this.#random.chance(0.5))
    const others = names.filter((name) => !group.includes(name))
    if (group.length === 0 || others.length === 0) return undefined
    return this.#simulation.network.partition(group, others, { isOneWay })
  }

  #slowNetwork(): () => void {
    const { network } = this.#simulation
    network.change({ latencyMs: slowLatencyMs })
    return () => network.change({ latencyMs: this.#usualLatencyMs })
  }

  #befallHost(
    kind: Exclude<FaultKind, 'kill' | 'pause' | 'partition' | 'one-way-partition' | 'slow-network'>,
  ): (() => void) | undefined {
    const { hosts = () => true } = this.#plan
    const candidates = this.#simulation.hosts.filter((host) => host.isUp && hosts(host, kind))
    const host = this.#random.pick(candidates)
    if (host === undefined) return undefined
    this.#befallen = host.name
    const { network } = this.#simulation
    const { disk, name } = host
    const nothing = (): undefined => undefined
    const calm = (): void => disk.calm()
    switch (kind) {
      case 'power-loss':
        host.powerLoss()
        return () => host.boot()
      case 'reset':
        network.reset(name)
        return nothing
      case 'vanish':
        network.vanish(name)
        return nothing
      case 'slow-disk':
        disk.change({ slowSyncProbability: 1, slowSyncMs })
        return calm
      case 'failing-disk':
        disk.change({ syncFailureProbability: 0.5, writeFailureProbability: 0.1 })
        return calm
      case 'full-disk':
        disk.change({ capacityBytes: 0 })
        return calm
      case 'clock-step':
        host.clockOffsetMs = this.#random.integer(2 * clockStepMsMax) - clockStepMsMax
        return () => {
          host.clockOffsetMs = 0
        }
    }
  }

  #returnMissing(): void {
    for (const process of this.#simulation.processes) {
      if (isMissing(process)) this.#returnLater(process)
    }
  }

  #returnLater(process: SimulatedProcess): void {
    if (this.#returning.has(process)) return
    this.#returning.add(process)
    this.#simulation.after(this.#random.within(this.#plan.lastMs), () => {
      this.#returning.delete(process)
      const { host, name } = process
      if (host.isUp && host.process(name) === process) host.restart(name)
    })
  }
}

/** Gone, and not because its program had come to its end. */
function isMissing({ state }: SimulatedProcess): boolean {
  return state === 'killed' || state === 'failed'
}

import type { Platform } from '../../platform/index.ts'
import type { SimulatedHost } from './host.ts'
import { createProcessPlatform } from './process-platform.ts'
import type { EventOptions, EventOwner, ScheduledEvent } from './scheduler.ts'
import type { Range, SeededRandom } from './seeded-random.ts'
import type { World } from './world.ts'

/** What a process does: the program, given its platform. The process ends when it settles. */
export type Program = (platform: Platform) => Promise<void>

/** running ⇄ paused, and from both to one of the three ends. */
export type ProcessState = 'running' | 'paused' | 'ended' | 'killed' | 'failed'

/** One call through the seam, before it has any effect. */
export interface SeamCall {
  readonly process: SimulatedProcess
  /** Counts the calls of this process from 0. */
  readonly index: number
  /** Such as `disk.write`. */
  readonly name: string
}

/** What befalls a process at a call. A pause without a time lasts until `resume`. */
export type CallFault = 'kill' | 'pause' | { readonly pauseMs: number }

/** Faults at calls through the seam: by chance, and by rule. */
export interface CallFaults {
  readonly killProbability: number
  readonly pauseProbability: number
  readonly pauseMs: Range
  /** Asked at every call, before chance. */
  readonly onCall: ((call: SeamCall) => CallFault | undefined) | undefined
}

/** How a process comes to its end: with the kernel tidying up after it, or with the whole host. */
export type EndOfProcess = 'by itself' | 'killed' | 'with its host'

/**
 * Ends the program of a process that is no more. Nothing it does in answer has any effect: each
 * further call through the seam throws again.
 */
export class ProcessKilled extends Error {
  constructor(processName: string) {
    super(`the simulated process ${processName} was killed`)
    this.name = 'ProcessKilled'
  }
}

/**
 * A program that runs on a simulated host.
 *
 * States: running ⇄ paused; from both to ended (its program has settled), failed (the program threw,
 * or something threw where nobody could catch it) or killed. A paused process makes no call and is
 * told nothing; what happens to it waits, in order. The rest of the turn in which it was paused
 * still runs, at the time of the pause, but sends nothing. A process that has come to its end is
 * told nothing ever again: its promises stay open, its timers are gone, the kernel closes its
 * sockets and gives its locks back.
 */
export class SimulatedProcess implements EventOwner {
  readonly id: number
  readonly name: string
  readonly host: SimulatedHost
  /** Draws for its faults; what the program draws does not disturb them. */
  readonly faultRandom: SeededRandom
  /** What its program draws. */
  readonly programRandom: SeededRandom
  readonly #world: World
  readonly #kept: { kind: string; action: () => void }[] = []
  readonly #atEnd = new Set<(end: EndOfProcess) => void>()
  #state: ProcessState = 'running'
  #end: EndOfProcess | undefined
  #failure: unknown
  #callCount = 0
  #connectionCount = 0

  constructor(world: World, host: SimulatedHost, name: string, incarnation: number) {
    this.id = world.nextId()
    this.name = name
    this.host = host
    this.#world = world
    const label = `process ${host.name}/${name} ${incarnation}`
    this.faultRandom = world.random.split(`faults of ${label}`)
    this.programRandom = world.random.split(label)
  }

  get state(): ProcessState {
    return this.#state
  }

  get isOver(): boolean {
    return this.#state !== 'running' && this.#state !== 'paused'
  }

  /** How it came to its end. */
  get end(): EndOfProcess | undefined {
    return this.#end
  }

  /** What it failed with. */
  get failure(): unknown {
    return this.#failure
  }

  /** Calls through the seam so far. */
  get callCount(): number {
    return this.#callCount
  }

  run(program: Program): void {
    const platform = createProcessPlatform(this.#world, this)
    this.later(0, 'process.start', () => {
      const succeed = (): void =>
        this.perform('process.end', () => this.#finish('ended', 'by itself'))
      program(platform).then(succeed, (error: unknown) => this.fail(error))
    })
  }

  /** As `kill -9` does it: at once. What it wrote stays in the page cache. */
  kill(): void {
    if (!this.isOver) this.#finish('killed', 'killed')
  }

  /** As a power failure does it: peers are not told. */
  killWithHost(): void {
    if (!this.isOver) this.#finish('killed', 'with its host')
  }

  /** As SIGSTOP does it. */
  pause(): void {
    if (this.#state === 'running') this.#setState('paused')
  }

  /** As SIGCONT does it: what has happened meanwhile happens to it now, in order. */
  resume(): void {
    if (this.#state !== 'paused') return
    this.#setState('running')
    for (const { kind, action } of this.#kept.splice(0)) this.later(0, kind, action)
  }

  /** Ends it with an error that nobody caught. */
  fail(error: unknown): void {
    if (this.isOver) return
    this.#failure = error
    this.#finish('failed', 'killed')
    this.#world.processFailed(this)
  }

  perform(kind: string, action: () => void): void {
    if (this.#state === 'paused') this.#kept.push({ kind, action })
    if (this.#state !== 'running') return
    this.#world.current = this
    const { realWork } = this.#world
    try {
      if (realWork === undefined) action()
      else realWork.within(this, action)
    } catch (error) {
      this.fail(error)
    }
  }

  /** Something that will happen to this process. */
  later(delayMs: number, kind: string, action: () => void, options?: EventOptions): ScheduledEvent {
    return this.#world.scheduler.schedule(delayMs, kind, action, { ...options, owner: this })
  }

  /** Every call through the seam that answers at once begins with this. */
  enter(name: string): void {
    if (this.isOver) throw new ProcessKilled(this.name)
    const index = this.#callCount
    this.#callCount += 1
    this.#world.trace.name(name)
    this.#world.trace.word(this.id)
    const fault = this.#state === 'running' ? this.#faultAt(name, index) : undefined
    if (fault === undefined) return
    if (fault === 'kill') {
      this.kill()
      throw new ProcessKilled(this.name)
    }
    this.pause()
    if (fault === 'pause') return
    this.#world.scheduler.schedule(fault.pauseMs, 'process.resume', () => this.resume())
  }

  /** Every call through the seam that answers with a promise. Of a dead process it never settles. */
  ask<Result>(
    name: string,
    start: (resolve: (result: Result) => void, reject: (error: unknown) => void) => void,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const fail: (error: unknown) => void = reject
      try {
        this.enter(name)
        start(resolve, fail)
      } catch (error) {
        if (!(error instanceof ProcessKilled)) fail(error)
      }
    })
  }

  /** What befalls the next connection that it makes. */
  connectionRandom(): SeededRandom {
    this.#connectionCount += 1
    return this.programRandom.split(`connection ${this.#connectionCount}`)
  }

  /** Registers what the kernel does when the process ends. Answers a function that takes it back. */
  atEnd(release: (end: EndOfProcess) => void): () => void {
    this.#atEnd.add(release)
    return () => this.#atEnd.delete(release)
  }

  #faultAt(name: string, index: number): CallFault | undefined {
    const { onCall, killProbability, pauseProbability, pauseMs } = this.#world.callFaults
    const chosen = onCall?.({ process: this, index, name })
    if (chosen !== undefined) return chosen
    if (killProbability > 0 && this.faultRandom.chance(killProbability)) return 'kill'
    if (pauseProbability > 0 && this.faultRandom.chance(pauseProbability)) {
      return { pauseMs: this.faultRandom.within(pauseMs) }
    }
    return undefined
  }

  #finish(state: 'ended' | 'killed' | 'failed', end: EndOfProcess): void {
    this.#setState(state)
    this.#end = end
    this.#kept.length = 0
    this.#world.realWork?.abandon(this)
    for (const release of [...this.#atEnd]) release(end)
    this.#atEnd.clear()
  }

  #setState(state: ProcessState): void {
    if (this.isOver) throw new Error(`${this.name} cannot go from ${this.#state} to ${state}`)
    this.#state = state
    this.#world.trace.name(`process.${state}`)
    this.#world.trace.word(this.id)
  }
}

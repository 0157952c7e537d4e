import { createNodePlatform, type Platform } from '../../platform/index.ts'
import type { DiskConditions } from './disk.ts'
import { SimulatedHost } from './host.ts'
import type { NetworkConditions } from './network-conditions.ts'
import { SimulatedNetwork } from './network.ts'
import { Pace } from './pace.ts'
import { ProcessKilled } from './process.ts'
import type { CallFaults, SimulatedProcess } from './process.ts'
import { RealWork } from './real-work.ts'
import { Scheduler, type ScheduledEvent } from './scheduler.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulationError } from './simulation-error.ts'
import { catchingStrayErrors } from './stray-errors.ts'
import { Trace, type TraceValue } from './trace.ts'
import { takeTurns } from './turns.ts'
import type { TracedWrite, World } from './world.ts'

/** What a simulation is made from. The same options and program give the same run. */
export interface SimulationOptions {
  /** A safe integer that is not negative: everything that is left to chance follows from it. */
  readonly seed: number
  readonly network?: Partial<NetworkConditions>
  /** Of every host. */
  readonly disk?: Partial<DiskConditions>
  readonly calls?: Partial<CallFaults>
  /**
   * Whether events of different processes and connections that are ready at the same time happen in
   * an order that is left to chance.
   *
   * @defaultValue true
   */
  readonly shuffle?: boolean
  /** The command that runs a seed again, for messages. `npm run simulate -- --seed N` by default. */
  readonly replayCommand?: (seed: number) => string
  readonly trace?: TraceOptions
  /** Given: programs may wait for the real world, and virtual time waits with them. */
  readonly realWork?: RealWorkOptions
  /** What the clocks show at the start, in milliseconds since the epoch. */
  readonly startTimeMs?: number
}

/**
 * How a simulation lives with programs that also wait for real timers, files and sockets. While one does, time goes as
 * real time; what such a wait leads to does not follow from the seed.
 */
export interface RealWorkOptions {
  /** Whether a process is at something, so that what comes in on an open connection may be waited for. */
  readonly isAtWork: (process: SimulatedProcess) => boolean
  /** Whether time always goes as real time. @defaultValue false */
  readonly isRealTime?: boolean
}

/** What the trace hash covers, besides the time, kind and owner of every event. */
export interface TraceOptions {
  /**
   * The lengths of what is written and arrives. Switch it off where bytes are compressed: their
   * length depends on the version of the library.
   *
   * @defaultValue true
   */
  readonly lengths?: boolean
  /** Decodes what one call of `Socket.write` sends. */
  readonly describe?: (write: TracedWrite) => TraceValue
  /** Called for every event, to find where two runs part. */
  readonly onEvent?: (event: ScheduledEvent) => void
}

/** How long a run may take, in virtual time. */
export interface RunLimit {
  readonly withinMs: number
}

const noCallFaults: CallFaults = {
  killProbability: 0,
  pauseProbability: 0,
  pauseMs: { min: 10, max: 60_000 },
  onCall: undefined,
}

const defaultStartTimeMs = Date.UTC(2026, 0, 1)

/** Only one can run at a time: errors that nobody caught could not be told apart. */
let isRunning = false

/**
 * A world in one thread: hosts, their processes, the network between them and virtual time, all of
 * which follow from a seed.
 *
 * States: resting ⇄ running (`runFor`, `runUntil`, `runUntilIdle`, `runProcess`). While it rests
 * nothing happens in it, and time stands still.
 */
export class Simulation {
  readonly seed: number
  readonly network: SimulatedNetwork
  /** Chance for scenarios; draws from it disturb nothing inside the world. */
  readonly random: SeededRandom
  readonly #world: World
  readonly #hosts = new Map<string, SimulatedHost>()
  readonly #disk: Partial<DiskConditions>
  readonly #replayCommand: (seed: number) => string
  readonly #realWork: RealWork | undefined
  readonly #pace: Pace | undefined
  #failure: SimulationError | undefined
  #whenFailed: ((process: SimulatedProcess) => void) | undefined

  constructor(options: SimulationOptions) {
    const { seed, trace: traceOptions = {} } = options
    const root = new SeededRandom(seed, 'world')
    const trace = new Trace()
    const shuffleSeed = options.shuffle === false ? undefined : root.split('shuffle').word()
    this.seed = seed
    this.random = root.split('scenario')
    this.network = new SimulatedNetwork(options.network ?? {})
    this.#disk = options.disk ?? {}
    this.#replayCommand = options.replayCommand ?? defaultReplayCommand
    const scheduler = new Scheduler(trace, shuffleSeed, traceOptions.onEvent)
    const realWork = options.realWork && new RealWork(options.realWork.isAtWork)
    this.#realWork = realWork
    this.#pace =
      realWork &&
      new Pace(
        scheduler,
        realClock,
        () => options.realWork?.isRealTime === true || realWork.isUnderWay,
      )
    let lastId = 0
    this.#world = {
      scheduler,
      trace,
      tracing: { lengths: traceOptions.lengths ?? true, describe: traceOptions.describe },
      random: root,
      network: this.network,
      hosts: this.#hosts,
      startTimeMs: options.startTimeMs ?? defaultStartTimeMs,
      callFaults: { ...noCallFaults, ...options.calls },
      realWork,
      current: undefined,
      nextId: () => (lastId += 1),
      processFailed: (process) => this.#processFailed(process),
    }
  }

  /** Virtual milliseconds since the start. */
  get nowMs(): number {
    return this.#world.scheduler.nowMs
  }

  get eventCount(): number {
    return this.#world.scheduler.eventCount
  }

  /** Sixteen hexadecimal digits over everything that has happened so far. */
  get traceHash(): string {
    return this.#world.trace.digest()
  }

  get hosts(): readonly SimulatedHost[] {
    return [...this.#hosts.values()]
  }

  /** What processes wait for in the real world, for people; with `realWork`. */
  get realWorkUnderWay(): readonly string[] {
    return this.#realWork?.describe() ?? []
  }

  /** Real milliseconds in which the real world was waited for; with `realWork`. */
  get realWaitMs(): number {
    return this.#pace?.restedMs ?? 0
  }

  /** Every process of every host, in its latest life. */
  get processes(): readonly SimulatedProcess[] {
    return this.hosts.flatMap((host) => host.processes)
  }

  /** The host of that name; it is made when it is first asked for. */
  host(name: string): SimulatedHost {
    const known = this.#hosts.get(name)
    if (known !== undefined) return known
    const made = new SimulatedHost(this.#world, name, this.#disk)
    this.#hosts.set(name, made)
    return made
  }

  /** Puts something that the caller has decoded into the trace. */
  trace(label: string, fields: Readonly<Record<string, TraceValue>> = {}): void {
    const { trace } = this.#world
    trace.name(label)
    for (const [key, value] of Object.entries(fields)) {
      trace.name(key)
      trace.value(value)
    }
  }

  /** Changes the faults at calls through the seam, from now on. */
  changeCallFaults(faults: Partial<CallFaults>): void {
    this.#world.callFaults = { ...this.#world.callFaults, ...faults }
  }

  /** Calls `action` at a virtual time: a step of a scenario, which belongs to no process. */
  after(delayMs: number, action: () => void): { cancel(): void } {
    const event = this.#world.scheduler.schedule(delayMs, 'scenario', action)
    return {
      cancel: () => {
        event.cancelled = true
      },
    }
  }

  /** Ends all faults: partitions heal, conditions are those of the beginning, calls succeed. */
  calm(): void {
    this.#world.callFaults = noCallFaults
    this.network.calm()
    for (const host of this.hosts) host.disk.calm()
  }

  /** Calls `listener` with each process that fails from now on, and may. */
  whenFailed(listener: (process: SimulatedProcess) => void): void {
    this.#whenFailed = listener
  }

  /** Runs until this much virtual time has passed. */
  async runFor(durationMs: number): Promise<void> {
    const { scheduler } = this.#world
    const endMs = scheduler.nowMs + durationMs
    await this.#run(() => this.#isUpAt(endMs))
    scheduler.advanceTo(endMs)
  }

  /** Runs until the condition holds. It is asked between two events. */
  async runUntil(isMet: () => boolean, { withinMs }: RunLimit): Promise<void> {
    const { scheduler } = this.#world
    const endMs = scheduler.nowMs + withinMs
    const condition = { isMet: false }
    await this.#run(() => {
      condition.isMet = isMet()
      return condition.isMet || this.#isUpAt(endMs)
    })
    if (condition.isMet) return
    const endless = scheduler.nextTimeMs() === undefined ? '; nothing more will happen' : ''
    throw this.failure(`the condition did not hold within ${withinMs} ms${endless}`)
  }

  /** Runs until nothing more will happen. */
  async runUntilIdle({ withinMs }: RunLimit): Promise<void> {
    const { scheduler } = this.#world
    await this.runUntil(() => scheduler.nextTimeMs() === undefined, { withinMs })
  }

  /** Starts a program on a host and runs until it has settled. Answers what it resolved with. */
  async runProcess<Result>(
    hostName: string,
    processName: string,
    program: (platform: Platform) => Promise<Result>,
    { withinMs }: RunLimit,
  ): Promise<Result> {
    const results: Result[] = []
    const process = this.host(hostName).start(processName, async (platform) => {
      results.push(await program(platform))
    })
    await this.runUntil(() => process.isOver, { withinMs })
    const [result] = results
    if (results.length === 0) throw this.failure(`${processName} was ${process.state}`)
    return result as Result
  }

  /** Ends all processes at once, and looks at the real world no more. Nothing runs in it afterwards. */
  end(): void {
    for (const process of this.processes) process.kill()
    this.#realWork?.stopWatching()
  }

  /** An error that says what failed, with which seed, and how to see it again. */
  failure(problem: string, cause?: unknown): SimulationError {
    const replay = this.#replayCommand(this.seed)
    const text = `seed ${this.seed}, after ${this.nowMs} virtual ms: ${problem}\nreplay: ${replay}`
    return new SimulationError(text, cause === undefined ? {} : { cause })
  }

  /** Whether nothing happens until then any more. What the real world is asked for may still come. */
  #isUpAt(endMs: number): boolean {
    const { scheduler } = this.#world
    const isWaiting = this.#pace?.isHeld === true && scheduler.nowMs < endMs
    return !isWaiting && (scheduler.nextTimeMs() ?? Infinity) > endMs
  }

  async #run(isDone: () => boolean): Promise<void> {
    if (isRunning) {
      throw new SimulationError('a simulation runs in this thread already: await it first')
    }
    isRunning = true
    const world = this.#world
    this.#realWork?.watch()
    try {
      await catchingStrayErrors(
        (error) => this.#strayError(error),
        () =>
          takeTurns(realClock, () => {
            if (this.#failure !== undefined) throw this.#failure
            if (isDone()) return false
            const waitMs = this.#pace?.waitMs ?? 0
            if (waitMs > 0) return waitMs
            world.current = undefined
            return world.scheduler.step()
          }),
      )
    } catch (error) {
      throw error instanceof SimulationError ? error : this.failure('a step threw', error)
    } finally {
      isRunning = false
      this.#pace?.rest()
    }
  }

  /**
   * Something threw where nobody could catch it: in the turn of `current`, or where the real world has
   * called a program back. Of a process that is no more it means nothing.
   */
  #strayError(error: unknown): void {
    // A process that was killed may run into its end in the turn of whoever it had waited for.
    if (error instanceof ProcessKilled) return
    const realWork = this.#realWork
    const process = realWork === undefined ? this.#world.current : realWork.owner
    if (process !== undefined) {
      process.fail(error)
      return
    }
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    this.#failure ??= this.failure(`the scenario threw: ${text}`, error)
  }

  #processFailed(process: SimulatedProcess): void {
    if (process.host.mayFail(process)) {
      this.#whenFailed?.(process)
      return
    }
    const { failure, name, host } = process
    const text = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure)
    this.#failure ??= this.failure(`the process ${name} on ${host.name} failed: ${text}`, failure)
  }
}

/** A world in which everything follows from `seed`. */
export function createSimulation(options: SimulationOptions): Simulation {
  return new Simulation(options)
}

const realClock = createNodePlatform().clock

function defaultReplayCommand(seed: number): string {
  return `npm run simulate -- --seed ${seed}`
}

import type { ClientOptions } from '../../client/index.ts'
import { OptionError } from '../../errors.ts'
import type { Health, HealthReport, Log, LogFields, LogLevel } from '../../observe/index.ts'
import type { Platform } from '../../platform/index.ts'
import type { Step } from '../../runtime/index.ts'
import type { SimulatedHost } from '../simulation/host.ts'
import type { SimulatedProcess } from '../simulation/process.ts'
import type { Simulation } from '../simulation/simulation.ts'
import { errorText } from './error-text.ts'
import type { HandlerRuns } from './handler-runs.ts'

/** What a service needs to live in a world: pass all of it on to `createService` or `createConsumer`. */
export interface ServiceEnvironment {
  readonly kafka: ClientOptions
  /** The world's time, chance, network and disk, as this process sees them. */
  readonly platform: Platform
  readonly log: Log
  /** What the contracts say is created in the world's broker. */
  readonly topicPolicy: 'create'
  /** Nobody sends signals to a process of a world, and nobody asks it for metrics. */
  readonly signals: false
  readonly metrics: false
}

/** What can live in a world: what `createService` and `createConsumer` answer, among others. */
export interface ServiceProgram {
  run(): Promise<unknown>
  /** Ends it in order. */
  stop?(): Promise<unknown>
  /** Instead of `stop`. */
  disconnect?(): Promise<unknown>
  /** Puts a step around its handlers. */
  use?(step: Step): unknown
  readonly health?: Health
}

/** Makes a service, each time that a process of it starts. */
export type ServiceMaker = (
  environment: ServiceEnvironment,
) => ServiceProgram | Promise<ServiceProgram>

/** A line of a log. */
export interface WorldLogEntry {
  readonly atMs: number
  readonly worker: string
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

export interface WorldWorkerParts {
  readonly simulation: Simulation
  readonly service: string
  readonly name: string
  readonly make: ServiceMaker
  readonly brokers: () => string
  readonly runs: HandlerRuns
  readonly log: (entry: WorldLogEntry) => void
  /** How long after its end it is started again; undefined: never. */
  readonly restartMs: number | undefined
}

/**
 * A process of a service, and whoever starts it again.
 *
 * **down** → **starting** → **up** → **down**; after an end that nobody asked for it is started again, if the world
 * does that.
 */
export class WorldWorker {
  readonly name: string
  readonly service: string
  readonly #parts: WorldWorkerParts
  readonly #host: SimulatedHost
  #process: SimulatedProcess | undefined
  #program: ServiceProgram | undefined
  #isAskedToEnd = false
  #lives = 0
  #failure: unknown

  constructor(parts: WorldWorkerParts) {
    this.name = parts.name
    this.service = parts.service
    this.#parts = parts
    this.#host = parts.simulation.host(parts.name)
  }

  get process(): SimulatedProcess | undefined {
    return this.#process
  }

  /** How often it was started again after an end that nobody had asked for, or after `restart`. */
  get restarts(): number {
    return Math.max(0, this.#lives - 1)
  }

  /** What its latest failure was. */
  get failure(): unknown {
    return this.#failure
  }

  get isOver(): boolean {
    return this.#process?.isOver !== false
  }

  /** Whether it is down for good, unless somebody starts it. */
  get isGone(): boolean {
    return this.isOver && (this.#isAskedToEnd || this.#parts.restartMs === undefined)
  }

  /** Whether it was told to end, and nobody has told it to start. */
  get isAskedToEnd(): boolean {
    return this.#isAskedToEnd
  }

  /** Whether its handlers are seen as they run. */
  get isObserved(): boolean {
    return this.#program?.use !== undefined
  }

  /** Undefined when all that it does works, else why not. */
  get notReadyBecause(): string | undefined {
    if (this.isGone) return this.#isAskedToEnd ? 'was told to end' : 'is down, and not restarted'
    if (this.isOver) return `is down, and starts again${this.#failureText}`
    if (this.#process?.state === 'paused') return 'is paused'
    if (this.#program === undefined) return `is starting${this.#failureText}`
    const report = this.#program.health?.report('ready')
    return report === undefined || report instanceof Promise ? undefined : reasonIn(report)
  }

  start(): void {
    this.#isAskedToEnd = false
    this.#lives += 1
    this.#program = undefined
    const process = this.#host.start(this.name, (platform) => this.#run(platform), {
      mayFail: true,
    })
    this.#process = process
    process.atEnd(() => this.#ended(process))
  }

  /** As `kill -9` does it. */
  kill(): void {
    this.#process?.kill()
  }

  /** As SIGTERM does it. The process is over when all that it had to end has ended. */
  stop(): void {
    this.#isAskedToEnd = true
    const process = this.#process
    if (process === undefined || process.isOver) return
    process.later(0, 'process.terminate', () => {
      const program = this.#program
      const stopped = program?.stop?.() ?? program?.disconnect?.()
      // What cannot end in order ends as it would without a handler of the signal.
      if (stopped === undefined) process.kill()
      else stopped.catch((error: unknown) => process.fail(error))
    })
  }

  get #failureText(): string {
    const failure = this.#failure
    return failure === undefined ? '' : `; its last failure: ${errorText(failure)}`
  }

  async #run(platform: Platform): Promise<void> {
    const { make, runs, service } = this.#parts
    const process = this.#process as SimulatedProcess
    const callsBefore = process.callCount
    const program = checked(await make(this.#environment(platform)), service)
    if (process.callCount === callsBefore) {
      const problem =
        'makes a service that does not live in the world; pass on all that it is given'
      throw new OptionError(`services.${service}`, `${problem}: createService({ ...environment })`)
    }
    program.use?.(runs.stepFor(process, service))
    this.#program = program
    await program.run()
  }

  #environment(platform: Platform): ServiceEnvironment {
    const { simulation, log } = this.#parts
    const worker = this.name
    const write: Log = (level, message, fields = {}) =>
      log({ atMs: simulation.nowMs, worker, level, message, fields })
    const brokers = this.#parts.brokers()
    return {
      kafka: { brokers, clientId: worker, allowPlaintext: true, log: write, platform },
      platform,
      log: write,
      topicPolicy: 'create',
      signals: false,
      metrics: false,
    }
  }

  #ended(process: SimulatedProcess): void {
    const { runs, simulation, restartMs } = this.#parts
    runs.cutOff(process)
    this.#program = undefined
    if (process.state === 'failed') this.#failure = process.failure
    if (this.#isAskedToEnd || restartMs === undefined) return
    simulation.after(restartMs, () => {
      if (this.isOver && !this.#isAskedToEnd) this.start()
    })
  }
}

function checked(program: unknown, service: string): ServiceProgram {
  if (typeof (program as Partial<ServiceProgram> | undefined)?.run === 'function') {
    return program as ServiceProgram
  }
  throw new OptionError(`services.${service}`, 'must answer what createService has made')
}

function reasonIn({ status, checks }: HealthReport): string | undefined {
  if (status === 'ok') return undefined
  return Object.entries(checks)
    .filter(([, { ok }]) => !ok)
    .map(([name, { reason }]) => `${name}: ${reason ?? 'failed'}`)
    .join('; ')
}

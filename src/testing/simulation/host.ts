import { SimulatedDisk, type DiskConditions } from './disk.ts'
import type { SimulatedListener } from './listener.ts'
import { SimulatedProcess, type Program } from './process.ts'
import { SimulationError } from './simulation-error.ts'
import type { World } from './world.ts'

const ownAddresses = new Set(['localhost', '127.0.0.1', '::1'])
const anyAddress = new Set(['0.0.0.0', '::'])

/** Ports that are given out: to whoever connects, and to whoever listens on port 0. */
const freePorts = { first: 32_768, last: 60_999 }

/** What `start` may be told. */
export interface StartOptions {
  /** Whether a failure of the process is part of the scenario, and does not end the run. */
  readonly mayFail?: boolean | ((failure: unknown) => boolean)
}

interface Started {
  readonly process: SimulatedProcess
  readonly program: Program
  readonly options: StartOptions
  readonly incarnation: number
}

/**
 * A machine of the simulated world: its name is its address, its disk outlives its processes.
 *
 * States: up ⇄ down (`powerLoss`, `boot`). While it is down nothing answers for it, and nobody is
 * told that its connections are gone.
 */
export class SimulatedHost {
  readonly name: string
  readonly disk: SimulatedDisk
  /** How far the clock of this host is from the true time. */
  clockOffsetMs = 0
  /** @internal */
  readonly ports = new Map<number, SimulatedListener>()
  readonly #world: World
  readonly #started = new Map<string, Started>()
  #isUp = true
  #bootCount = 0
  #lastPort = freePorts.first - 1

  constructor(world: World, name: string, disk: Partial<DiskConditions>) {
    this.name = name
    this.#world = world
    this.disk = new SimulatedDisk(world.random.split(`disk ${name}`), disk)
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** @internal */
  get bootCount(): number {
    return this.#bootCount
  }

  /** The processes that were started here, each in its latest life. */
  get processes(): readonly SimulatedProcess[] {
    return [...this.#started.values()].map(({ process }) => process)
  }

  /** Starts a program as a process of this host. It ends when the program settles. */
  start(name: string, program: Program, options: StartOptions = {}): SimulatedProcess {
    const before = this.#started.get(name)
    if (before?.process.isOver === false) {
      throw new SimulationError(`the process ${name} runs on ${this.name} already`)
    }
    if (!this.#isUp) throw new SimulationError(`${this.name} is down: ${name} cannot start there`)
    const incarnation = (before?.incarnation ?? 0) + 1
    const process = new SimulatedProcess(this.#world, this, name, incarnation)
    this.#started.set(name, { process, program, options, incarnation })
    process.run(program)
    return process
  }

  /** Kills the process if it still runs, and starts its program again. */
  restart(name: string): SimulatedProcess {
    const before = this.#started.get(name)
    if (before === undefined) {
      throw new SimulationError(`no process ${name} was started on ${this.name}`)
    }
    before.process.kill()
    return this.start(name, before.program, before.options)
  }

  /** The process of this name, in its latest life. */
  process(name: string): SimulatedProcess | undefined {
    return this.#started.get(name)?.process
  }

  /** @internal */
  mayFail(process: SimulatedProcess): boolean {
    const mayFail = this.#started.get(process.name)?.options.mayFail
    return typeof mayFail === 'function' ? mayFail(process.failure) : mayFail === true
  }

  /** Ends all processes at once, tells nobody, and loses what was not synced, or a part of it. */
  powerLoss(): void {
    if (!this.#isUp) return
    for (const process of this.processes) process.killWithHost()
    this.#isUp = false
    this.disk.losePower()
  }

  /** Brings it up after a power loss, and starts again what the power loss had killed. */
  boot(): void {
    if (this.#isUp) return
    this.#isUp = true
    this.#bootCount += 1
    this.#world.network.retry()
    for (const { process } of [...this.#started.values()]) {
      if (process.end === 'with its host') this.restart(process.name)
    }
  }

  /** @internal The host that answers to a name, seen from here. */
  resolve(name: string): SimulatedHost | undefined {
    return ownAddresses.has(name) || anyAddress.has(name) ? this : this.#world.hosts.get(name)
  }

  /** @internal Whether a process can listen there. */
  hasAddress(address: string): boolean {
    return ownAddresses.has(address) || anyAddress.has(address) || address === this.name
  }

  /** @internal Who listens on the port for connections from that host. */
  listenerFor(port: number, from: SimulatedHost): SimulatedListener | undefined {
    const listener = this.ports.get(port)
    const isLocalOnly = listener !== undefined && ownAddresses.has(listener.local.host)
    return isLocalOnly && from !== this ? undefined : listener
  }

  /** @internal */
  freePort(): number {
    do {
      this.#lastPort = this.#lastPort === freePorts.last ? freePorts.first : this.#lastPort + 1
    } while (this.ports.has(this.#lastPort))
    return this.#lastPort
  }
}

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { JournalReader, machineTimeMs } from './journal.ts'
import type { JournalLine } from './journal.ts'

/** What a worker is told. */
export interface WorkerSettings {
  readonly brokers: string
  readonly topic: string
  /** Where copies go under exactly-once. */
  readonly target: string
  readonly group: string
  readonly groupProtocol: 'classic' | 'consumer'
  readonly groupInstanceId?: string | undefined
  readonly sessionTimeoutMs: number
  readonly exactlyOnce: boolean
  readonly journal: string
}

/** One life of a worker: what it has told, and how it ended. */
export interface Life {
  readonly name: string
  readonly journal: JournalReader
  readonly lines: JournalLine[]
  /** When it was seen to be dead. */
  diedAtMs: number | undefined
  /** Whether the group may have taken something from it without its knowing. */
  wasCutOff: boolean
}

/**
 * A place for a worker: whoever dies there has a successor.
 *
 * **empty** → **running** (`start`) ⇄ **suspended** (`suspend`, `resume`); → **empty** (`kill`, `end`).
 */
export class WorkerSlot {
  readonly #name: string
  readonly #folder: string
  readonly #program: string
  readonly #settings: Omit<WorkerSettings, 'journal' | 'groupInstanceId'>
  readonly #isStatic: boolean
  readonly lives: Life[] = []
  /** What went wrong in ways that nobody caused. */
  readonly problems: string[] = []
  #child: ChildProcess | undefined
  #errors: string[] = []
  isSuspended = false

  constructor(
    name: string,
    options: {
      readonly folder: string
      readonly program: string
      readonly settings: Omit<WorkerSettings, 'journal' | 'groupInstanceId'>
      readonly isStatic: boolean
    },
  ) {
    this.#name = name
    this.#folder = options.folder
    this.#program = options.program
    this.#settings = options.settings
    this.#isStatic = options.isStatic
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  start(): void {
    const name = `${this.#name}.${this.lives.length + 1}`
    const path = join(this.#folder, `${name}.journal`)
    const settings: WorkerSettings = {
      ...this.#settings,
      journal: path,
      ...(this.#isStatic && { groupInstanceId: this.#name }),
    }
    const child = spawn(process.execPath, ['--enable-source-maps', this.#program], {
      env: { PATH: process.env['PATH'], SETTINGS: JSON.stringify(settings) },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const life: Life = {
      ...{ name, journal: new JournalReader(path), lines: [] },
      ...{ diedAtMs: undefined, wasCutOff: false },
    }
    this.#errors = []
    child.stderr.on('data', (chunk: Buffer) => {
      this.#errors = [...this.#errors, chunk.toString()].slice(-50)
    })
    child.once('exit', (code, signal) => {
      life.diedAtMs = machineTimeMs()
      if (this.#child === child) this.#child = undefined
      if (signal === 'SIGKILL' || code === 0) return
      this.read()
      // It was told to end when it had just been started, and did not listen yet.
      if (signal === 'SIGTERM' && life.lines.length === 0) return
      this.problems.push(`${name} ended with ${code ?? signal}: ${this.#errors.join('')}`)
    })
    this.#child = child
    this.lives.push(life)
  }

  /** What is written after that is of nobody. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Told to end, as by the system that runs it. */
  async end(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Stands still with its connections open, like a machine that swaps or a container that is frozen. */
  suspend(): void {
    const life = this.lives.at(-1)
    if (life !== undefined) life.wasCutOff = true
    this.isSuspended = true
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.isSuspended = false
    this.#child?.kill('SIGCONT')
  }

  /** Reads what all its lives have told. */
  read(): void {
    for (const life of this.lives) {
      for (const line of life.journal.read()) {
        life.lines.push(line)
        if (line.what === 'lost') life.wasCutOff = true
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    for (const { journal } of this.lives) journal.close()
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const exited = once(child, 'exit')
    child.kill(signal)
    // Who stands still hears of no other signal.
    if (this.isSuspended) this.resume()
    await exited
  }
}

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { RecipeTask } from './recipe.ts'

export interface ChaosWorkerOptions {
  readonly node: string
  readonly program: string
  readonly recipe: string
  readonly task: RecipeTask
}

/** Ends at the latest so long after it was told to: as a pod does, a little sooner. */
const graceMs = 10_000
const restartMs = 500

/** A place for a worker: who ends there without being told to is started again, as whoever runs services does. */
export class ChaosWorker {
  readonly #options: ChaosWorkerOptions
  #child: ChildProcess | undefined
  #isWanted = false
  /** How often it ended by itself. */
  crashes = 0
  /** What it said last on its standard error. */
  lastWords = ''

  constructor(options: ChaosWorkerOptions) {
    this.#options = options
  }

  start(): void {
    this.#isWanted = true
    const { node, program, recipe, task } = this.#options
    const child = spawn(node, [program], {
      env: { PATH: process.env['PATH'], RECIPE: recipe, TASK: JSON.stringify(task) },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr.on('data', (chunk: Buffer) => {
      this.lastWords = chunk.toString().slice(-2_000)
    })
    child.once('exit', () => {
      if (this.#child !== child) return
      this.#child = undefined
      if (!this.#isWanted) return
      this.crashes += 1
      setTimeout(() => {
        if (this.#isWanted && this.#child === undefined) this.start()
      }, restartMs)
    })
    this.#child = child
  }

  /** What it does in the next moment is not done any more. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Told to end, as in a deployment; and killed when it does not. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), graceMs)
    await this.#end('SIGTERM')
    clearTimeout(timer)
  }

  /** Stands still with its connections open, like a container that is frozen. */
  suspend(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#isWanted = false
    const child = this.#child
    if (child === undefined) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
    this.#child = undefined
  }
}

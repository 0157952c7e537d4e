import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { MetricsPages } from './metrics-pages.ts'
import type { RunningServices } from './running-services.ts'

const program = fileURLToPath(new URL('../run-service.ts', import.meta.url))

/** Processes that run a service each; the one that dies is started again. */
export class Workers implements RunningServices {
  readonly #brokers: string
  readonly #count: number
  readonly #pages: MetricsPages
  readonly #children = new Map<string, ChildProcess>()
  #isEnding = false
  killed = 0

  constructor(brokers: string, count: number, pages: MetricsPages) {
    this.#brokers = brokers
    this.#count = count
    this.#pages = pages
  }

  start(service: string): Promise<void> {
    for (let number = 1; number <= this.#count; number++) this.#start(service, number)
    return Promise.resolve()
  }

  /** Ends one of them as a crash does: nothing of it is told to anybody. */
  killOne(): string {
    const alive = [...this.#children]
    const [name, child] = alive[Math.floor(Math.random() * alive.length)] ?? ['nobody', undefined]
    child?.kill('SIGKILL')
    this.killed++
    return name
  }

  /** Tells all to end in order, and waits for them. */
  async end(): Promise<void> {
    this.#isEnding = true
    const ended = [...this.#children.values()].map(
      (child) => new Promise((resolve) => child.once('exit', resolve)),
    )
    for (const child of this.#children.values()) child.kill('SIGTERM')
    await Promise.all(ended)
  }

  #start(service: string, number: number): void {
    const name = `${service}-${number}`
    const child = spawn(process.execPath, ['--import', 'tsx', program, service], {
      env: { ...process.env, KAFKA_BROKERS: this.#brokers, METRICS_PORT: '0' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#children.set(name, child)
    child.stderr.on('data', (chunk: Buffer) => {
      this.#pages.heard(service, name, chunk.toString())
    })
    child.once('exit', () => {
      this.#children.delete(name)
      this.#pages.gone(name)
      if (!this.#isEnding) this.#start(service, number)
    })
  }
}

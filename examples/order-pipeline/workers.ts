import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { services } from './services.ts'

const program = fileURLToPath(new URL('worker.ts', import.meta.url))

/** Processes that run a service each; the one that dies is started again. */
export class Workers {
  readonly #brokers: string
  readonly #children = new Map<string, ChildProcess>()
  #isEnding = false
  killed = 0

  constructor(brokers: string, count: number) {
    this.#brokers = brokers
    for (const name of Object.keys(services)) {
      for (let number = 1; number <= count; number++) this.#start(name, number)
    }
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

  #start(name: string, number: number): void {
    const label = `${name}-${number}`
    const child = spawn(process.execPath, ['--import', 'tsx', program, name], {
      env: { ...process.env, KAFKA_BROKERS: this.#brokers },
      stdio: 'ignore',
    })
    this.#children.set(label, child)
    child.once('exit', () => {
      this.#children.delete(label)
      if (!this.#isEnding) this.#start(name, number)
    })
  }
}

import { MillraceError } from '../../errors.ts'
import type { Log } from '../../observe/index.ts'

/** Gathers what is in the way of a start, and what somebody should know of. All of it is told at once. */
export class Findings {
  readonly #log: Log
  readonly #refusals: string[] = []
  readonly #warned = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  refuse(problem: string): void {
    if (!this.#refusals.includes(problem)) this.#refusals.push(problem)
  }

  warn(problem: string): void {
    if (this.#warned.has(problem)) return
    this.#warned.add(problem)
    this.#log('warn', problem)
  }

  /** Refuses or warns, as it was asked for. */
  tell(how: 'warn' | 'refuse', problem: string): void {
    if (how === 'warn') this.warn(problem)
    else this.refuse(problem)
  }

  get refusals(): readonly string[] {
    return this.#refusals
  }

  throwIfRefused(): void {
    if (this.#refusals.length === 0) return
    const list = this.#refusals.map((problem) => `\n- ${problem}`).join('')
    throw new MillraceError('MILLRACE_RUNTIME_START_REFUSED', `the service does not start:${list}`)
  }
}

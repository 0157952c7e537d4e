import type { Log, LogFields, LogLevel } from '../../observe/index.ts'
import type { Clock } from '../../platform/index.ts'

const quietMs = 60_000

/** Says the same thing once a minute at most, and how often it was not said since. */
export class SparseLog {
  readonly #log: Log
  readonly #clock: Pick<Clock, 'elapsedMs'>
  /** By message: when it was said, and how often it was kept back. */
  readonly #said = new Map<string, { atMs: number; keptBack: number }>()

  constructor(log: Log, clock: Pick<Clock, 'elapsedMs'>) {
    this.#log = log
    this.#clock = clock
  }

  /** The message is one of few: what differs from time to time belongs in the fields. */
  say(level: LogLevel, message: string, fields: LogFields): void {
    const nowMs = this.#clock.elapsedMs()
    const last = this.#said.get(message)
    if (last !== undefined && nowMs - last.atMs < quietMs) {
      last.keptBack++
      return
    }
    const keptBack = last?.keptBack ?? 0
    this.#said.set(message, { atMs: nowMs, keptBack: 0 })
    this.#log(level, message, keptBack === 0 ? fields : { ...fields, alsoSince: keptBack })
  }
}

import type { Log, LogFields, LogLevel } from '../observe/index.ts'
import type { Clock } from '../platform/index.ts'

const minuteMs = 60_000

/** How often something was said in the minute that began then. */
interface Said {
  readonly beganMs: number
  count: number
  keptBack: number
}

/** Says the same thing a few times a minute at most, and how often it was not said in the minute before. */
export class SparseLog {
  readonly #log: Log
  readonly #clock: Pick<Clock, 'elapsedMs'>
  readonly #perMinuteMax: number
  readonly #said = new Map<string, Said>()

  constructor(log: Log, clock: Pick<Clock, 'elapsedMs'>, perMinuteMax = 1) {
    this.#log = log
    this.#clock = clock
    this.#perMinuteMax = perMinuteMax
  }

  /** The message is one of few: what differs from time to time belongs in the fields. */
  say(level: LogLevel, message: string, fields: LogFields): void {
    const nowMs = this.#clock.elapsedMs()
    const last = this.#said.get(message)
    if (last !== undefined && nowMs - last.beganMs < minuteMs) {
      if (last.count < this.#perMinuteMax) {
        last.count++
        this.#log(level, message, fields)
      } else last.keptBack++
      return
    }
    const keptBack = last?.keptBack ?? 0
    this.#said.set(message, { beganMs: nowMs, count: 1, keptBack: 0 })
    this.#log(level, message, keptBack === 0 ? fields : { ...fields, alsoSince: keptBack })
  }
}

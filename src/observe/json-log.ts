import type { Clock } from '../platform/index.ts'
import type { Log, LogLevel } from './log.ts'

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export interface JsonLogOptions {
  /** The lowest level that is written. */
  readonly level: LogLevel
  readonly clock: Pick<Clock, 'now'>
  /** Gets each message as one line of JSON, without its end. */
  readonly write: (line: string) => void
}

/** A log of JSON lines: `time`, `level` and `message`, then the fields. */
export function createJsonLog({ level: lowest, clock, write }: JsonLogOptions): Log {
  const written = new Set(levels.slice(levels.indexOf(lowest)))
  return (level, message, fields) => {
    if (!written.has(level)) return
    const head = { time: new Date(clock.now()).toISOString(), level, message }
    // Again at the end: a field never takes the place of what every line has.
    write(JSON.stringify({ ...head, ...fields, ...head }))
  }
}

import type { Log, LogFields, LogLevel } from './log.ts'

/** What takes messages with a method for each level, fields first: pino's loggers do, among others. */
export type Logger = Readonly<Record<LogLevel, (fields: LogFields, message: string) => void>>

/** A `Log` that hands everything to a logger, or the function itself. */
export function toLog(log: Log | Logger): Log {
  if (typeof log === 'function') return log
  return (level, message, fields = {}) => log[level](fields, message)
}

import type { Log, LogFields, LogLevel } from './log.ts'

/** What takes messages with a method for each level, fields first: pino's loggers do, among others. */
export type Logger = Readonly<Record<LogLevel, (fields: LogFields, message: string) => void>>

/**
 * The `Log` of somebody else's function or logger. One that throws loses a message, and nothing more: it is
 * called where an error would take a connection with it.
 */
export function toLog(log: Log | Logger): Log {
  const write: Log =
    typeof log === 'function' ? log : (level, message, fields = {}) => log[level](fields, message)
  return (level, message, fields) => {
    try {
      write(level, message, fields)
    } catch {
      // There is nobody left to tell.
    }
  }
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What goes with a message: plain values only, never a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

/** Where an area writes what an operator should read. */
export type Log = (level: LogLevel, message: string, fields?: LogFields) => void

/** For tests and embedded use where nobody reads. */
export const silentLog: Log = () => undefined

export { silentLog } from './log.ts'
export type { Log, LogFields, LogLevel } from './log.ts'

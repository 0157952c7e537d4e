import { createNodePlatform, writeStandardError } from '../platform/index.ts'
import { createJsonLog } from './json-log.ts'
import type { Log, LogLevel } from './log.ts'

/** JSON lines on standard error. `level` is the lowest that is written. */
export function createConsoleLog(level: LogLevel = 'info'): Log {
  const { clock } = createNodePlatform()
  return createJsonLog({ level, clock, write: writeStandardError })
}

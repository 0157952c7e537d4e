import { MillraceError } from '../../errors.ts'

/** The state cannot be read or written: no record is at fault, and none can be worked. */
export class StateError extends MillraceError {
  constructor(problem: string, cause?: unknown) {
    super('MILLRACE_STREAM_STATE_UNREADABLE', problem, { cause })
  }
}

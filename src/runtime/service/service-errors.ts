import { MillraceError } from '../../errors.ts'

/** A handler has not settled long after its time was over. */
export function stuck(record: string): MillraceError {
  const problem = `the handler of ${record} ignores its signal; the process has to end`
  return new MillraceError('MILLRACE_RUNTIME_HANDLER_STUCK', problem)
}

/** The service is not in a state for what was asked of it. */
export function stateError(message: string): MillraceError {
  return new MillraceError('MILLRACE_RUNTIME_STATE_INVALID', message)
}

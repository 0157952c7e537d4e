import { MillraceError } from '../../errors.ts'

/** Stored bytes that are not what was written, or were written by a version that is not known. */
export function damaged(problem: string, cause?: unknown): MillraceError {
  const options = cause === undefined ? undefined : { cause }
  return new MillraceError('MILLRACE_BROKER_DATA_INVALID', problem, options)
}

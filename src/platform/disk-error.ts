import { isMillraceError, MillraceError } from '../errors.ts'
import type { DiskErrorReason } from './platform.ts'

/** A disk operation that did not happen, or of which it is not known whether it did (`sync`). */
export class DiskError extends MillraceError {
  readonly reason: DiskErrorReason
  readonly path: string

  constructor(reason: DiskErrorReason, path: string, problem: string, options?: ErrorOptions) {
    super('MILLRACE_DISK_FAILED', `cannot ${problem}`, options)
    this.reason = reason
    this.path = path
  }
}

/** Whether `error` is a `DiskError`; with `reason`, whether it is for that reason. */
export function isDiskError(error: unknown, reason?: DiskErrorReason): error is DiskError {
  if (!isMillraceError(error, 'MILLRACE_DISK_FAILED') || !('reason' in error)) return false
  return reason === undefined || error.reason === reason
}

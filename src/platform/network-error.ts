import { isMillraceError, MillraceError } from '../errors.ts'
import type { NetworkErrorReason } from './platform.ts'

/** A connection or listener that could not be made, or a connection that broke. */
export class NetworkError extends MillraceError {
  readonly reason: NetworkErrorReason

  constructor(reason: NetworkErrorReason, message: string, options?: ErrorOptions) {
    super('MILLRACE_NETWORK_FAILED', message, options)
    this.reason = reason
  }
}

/** Whether `error` is a `NetworkError`; with `reason`, whether it is for that reason. */
export function isNetworkError(error: unknown, reason?: NetworkErrorReason): error is NetworkError {
  if (!isMillraceError(error, 'MILLRACE_NETWORK_FAILED') || !('reason' in error)) return false
  return reason === undefined || error.reason === reason
}

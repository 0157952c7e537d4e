/**
 * Every error that Millrace throws on purpose. One row a code: the page `docs/reference/errors.md`
 * has the same rows, and a test compares the two. `retriable` says whether the same call can
 * succeed later without anybody changing anything.
 */
export const errorCodes = {
  MILLRACE_PROTOCOL_INVALID: { retriable: false },
  MILLRACE_PROTOCOL_UNSUPPORTED: { retriable: false },
  MILLRACE_PROTOCOL_TOO_LARGE: { retriable: false },
  MILLRACE_DISK_FAILED: { retriable: false },
  MILLRACE_NETWORK_FAILED: { retriable: true },
  MILLRACE_OPTION_INVALID: { retriable: false },
  MILLRACE_BROKER_DATA_IN_USE: { retriable: false },
  MILLRACE_BROKER_DATA_INVALID: { retriable: false },
  MILLRACE_CLIENT_UNREACHABLE: { retriable: true },
  MILLRACE_CLIENT_NO_ANSWER: { retriable: true },
  MILLRACE_CLIENT_REFUSED: { retriable: false },
  MILLRACE_CLIENT_UNSUPPORTED: { retriable: false },
  MILLRACE_CLIENT_LOGIN_FAILED: { retriable: false },
  MILLRACE_CLIENT_CLOSED: { retriable: false },
  MILLRACE_CLIENT_STATE_INVALID: { retriable: false },
  MILLRACE_CLIENT_NOT_DELIVERED: { retriable: true },
  MILLRACE_CLIENT_DELIVERY_UNKNOWN: { retriable: false },
  MILLRACE_CLIENT_BUFFER_FULL: { retriable: true },
  MILLRACE_CLIENT_TRANSACTION_ABORT: { retriable: false },
  MILLRACE_CLIENT_TRANSACTION_RETRY: { retriable: true },
  MILLRACE_CLIENT_TRANSACTION_CLOSE: { retriable: false },
  MILLRACE_CLIENT_NOT_OWNED: { retriable: false },
  MILLRACE_CLIENT_OFFSET_LOST: { retriable: false },
  MILLRACE_CLIENT_MEMBER_FENCED: { retriable: false },
  MILLRACE_CONTRACT_MALFORMED: { retriable: false },
  MILLRACE_CONTRACT_TOO_LARGE: { retriable: false },
  MILLRACE_CONTRACT_CONTENT_TYPE_UNKNOWN: { retriable: false },
  MILLRACE_CONTRACT_TYPE_UNKNOWN: { retriable: false },
  MILLRACE_CONTRACT_VERSION_UNKNOWN: { retriable: false },
  MILLRACE_CONTRACT_INVALID: { retriable: false },
  MILLRACE_RUNTIME_HANDLER_TIMEOUT: { retriable: true },
  MILLRACE_RUNTIME_HANDLER_STUCK: { retriable: false },
  MILLRACE_RUNTIME_STATE_INVALID: { retriable: false },
  MILLRACE_RUNTIME_START_REFUSED: { retriable: false },
  MILLRACE_RUNTIME_REPLAY_STOPPED: { retriable: false },
  MILLRACE_TRANSACTION_ID_SHARED: { retriable: false },
  MILLRACE_STORE_NOT_INSTALLED: { retriable: false },
  MILLRACE_STORE_IN_USE: { retriable: true },
  MILLRACE_STORE_FAILED: { retriable: false },
  MILLRACE_STORE_MISUSED: { retriable: false },
  MILLRACE_STREAM_STATE_UNREADABLE: { retriable: false },
  MILLRACE_STREAM_STATE_ELSEWHERE: { retriable: true },
  MILLRACE_HISTORY_VIOLATED: { retriable: false },
  MILLRACE_SIMULATION_FAILED: { retriable: false },
} as const satisfies Record<string, { retriable: boolean }>

export type ErrorCode = keyof typeof errorCodes

const brand = Symbol.for('millrace.error')

export interface MillraceErrorOptions extends ErrorOptions {
  /** Where the code alone does not tell. */
  readonly retriable?: boolean
}

/** The base of all errors that Millrace throws on purpose. */
export class MillraceError extends Error {
  readonly code: ErrorCode
  readonly retriable: boolean
  /** Set on every instance, so that `isMillraceError` also knows errors of another copy of the package. */
  readonly [brand] = true

  constructor(code: ErrorCode, message: string, options: MillraceErrorOptions = {}) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.retriable = options.retriable ?? errorCodes[code].retriable
  }
}

/** Bytes that do not mean what the protocol says they must, or a message that cannot be written. */
export class ProtocolError extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super('MILLRACE_PROTOCOL_INVALID', message, options)
  }
}

/** An option that cannot be used: the message names it, the value that was given and what is allowed. */
export class OptionError extends MillraceError {
  readonly option: string

  constructor(option: string, problem: string, options?: ErrorOptions) {
    super('MILLRACE_OPTION_INVALID', `${option} ${problem}`, options)
    this.option = option
  }
}

/** Whether `error` was thrown on purpose by Millrace; with `code`, whether it is that one. */
export function isMillraceError(error: unknown, code?: ErrorCode): error is MillraceError {
  const known = typeof error === 'object' && error !== null && brand in error
  return known && (code === undefined || (error as MillraceError).code === code)
}

import { MillraceError } from '../../../errors.ts'

/** What to do after a transaction has failed. */
export type TransactionAction = 'abort' | 'retry' | 'close'

const codes = {
  abort: 'MILLRACE_CLIENT_TRANSACTION_ABORT',
  retry: 'MILLRACE_CLIENT_TRANSACTION_RETRY',
  close: 'MILLRACE_CLIENT_TRANSACTION_CLOSE',
} as const

export interface TransactionErrorOptions extends ErrorOptions {
  readonly mayBeCommitted?: boolean
}

/**
 * A transaction did not go as it should; `action` says what to do: `'abort'` it and begin another,
 * `'retry'` the same call, or `'close'` the producer.
 */
export class TransactionError extends MillraceError {
  readonly action: TransactionAction
  /**
   * Whether the transaction may have been committed all the same. False is certain: it was not, and with
   * `'abort'` and `'close'` it will not be.
   */
  readonly mayBeCommitted: boolean

  constructor(action: TransactionAction, message: string, options: TransactionErrorOptions = {}) {
    super(codes[action], message, options)
    this.action = action
    this.mayBeCommitted = options.mayBeCommitted ?? false
  }
}

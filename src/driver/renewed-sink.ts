import { isMillraceError } from '../errors.ts'
import type { SinkTransaction, TransactionalSink } from './driver.ts'

/**
 * Writes transactions through a sink that is made anew when it can do nothing more, as when another producer has taken its
 * transactional id. The transaction that found it so has failed; the next one has another sink.
 */
export class RenewedSink implements TransactionalSink {
  readonly #make: () => TransactionalSink
  #sink: TransactionalSink | undefined

  constructor(make: () => TransactionalSink) {
    this.#make = make
  }

  async transaction<Result>(
    work: (transaction: SinkTransaction) => Promise<Result>,
  ): Promise<Result> {
    const sink = (this.#sink ??= this.#make())
    try {
      return await sink.transaction(work)
    } catch (error) {
      if (isMillraceError(error, 'MILLRACE_CLIENT_TRANSACTION_CLOSE') && this.#sink === sink) {
        this.#sink = undefined
        void sink.close({ timeoutMs: 0 })
      }
      throw error
    }
  }

  async close(options?: { readonly timeoutMs?: number }): Promise<void> {
    await this.#sink?.close(options)
  }
}

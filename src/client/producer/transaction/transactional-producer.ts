import { isMillraceError } from '../../../errors.ts'
import type { Timer } from '../../../platform/index.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { RecordSender } from '../record-sender.ts'
import { TransactionCoordinator } from './transaction-coordinator.ts'
import { TransactionError } from './transaction-error.ts'
import { TransactionIdentity } from './transaction-identity.ts'
import { TransactionSession } from './transaction-session.ts'
import { Transaction } from './transaction.ts'
import type { TransactionalProducerOptions } from './transactional-producer-options.ts'
import { resolveTransactionalProducerOptions } from './transactional-producer-options.ts'

/**
 * A producer of transactions, one open at a time. It takes its transactional id over when the first one begins.
 *
 * @example
 * await using producer = client.transactionalProducer({ transactionalId: 'billing-1' })
 * await producer.transaction(async (transaction) => {
 *   await transaction.send({ topic: 'invoices', key: order.id, value: invoice })
 *   await transaction.sendOffsets(consumer.groupMetadata(), offsets)
 * })
 */
export class TransactionalProducer implements AsyncDisposable {
  readonly #cluster: Cluster
  readonly #callTimeoutMs: number
  readonly #session: TransactionSession
  readonly #sender: RecordSender
  #transaction: Transaction | undefined

  constructor(cluster: Cluster, options: TransactionalProducerOptions) {
    const resolved = resolveTransactionalProducerOptions(options)
    this.#cluster = cluster
    this.#callTimeoutMs = resolved.callTimeoutMs
    this.#session = new TransactionSession(resolved, {
      coordinator: new TransactionCoordinator(cluster, resolved),
      clock: cluster.platform.clock,
      log: cluster.log,
    })
    const identity = new TransactionIdentity(this.#session)
    this.#sender = new RecordSender(cluster, identity, resolved.sender)
  }

  get transactionalId(): string {
    return this.#session.transactionalId
  }

  /** Begins a transaction. The one before must be over. */
  async begin(): Promise<Transaction> {
    await this.#session.begin()
    this.#transaction = new Transaction(this.#session, this.#sender)
    return this.#transaction
  }

  /**
   * Does work in a transaction: commits it when `work` resolves, aborts it when it rejects or cannot be
   * committed, and rejects with the reason. What became of a commit is asked for until it is known, or the
   * producer is closed.
   */
  async transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    const transaction = await this.begin()
    let result: Result
    try {
      result = await work(transaction)
    } catch (error) {
      return abortAfter(transaction, error)
    }
    if (transaction.isOver) return result
    try {
      await untilKnown(() => transaction.commit())
      return result
    } catch (error) {
      return abortAfter(transaction, error)
    }
  }

  /**
   * Aborts what is open, and ends. A commit that is under way is awaited. What is not done within `timeoutMs` is
   * left to the broker.
   */
  async close({ timeoutMs = this.#callTimeoutMs } = {}): Promise<void> {
    let timer: Timer | undefined
    const timeIsOver = new Promise<Error>((resolve) => {
      const end = () => resolve(new Error(`it was not aborted within ${timeoutMs} ms`))
      timer = this.#cluster.platform.clock.setTimer(timeoutMs, end)
    })
    // Not for the answers to requests that are on their way: those may never come.
    const problem = await Promise.race([this.#abortOpen(), timeIsOver])
    timer?.cancel()
    if (problem !== undefined) {
      this.#cluster.log('warn', 'an open transaction was left to the broker', {
        transactionalId: this.transactionalId,
        error: problem.message,
      })
    }
    this.#session.close()
    await this.#sender.close({ timeoutMs: 0 })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Answers why it could not be aborted; undefined where nothing is open any more. */
  async #abortOpen(): Promise<Error | undefined> {
    try {
      await this.#session.settled()
      if (['open', 'spoiled', 'abort-unknown'].includes(this.#session.state)) {
        await this.#transaction?.abort()
      }
      return undefined
    } catch (error) {
      return error as Error
    }
  }
}

/** Aborts the transaction that failed, if it is still there, and rejects with the reason. */
async function abortAfter(transaction: Transaction, reason: unknown): Promise<never> {
  const isGone =
    isMillraceError(reason, 'MILLRACE_CLIENT_TRANSACTION_CLOSE') ||
    isMillraceError(reason, 'MILLRACE_CLIENT_CLOSED')
  if (transaction.isOver || isGone) throw reason
  try {
    await untilKnown(() => transaction.abort())
  } catch (error) {
    const message = 'a transaction failed, and so did its abort'
    throw new AggregateError([reason, error], message, { cause: reason })
  }
  throw reason
}

/** Repeats a call for as long as its errors say so; each tries for its own time. */
async function untilKnown(call: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await call()
      return
    } catch (error) {
      if (!(error instanceof TransactionError) || error.action !== 'retry') throw error
    }
  }
}

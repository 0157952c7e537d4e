import { isMillraceError, MillraceError } from '../errors.ts'
import type { RecordResults } from '../client/index.ts'
import { RenewedSink } from '../driver/index.ts'
import type {
  CommitCall,
  CommitStrategy,
  ExactlyOnceParts,
  PartitionCommit,
} from '../runtime/index.ts'
import { isFenced, mayPass } from './failure.ts'
import { IdHolders } from './id-holders.ts'
import { within } from './within.ts'

/**
 * Commits by transactions: what the records wrote that have ended, and the offsets that say so. A transaction is open for no
 * longer than it takes to write these; handlers run beside it, and what ends meanwhile goes with the next.
 *
 * What fails is aborted, and its outputs are still with their partitions: the next commit has them again, so that no handler
 * runs twice because a broker was away. Only when a partition is given up are its outputs gone, as if they had never been.
 *
 * - **idle** → **committing** → idle, or **ended** (by `close`, or by what no further commit can mend).
 */
export class TransactionalCommits implements CommitStrategy {
  readonly #parts: ExactlyOnceParts
  readonly #sink: RenewedSink
  readonly #holders: IdHolders
  /** The last commit, and so all before it: callers may have stopped waiting. */
  #current: Promise<unknown> = Promise.resolve()
  #hasTakenOver = false
  #isClosed = false

  constructor(parts: ExactlyOnceParts) {
    this.#parts = parts
    const { driver, transactionalId, transactionTimeoutMs } = parts
    this.#sink = new RenewedSink(() =>
      driver.transactionalSink({ transactionalId, transactionTimeoutMs }),
    )
    this.#holders = new IdHolders(driver, transactionalId)
  }

  /** Answers where its outputs were written, in the order in which they were given. */
  async commit(
    commits: readonly PartitionCommit[],
    { signal }: CommitCall,
  ): Promise<RecordResults | undefined> {
    // Of the time when it was decided what is committed: whoever has lost a partition since then is refused by it.
    const group = this.#parts.source.groupMetadata()
    const records = commits.flatMap(({ outputs = [] }) => outputs)
    const work = this.#current.then(() => {
      if (this.#isClosed) throw closed()
      signal?.throwIfAborted()
      return this.#sink.transaction(async (transaction) => {
        const sent = records.length === 0 ? undefined : transaction.send(records)
        const [results] = await Promise.all([sent, transaction.sendOffsets(group, commits)])
        return results
      })
    })
    // Also a failure that nobody waits for is looked at, before the next commit takes the transactional id anew.
    this.#current = work.then(
      () => this.#holders.committed(),
      (error: unknown) => this.#failed(error as Error, records.length),
    )
    return within(signal, work)
  }

  /** Also what a former process has left open under the same id is ended then: its offsets would be waited for. */
  async settled(): Promise<void> {
    if (!this.#hasTakenOver && !this.#isClosed)
      this.#current = this.#current.then(() => this.#takeOver())
    await this.#current
  }

  async close(options?: { readonly timeoutMs: number }): Promise<void> {
    this.#isClosed = true
    await this.#sink.close(options)
  }

  /** The broker aborts what an id has open when it is taken over, which beginning a transaction does. */
  async #takeOver(): Promise<void> {
    if (this.#hasTakenOver || this.#isClosed) return
    try {
      await this.#sink.transaction(() => Promise.resolve())
      this.#hasTakenOver = true
    } catch (error) {
      await this.#failed(error as Error, 0)
    }
  }

  async #failed(error: Error, records: number): Promise<void> {
    const { log, groupId, transactionalId, failed } = this.#parts
    if (this.#isClosed) return
    const fields = { group: groupId, transactionalId, records, error: error.message }
    if (isMillraceError(error, 'MILLRACE_CLIENT_TRANSACTION_CLOSE')) {
      const fence = isFenced(error) ? await this.#holders.fenced() : undefined
      if (fence?.isShared === true) failed(shared(transactionalId, fence.holder, error))
      else log('warn', 'the transactional producer has to be made anew', { ...fields, ...fence })
    } else if (!mayPass(error)) failed(error)
  }
}

function shared(transactionalId: string, holder: string, cause: Error): MillraceError {
  const problem = `the transactional id '${transactionalId}' is used by another process too (${holder}), and each ends the other's transactions: give each process its own (exactlyOnce.transactionalId), or leave it out`
  return new MillraceError('MILLRACE_TRANSACTION_ID_SHARED', problem, { cause })
}

function closed(): MillraceError {
  return new MillraceError('MILLRACE_RUNTIME_STATE_INVALID', 'the consumer was closed')
}

import type { RecordResults } from '../../client/index.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock, Timer } from '../../platform/index.ts'
import { within } from '../../transaction/index.ts'
import type { TransactionalCommits } from '../../transaction/index.ts'
import type { Changelog } from './changelog.ts'
import { commitsOf } from './task-run.ts'
import type { PendingWork, TaskRun } from './task-run.ts'

export interface WorkCommitsParts {
  readonly clock: Clock
  readonly log: Log
  /** Undefined where nothing is remembered. */
  readonly changelog: Changelog | undefined
  readonly strategy: Pick<TransactionalCommits, 'commit' | 'settled' | 'close'>
  readonly intervalMs: number
  readonly tasks: () => readonly TaskRun[]
  readonly committed: (tookMs: number, records: number) => void
  /** The local state cannot be written. */
  readonly failed: (error: Error) => void
}

const retryMs = 100
const retryMsMax = 5_000

/**
 * Commits what tasks have worked, all of them in one transaction, again with the same content until it is known to be committed.
 * One is on its way at a time.
 */
export class WorkCommits {
  readonly #parts: WorkCommitsParts
  #timer: Timer | undefined
  #current: Promise<void> | undefined
  #failures = 0
  #isClosed = false

  constructor(parts: WorkCommitsParts) {
    this.#parts = parts
  }

  /** Something was worked: it is committed with the next interval, or at once where much waits. */
  changed(isMuch = false): void {
    if (this.#current !== undefined || this.#isClosed) return
    if (isMuch && this.#failures === 0) {
      void this.commitNow().catch(() => undefined)
      return
    }
    if (this.#timer !== undefined) return
    const { clock, intervalMs } = this.#parts
    const delayMs =
      this.#failures === 0 ? intervalMs : Math.min(retryMs * 2 ** (this.#failures - 1), retryMsMax)
    this.#timer = clock.setTimer(delayMs, () => {
      this.#timer = undefined
      void this.commitNow().catch(() => undefined)
    })
  }

  /**
   * Commits what there is; rejects when it failed, and then it is tried again by itself. Who waits no longer (`signal`) changes
   * nothing for it: other tasks' work is in it too, and would be committed twice if its outcome was not waited for.
   */
  commitNow(signal?: AbortSignal): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    const before = this.#current
    const next = (before ?? Promise.resolve()).catch(() => undefined).then(() => this.#commit())
    const current = next.finally(() => {
      if (this.#current === current) this.#current = undefined
      if (this.#parts.tasks().some((run) => run.hasPending)) this.changed()
    })
    this.#current = current
    return within(signal, current)
  }

  /** Resolves when nothing of a commit is on its way any more: what became of all of them is known. */
  async decided(): Promise<void> {
    await this.#current?.catch(() => undefined)
    await this.#parts.strategy.settled()
  }

  async close(options?: { readonly timeoutMs: number }): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#parts.strategy.close(options)
  }

  /** It may have been closed while a commit was on its way. */
  #hasEnded(): boolean {
    return this.#isClosed
  }

  async #commit(): Promise<void> {
    const { clock, log, changelog, strategy, tasks, committed } = this.#parts
    const pending = tasks().flatMap((run) => run.takePending() ?? [])
    if (pending.length === 0 || this.#isClosed) return
    const beganMs = clock.elapsedMs()
    const commits = pending.flatMap((work) =>
      commitsOf(work, changelog?.recordsOf(work.run.partition, work.changes) ?? []),
    )
    // As of before it is written: an epoch that is too high would hide that what was written has been cut off.
    const epochOf = changelog?.epochs()
    let results: RecordResults | undefined
    try {
      results = await strategy.commit(commits, {})
      this.#failures = 0
    } catch (error) {
      this.#failures++
      if (this.#hasEnded()) throw error
      log('warn', 'what was worked could not be committed, and is committed again', {
        error: (error as Error).message,
        tasks: pending.length,
      })
      throw error
    }
    committed(clock.elapsedMs() - beganMs, results?.length ?? 0)
    await this.#settle(pending, results, epochOf)
  }

  async #settle(
    pending: readonly PendingWork[],
    results: RecordResults | undefined,
    epochOf: ReadonlyMap<number, number> | undefined,
  ): Promise<void> {
    let at = 0
    const settling = pending.map(({ run, outputs, changes }) => {
      at += outputs.length + changes.length
      const last = changes.length === 0 ? undefined : results?.at(at - 1)?.offset
      const offset = last === undefined ? undefined : last + 1
      return this.#settleOne(run, offset, epochOf?.get(run.partition))
    })
    // At once: what stores commit in the same turn is one transaction of LMDB's, and one sync.
    await Promise.all(settling)
  }

  async #settleOne(
    run: TaskRun,
    offset: number | undefined,
    leaderEpoch: number | undefined,
  ): Promise<void> {
    // Given up meanwhile: its state is with whoever has it now.
    if (run.is('gone')) return
    try {
      await run.settle(offset, this.#parts.clock.now(), leaderEpoch)
    } catch (error) {
      this.#parts.failed(error as Error)
    }
  }
}

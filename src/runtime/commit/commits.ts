import { KafkaError } from '../../client/index.ts'
import { isMillraceError } from '../../errors.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock, Timer } from '../../platform/index.ts'
import { metadataCharactersMax } from '../ledger/commit-metadata.ts'
import type { CommitCall, CommitStrategy, PartitionCommit } from './commit-strategy.ts'

/** A partition whose progress is committed. */
export interface CommittedPartition {
  /** Whether there is something that no acknowledged commit contains. */
  readonly isDirty: boolean
  /**
   * What is to be committed now, with at most so many characters beside the offset, and whom to tell when the broker has
   * acknowledged exactly this.
   */
  takeCommit(charactersMax: number): TakenCommit
}

export interface TakenCommit {
  readonly commit: PartitionCommit
  readonly acknowledged: () => void
}

export interface CommitOptions {
  /** Commits at the latest so long after something has ended. */
  readonly intervalMs: number
  /** Commits at once when so many records have ended. */
  readonly countMax: number
}

interface Waiter {
  readonly partition: CommittedPartition
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

const retryMs = 200
const retryMsMax = 5_000

/**
 * Commits the progress of partitions: after a time, after a number of ended records, and when somebody waits for it. One
 * commit is on its way at a time; what changes meanwhile goes with the next, so that any number of waiters costs one
 * request. A commit that fails is made again, with what has come since.
 *
 * What is removed is not committed any more, and whoever waits for it is told so.
 */
export class Commits {
  readonly #clock: Clock
  readonly #log: Log
  readonly #strategy: CommitStrategy
  readonly #options: CommitOptions
  readonly #partitions = new Set<CommittedPartition>()
  #waiters: Waiter[] = []
  #endedCount = 0
  #timer: Timer | undefined
  #timerAtMs = Infinity
  #round: Promise<void> | undefined
  #failures = 0
  #notBeforeMs = 0
  #isClosed = false
  /** How much the broker lets stand beside an offset. */
  #charactersMax = metadataCharactersMax

  constructor(parts: { clock: Clock; log: Log; strategy: CommitStrategy; options: CommitOptions }) {
    this.#clock = parts.clock
    this.#log = parts.log
    this.#strategy = parts.strategy
    this.#options = parts.options
  }

  add(partition: CommittedPartition): void {
    this.#partitions.add(partition)
  }

  remove(partition: CommittedPartition): void {
    this.#partitions.delete(partition)
    this.#reject(
      ({ partition: waited }) => waited === partition,
      new Error('the partition was given up'),
    )
  }

  /** Something has changed, and so many records have ended: it is committed soon. */
  changed(count: number): void {
    const { countMax, intervalMs } = this.#options
    const isFirstBeyond = this.#endedCount < countMax && this.#endedCount + count >= countMax
    this.#endedCount += count
    // Those behind it need not ask the clock: it has been seen to.
    if (isFirstBeyond) this.#wake(0)
    else if (this.#timer === undefined && this.#round === undefined) this.#wake(intervalMs)
  }

  /** Resolves when what the partition has now is committed; rejects when it will not be. */
  acknowledged(partition: CommittedPartition): Promise<void> {
    if (!partition.isDirty) return Promise.resolve()
    if (this.#isClosed || !this.#partitions.has(partition)) {
      return Promise.reject(new Error('the partition was given up'))
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ partition, resolve, reject })
      this.#wake(0)
    })
  }

  /**
   * Commits what these partitions have now, once, behind the commit that is on its way. Rejects when that fails, or
   * the signal aborts first.
   */
  release(partitions: readonly CommittedPartition[], signal: AbortSignal): Promise<void> {
    return this.#behind(signal, async () => {
      const ours = partitions.filter((each) => this.#partitions.has(each))
      if (ours.length > 0) await this.#commit(ours, signal)
    })
  }

  /** Makes a commit of nobody's progress, behind the one that is on its way: where a group begins, or a seek goes on. */
  place(commits: readonly PartitionCommit[], call: CommitCall): Promise<void> {
    return this.#behind(call.signal, async () => {
      await this.#strategy.commit(commits, call)
    })
  }

  async close(options: { readonly timeoutMs: number }): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#reject(() => true, new Error('the consumer was closed'))
    await this.#strategy.close?.(options)
  }

  /** A waiter, or many ended records, make the timer of the interval too late. */
  #wake(delayMs: number): void {
    if (this.#isClosed || this.#round !== undefined) return
    const nowMs = this.#clock.elapsedMs()
    // However much waits: what fails is not asked for without a pause.
    const atMs = Math.max(nowMs + delayMs, this.#notBeforeMs)
    if (this.#timer !== undefined && this.#timerAtMs <= atMs) return
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    const begin = () => {
      this.#timer = undefined
      this.#timerAtMs = Infinity
      if (this.#round === undefined) this.#begin()
    }
    if (atMs > nowMs) {
      this.#timer = this.#clock.setTimer(atMs - nowMs, begin)
      return
    }
    // What fails or ends in the same turn of the event loop goes together.
    let isCancelled = false
    this.#timer = { cancel: () => (isCancelled = true) }
    this.#clock.defer(() => {
      if (!isCancelled) begin()
    })
  }

  #begin(): void {
    if (this.#isClosed) return
    this.#endedCount = 0
    const dirty = [...this.#partitions].filter(({ isDirty }) => isDirty)
    if (dirty.length === 0) return
    this.#round = this.#commit(dirty, undefined)
      .then(
        () => {
          this.#failures = 0
        },
        (error: unknown) => this.#failed(error as Error),
      )
      .finally(() => {
        this.#round = undefined
        this.#continue()
      })
  }

  /**
   * Resolves when it is known what became of the commits that were made before: offsets that are read after that are not
   * overtaken by one of them.
   */
  async decided(): Promise<void> {
    await this.#strategy.settled?.()
  }

  /** Resolves when no commit is on its way. */
  async settled(): Promise<void> {
    while (this.#round !== undefined) await this.#round
  }

  async #behind(signal: AbortSignal | undefined, commit: () => Promise<void>): Promise<void> {
    while (this.#round !== undefined) {
      await (signal === undefined ? this.#round : Promise.race([this.#round, aborted(signal)]))
    }
    const made = commit()
    this.#round = made
      .catch(() => undefined)
      .finally(() => {
        this.#round = undefined
        this.#continue()
      })
    await made
  }

  #continue(): void {
    const pauseMs = this.#failures === 0 ? 0 : Math.min(retryMs * 2 ** this.#failures, retryMsMax)
    this.#notBeforeMs = this.#clock.elapsedMs() + pauseMs
    const isDirty = [...this.#partitions].some((each) => each.isDirty)
    if (this.#waiters.length > 0 || this.#endedCount >= this.#options.countMax) this.#wake(pauseMs)
    else if (isDirty) this.#wake(Math.max(pauseMs, this.#options.intervalMs))
  }

  async #commit(
    partitions: readonly CommittedPartition[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const taken = partitions.map((partition) => ({
      partition,
      ...partition.takeCommit(this.#charactersMax),
    }))
    // Whoever asks from here on means what this commit does not contain.
    const asked = new Set(this.#waiters)
    const commits = taken.map(({ commit }) => commit)
    try {
      await this.#strategy.commit(commits, signal === undefined ? {} : { signal })
    } catch (error) {
      if (!this.#isTooLarge(error)) throw error
      await this.#commit(partitions, signal)
      return
    }
    const committed = new Set<CommittedPartition>()
    for (const { partition, acknowledged } of taken) {
      if (!this.#partitions.has(partition)) continue
      acknowledged()
      committed.add(partition)
    }
    const answered = this.#waiters.filter(
      (waiter) =>
        committed.has(waiter.partition) && (asked.has(waiter) || !waiter.partition.isDirty),
    )
    this.#waiters = this.#waiters.filter((waiter) => !answered.includes(waiter))
    for (const { resolve } of answered) resolve()
  }

  /** Whether the broker lets less stand beside an offset than we thought: half of it may do. */
  #isTooLarge(error: unknown): boolean {
    const isRefused = error instanceof KafkaError && error.kafkaName === 'OFFSET_METADATA_TOO_LARGE'
    if (!isRefused || this.#charactersMax === 0) return false
    this.#charactersMax = Math.floor(this.#charactersMax / 2)
    const what =
      'the broker refuses what stands beside offsets as too large (offset.metadata.max.bytes): partitions work on fewer records at a time'
    this.#log('warn', what, { charactersMax: this.#charactersMax })
    return true
  }

  #failed(error: Error): void {
    this.#failures++
    if (this.#isClosed) return
    // A rebalance has taken partitions: the callbacks tell which, and the others are committed again.
    const isExpected = isMillraceError(error, 'MILLRACE_CLIENT_NOT_OWNED')
    this.#log(isExpected ? 'debug' : 'warn', 'commit failed, it is made again', {
      error: error.message,
    })
  }

  #reject(isConcerned: (waiter: Waiter) => boolean, error: Error): void {
    const concerned = this.#waiters.filter(isConcerned)
    this.#waiters = this.#waiters.filter((waiter) => !concerned.includes(waiter))
    for (const { reject } of concerned) reject(error)
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

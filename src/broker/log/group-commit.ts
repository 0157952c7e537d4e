import type { Clock } from '../../platform/index.ts'

/** How many files are synced at the same time: as many as Node has threads for it. */
const syncsMax = 4

interface Member {
  sync(): Promise<void>
}

/**
 * Lets one sync serve all appends that wait for it. A log that has something to sync queues once;
 * what is appended until its turn comes is synced with it. Turns start after the input that is
 * already waiting was handled, so that requests of many clients share a sync.
 */
export class GroupCommit {
  readonly #clock: Pick<Clock, 'defer'>
  readonly #queue = new Set<Member>()
  #running = 0
  #deferred = false

  constructor(clock: Pick<Clock, 'defer'>) {
    this.#clock = clock
  }

  enqueue(member: Member): void {
    this.#queue.add(member)
    if (this.#deferred) return
    this.#deferred = true
    this.#clock.defer(() => {
      this.#deferred = false
      this.#startSome()
    })
  }

  #startSome(): void {
    for (const member of this.#queue) {
      if (this.#running === syncsMax) return
      this.#queue.delete(member)
      this.#running += 1
      void member.sync().finally(() => {
        this.#running -= 1
        this.#startSome()
      })
    }
  }
}

/** One sync and those who wait for it. */
class Round {
  readonly promise: Promise<void>
  resolve: () => void = () => undefined
  reject: (error: unknown) => void = () => undefined
  /** Where the log ended when the sync began. */
  endOffset = 0

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // Nobody has to wait: a produce request with acks=1 does not.
    this.promise.catch(() => undefined)
  }
}

/** What a commit needs of its log. */
export interface CommittedLog {
  readonly logEndOffset: number
  sync(): Promise<void>
  /** Everything below `endOffset` survives a power failure. */
  synced(endOffset: number): void
  /** What was written since the last sync may be lost. */
  syncFailed(error: unknown): void
}

/**
 * The syncs of one log, one after the other.
 *
 * States: idle → queued (an append waits) → syncing → idle, or queued again if something was
 * appended meanwhile; from syncing also → failed, for good: after a failed sync the page cache no
 * longer says what is on the disk.
 */
export class LogCommit implements Member {
  readonly #group: GroupCommit
  readonly #log: CommittedLog
  #waiting: Round | undefined
  #syncing: Round | undefined
  #failure: unknown

  constructor(group: GroupCommit, log: CommittedLog) {
    this.#group = group
    this.#log = log
  }

  /** Resolves once everything below `endOffset`, which must be in the log, is synced. */
  wait(endOffset: number): Promise<void> {
    if (this.#syncing !== undefined && endOffset <= this.#syncing.endOffset) {
      return this.#syncing.promise
    }
    if (this.#waiting !== undefined) return this.#waiting.promise
    const round = new Round()
    if (this.#failure !== undefined) {
      round.reject(this.#failure)
      return round.promise
    }
    this.#waiting = round
    if (this.#syncing === undefined) this.#group.enqueue(this)
    return round.promise
  }

  async sync(): Promise<void> {
    const round = this.#waiting
    if (round === undefined) return
    this.#waiting = undefined
    this.#syncing = round
    round.endOffset = this.#log.logEndOffset
    try {
      await this.#log.sync()
      this.#syncing = undefined
      this.#log.synced(round.endOffset)
      round.resolve()
    } catch (error) {
      this.#syncing = undefined
      this.#fail(error, round)
    }
    this.#queueAgain()
  }

  /** For what was appended during the sync. */
  #queueAgain(): void {
    if (this.#waiting !== undefined) this.#group.enqueue(this)
  }

  #fail(error: unknown, round: Round): void {
    this.#failure = error
    this.#log.syncFailed(error)
    round.reject(error)
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}

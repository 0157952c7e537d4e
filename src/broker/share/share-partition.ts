import type { Clock, Timer } from '../../platform/index.ts'
import { Lane } from '../group/lane.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { endOffset, nextExpiryMs, releaseExpired } from './share-state.ts'
import type { ShareState } from './share-state.ts'
import { storedAlike } from './stored-state.ts'

/** What one turn makes of a share partition. */
export interface Turn<T> {
  readonly answer: T
  /** The state from now on; absent: as it is. */
  readonly state?: ShareState
  /** Whether the state changes though it cannot be written: what is lost then is a count. */
  readonly evenUnwritten?: boolean
}

interface SharePartitionOptions {
  readonly state: ShareState
  readonly clock: Pick<Clock, 'elapsedMs' | 'setTimer'>
  readonly deliveriesMax: () => number
  /** Makes a state durable. */
  readonly write: (state: ShareState) => Promise<Refusal | undefined>
}

/**
 * A share partition while its leader serves it. What is asked of it is done one after the other:
 * decide, write what must outlive the process, and when that is durable, change and answer.
 *
 * - *open*: from the time its state was read.
 * - *closed*: another leader serves the partition, its state has moved or was changed from outside.
 *   Whoever asks is told NOT_LEADER_OR_FOLLOWER, and who asks again gets a new one.
 */
export class SharePartition {
  readonly #options: SharePartitionOptions
  readonly #lane = new Lane(() => undefined)
  readonly #listeners = new Set<() => void>()
  #state: ShareState
  #timer: Timer | undefined
  #closed = false

  constructor(options: SharePartitionOptions) {
    this.#options = options
    this.#state = options.state
  }

  get state(): ShareState {
    return this.#state
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Does something with the state after everything that was asked before. */
  turn<T>(decide: (state: ShareState) => Turn<T>): Promise<T | Refusal> {
    return new Promise((resolve, reject) => {
      this.#lane.add(false, () => {
        try {
          return this.#perform(decide, resolve, reject)
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
          return undefined
        }
      })
    })
  }

  /** Calls `listener` when there may be more to acquire than before. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#timer?.cancel()
    this.#tell()
  }

  #perform<T>(
    decide: (state: ShareState) => Turn<T>,
    resolve: (answer: T | Refusal) => void,
    reject: (error: unknown) => void,
  ): Promise<void> | undefined {
    if (this.#closed) {
      resolve(gone)
      return undefined
    }
    const turn = decide(this.#state)
    const next = turn.state ?? this.#state
    if (storedAlike(this.#state, next)) {
      this.#change(next)
      resolve(turn.answer)
      return undefined
    }
    return this.#options
      .write(next)
      .then((refusal) => {
        if (this.#closed) {
          resolve(gone)
        } else if (isRefusal(refusal) && turn.evenUnwritten !== true) {
          resolve(refusal)
        } else {
          this.#change(next)
          resolve(turn.answer)
        }
      })
      .catch(reject)
  }

  #change(next: ShareState): void {
    const before = this.#state
    if (next === before) return
    this.#state = next
    this.#waitForExpiry()
    if (mayGiveMore(before, next)) this.#tell()
  }

  #waitForExpiry(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const atMs = nextExpiryMs(this.#state)
    if (atMs === undefined || this.#closed) return
    const { clock } = this.#options
    this.#timer = clock.setTimer(Math.max(0, atMs - clock.elapsedMs()), () => {
      const release = (state: ShareState): Turn<undefined> => ({
        answer: undefined,
        state: releaseExpired(state, clock.elapsedMs(), this.#options.deliveriesMax()),
        evenUnwritten: true,
      })
      // A timer that was a moment early is set again.
      void this.turn(release).then(() => this.#waitForExpiry())
    })
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

/** Records were given back, or there is room again. */
function mayGiveMore(before: ShareState, next: ShareState): boolean {
  if (next.startOffset > before.startOffset || endOffset(next) < endOffset(before)) return true
  return next.runs.some(({ delivery }) => delivery === 'available')
}

const gone = refuse('NOT_LEADER_OR_FOLLOWER', 'the share partition is served by another leader')

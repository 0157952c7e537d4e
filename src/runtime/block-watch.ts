import type { Log } from '../observe/index.ts'
import type { Clock, Timer } from '../platform/index.ts'
import type { Delivery } from './delivery.ts'

export interface BlockWatchParts {
  readonly clock: Clock
  readonly log: Log
  /** A thread that is kept for so long is named: half of what a member of the group may be silent. */
  readonly longestMs: number
}

/** How often it is looked, as a share of the longest time: a block is seen from its first quarter on. */
const looks = 4

/**
 * Notices that the thread is kept by something that does not let go of it: then timers come late, and heartbeats with
 * them. A handler that computes for long is the usual reason, so the record that was begun last is named.
 */
export class BlockWatch {
  readonly #parts: BlockWatchParts
  readonly #everyMs: number
  #timer: Timer | undefined
  #dueMs = 0
  /** The record whose handler was called last. */
  called: Delivery | undefined

  constructor(parts: BlockWatchParts) {
    this.#parts = parts
    this.#everyMs = parts.longestMs / looks
    this.#arm()
  }

  /** For how long the thread has been kept; 0 when it was not. */
  get blockedMs(): number {
    const lateMs = this.#parts.clock.elapsedMs() - this.#dueMs
    return lateMs >= this.#parts.longestMs ? lateMs : 0
  }

  end(): void {
    this.#timer?.cancel()
  }

  #arm(): void {
    const { clock } = this.#parts
    this.#dueMs = clock.elapsedMs() + this.#everyMs
    this.#timer = clock.setTimer(this.#everyMs, () => {
      this.#look()
      this.#arm()
    })
  }

  #look(): void {
    const { log, longestMs } = this.#parts
    const { blockedMs, called } = this
    if (blockedMs === 0) return
    const what =
      'the thread was blocked, and no heartbeat could leave: a handler must not compute for so long'
    log('warn', what, {
      blockedMs: Math.round(blockedMs),
      longestMs,
      ...(called !== undefined && {
        topic: called.topic,
        partition: called.partition,
        offset: called.offset,
      }),
    })
  }
}

import type { Delivery } from '../delivery.ts'
import { Queue } from './queue.ts'

/**
 * The records of one key of a partition, one after another.
 *
 * - **ready**: its first record may run when it is this lane's turn.
 * - **busy**: `current` runs, waits for its next attempt, or is being dead-lettered; the others wait behind it.
 * - **over**: nothing is left; the table forgets it.
 */
export class Lane {
  /** The key's bytes as a string of their values; undefined for a record without order, alone in its lane. */
  readonly key: string | undefined
  /** What has run and has not ended. */
  current: Delivery | undefined
  #waiting: Queue<Delivery> | undefined

  constructor(key: string | undefined) {
    this.key = key
  }

  get waitingCount(): number {
    return this.#waiting?.size ?? 0
  }

  /** The first of those that wait. */
  get first(): Delivery | undefined {
    return this.#waiting?.first
  }

  push(delivery: Delivery): void {
    this.#waiting ??= new Queue()
    this.#waiting.push(delivery)
  }

  shift(): Delivery | undefined {
    return this.#waiting?.shift()
  }
}

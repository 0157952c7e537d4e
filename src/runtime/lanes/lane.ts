import type { Batch } from '../batch/batch.ts'
import type { Delivery } from '../delivery.ts'
import { Queue } from './queue.ts'

const nothing: readonly Delivery[] = []

/**
 * The records of one key of a partition, one after another.
 *
 * - **ready**: its first record may run when it is this lane's turn.
 * - **busy**: `current` runs, waits for its next attempt, or is being dead-lettered; the others wait behind it.
 * - **shared**: records of it are in a batch. While that is filled the next one may run, as far as into the same batch;
 *   from when the batch runs the others wait. What did not end in the batch comes `back`, and runs before those others.
 * - **held**: a handler of an earlier assignment of the partition still works on its key; all wait.
 * - **over**: nothing is left, until another record of its key comes, or the table forgets it.
 */
export class Lane {
  /** The key's bytes as a string of their values; undefined for a record without order, alone in its lane. */
  readonly key: string | undefined
  /** What has run and has not ended, and is in no batch. */
  current: Delivery | undefined
  /** How many handlers of earlier assignments still work on its key. */
  holds = 0
  /** Whether it stands in the line of those that are ready. */
  isInLine = false
  #batch: Batch | undefined
  #joinedCount = 0
  #back: Delivery[] | undefined
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

  /** The batch that records of it are in. */
  get batch(): Batch | undefined {
    return this.#batch
  }

  /** Whether a batch decides what becomes of its records: what comes after them begins anew when that is known. */
  get isShared(): boolean {
    return this.#joinedCount > 0 || this.#back !== undefined
  }

  /** Whether its current record may be put into this batch. */
  mayJoin(batch: Batch): boolean {
    return !this.isShared || (this.#back === undefined && this.#batch === batch)
  }

  /** Whether the first of those that wait may run. */
  get isFree(): boolean {
    if (this.current !== undefined || this.holds > 0 || this.#back !== undefined) return false
    return this.#joinedCount === 0 || this.#batch?.isFilling === true
  }

  get isOver(): boolean {
    return this.isFree && this.#joinedCount === 0 && this.waitingCount === 0
  }

  push(delivery: Delivery): void {
    this.#waiting ??= new Queue()
    this.#waiting.push(delivery)
  }

  shift(): Delivery | undefined {
    return this.#waiting?.shift()
  }

  /** The current record is in a batch. */
  join(batch: Batch): void {
    this.current = undefined
    this.#batch = batch
    this.#joinedCount++
  }

  /** The record has ended, or does not run for now. */
  leave(delivery: Delivery): void {
    if (this.current === delivery) this.current = undefined
    else if (--this.#joinedCount === 0) this.#batch = undefined
  }

  /** The record runs again, before all that come after it, when nothing of the lane runs. */
  giveBack(delivery: Delivery): void {
    this.leave(delivery)
    this.#back ??= []
    this.#back.push(delivery)
  }

  /** Puts what came back before those that wait, if nothing of the lane runs any more; answers what it was. */
  takeBack(): readonly Delivery[] {
    const back = this.#back
    if (back === undefined || this.current !== undefined || this.#joinedCount > 0) return nothing
    this.#back = undefined
    back.sort((one, other) => one.offset - other.offset)
    this.#waiting ??= new Queue()
    this.#waiting.unshift(back)
    return back
  }
}

import type { Delivery } from './delivery.ts'
import type { Alone } from './lanes/alone.ts'
import type { Lane } from './lanes/lane.ts'
import type { OwnerMark } from './ledger/owner-mark.ts'

/** A partition one of whose records may kill the process. */
export interface SuspectPartition {
  readonly mark: OwnerMark
  readonly leaving: AbortSignal
  /** The record that is next of those below `end`; `first` goes before all others. */
  takeNext(end: number, first: number | undefined): { lane: Lane; delivery: Delivery } | undefined
  /** It is not run now; it may be next again. */
  putBack(lane: Lane): void
  runAttempt(lane: Lane, delivery: Delivery): void
  /** Puts the record into the poison topic without running it. Answers whether it has ended there. */
  condemn(lane: Lane, delivery: Delivery): Promise<boolean>
  acknowledged(): Promise<void>
  /** What may have killed the process is behind the frontier. */
  becameNormal(): void
}

/**
 * Runs the records of a suspect partition one at a time, with nothing else in the process beside them: before each it is
 * committed that it starts, so that whoever comes after a death knows what was running. A record that three processes in a
 * row did not survive is not run any more.
 *
 * - **waiting** for a record that may run → **entering** (everything else comes to its end; the start is committed) →
 *   **running** → waiting. When what was suspect has ended it is **over**.
 */
export class SuspectRun {
  readonly #partition: SuspectPartition
  readonly #alone: Alone
  #isBusy = false
  #settled: (() => void) | undefined
  #running: Delivery | undefined

  constructor(partition: SuspectPartition, alone: Alone) {
    this.#partition = partition
    this.#alone = alone
  }

  /** Something may be ready. */
  wake(): void {
    if (!this.#isBusy) void this.#next()
  }

  /** An attempt has come to its end, in whatever way. */
  attemptEnded(delivery: Delivery): void {
    this.#partition.mark.settle(delivery.offset)
    if (this.#running !== delivery) return
    this.#running = undefined
    this.#settled?.()
  }

  async #next(): Promise<void> {
    this.#isBusy = true
    try {
      while (this.#partition.mark.mode === 'suspect' && !this.#isLeaving()) {
        const { mark } = this.#partition
        const next = this.#partition.takeNext(mark.suspectEnd, mark.accused?.offset)
        if (next === undefined) break
        if (next.delivery.offset === mark.condemned) {
          if (!(await this.#partition.condemn(next.lane, next.delivery))) break
          mark.settle(next.delivery.offset)
          await this.#partition.acknowledged()
        } else {
          if (!(await this.#runAlone(next.lane, next.delivery))) {
            this.#partition.putBack(next.lane)
            break
          }
        }
      }
    } catch {
      // The partition was given up meanwhile: its next owner goes on from what was committed.
    } finally {
      this.#isBusy = false
    }
    if (this.#partition.mark.mode === 'normal') this.#partition.becameNormal()
  }

  #isLeaving(): boolean {
    return this.#partition.leaving.aborted
  }

  /** Answers whether it has run. */
  async #runAlone(lane: Lane, delivery: Delivery): Promise<boolean> {
    const { mark } = this.#partition
    const leave = await this.#alone.enter()
    try {
      if (this.#isLeaving() || !mark.start(delivery.offset)) return false
      await this.#partition.acknowledged()
      if (this.#isLeaving() || !mark.mayRun(delivery.offset)) return false
      this.#running = delivery
      const settled = new Promise<void>((resolve) => (this.#settled = resolve))
      this.#partition.runAttempt(lane, delivery)
      await settled
      // Until a commit says that it has ended, a death would be laid at its door.
      if (mark.isAlone) await this.#partition.acknowledged()
      return true
    } finally {
      leave()
    }
  }
}

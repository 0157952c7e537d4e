import type { Log } from '../../observe/index.ts'
import type { Clock, Timer } from '../../platform/index.ts'
import type { Delivery } from '../delivery.ts'
import type { OutageGuard, ProbeSource } from '../failure/outage-guard.ts'
import { Queue } from '../lanes/queue.ts'
import type { TurnTaker, Turns } from '../lanes/turns.ts'
import type { Outcome } from '../outcome.ts'
import { Batch } from './batch.ts'
import { Marks } from './marks.ts'

/** When a batch is run. */
export interface BatchWindow {
  /** With so many records. */
  readonly recordsMax: number
  /** So long after its first record, at the latest. */
  readonly windowMs: number
}

/** A batch as it is run. */
export interface BatchCall {
  readonly deliveries: readonly Delivery[]
  readonly marks: Marks
  readonly signal: AbortSignal
}

export interface BatcherParts extends BatchWindow {
  readonly clock: Clock
  readonly log: Log
  readonly turns: Turns
  readonly guard: OutageGuard
  /** What runs one after another: deliveries with the same key. */
  readonly orderKeyOf: (delivery: Delivery) => string | undefined
  readonly run: (call: BatchCall) => unknown
}

/** Records of its key before it are in another batch: it begins anew when it is known what became of them. */
export const behindBatch: Outcome = { postponedMs: 0 }

/**
 * Collects records, and runs them together. A batch that runs takes one slot, however many records are in it; while it is
 * filled it takes none.
 */
export class Batcher implements TurnTaker, ProbeSource {
  readonly #parts: BatcherParts
  #filling: Batch | undefined
  #timer: Timer | undefined
  /** Those that wait for their turn. */
  readonly #due = new Queue<Batch>()

  constructor(parts: BatcherParts) {
    this.#parts = parts
    parts.guard.addSource(this)
  }

  /** While an outage lasts a batch that waits for its turn is tried as single records are. */
  probe(): boolean {
    const batch = this.#due.shift()
    if (batch === undefined) return false
    void this.#run(batch)
    return true
  }

  get hasReady(): boolean {
    return this.#due.size > 0
  }

  runNext(): boolean {
    const batch = this.#due.shift()
    if (batch !== undefined) void this.#run(batch)
    return this.hasReady
  }

  /** The end of a record's way: it is in a batch until that has come to its end. */
  readonly way = (delivery: Delivery): Outcome | Promise<Outcome> => {
    const { lane } = delivery
    if (delivery.isAlone) return lane?.isShared === true ? behindBatch : this.#runAlone(delivery)
    const batch = this.#filling ?? this.#open()
    if (lane?.mayJoin(batch) === false) return behindBatch
    const outcome = batch.enter(delivery)
    if (batch.size >= this.#parts.recordsMax) this.#close()
    return outcome
  }

  #open(): Batch {
    const { clock, windowMs } = this.#parts
    const batch = new Batch(() => {
      if (this.#filling === batch) this.#close()
    })
    this.#filling = batch
    this.#timer = clock.setTimer(windowMs, () => this.#close())
    return batch
  }

  /** What was filled runs when it is its turn. */
  #close(): void {
    const batch = this.#filling
    if (batch === undefined) return
    this.#filling = undefined
    this.#timer?.cancel()
    batch.close()
    if (batch.size === 0) return
    this.#due.push(batch)
    this.#parts.turns.offer(this)
  }

  async #run(batch: Batch): Promise<void> {
    const { turns, run, orderKeyOf } = this.#parts
    turns.take()
    await batch.begin()
    const { deliveries } = batch
    const marks = new Marks(deliveries, orderKeyOf)
    let failure: { readonly error: unknown } | undefined
    try {
      if (deliveries.length > 0) await run({ deliveries, marks, signal: batch.signal })
    } catch (error) {
      failure = { error }
      this.#tell(error, deliveries)
    }
    const verdicts = marks.verdicts(failure === undefined && !batch.signal.aborted)
    const [only] = deliveries
    // Of a record that was in it by itself it is known who failed.
    if (deliveries.length === 1 && only !== undefined && verdicts.get(only) === 'again') {
      batch.settle(failure === undefined ? verdicts : new Map([[only, failure]]), undefined)
    } else batch.settle(verdicts, failure?.error)
    // Nobody else says that a batch which all its records have left was tried.
    if (deliveries.length === 0) this.#parts.guard.probeEnded()
    turns.release()
  }

  /** A record by itself: what its handler throws is the record's own failure. */
  async #runAlone(delivery: Delivery): Promise<Outcome> {
    const deliveries = [delivery]
    const marks = new Marks(deliveries, this.#parts.orderKeyOf)
    await this.#parts.run({ deliveries, marks, signal: delivery.signal })
    const verdict = marks.verdicts(true).get(delivery)
    if (typeof verdict === 'object') throw verdict.error
    return undefined
  }

  #tell(error: unknown, deliveries: readonly Delivery[]): void {
    if (deliveries.length < 2) return
    const what = 'a batch failed: what it has not marked as done runs again, one record at a time'
    this.#parts.log('warn', what, {
      records: deliveries.length,
      first: String(deliveries[0]),
      error: error instanceof Error ? error.message : String(error),
    })
  }
}

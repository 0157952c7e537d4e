import type { Delivery } from '../delivery.ts'
import { Queue } from '../lanes/queue.ts'

/** What is to become of a record of a batch. */
export type Verdict = 'done' | 'again' | { readonly error: unknown }

/**
 * What a batch handler has said of single records, and what follows for those of which it said nothing.
 *
 * The records of a key end in their order: none can be marked before an earlier one of its key, and what comes after one
 * that failed runs again, whatever was said of it.
 */
export class Marks {
  readonly #deliveries: readonly Delivery[]
  readonly #marks = new Map<Delivery, Verdict>()
  /** Made when the first record is marked: most handlers mark none. */
  #queues: Map<Delivery, Queue<Delivery>> | undefined
  readonly #orderKeyOf: (delivery: Delivery) => string | undefined

  constructor(
    deliveries: readonly Delivery[],
    orderKeyOf: (delivery: Delivery) => string | undefined,
  ) {
    this.#deliveries = deliveries
    this.#orderKeyOf = orderKeyOf
  }

  done(delivery: Delivery): void {
    this.#mark(delivery, 'done')
  }

  fail(delivery: Delivery, error: unknown): void {
    this.#mark(delivery, { error })
  }

  /** What becomes of each record, in their order; `isWhole` when the handler has come to its end without an error. */
  verdicts(isWhole: boolean): ReadonlyMap<Delivery, Verdict> {
    const failedKeys = new Set<string>()
    const verdicts = new Map<Delivery, Verdict>()
    for (const delivery of this.#deliveries) {
      const key = this.#orderKeyOf(delivery)
      const isBehind = key !== undefined && failedKeys.has(key)
      const said = isBehind ? 'again' : this.#marks.get(delivery)
      const verdict = said ?? (isWhole ? 'done' : 'again')
      if (verdict !== 'done' && key !== undefined) failedKeys.add(key)
      verdicts.set(delivery, verdict)
    }
    return verdicts
  }

  #mark(delivery: Delivery, verdict: Verdict): void {
    const first = this.#marks.has(delivery) ? delivery : this.#firstUnmarkedBeside(delivery)
    if (first !== delivery) {
      throw new Error(
        `${delivery.toString()} is marked before ${first.toString()} of the same key: records of a key end in their order`,
      )
    }
    this.#marks.set(delivery, verdict)
  }

  /** Of the records of its key. */
  #firstUnmarkedBeside(delivery: Delivery): Delivery {
    const queue = (this.#queues ??= this.#queuesByKey()).get(delivery)
    if (queue === undefined) return delivery
    while (queue.first !== undefined && this.#marks.has(queue.first)) queue.shift()
    return queue.first ?? delivery
  }

  /** For each record that has a key the records of that key, which it shares with them. */
  #queuesByKey(): Map<Delivery, Queue<Delivery>> {
    const byKey = new Map<string, Queue<Delivery>>()
    const queues = new Map<Delivery, Queue<Delivery>>()
    for (const delivery of this.#deliveries) {
      const key = this.#orderKeyOf(delivery)
      if (key === undefined) continue
      const queue = byKey.get(key) ?? new Queue<Delivery>()
      byKey.set(key, queue)
      queue.push(delivery)
      queues.set(delivery, queue)
    }
    return queues
  }
}

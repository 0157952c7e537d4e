import type { Delivery } from '../delivery.ts'

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
    const key = this.#orderKeyOf(delivery)
    if (key !== undefined) {
      for (const other of this.#deliveries) {
        if (other === delivery) break
        if (this.#orderKeyOf(other) !== key || this.#marks.has(other)) continue
        throw new Error(
          `${delivery.toString()} is marked before ${other.toString()} of the same key: records of a key end in their order`,
        )
      }
    }
    this.#marks.set(delivery, verdict)
  }
}

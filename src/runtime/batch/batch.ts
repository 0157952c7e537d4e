import type { Delivery } from '../delivery.ts'
import type { Outcome } from '../outcome.ts'
import type { Verdict } from './marks.ts'

/** The record was in a batch that failed, and it may not be the one to blame: it runs again, by itself. */
export class BatchFailedError extends Error {
  override readonly name: string = 'BatchFailedError'

  constructor(delivery: Delivery, cause: unknown) {
    super(`the batch of ${delivery.toString()} failed`, { cause })
  }
}

/** A record's place in a batch. */
interface Place {
  readonly begin: () => void
  /** Settles when the record counts as begun, or its partition was given up before. */
  readonly begun: Promise<unknown>
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

/**
 * Records that one call of a handler works on.
 *
 * **filling** → **waiting** for its turn (it is full, or its time is over) → **running** → **settled**. A record whose
 * partition is given up before it runs leaves it.
 */
export class Batch {
  readonly #places = new Map<Delivery, Place>()
  #isFilling = true
  #controller: AbortController | undefined
  #abortReason: Error | undefined
  readonly #emptied: () => void

  /** `emptied` is called when its last record has left it. */
  constructor(emptied: () => void) {
    this.#emptied = emptied
  }

  get isFilling(): boolean {
    return this.#isFilling
  }

  get size(): number {
    return this.#places.size
  }

  get deliveries(): readonly Delivery[] {
    return [...this.#places.keys()]
  }

  /** Aborts when the time of one of its records is over, or its partition is given up and waits no longer. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason)
    }
    return this.#controller.signal
  }

  abort(reason: Error): void {
    this.#abortReason ??= reason
    this.#controller?.abort(reason)
  }

  /** Takes a record in; answers what becomes of it. */
  enter(delivery: Delivery): Promise<Outcome> {
    let begin: () => void = () => undefined
    const begun = delivery.beforeStart(
      (signal) =>
        new Promise<void>((resolve, reject) => {
          begin = resolve
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
        }),
    )
    const settled = new Promise<Outcome>((resolve, reject) => {
      this.#places.set(delivery, { begin: () => begin(), begun, resolve, reject })
    })
    delivery.join(this)
    return begun.then(
      () => settled,
      (error: unknown) => {
        this.#places.delete(delivery)
        if (this.#places.size === 0) this.#emptied()
        throw error
      },
    )
  }

  /** Takes nothing more in. */
  close(): void {
    this.#isFilling = false
  }

  /** Resolves when its records count as begun. */
  async begin(): Promise<void> {
    const places = [...this.#places.values()]
    for (const { begin } of places) begin()
    await Promise.allSettled(places.map(({ begun }) => begun))
  }

  /** Says what becomes of its records. */
  settle(verdicts: ReadonlyMap<Delivery, Verdict>, error: unknown): void {
    for (const [delivery, { resolve, reject }] of this.#places) {
      const verdict = verdicts.get(delivery) ?? 'again'
      if (verdict === 'done') resolve(undefined)
      else if (verdict === 'again') reject(new BatchFailedError(delivery, error))
      else reject(verdict.error)
    }
  }
}

/** Whether a record's failure is its batch's, also where a step has put an error of its own around it. */
export function isBatchFailure(error: unknown): boolean {
  if (error instanceof BatchFailedError) return true
  return error instanceof Error && error.cause !== undefined && isBatchFailure(error.cause)
}

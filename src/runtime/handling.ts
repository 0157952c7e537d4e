import { Bag } from './bag.ts'
import type { Delivery } from './delivery.ts'

/** The records of a partition that are being handled: those whose handlers run, and those that failed and are dealt with. */
export class Handling {
  readonly #deliveries = new Bag<Delivery>()
  #idle: (() => void) | undefined

  get size(): number {
    return this.#deliveries.size
  }

  add(delivery: Delivery): void {
    this.#deliveries.add(delivery)
  }

  delete(delivery: Delivery): void {
    this.#deliveries.delete(delivery)
  }

  filter(isWanted: (delivery: Delivery) => boolean): readonly Delivery[] {
    return [...this.#deliveries].filter(isWanted)
  }

  /** Those that have not started do not start any more. */
  drop(reason: Error): void {
    for (const delivery of this.#deliveries) delivery.drop(reason)
  }

  /** Those that run are told to end. */
  abort(reason: Error): void {
    for (const delivery of this.#deliveries) delivery.abort(reason)
  }

  /** Resolves when there is none, or the signal aborts. */
  async untilIdle(signal: AbortSignal): Promise<void> {
    if (this.size === 0 || signal.aborted) return
    await new Promise<void>((resolve) => {
      this.#idle = resolve
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  /** What was to be done about one that has left is done. */
  mayBeIdle(): void {
    if (this.size === 0) this.#idle?.()
  }

  /** Nobody waits for the others any longer. */
  giveUp(): void {
    this.#idle?.()
  }
}

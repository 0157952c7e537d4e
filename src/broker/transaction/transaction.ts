import type { TransactionView } from './decision.ts'
import type { PartitionSet } from './partition-set.ts'
import type { TransactionMetadata } from './transaction-metadata.ts'

/**
 * A transactional id in memory: what is durable of it, and whether more is on its way.
 *
 *   settled ──begin──> changing ──settle──> settled
 *
 * It is `changing` from the moment a change is handed to the log until that change is durable; for
 * the end of a transaction, until its markers and the record after them are durable too. Meanwhile
 * every other change is refused with CONCURRENT_TRANSACTIONS, so changes never overtake each other.
 */
export class Transaction implements TransactionView {
  #metadata: TransactionMetadata
  #changing = false
  #waiting: (() => void)[] = []
  /** The partitions whose markers are still to be written; undefined while no transaction ends. */
  unmarked: PartitionSet | undefined

  constructor(metadata: TransactionMetadata) {
    this.#metadata = metadata
  }

  get metadata(): TransactionMetadata {
    return this.#metadata
  }

  get changing(): boolean {
    return this.#changing
  }

  begin(): void {
    if (this.#changing) {
      throw new Error(`transactional id '${this.#metadata.transactionalId}' is changing already`)
    }
    this.#changing = true
  }

  /** The outcome is durable; the transaction goes on changing until its markers are as well. */
  prepare(metadata: TransactionMetadata): void {
    this.#metadata = metadata
    this.unmarked = metadata.partitions
  }

  settle(metadata: TransactionMetadata): void {
    this.#metadata = metadata
    this.#changing = false
    this.unmarked = undefined
    this.release()
  }

  /** Resolves when nothing is on its way, or the coordinator has given the id up. */
  async settled(): Promise<void> {
    if (!this.#changing) return
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  release(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }
}

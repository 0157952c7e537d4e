import { estimatedBytes } from '../../client/index.ts'
import type { ProducerRecord } from '../../client/index.ts'
import type { Delivery } from '../delivery.ts'
import type { Ending } from '../outcome.ts'

/** Is told how many bytes wait to be written with commits. */
export interface StagedBytes {
  add(bytes: number): void
}

interface Waiting {
  readonly delivery: Delivery
  readonly bytes: number
}

/**
 * What records of a partition have ended that no commit says yet, and what is written together with the commit that does: in
 * the order in which they ended. A commit that fails leaves them here for the next one.
 */
export class PartitionOutputs {
  readonly #staged: StagedBytes
  #waiting: Waiting[] = []

  constructor(staged: StagedBytes) {
    this.#staged = staged
  }

  /** A record has ended. What was passed over leaves nothing. */
  add(delivery: Delivery, ending: Ending): void {
    delivery.seal()
    if (ending === 'skipped') delivery.replaceOutputs([])
    if (!delivery.needsCommit) return
    const bytes = delivery.outputs.reduce((sum, record) => sum + estimatedBytes(record), 0)
    this.#waiting.push({ delivery, bytes })
    this.#staged.add(bytes)
  }

  /** What goes with a commit made now; `committed` is called when the broker has acknowledged it. */
  take(): { readonly records: readonly ProducerRecord[]; readonly committed: () => void } {
    // More comes behind them while the commit is on its way.
    const count = this.#waiting.length
    return {
      records: this.#waiting.flatMap(({ delivery }) => delivery.outputs),
      committed: () => this.#settle(count, true),
    }
  }

  /** The partition was given up: nothing of it is written any more. */
  discard(): void {
    this.#settle(this.#waiting.length, false)
  }

  #settle(count: number, isCommitted: boolean): void {
    const settled = this.#waiting.slice(0, count)
    this.#waiting = this.#waiting.slice(count)
    let bytes = 0
    for (const each of settled) {
      bytes += each.bytes
      each.delivery.settle(isCommitted)
    }
    this.#staged.add(-bytes)
  }
}

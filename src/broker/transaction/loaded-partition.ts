import type { Clock, Timer } from '../../platform/index.ts'
import type { CoordinatorLog, StateRecord } from '../coordinator-log.ts'
import { readTransactionRecord } from './transaction-record.ts'
import { Transaction } from './transaction.ts'

/**
 * `unloaded`: the partition has another coordinator by now, which has read the record, or will.
 * `failed`: the log refused; whether the record is there is known after a restart only.
 */
export type AppendOutcome = 'durable' | 'failed' | 'unloaded'

/**
 * One partition of `__transaction_state` while this coordinator has it: active from the load until
 * `unload`, never again after. Whoever waited for something meanwhile looks at `active` before it
 * touches the state, because a later load made new state of the same log.
 */
export class LoadedPartition {
  readonly coordinatorEpoch: number
  readonly transactions = new Map<string, Transaction>()
  readonly #log: CoordinatorLog
  readonly #clock: Pick<Clock, 'setTimer'>
  readonly #appends = new Set<Promise<unknown>>()
  readonly #pauses = new Map<() => void, Timer>()
  #active = true

  constructor(log: CoordinatorLog, coordinatorEpoch: number, clock: Pick<Clock, 'setTimer'>) {
    this.#log = log
    this.coordinatorEpoch = coordinatorEpoch
    this.#clock = clock
  }

  get active(): boolean {
    return this.#active
  }

  replay(): void {
    this.#log.replay({
      record: (_offset, record) => {
        const stored = readTransactionRecord(record)
        if (stored === undefined) return
        const { transactionalId, metadata } = stored
        if (metadata === undefined) this.transactions.delete(transactionalId)
        else this.transactions.set(transactionalId, new Transaction(metadata))
      },
      marker: () => undefined,
    })
  }

  /** Hands records to the log; none any more after `unload`, where they would undo newer ones. */
  async append(records: readonly StateRecord[]): Promise<AppendOutcome> {
    if (!this.active) return 'unloaded'
    const append = this.#log.append(records)
    this.#appends.add(append)
    try {
      await append
      return this.#active ? 'durable' : 'unloaded'
    } catch {
      return this.#active ? 'failed' : 'unloaded'
    } finally {
      this.#appends.delete(append)
    }
  }

  /** Resolves after `delayMs`, or at once when the partition is unloaded. */
  async pause(delayMs: number): Promise<void> {
    if (!this.#active) return
    await new Promise<void>((resolve) => {
      const resume = (): void => {
        this.#pauses.delete(resume)
        resolve()
      }
      this.#pauses.set(resume, this.#clock.setTimer(delayMs, resume))
    })
  }

  unload(): void {
    this.#active = false
    for (const [resume, timer] of this.#pauses) {
      timer.cancel()
      resume()
    }
    for (const transaction of this.transactions.values()) transaction.release()
  }

  /** Whether records are on their way to the log. */
  get appending(): boolean {
    return this.#appends.size > 0
  }

  /** Resolves when every record that was handed to the log is there, or is known not to be. */
  async drained(): Promise<void> {
    await Promise.allSettled(this.#appends)
  }
}

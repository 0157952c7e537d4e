import { partitionKey } from '../client/index.ts'
import type { LogEnds, TopicPartition } from '../client/index.ts'
import type { DriverAdmin, RecordSource } from '../driver/index.ts'
import type { Log } from '../observe/index.ts'
import type { Clock, Timer } from '../platform/index.ts'

export interface OpenTransactionsParts {
  readonly clock: Clock
  readonly log: Log
  readonly source: Pick<RecordSource, 'ends'>
  readonly admin: Pick<DriverAdmin, 'transactions'>
  /** How long a transaction may be open before something is wrong. */
  readonly patienceMs: number
  /** Those that are read at the moment. */
  readonly partitions: () => readonly TopicPartition[]
}

/** A partition whose last stable offset stands below its end. */
interface Standstill {
  readonly stableEnd: number
  readonly sinceMs: number
  /** Whether a broker has named the transaction that holds it. */
  isKnown: boolean
}

const lookEveryMs = 1_000

/**
 * Notices transactions that nobody ends. Behind the first record of one, readers of committed records find nothing: their
 * partition looks as if nothing were written. What is seen from here may be old, so the leader is asked who it is before
 * anything is said; each standstill is told once.
 *
 * - **idle** → **watching** (`watch`) → **ended** (`end`).
 */
export class OpenTransactions {
  readonly #parts: OpenTransactionsParts
  readonly #standing = new Map<string, Standstill>()
  #timer: Timer | undefined
  #isEnded = false

  constructor(parts: OpenTransactionsParts) {
    this.#parts = parts
  }

  watch(): void {
    if (this.#isEnded || this.#timer !== undefined) return
    this.#timer = this.#parts.clock.setTimer(lookEveryMs, () => {
      this.#timer = undefined
      this.#look()
      this.watch()
    })
  }

  end(): void {
    this.#isEnded = true
    this.#timer?.cancel()
  }

  /** For how long a transaction that should have ended has held the partition's end back; 0 when none does. */
  heldBackMs(partition: TopicPartition): number {
    const standing = this.#standing.get(partitionKey(partition))
    return standing?.isKnown === true ? this.#parts.clock.elapsedMs() - standing.sinceMs : 0
  }

  #look(): void {
    const { clock, source, patienceMs, partitions } = this.#parts
    const nowMs = clock.elapsedMs()
    const before = new Map(this.#standing)
    this.#standing.clear()
    for (const partition of partitions()) {
      const ends = source.ends?.(partition)
      if (ends === undefined || ends.stableEnd >= ends.end) continue
      const known = before.get(partitionKey(partition))
      const standing =
        known?.stableEnd === ends.stableEnd
          ? known
          : { stableEnd: ends.stableEnd, sinceMs: nowMs, isKnown: false }
      this.#standing.set(partitionKey(partition), standing)
      if (standing.isKnown || nowMs - standing.sinceMs < patienceMs) continue
      void this.#ask(partition, ends, standing).catch(() => undefined)
    }
  }

  async #ask(partition: TopicPartition, ends: LogEnds, standing: Standstill): Promise<void> {
    const { log, admin, clock } = this.#parts
    const [found] = (await admin.transactions?.producersOfMany([partition])) ?? []
    if (found === undefined || found.error !== undefined || standing.isKnown) return
    const holder = found.producers.find(
      ({ transactionStartOffset = Infinity }) => transactionStartOffset <= ends.stableEnd,
    )
    if (holder === undefined) return
    standing.isKnown = true
    const { topic, partition: number } = partition
    const what =
      'a transaction stays open for longer than it should: committed records behind it are not read'
    log('warn', what, {
      ...{ topic, partition: number, lastStableOffset: ends.stableEnd, end: ends.end },
      ...{ producerId: holder.producerId, producerEpoch: holder.producerEpoch },
      openMs: Math.round(clock.elapsedMs() - standing.sinceMs),
    })
  }
}

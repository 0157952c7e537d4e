import type { PolledRecord, TopicPartition } from '../operation.ts'

/** A transaction of the reference model, open until it is settled. */
export class ReferenceTransaction {
  outcome: 'open' | 'committed' | 'aborted' = 'open'
  readonly logs = new Set<ReferenceLog>()

  /** Writes the markers: at once in all logs, or in `only` some of them, which is a defect. */
  settle(outcome: 'committed' | 'aborted'): void {
    if (this.outcome !== 'open') return
    this.outcome = outcome
    for (const log of this.logs) log.settle(this)
  }
}

interface Entry {
  /** Undefined for what no reader ever sees: a marker, or a record that the log lost. */
  value: string | undefined
  readonly transaction: ReferenceTransaction | undefined
}

/** What a read may see beside what it should. */
export interface Visibility {
  readonly aborted?: boolean
  /** Open transactions too: of all, or of this one. */
  readonly open?: boolean | ReferenceTransaction
}

/** One topic-partition as Kafka means it, in memory and in the simplest way. */
export class ReferenceLog {
  readonly at: TopicPartition
  readonly #entries: Entry[] = []
  /** The first offset of each open transaction. */
  readonly #open = new Map<ReferenceTransaction, number>()

  constructor(at: TopicPartition) {
    this.at = at
  }

  get end(): number {
    return this.#entries.length
  }

  append(value: string, transaction?: ReferenceTransaction): number {
    const offset = this.#entries.push({ value, transaction }) - 1
    if (transaction !== undefined && !this.#open.has(transaction)) {
      this.#open.set(transaction, offset)
      transaction.logs.add(this)
    }
    return offset
  }

  settle(transaction: ReferenceTransaction): void {
    this.#open.delete(transaction)
    this.#entries.push({ value: undefined, transaction: undefined })
  }

  /** A defect: the record is gone though it was acknowledged. */
  lose(offset: number): void {
    const entry = this.#entries[offset]
    if (entry !== undefined) entry.value = undefined
  }

  /** Readers of committed records get no further than the first open transaction. */
  get stableEnd(): number {
    return Math.min(this.end, ...this.#open.values())
  }

  /** Up to `countMax` records from `position` on, and where to read on. */
  read(
    position: number,
    countMax: number,
    { aborted = false, open = false }: Visibility = {},
  ): { records: PolledRecord[]; next: number } {
    const records: PolledRecord[] = []
    const end = open === false ? this.stableEnd : this.end
    let next = position
    for (; next < end && records.length < countMax; next += 1) {
      const entry = this.#entries[next]
      if (entry?.value === undefined) continue
      const { transaction, value } = entry
      const outcome = transaction?.outcome ?? 'committed'
      const isOpenSeen = outcome === 'open' && (open === true || open === transaction)
      if (outcome === 'committed' || (outcome === 'aborted' && aborted) || isOpenSeen) {
        records.push({ ...this.at, offset: next, value })
      }
    }
    return { records, next }
  }
}

import type { SourceBatch, SourceRecord } from '../../driver/index.ts'

/** Where an input was taken to. */
export interface InputPosition {
  readonly offset: number
  readonly leaderEpoch: number
}

interface Waiting {
  readonly batch: SourceBatch
  readonly records: Iterator<SourceRecord>
  left: number
}

/** What was read of an input and is not taken yet, in the order of offsets. */
export class InputQueue {
  #batches: Waiting[] = []
  #head: SourceRecord | undefined
  #position: InputPosition | undefined
  #recordCount = 0

  /** Records that wait. */
  get recordCount(): number {
    return this.#recordCount
  }

  /** Behind what was taken last; undefined before anything was. */
  get position(): InputPosition | undefined {
    return this.#position
  }

  add(batch: SourceBatch): void {
    const { recordCount } = batch
    this.#batches.push({ batch, records: batch[Symbol.iterator](), left: recordCount })
    this.#recordCount += recordCount
    if (recordCount === 0 && this.#batches.length === 1) this.#pass()
  }

  /** The next record; undefined when there is none. It may be a view of what was fetched. */
  get head(): SourceRecord | undefined {
    if (this.#head !== undefined) return this.#head
    const [first] = this.#batches
    if (first === undefined) return undefined
    this.#head = (first.records.next() as IteratorYieldResult<SourceRecord>).value
    return this.#head
  }

  /** The head was taken. */
  take(): void {
    const first = this.#batches[0] as Waiting
    const { offset } = this.#head as SourceRecord
    this.#head = undefined
    this.#recordCount--
    first.left--
    this.#position = { offset: offset + 1, leaderEpoch: first.batch.leaderEpoch }
    if (first.left === 0) this.#pass()
  }

  /** Moves past batches of which nothing is left, and past what they have behind their last record. */
  #pass(): void {
    while (this.#batches[0]?.left === 0) {
      const { nextOffset, leaderEpoch } = (this.#batches.shift() as Waiting).batch
      this.#position = { offset: nextOffset, leaderEpoch }
    }
  }
}

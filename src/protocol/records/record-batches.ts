import { RecordBatch, recordBatchBytesAt } from './record-batch.ts'

/**
 * The batches in what a fetch answers, one after another. A fetch is cut at a number of bytes, so
 * the last batch may be there in part; it is left out. Throws a ProtocolError for anything that is
 * not a batch.
 */
export class RecordBatches implements Iterable<RecordBatch> {
  readonly #records: Buffer
  #position = 0

  constructor(records: Buffer) {
    this.#records = records
  }

  /** Where the next batch starts; behind the last whole batch at the end. */
  get position(): number {
    return this.#position
  }

  /** The next batch; undefined behind the last whole one. */
  next(): RecordBatch | undefined {
    const size = recordBatchBytesAt(this.#records, this.#position)
    if (size === undefined || size > this.#records.length - this.#position) return undefined
    const batch = RecordBatch.at(this.#records, this.#position)
    this.#position += size
    return batch
  }

  *[Symbol.iterator](): Generator<RecordBatch, undefined> {
    for (let batch = this.next(); batch !== undefined; batch = this.next()) yield batch
  }
}

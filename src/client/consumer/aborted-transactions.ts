import { readControlRecord } from '../../protocol/records/index.ts'
import type { RecordBatch } from '../../protocol/records/index.ts'

/** Where a transaction that was aborted begins, as a Fetch response lists it. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/** A marker is not compressed; the limit only has to be there. */
const markerBytesMax = 64 * 1024

/**
 * Tells which batches of one fetch belong to aborted transactions. A producer has one transaction at a
 * time in a partition, so what it wrote from the first offset of an aborted one up to its next marker
 * is aborted, and all else of it is not.
 *
 * The list comes with each fetch and names every aborted transaction that reaches into it, those too
 * that began before it or end behind it. Nothing is carried from one fetch to the next. Brokers send
 * the list in any order: it is sorted here, producer by producer.
 */
export class AbortedTransactions {
  /** First offsets of each producer, rising; those of transactions that have ended are taken away. */
  readonly #starts = new Map<number, number[]>()

  constructor(aborted: readonly AbortedTransaction[]) {
    for (const { producerId, firstOffset } of aborted) {
      const starts = this.#starts.get(producerId)
      if (starts === undefined) this.#starts.set(producerId, [firstOffset])
      else starts.push(firstOffset)
    }
    for (const starts of this.#starts.values()) starts.sort((a, b) => a - b)
  }

  /** Whether the batch is data that was aborted. */
  isAborted(batch: RecordBatch): boolean {
    if (this.#starts.size === 0 || !batch.isTransactional) return false
    const first = this.#starts.get(batch.producerId)?.[0]
    return first !== undefined && first <= batch.baseOffset
  }

  /**
   * A control batch comes by: a marker ends what its producer had begun before it. Whether it says
   * abort or commit does not matter for that, and a second marker for the same transaction finds
   * nothing to end: what begins behind a marker is not touched by it.
   */
  passControlBatch(batch: RecordBatch): void {
    const starts = this.#starts.get(batch.producerId)
    if (starts === undefined) return
    const marker = batch.records(markerBytesMax).next()
    // Compaction leaves batches without records; other control records end no transaction.
    if (marker === undefined || readControlRecord(marker).type === 'unknown') return
    while ((starts[0] ?? Infinity) < marker.offset) starts.shift()
    if (starts.length === 0) this.#starts.delete(batch.producerId)
  }
}

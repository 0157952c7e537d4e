import { readControlRecord } from '../../protocol/records/index.ts'
import type { RecordBatch } from '../../protocol/records/index.ts'
import { decompressedBytesMax } from './decompression.ts'
import type { AbortedEntry } from './transactions.ts'

interface OngoingAbort {
  readonly entry: AbortedEntry
  hasBatches: boolean
}

/**
 * Follows the transactions of a log while compaction goes over its batches from the start: which
 * batches belong to aborted ones, and which markers end something that is still there.
 *
 * A marker must outlive the batches of its transaction. Without it, readers would take the batches
 * of a committed one for open, and drop everything that the producer of an aborted one wrote later.
 */
export class CompactionTransactions {
  readonly #aborted: readonly AbortedEntry[]
  #next = 0
  readonly #ongoingAborts = new Map<number, OngoingAbort>()
  readonly #ongoingCommits = new Set<number>()
  /** Aborted transactions that went by and had no batch left. */
  readonly emptied = new Set<AbortedEntry>()

  constructor(aborted: readonly AbortedEntry[]) {
    this.#aborted = aborted.toSorted((one, other) => one.firstOffset - other.firstOffset)
  }

  /** Whether the records of the next batch, one of data, were aborted. */
  isAborted(batch: RecordBatch): boolean {
    this.#startAborts(batch.lastOffset)
    if (!batch.isTransactional) return false
    const abort = this.#ongoingAborts.get(batch.producerId)
    if (abort === undefined) {
      this.#ongoingCommits.add(batch.producerId)
      return false
    }
    abort.hasBatches = true
    return true
  }

  /** Whether the next batch, a marker, ends a transaction of which no batch is left. */
  endsNothing(batch: RecordBatch): boolean {
    this.#startAborts(batch.lastOffset)
    const record = batch.records(decompressedBytesMax).next()
    if (record === undefined) return true
    const { producerId } = batch
    switch (readControlRecord(record).type) {
      case 'abort': {
        const abort = this.#ongoingAborts.get(producerId)
        this.#ongoingAborts.delete(producerId)
        if (abort === undefined) return true
        if (!abort.hasBatches) this.emptied.add(abort.entry)
        return !abort.hasBatches
      }
      case 'commit':
        return !this.#ongoingCommits.delete(producerId)
      case 'unknown':
        return false
    }
  }

  #startAborts(offset: number): void {
    for (; this.#next < this.#aborted.length; this.#next++) {
      const entry = this.#aborted[this.#next] as AbortedEntry
      if (entry.firstOffset > offset) return
      this.#ongoingAborts.set(entry.producerId, { entry, hasBatches: false })
    }
  }
}

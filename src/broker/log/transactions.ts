/** A transaction that was aborted: its records are still in the log, its readers must drop them. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/** An aborted transaction as the log keeps it. */
export interface AbortedEntry extends AbortedTransaction {
  /** The offset of its marker. */
  readonly lastOffset: number
  /** Where the first transaction started that was still open after the marker, or the marker's end. */
  readonly lastStableOffset: number
}

interface EndedTransaction {
  readonly firstOffset: number
  readonly markerOffset: number
}

/**
 * The transactions of a partition: open → ended (its marker is in the log, not yet below the high
 * watermark) → decided. Readers of committed data stop at the first one that is not decided.
 */
export class Transactions {
  /** First offsets of the open ones by producer id, in the order of their offsets. */
  readonly #open = new Map<number, number>()
  #ended: EndedTransaction[] = []
  /** In the order of their markers. */
  #aborted: AbortedEntry[] = []

  get aborted(): readonly AbortedEntry[] {
    return this.#aborted
  }

  /** The first offset of the earliest open transaction, undefined when none is open. */
  get firstOpenOffset(): number | undefined {
    for (const firstOffset of this.#open.values()) return firstOffset
    return undefined
  }

  /** The first offset of a transaction that is not decided, undefined when all are. */
  get firstUndecidedOffset(): number | undefined {
    let first = this.firstOpenOffset
    for (const { firstOffset } of this.#ended) {
      if (first === undefined || firstOffset < first) first = firstOffset
    }
    return first
  }

  /** Transactions must be opened in the order of their offsets. */
  open(producerId: number, firstOffset: number): void {
    this.#open.set(producerId, firstOffset)
  }

  end(producerId: number, firstOffset: number, markerOffset: number, committed: boolean): void {
    this.#open.delete(producerId)
    this.#ended.push({ firstOffset, markerOffset })
    if (committed) return
    const lastStableOffset = this.firstOpenOffset ?? markerOffset + 1
    this.#aborted.push({ producerId, firstOffset, lastOffset: markerOffset, lastStableOffset })
  }

  /** What lies below the high watermark is decided. */
  moveHighWatermark(highWatermark: number): void {
    if (this.#ended.length === 0) return
    this.#ended = this.#ended.filter((transaction) => transaction.markerOffset >= highWatermark)
  }

  /**
   * The aborted transactions with records from `startOffset` up to `endOffset`, by first offset:
   * readers step through them while they step through the records.
   */
  abortedBetween(startOffset: number, endOffset: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    for (let at = this.#firstEndingAt(startOffset); at < this.#aborted.length; at++) {
      const entry = this.#aborted[at] as AbortedEntry
      if (entry.firstOffset < endOffset) {
        found.push({ producerId: entry.producerId, firstOffset: entry.firstOffset })
      }
      // Whatever ended later had not started before this offset.
      if (entry.lastStableOffset >= endOffset) break
    }
    return found.sort((one, other) => one.firstOffset - other.firstOffset)
  }

  /** Forgets aborted transactions that end below the start of the log. */
  trimStart(logStartOffset: number): void {
    const first = this.#firstEndingAt(logStartOffset)
    if (first > 0) this.#aborted = this.#aborted.slice(first)
  }

  /** Forgets aborted transactions of which compaction has left nothing. */
  forgetAborted(entries: ReadonlySet<AbortedEntry>): void {
    this.#aborted = this.#aborted.filter((entry) => !entries.has(entry))
  }

  /** Puts back aborted transactions that were saved, in the order of their markers. */
  restoreAborted(aborted: readonly AbortedEntry[]): void {
    this.#aborted = [...aborted]
  }

  /** The index of the first aborted one with a marker at or above `offset`. */
  #firstEndingAt(offset: number): number {
    let low = 0
    let high = this.#aborted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#aborted[middle] as AbortedEntry).lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

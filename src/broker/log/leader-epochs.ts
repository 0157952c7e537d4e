export interface LeaderEpoch {
  readonly epoch: number
  /** The first offset that was written in it. */
  readonly startOffset: number
}

/** Where an epoch ended; both are -1 when that is not known. */
export interface EpochEnd {
  readonly epoch: number
  readonly endOffset: number
}

/**
 * Which offsets were written in which leader epoch. A consumer that moved to a new leader asks for
 * the end of the epoch it knows, to find out whether what it has read was taken back (KIP-320).
 */
export class LeaderEpochs {
  #entries: LeaderEpoch[] = []

  get entries(): readonly LeaderEpoch[] {
    return this.#entries
  }

  /** The latest epoch, -1 before the first. */
  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  /** A leader starts to write at `startOffset`; what is not newer than the latest epoch is ignored. */
  begin(epoch: number, startOffset: number): void {
    if (epoch <= this.latest) return
    // An epoch in which nothing was written leaves no trace.
    while (this.#entries.length > 0 && this.#entries.at(-1)?.startOffset === startOffset) {
      this.#entries.pop()
    }
    this.#entries.push({ epoch, startOffset })
  }

  /** The epoch in which `offset` was written, -1 when it is not known. */
  at(offset: number): number {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch ?? -1
  }

  /**
   * The greatest known epoch that is not above `epoch`, and the offset after its last record. An
   * epoch above all known ones has begun, or its leader would not be asked: it ends with the log.
   */
  endOffset(epoch: number, logEndOffset: number): EpochEnd {
    if (epoch < 0) return { epoch: -1, endOffset: -1 }
    const next = this.#entries.findIndex((entry) => entry.epoch > epoch)
    if (next < 0) return { epoch, endOffset: logEndOffset }
    const { startOffset } = this.#entries[next] as LeaderEpoch
    return { epoch: this.#entries[next - 1]?.epoch ?? epoch, endOffset: startOffset }
  }

  /** Forgets epochs that ended at or before `logStartOffset`. */
  trimStart(logStartOffset: number): void {
    const first = this.#entries.findLastIndex((entry) => entry.startOffset <= logStartOffset)
    if (first < 0) return
    const kept = this.#entries.slice(first)
    kept[0] = { epoch: (kept[0] as LeaderEpoch).epoch, startOffset: logStartOffset }
    this.#entries = kept
  }
}

interface Stretch {
  /** The last offset of it that is known. */
  last: number
  readonly leaderEpoch: number
}

/**
 * Which leader wrote what, by offset: as much of it as a commit needs to say of which log its offsets are.
 * What lies below a noted offset and above the one noted before it counts as written by the later leader: if
 * that part of the log is lost, so is what the later leader wrote.
 */
export class LeaderEpochs {
  /** In the order of their offsets; there are as many as the leader has changed. */
  #stretches: Stretch[] = []

  /** The record, or the end of a batch, at `offset` was written under this leader epoch; -1 where none is known. */
  note(offset: number, leaderEpoch: number): void {
    const highest = this.#stretches[this.#stretches.length - 1]
    if (highest?.leaderEpoch === leaderEpoch && highest.last <= offset) {
      highest.last = offset
      return
    }
    // Above may be what the commit named that the partition goes on from.
    const place = this.#stretches.findIndex(({ last }) => last >= offset)
    if (place === -1) this.#stretches.push({ last: offset, leaderEpoch })
    else if (this.#stretches[place]?.leaderEpoch !== leaderEpoch) {
      this.#stretches.splice(place, 0, { last: offset, leaderEpoch })
    }
  }

  /** Undefined where it is not known. */
  at(offset: number): number | undefined {
    const leaderEpoch = this.#stretches.find(({ last }) => last >= offset)?.leaderEpoch
    return leaderEpoch === -1 ? undefined : leaderEpoch
  }

  /** Nobody asks for offsets below any more. */
  forgetBelow(offset: number): void {
    while ((this.#stretches[0]?.last ?? Infinity) < offset) this.#stretches.shift()
  }

  /** The log lost everything from `endOffset` on. */
  truncate(endOffset: number): void {
    const at = this.at(endOffset - 1)
    this.#stretches = this.#stretches.filter(({ last }) => last < endOffset)
    if (at !== undefined && endOffset > 0) this.note(endOffset - 1, at)
  }
}

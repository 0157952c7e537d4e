import { OffsetRing } from './offset-ring.ts'

/** So many offsets above the frontier are worked on, where nothing else is said, and at most. */
export const windowMax = 16_384

/** So many failing records of a partition have their attempts in a commit; while there are as many, none starts. */
export const failingMax = 64

/** What a commit says of a partition. It is a copy: what happens later does not change it. */
export interface LedgerState {
  /** Every offset below has ended. */
  readonly frontier: number
  /** Bit i, the lowest of a byte first, says whether `frontier + i` has ended. The last byte is not zero. */
  readonly endedAbove: Uint8Array
  /** By offset; at most `failingMax` of them. */
  readonly attempts: ReadonlyMap<number, number>
}

/** A state as `Ledger.state` took it. */
export interface LedgerSnapshot extends LedgerState {
  /** How many changes it contains. */
  readonly change: number
}

export interface LedgerOptions {
  readonly frontier: number
  /** A record starts only if its offset is less than this above the frontier. */
  readonly window: number
  /** Of the commit that the partition goes on from. */
  readonly endedAbove?: Uint8Array
  /** Of the commit that the partition goes on from, by offset. */
  readonly attempts?: ReadonlyMap<number, number>
}

/**
 * Which offsets of one partition have ended, and how often records have failed.
 *
 * An offset is **ahead** until the source has come to it, then **open** if it is a record, and **ended** when
 * the record has ended; what lies between records (compaction, markers of transactions) is ended when the
 * source has passed it. What the last commit named as ended is ended from the beginning and never opens. An
 * open record is **failing** from its first failed attempt until it ends; so is one ahead whose attempts
 * stand in the last commit.
 *
 * ```text
 *          ended            open and ended, mixed                    ahead (restored: some ended)
 * ──────────────────────┬───────────────────────────────────────┬────────────────────────────────▶
 *                    frontier                               nextOffset
 * ```
 *
 * - `frontier` ≤ `nextOffset`; if they differ, the record at the frontier is open.
 * - The ring holds what has ended from the frontier on, as far as it reaches; below the frontier its bits are
 *   clear. Gaps that the source has passed beyond its reach wait in a queue, in order, and come in as the
 *   frontier moves. Nothing else can end up there, because nothing starts above the window.
 */
export class Ledger {
  readonly #ring: OffsetRing
  #window: number
  #frontier: number
  #next: number
  #openCount = 0
  /** No bit of the ring is set from here on. */
  #ringEnd: number
  /** No record has ended from here on; gaps may reach further. */
  #endedEnd: number
  /** Gaps beyond the reach of the ring: where each begins and ends, from the lowest. */
  #gaps: number[] = []
  /** Where the first of them begins. */
  #gapStart = Infinity
  /** By offset, in the order in which they failed first. */
  readonly #attempts = new Map<number, number>()
  /** None of them is of an offset from here on. */
  #attemptsEnd = 0
  /** What of it is in an acknowledged commit. */
  readonly #acknowledgedAttempts = new Map<number, number>()
  #change = 0
  #acknowledgedChange = 0
  /** Attempts in snapshots before this change are of records that are gone. */
  #forgottenChange = 0

  constructor(options: LedgerOptions) {
    const {
      frontier,
      endedAbove = new Uint8Array(0),
      attempts = new Map<number, number>(),
    } = options
    this.#ring = new OffsetRing(Math.max(options.window, endedAbove.length * 8))
    this.#window = checkedWindow(options.window)
    this.#frontier = checkedOffset(frontier)
    this.#next = frontier
    this.#ringEnd = frontier + endedAbove.length * 8
    this.#endedEnd = this.#ringEnd
    for (let index = 0; index < endedAbove.length * 8; index += 1) {
      if ((((endedAbove[index >>> 3] as number) >>> (index & 7)) & 1) === 1) {
        this.#ring.set(frontier + index)
      }
    }
    for (const [offset, count] of attempts) {
      this.setAttempts(offset, count)
      this.#acknowledgedAttempts.set(offset, count)
    }
    this.#change = 0
  }

  /** Every offset below has ended: what is committed. */
  get frontier(): number {
    return this.#frontier
  }

  /** Behind the highest offset that the source has come to. */
  get nextOffset(): number {
    return this.#next
  }

  /** Records that were read and have not ended. */
  get openCount(): number {
    return this.#openCount
  }

  /** Open records that have failed. */
  get failingCount(): number {
    if (this.#next >= this.#attemptsEnd) return this.#attempts.size
    let count = 0
    for (const offset of this.#attempts.keys()) if (offset < this.#next) count += 1
    return count
  }

  get window(): number {
    return this.#window
  }

  /** Whether there is something that no acknowledged commit contains. */
  get isDirty(): boolean {
    return this.#change !== this.#acknowledgedChange
  }

  /** A window that the broker's limit leaves room for; what is above it already goes on. */
  shrinkWindow(window: number): void {
    this.#window = Math.min(this.#window, checkedWindow(window))
  }

  /**
   * Whether a run of the record may begin: within the window, the first while fewer than `failingMax` open
   * records fail, every other one when all attempts before it are in an acknowledged commit.
   */
  mayStart(offset: number): boolean {
    if (this.#attempts.size > 0) {
      const attempts = this.#attempts.get(offset)
      if (attempts === undefined) {
        if (this.failingCount >= failingMax) return false
      } else if (this.#acknowledgedAttempts.get(offset) !== attempts) return false
    }
    return this.isInWindow(offset)
  }

  /** Whether the offset is less than a window above the frontier, or will be once it was read. */
  isInWindow(offset: number): boolean {
    if (offset < this.#frontier + this.#window) return true
    return this.#openCount === 0 && offset >= this.#next
  }

  /**
   * The source has come to the record: what lies between the last one and it counts as ended. Answers whether
   * it is open now: one that the last commit named as ended is not, and is not run.
   */
  read(offset: number): boolean {
    if (offset !== this.#next) this.#passGap(offset)
    this.#next = offset + 1
    if (offset < this.#ringEnd && this.#ring.has(offset)) {
      if (this.#openCount === 0) this.#closeUp()
      return false
    }
    this.#openCount += 1
    return true
  }

  /** The source has come to `nextOffset` without a record on the way: the end of a batch. */
  readTo(nextOffset: number): void {
    if (nextOffset > this.#next) this.#passGap(nextOffset)
  }

  /** Whether the offset has ended: it is below the frontier, was ended above it, or is no record. */
  hasEnded(offset: number): boolean {
    if (offset < this.#frontier) return true
    if (offset < this.#frontier + this.#ring.capacity) return this.#ring.has(offset)
    for (let index = 0; index < this.#gaps.length; index += 2) {
      if (offset < (this.#gaps[index] as number)) return false
      if (offset < (this.#gaps[index + 1] as number)) return true
    }
    return false
  }

  /** Whether the offset is a record that was read and has not ended. */
  isOpen(offset: number): boolean {
    return offset >= this.#frontier && offset < this.#next && !this.hasEnded(offset)
  }

  /** The record has ended: done, skipped, dead-lettered or forwarded. */
  end(offset: number): void {
    if (offset === this.#frontier && offset !== this.#next) {
      this.#frontier = offset + 1
      this.#openCount -= 1
      if (this.#frontier !== this.#next) this.#advance()
    } else {
      if (!this.#hasStarted(offset)) throw this.#defect(offset, 'cannot end')
      this.#ring.set(offset)
      if (offset >= this.#endedEnd) this.#endedEnd = offset + 1
      if (offset >= this.#ringEnd) this.#ringEnd = offset + 1
      this.#openCount -= 1
    }
    this.#change += 1
    if (this.#attempts.size > 0) this.#forgetAttempts(offset, offset + 1)
  }

  /** An attempt at the record has failed. Answers how many have. */
  fail(offset: number): number {
    if (!this.#hasStarted(offset)) throw this.#defect(offset, 'cannot fail')
    const attempts = this.attempts(offset) + 1
    this.#attempts.set(offset, attempts)
    this.#change += 1
    return attempts
  }

  /** How many attempts at the record have failed. */
  attempts(offset: number): number {
    return this.#attempts.get(offset) ?? 0
  }

  /** Says how many attempts at the record have failed, where that is known from elsewhere than a commit. */
  setAttempts(offset: number, attempts: number): void {
    if (this.hasEnded(offset)) return
    if (attempts === 0) this.#attempts.delete(offset)
    else this.#attempts.set(offset, attempts)
    this.#attemptsEnd = Math.max(this.#attemptsEnd, offset + 1)
    this.#acknowledgedAttempts.delete(offset)
    this.#change += 1
  }

  /** What a commit made now says. */
  state(): LedgerSnapshot {
    const bits = this.#ring.copy(this.#frontier, Math.max(this.#endedEnd, this.#frontier))
    let length = bits.length
    while (length > 0 && bits[length - 1] === 0) length -= 1
    const attempts = this.#namedAttempts()
    const endedAbove = bits.subarray(0, length)
    return { frontier: this.#frontier, endedAbove, attempts, change: this.#change }
  }

  /** The commit of what `state` answered was acknowledged. */
  acknowledge(snapshot: LedgerSnapshot): void {
    this.#acknowledgedChange = Math.max(this.#acknowledgedChange, snapshot.change)
    if (snapshot.change < this.#forgottenChange) return
    for (const [offset, attempts] of snapshot.attempts) {
      if (this.#attempts.has(offset)) this.#acknowledgedAttempts.set(offset, attempts)
    }
  }

  /**
   * The log lost everything from `endOffset` on: what has ended there, has failed or is open is forgotten, and
   * the source comes to these offsets again with other records. Below the frontier only a seek helps.
   */
  truncate(endOffset: number): void {
    if (checkedOffset(endOffset) < this.#frontier)
      throw this.#defect(endOffset, 'cannot be cut off at')
    this.#forgottenChange = this.#change += 1
    this.#forgetAttempts(endOffset, Infinity)
    if (endOffset < this.#next) {
      this.#openCount -= this.#openBetween(endOffset, this.#next)
      this.#next = endOffset
    }
    while (this.#gaps.length > 0 && (this.#gaps[this.#gaps.length - 1] as number) > endOffset) {
      const start = this.#gaps[this.#gaps.length - 2] as number
      this.#gaps.length -= 2
      if (start < endOffset) this.#gaps.push(start, endOffset)
    }
    this.#gapStart = this.#gaps[0] ?? Infinity
    if (endOffset < this.#ringEnd) {
      this.#ring.clearRange(endOffset, this.#ringEnd)
      this.#ringEnd = endOffset
    }
    this.#endedEnd = Math.min(this.#endedEnd, endOffset)
    if (this.#openCount === 0) this.#closeUp()
  }

  /** A seek: nothing is known but that the source goes on at `frontier`. */
  reset(frontier: number): void {
    checkedOffset(frontier)
    this.#ring.clearRange(this.#frontier, Math.max(this.#frontier, this.#ringEnd))
    this.#frontier = frontier
    this.#next = frontier
    this.#ringEnd = frontier
    this.#endedEnd = frontier
    this.#openCount = 0
    this.#gaps = []
    this.#gapStart = Infinity
    this.#attempts.clear()
    this.#acknowledgedAttempts.clear()
    this.#forgottenChange = this.#change += 1
  }

  /**
   * The attempts that a commit has room for: of open records first, in the order in which they failed. Were
   * those ahead named instead, open ones that fail too could not run again, and with as many of them waiting
   * nothing would be read up to those ahead.
   */
  #namedAttempts(): Map<number, number> {
    const entries = [...this.#attempts]
    if (entries.length <= failingMax) return new Map(entries)
    const open = entries.filter(([offset]) => offset < this.#next)
    const ahead = entries.filter(([offset]) => offset >= this.#next)
    return new Map([...open, ...ahead].slice(0, failingMax))
  }

  /** Whether the record is open and can have been in the window. */
  #hasStarted(offset: number): boolean {
    return offset < this.#frontier + this.#ring.capacity && this.isOpen(offset)
  }

  /** Nothing from the last offset read up to `to` is a record. */
  #passGap(to: number): void {
    const from = this.#next
    if (!Number.isSafeInteger(to) || to < from) throw this.#defect(to, 'cannot be read')
    this.#next = to
    if (this.#attempts.size > 0) this.#forgetAttempts(from, to)
    if (this.#openCount === 0) {
      this.#closeUp()
      return
    }
    const reach = this.#frontier + this.#ring.capacity
    if (from < reach) {
      const end = Math.min(to, reach)
      this.#ring.setRange(from, end)
      this.#ringEnd = Math.max(this.#ringEnd, end)
    }
    if (to > reach) this.#queueGap(Math.max(from, reach), to)
  }

  #queueGap(from: number, to: number): void {
    const last = this.#gaps.length - 1
    if (this.#gaps[last] === from) this.#gaps[last] = to
    else this.#gaps.push(from, to)
    this.#gapStart = this.#gaps[0] as number
  }

  /** Nothing is open: the frontier is where the source is. What was restored above stays. */
  #closeUp(): void {
    if (this.#frontier === this.#next) return
    const end = Math.min(this.#next, this.#ringEnd)
    if (this.#frontier < end) this.#ring.clearRange(this.#frontier, end)
    this.#frontier = this.#next
    this.#ringEnd = Math.max(this.#ringEnd, this.#frontier)
    if (this.#gaps.length > 0) this.#gaps = []
    this.#gapStart = Infinity
    this.#change += 1
  }

  /** The frontier has moved by one, and the source is further: moves it to the next open record. */
  #advance(): void {
    if (this.#openCount === 0) {
      this.#closeUp()
      return
    }
    for (;;) {
      if (this.#gapStart < this.#frontier + this.#ring.capacity) this.#takeGaps()
      if (this.#frontier >= this.#ringEnd || !this.#ring.has(this.#frontier)) return
      this.#frontier = this.#ring.clearRun(this.#frontier, this.#ringEnd)
      if (this.#gapStart === Infinity) return
    }
  }

  /** Takes into the ring what of the queued gaps it reaches now; a gap at the frontier itself is jumped. */
  #takeGaps(): void {
    let taken = 0
    while (taken < this.#gaps.length) {
      const start = this.#gaps[taken] as number
      const end = this.#gaps[taken + 1] as number
      if (start <= this.#frontier) this.#frontier = Math.max(this.#frontier, end)
      else {
        const reach = this.#frontier + this.#ring.capacity
        if (start >= reach) break
        this.#ring.setRange(start, Math.min(end, reach))
        this.#ringEnd = Math.max(this.#ringEnd, Math.min(end, reach))
        if (end > reach) {
          this.#gaps[taken] = reach
          break
        }
      }
      taken += 2
    }
    if (taken > 0) this.#gaps.splice(0, taken)
    this.#gapStart = this.#gaps[0] ?? Infinity
  }

  #openBetween(from: number, to: number): number {
    const ringEnd = Math.min(to, Math.max(from, this.#ringEnd))
    let ended = this.#ring.count(from, ringEnd)
    for (let index = 0; index < this.#gaps.length; index += 2) {
      const start = Math.max(from, this.#gaps[index] as number)
      ended += Math.max(0, Math.min(to, this.#gaps[index + 1] as number) - start)
    }
    return to - from - ended
  }

  #forgetAttempts(from: number, to: number): void {
    if (to - from === 1) {
      this.#attempts.delete(from)
      this.#acknowledgedAttempts.delete(from)
      return
    }
    for (const offset of this.#attempts.keys()) {
      if (offset >= from && offset < to) {
        this.#attempts.delete(offset)
        this.#acknowledgedAttempts.delete(offset)
      }
    }
  }

  #defect(offset: number, problem: string): Error {
    return new Error(
      `offset ${offset} ${problem}: the frontier is ${this.#frontier}, the next offset to read ` +
        `${this.#next}, ${this.#openCount} records are open`,
    )
  }
}

function checkedOffset(offset: number): number {
  if (Number.isSafeInteger(offset) && offset >= 0) return offset
  throw new Error(`an offset (${offset}) must be a whole number from 0 to 2^53 - 1`)
}

function checkedWindow(window: number): number {
  if (Number.isSafeInteger(window) && window >= 1 && window <= windowMax) return window
  throw new Error(`a window (${window}) must be a whole number from 1 to ${windowMax}`)
}

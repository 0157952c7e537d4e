import { stateKeyBytesMax } from '../state-store.ts'
import type { StateEntry, StateKey } from '../state-store.ts'
import type { LmdbDatabase } from './lmdb-package.ts'

type Entries = LmdbDatabase<StateKey, Buffer>

/** How many entries are read ahead first, and at most: most ranges of a join are short. */
const entriesAtFirst = 4
const entriesMax = 128

/**
 * Reads entries in pieces. A cursor is open while a piece is read, and never longer: one that was left open by somebody who has
 * stopped taking entries would keep the pages of its moment from being used again for as long as the process lives.
 *
 * The package makes more for a range than a short one costs, so that one is made for a database; where each begins and ends is put
 * into its options, which are read when an iterator is made, and when it is asked for the first entry.
 */
export class RangeReader {
  readonly #options: { start: StateKey; end: StateKey } = { start: '', end: '' }
  readonly #entries: Iterable<StateEntry>

  constructor(database: Entries) {
    this.#entries = database.getRange(this.#options)
  }

  /** At most `count` entries from `from` on and before `to`. */
  read(from: StateKey, to: StateKey, count: number): StateEntry[] {
    this.#options.start = from
    this.#options.end = endOf(to)
    const cursor = this.#entries[Symbol.iterator]()
    const entries: StateEntry[] = []
    try {
      while (entries.length < count) {
        const next = cursor.next()
        if (next.done === true) break
        entries.push(next.value)
      }
    } finally {
      cursor.return?.()
    }
    return entries
  }
}

/** Entries from a key on and before another. */
export class LmdbRange implements IterableIterator<StateEntry> {
  readonly #read: (from: StateKey, to: StateKey, count: number) => StateEntry[]
  readonly #to: StateKey
  #from: StateKey
  #piece: readonly StateEntry[] = []
  #at = 0
  #count = entriesAtFirst
  #isLastPiece = false

  constructor(
    read: (from: StateKey, to: StateKey, count: number) => StateEntry[],
    from: StateKey,
    to: StateKey,
  ) {
    this.#read = read
    this.#from = from
    this.#to = to
    if (from >= to) this.#isLastPiece = true
  }

  next(): IteratorResult<StateEntry> {
    if (this.#at === this.#piece.length && !this.#readOn()) return { done: true, value: undefined }
    return { done: false, value: this.#piece[this.#at++] as StateEntry }
  }

  [Symbol.iterator](): this {
    return this
  }

  #readOn(): boolean {
    if (this.#isLastPiece) return false
    this.#piece = this.#read(this.#from, this.#to, this.#count)
    this.#at = 0
    const last = this.#piece.at(-1)
    if (last === undefined || this.#piece.length < this.#count) this.#isLastPiece = true
    // The least key behind the last one; a store with keys that long has none behind it that could be missed.
    else this.#from = `${last.key}\0`
    this.#count = Math.min(entriesMax, 2 * this.#count)
    return last !== undefined
  }
}

/** A key that LMDB takes, before which there are the same entries: none of them has a longer key than a store takes. */
function endOf(to: StateKey): StateKey {
  return to.length <= stateKeyBytesMax ? to : `${to.slice(0, stateKeyBytesMax)}\0`
}

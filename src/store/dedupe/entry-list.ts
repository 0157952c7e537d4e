import type { Claim } from './dedupe-store.ts'

/** One event that the memory store knows. */
export class Entry {
  claim: Claim
  isDone = false
  /** When the claim expires. */
  expiresAtMs: number
  /** The list that it is in, and its neighbours there. */
  list: EntryList | undefined
  before: Entry | undefined
  after: Entry | undefined

  constructor(claim: Claim, expiresAtMs: number) {
    this.claim = claim
    this.expiresAtMs = expiresAtMs
  }
}

/** Entries in an order; any of them leaves, and is put at the end, in constant time. */
export class EntryList {
  #first: Entry | undefined
  #last: Entry | undefined

  get first(): Entry | undefined {
    return this.#first
  }

  *[Symbol.iterator](): IterableIterator<Entry> {
    for (let entry = this.#first; entry !== undefined; entry = entry.after) yield entry
  }

  /** Puts an entry at the end; it leaves the list that it is in. */
  push(entry: Entry): void {
    entry.list?.remove(entry)
    entry.list = this
    entry.before = this.#last
    if (this.#last === undefined) this.#first = entry
    else this.#last.after = entry
    this.#last = entry
  }

  remove(entry: Entry): void {
    if (entry.list !== this) return
    if (entry.before === undefined) this.#first = entry.after
    else entry.before.after = entry.after
    if (entry.after === undefined) this.#last = entry.before
    else entry.after.before = entry.before
    entry.list = undefined
    entry.before = undefined
    entry.after = undefined
  }
}

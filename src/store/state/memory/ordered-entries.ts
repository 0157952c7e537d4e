import type { StateKey } from '../state-store.ts'

/** A chunk with more keys is halved. Smaller ones make a longer list of chunks, larger ones a longer list to move a key into. */
const keysMax = 128

/** Two neighbours that have no more together become one. */
const keysMergedMax = keysMax / 2

/** What is kept in order. */
export interface Keyed {
  readonly key: StateKey
}

interface Chunk<Entry> {
  /** Beside the entries, since that is what is compared: an entry is another place in memory to go to. */
  readonly keys: StateKey[]
  readonly entries: Entry[]
}

/**
 * Entries in the order of their keys: a list of chunks, each a sorted list, and beside it the least key that may be in each.
 *
 * - No chunk is empty but the only one.
 * - Two neighbours have more than `keysMergedMax` keys together, so that the list of chunks grows with the keys alone, and not
 *   with all that were ever taken away.
 */
export class OrderedEntries<Entry extends Keyed> {
  /** That of the first chunk is below every key. */
  readonly #least: StateKey[] = ['']
  readonly #chunks: Chunk<Entry>[] = [{ keys: [], entries: [] }]

  /** No entry with its key may be there. */
  add(entry: Entry): void {
    const index = this.#chunkOf(entry.key)
    const { keys, entries } = this.#chunks[index] as Chunk<Entry>
    const at = placeOf(keys, entry.key)
    const isAtEnd = at === keys.length
    keys.splice(at, 0, entry.key)
    entries.splice(at, 0, entry)
    if (keys.length <= keysMax) return
    // Keys that come in order fill their chunks.
    const isLast = index === this.#chunks.length - 1
    this.#split(index, isAtEnd && isLast ? keysMax : keysMax / 2)
  }

  /** An entry with the key must be there. */
  delete(key: StateKey): void {
    const index = this.#chunkOf(key)
    const { keys, entries } = this.#chunks[index] as Chunk<Entry>
    const at = placeOf(keys, key)
    keys.splice(at, 1)
    entries.splice(at, 1)
    if (keys.length > keysMergedMax) return
    if (!this.#merge(index)) this.#merge(index - 1)
  }

  /** Entries from `from` on and before `to`. Nothing is added or deleted meanwhile. */
  range(from: StateKey, to: StateKey): EntryRange<Entry> {
    const index = this.#chunkOf(from)
    const { keys } = this.#chunks[index] as Chunk<Entry>
    return new EntryRange(this.#chunks, index, placeOf(keys, from), to)
  }

  clear(): void {
    this.#chunks.splice(0, this.#chunks.length, { keys: [], entries: [] })
    this.#least.length = 1
  }

  /** For tests: how many keys each chunk has. */
  get chunkSizes(): number[] {
    return this.#chunks.map(({ keys }) => keys.length)
  }

  #split(index: number, at: number): void {
    const { keys, entries } = this.#chunks[index] as Chunk<Entry>
    const upper = { keys: keys.splice(at), entries: entries.splice(at) }
    this.#chunks.splice(index + 1, 0, upper)
    this.#least.splice(index + 1, 0, upper.keys[0] as StateKey)
  }

  /** Makes one of this chunk and the next, where they are small enough or one is empty. */
  #merge(index: number): boolean {
    const [chunk, next] = [this.#chunks[index], this.#chunks[index + 1]]
    if (chunk === undefined || next === undefined) return false
    const isOneEmpty = chunk.keys.length === 0 || next.keys.length === 0
    if (!isOneEmpty && chunk.keys.length + next.keys.length > keysMergedMax) return false
    chunk.keys.push(...next.keys)
    chunk.entries.push(...next.entries)
    this.#chunks.splice(index + 1, 1)
    this.#least.splice(index + 1, 1)
    return true
  }

  #chunkOf(key: StateKey): number {
    const least = this.#least
    let [low, high] = [0, least.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((least[middle] as StateKey) <= key) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }
}

/** Where the key is, or would be. */
function placeOf(keys: readonly StateKey[], key: StateKey): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as StateKey) < key) low = middle + 1
    else high = middle
  }
  return low
}

/** A place among entries that moves on. */
export class EntryRange<Entry extends Keyed> {
  readonly #chunks: readonly Chunk<Entry>[]
  #index: number
  #at: number
  readonly #to: StateKey

  constructor(chunks: readonly Chunk<Entry>[], index: number, at: number, to: StateKey) {
    this.#chunks = chunks
    this.#index = index
    this.#at = at
    this.#to = to
  }

  /** Undefined: there are no more. */
  next(): Entry | undefined {
    for (;;) {
      const chunk = this.#chunks[this.#index]
      if (chunk === undefined) return undefined
      const key = chunk.keys[this.#at]
      if (key !== undefined) return key < this.#to ? chunk.entries[this.#at++] : undefined
      this.#index++
      this.#at = 0
    }
  }
}

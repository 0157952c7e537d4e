import type { StateKey } from '../state-store.ts'

/** A chunk with more keys is halved. Smaller ones make a longer list of chunks, larger ones a longer list to move a key into. */
const keysMax = 128

/** Two neighbours that have no more together become one. */
const keysMergedMax = keysMax / 2

/**
 * Keys in order: a list of chunks, each a sorted list, and beside it the least key that may be in each.
 *
 * - No chunk is empty but the only one.
 * - Two neighbours have more than `keysMergedMax` keys together, so that the list of chunks grows with the keys alone, and not
 *   with all that were ever taken away.
 */
export class OrderedKeys {
  /** That of the first chunk is below every key. */
  readonly #least: StateKey[] = ['']
  readonly #chunks: StateKey[][] = [[]]

  /** The key must not be there. */
  add(key: StateKey): void {
    const index = this.#chunkOf(key)
    const chunk = this.#chunks[index] as StateKey[]
    const at = placeOf(chunk, key)
    if (at === chunk.length) {
      chunk.push(key)
      if (chunk.length > keysMax)
        this.#split(index, chunk, this.#isLast(index) ? keysMax : keysMax / 2)
      return
    }
    chunk.splice(at, 0, key)
    if (chunk.length > keysMax) this.#split(index, chunk, keysMax / 2)
  }

  /** The key must be there. */
  delete(key: StateKey): void {
    const index = this.#chunkOf(key)
    const chunk = this.#chunks[index] as StateKey[]
    chunk.splice(placeOf(chunk, key), 1)
    if (chunk.length > keysMergedMax) return
    if (!this.#merge(index)) this.#merge(index - 1)
  }

  /** Keys from `from` on and before `to`. Nothing is added or deleted meanwhile. */
  range(from: StateKey, to: StateKey): KeyRange {
    const index = this.#chunkOf(from)
    return new KeyRange(this.#chunks, index, placeOf(this.#chunks[index] as StateKey[], from), to)
  }

  clear(): void {
    this.#chunks.splice(0, this.#chunks.length, [])
    this.#least.length = 1
  }

  /** For tests: how many keys each chunk has. */
  get chunkSizes(): number[] {
    return this.#chunks.map((chunk) => chunk.length)
  }

  #isLast(index: number): boolean {
    return index === this.#chunks.length - 1
  }

  /** Keys that come in order fill their chunks: only the last one is split at its end. */
  #split(index: number, chunk: StateKey[], at: number): void {
    const upper = chunk.splice(at)
    this.#chunks.splice(index + 1, 0, upper)
    this.#least.splice(index + 1, 0, upper[0] as StateKey)
  }

  /** Makes one of this chunk and the next, where they are small enough or one is empty. */
  #merge(index: number): boolean {
    const [chunk, next] = [this.#chunks[index], this.#chunks[index + 1]]
    if (chunk === undefined || next === undefined) return false
    const isOneEmpty = chunk.length === 0 || next.length === 0
    if (!isOneEmpty && chunk.length + next.length > keysMergedMax) return false
    chunk.push(...next)
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

/** A place among keys that moves on. */
export class KeyRange {
  readonly #chunks: readonly (readonly StateKey[])[]
  #index: number
  #at: number
  readonly #to: StateKey

  constructor(chunks: readonly (readonly StateKey[])[], index: number, at: number, to: StateKey) {
    this.#chunks = chunks
    this.#index = index
    this.#at = at
    this.#to = to
  }

  /** Undefined: there are no more. */
  next(): StateKey | undefined {
    for (;;) {
      const chunk = this.#chunks[this.#index]
      if (chunk === undefined) return undefined
      const key = chunk[this.#at]
      if (key !== undefined) {
        if (key >= this.#to) return undefined
        this.#at++
        return key
      }
      this.#index++
      this.#at = 0
    }
  }
}

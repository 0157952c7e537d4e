import type { StateKey } from '../state-store.ts'

/** How much memory is taken at a time. */
const slabBytes = 16_384

/** Values that are longer have memory of their own. */
const sharedBytesMax = slabBytes / 8

/** A value, and whose it is. */
export interface ValueEntry {
  readonly key: StateKey
  value: Buffer
}

interface Slab {
  readonly memory: Buffer
  usedBytes: number
  /** Of the values in it that are still kept. */
  keptBytes: number
  /** Whose values were put into it: they may have another one since. */
  readonly entries: ValueEntry[]
}

const nothing = Buffer.alloc(0)

/**
 * The memory that values are in: many in one slab, since an allocation for each costs a value of some hundred bytes more than
 * half as much again, and the garbage collector its time.
 *
 * A slab in which less than half is kept is given up, and what is kept in it moves: one value that stays would hold the memory of
 * forty others that have gone. What moves was paid for by what has gone, so that a value costs two copies at most on average.
 * Nothing is ever written over: whoever still reads a value of a slab that was given up reads what it was.
 */
export class ValueSlabs {
  /** Those that are full. */
  readonly #full = new Map<ArrayBufferLike, Slab>()
  #current = newSlab()

  /** Makes a copy of `value` the entry's. */
  put(entry: ValueEntry, value: Buffer): void {
    const before = entry.value
    // Making room may move what is kept, which this is not any more.
    entry.value = nothing
    this.#place(entry, value)
    this.#release(before)
  }

  /** The entry has gone. */
  delete(entry: ValueEntry): void {
    const before = entry.value
    entry.value = nothing
    this.#release(before)
  }

  clear(): void {
    this.#full.clear()
    this.#current = newSlab()
  }

  /** How much memory is held, but for values that have their own. */
  get bytes(): number {
    return (this.#full.size + 1) * slabBytes
  }

  #place(entry: ValueEntry, value: Buffer): void {
    const { length } = value
    if (length === 0) entry.value = nothing
    else if (length > sharedBytesMax) entry.value = copied(value, Buffer.allocUnsafeSlow(length))
    else {
      const slab = this.#slabFor(length)
      const from = slab.usedBytes
      slab.usedBytes += length
      slab.keptBytes += length
      slab.entries.push(entry)
      entry.value = copied(value, slab.memory.subarray(from, from + length))
    }
  }

  #slabFor(length: number): Slab {
    const full = this.#current
    if (full.usedBytes + length <= slabBytes) return full
    this.#full.set(full.memory.buffer, full)
    this.#current = newSlab()
    this.#giveUpIfEmptied(full)
    return this.#current
  }

  /** No entry has this value any more. */
  #release(value: Buffer): void {
    if (value.length === 0) return
    const { buffer } = value
    const slab = buffer === this.#current.memory.buffer ? this.#current : this.#full.get(buffer)
    if (slab === undefined) return
    slab.keptBytes -= value.length
    if (slab !== this.#current) this.#giveUpIfEmptied(slab)
  }

  #giveUpIfEmptied(slab: Slab): void {
    if (slab.keptBytes * 2 >= slabBytes) return
    const { buffer } = slab.memory
    this.#full.delete(buffer)
    for (const entry of slab.entries) {
      if (entry.value.buffer === buffer) this.#place(entry, entry.value)
    }
  }
}

function newSlab(): Slab {
  return { memory: Buffer.allocUnsafeSlow(slabBytes), usedBytes: 0, keptBytes: 0, entries: [] }
}

function copied(value: Buffer, target: Buffer): Buffer {
  target.set(value)
  return target
}

/** An entry that has no value yet. */
export function newEntry(key: StateKey): ValueEntry {
  return { key, value: nothing }
}

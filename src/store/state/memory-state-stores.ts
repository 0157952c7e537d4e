import type {
  Checkpoint,
  StateChange,
  StateEntry,
  StateFigures,
  StateKey,
  StateStore,
  StateStores,
} from './state-store.ts'
import { OrderedEntries } from './memory/ordered-entries.ts'
import type { EntryRange } from './memory/ordered-entries.ts'
import { newEntry, ValueSlabs } from './memory/value-slabs.ts'
import type { ValueEntry } from './memory/value-slabs.ts'
import { checkedChanges, misused } from './state-checks.ts'

/**
 * What an entry takes beside the bytes of key and value: its objects, a place in the map and one in the order, and what slabs and
 * chunks have to spare. Measured with a million entries.
 */
const entryOverheadBytes = 300

/**
 * The state of a task in this process, which ends with it: the changelog is all that is left then.
 *
 * Values are found by a map: that is what a join does most. The order of keys is beside it, and changes only when a key comes
 * or goes.
 *
 * - **open** → **closed**, when its memory is given back.
 */
class MemoryStateStore implements StateStore {
  readonly #name: string
  readonly #closed: () => void
  readonly #entries = new Map<StateKey, ValueEntry>()
  readonly #order = new OrderedEntries<ValueEntry>()
  readonly #slabs = new ValueSlabs()
  #checkpoint: Checkpoint | undefined
  #contentBytes = 0
  #isOpen = true

  constructor(name: string, closed: () => void) {
    this.#name = name
    this.#closed = closed
  }

  get checkpoint(): Checkpoint | undefined {
    this.#checkOpen()
    return this.#checkpoint
  }

  get figures(): StateFigures {
    this.#checkOpen()
    const entries = this.#entries.size
    return { entries, bytes: this.#contentBytes + entries * entryOverheadBytes }
  }

  get(key: StateKey): Buffer | undefined {
    this.#checkOpen()
    return this.#entries.get(key)?.value
  }

  range(from: StateKey, to: StateKey): IterableIterator<StateEntry> {
    this.#checkOpen()
    return new MemoryRange(this.#order.range(from, to))
  }

  commit(changes: Iterable<StateChange>, checkpoint: Checkpoint): void {
    this.#checkOpen()
    for (const { key, value } of checkedChanges(changes, this.#name)) {
      if (value === null) this.#delete(key)
      else this.#put(key, value)
    }
    this.#checkpoint = checkpoint
  }

  clear(): void {
    this.#checkOpen()
    this.#empty()
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#empty()
    this.#closed()
  }

  #put(key: StateKey, value: Buffer): void {
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      entry = newEntry(ownKey(key))
      this.#entries.set(entry.key, entry)
      this.#order.add(entry)
      this.#contentBytes += key.length
    }
    this.#contentBytes += value.length - entry.value.length
    this.#slabs.put(entry, value)
  }

  #delete(key: StateKey): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#order.delete(key)
    this.#contentBytes -= key.length + entry.value.length
    this.#slabs.delete(entry)
  }

  #empty(): void {
    this.#checkpoint = undefined
    this.#entries.clear()
    this.#order.clear()
    this.#slabs.clear()
    this.#contentBytes = 0
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw misused(`state store '${this.#name}' is closed`)
  }
}

/**
 * The key as a string of its own. One that was cut out of a longer one, or put together of several, would keep those in memory
 * for as long as the entry lives.
 */
function ownKey(key: StateKey): StateKey {
  return keyBytes.toString('latin1', 0, keyBytes.write(key, 'latin1'))
}

const keyBytes = Buffer.allocUnsafeSlow(2_048)

class MemoryRange implements IterableIterator<StateEntry> {
  readonly #entries: EntryRange<ValueEntry>

  constructor(entries: EntryRange<ValueEntry>) {
    this.#entries = entries
  }

  next(): IteratorResult<StateEntry> {
    const entry = this.#entries.next()
    if (entry === undefined) return { done: true, value: undefined }
    // The entry itself has another value after the next commit.
    return { done: false, value: { key: entry.key, value: entry.value } }
  }

  [Symbol.iterator](): this {
    return this
  }
}

class MemoryStateStores implements StateStores {
  readonly #open = new Map<string, MemoryStateStore>()
  #isClosed = false

  open(name: string): StateStore {
    if (this.#isClosed) throw misused('these state stores are closed')
    if (this.#open.has(name)) throw misused(`state store '${name}' is open already`)
    const store = new MemoryStateStore(name, () => this.#open.delete(name))
    this.#open.set(name, store)
    return store
  }

  has(): boolean {
    return false
  }

  close(): void {
    this.#isClosed = true
    for (const store of [...this.#open.values()]) store.close()
  }
}

/** Keeps states in this process: whoever opens one finds nothing in it, and reads the changelog from its beginning. */
export function memoryStateStores(): StateStores {
  return new MemoryStateStores()
}

import type {
  Checkpoint,
  StateChange,
  StateEntry,
  StateKey,
  StateStore,
} from '../../store/index.ts'
import { indexMark } from './state-key.ts'
import { OrderedMap } from './ordered-map.ts'

type Changes = OrderedMap<Buffer | null>

/** What a record has changed, to be taken back: what was in the changes before. */
interface Undo {
  readonly key: StateKey
  /** Undefined: nothing had changed under the key. */
  readonly value: Buffer | null | undefined
}

const nothing = Buffer.alloc(0)
/** What a batch and its record need beside key and value. */
const recordOverheadBytes = 128

/**
 * What a task remembers: a store of what is committed, and over it what is not yet. One commit can be on its way, and the
 * task goes on meanwhile.
 *
 * - changes: **made** ─ `seal` ─► **being committed** ─ `settle` ─► in the store.
 */
export class TaskState {
  /** The largest value that can be put under a short key. */
  readonly valueBytesMax: number
  readonly #store: StateStore
  readonly #bytesMax: number
  #made: Changes = new OrderedMap()
  #sealed: Changes | undefined
  /** The same in a list, made once. */
  #sealedChanges: readonly StateChange[] = []
  #undo: Undo[] = []

  /** Nothing larger than `bytesMax` is put: the changelog would not take it. */
  constructor(store: StateStore, bytesMax = Infinity) {
    this.#store = store
    this.#bytesMax = bytesMax
    this.valueBytesMax = bytesMax - 2 * recordOverheadBytes
  }

  get(key: StateKey): Buffer | undefined {
    const made = this.#made.get(key)
    if (made !== undefined) return made ?? undefined
    const sealed = this.#sealed?.get(key)
    if (sealed !== undefined) return sealed ?? undefined
    return this.#store.get(key)
  }

  put(key: StateKey, value: Buffer): void {
    const bytes = key.length + value.length + recordOverheadBytes
    if (bytes > this.#bytesMax) {
      throw new Error(
        `what is to be remembered has ${bytes} bytes, and the changelog takes ${this.#bytesMax}`,
      )
    }
    this.#change(key, value)
  }

  delete(key: StateKey): void {
    this.#change(key, null)
  }

  /** Makes an entry to be found by time; it has no value, and is not in the changelog. */
  putIndex(key: StateKey): void {
    this.#change(key, nothing)
  }

  /** Entries from `from` on and before `to`, in order. Nothing is changed while they are taken. */
  range(from: StateKey, to: StateKey): IterableIterator<StateEntry> {
    const stored = this.#store.range(from, to)
    // Most ranges are those of one key, of which nothing has changed.
    const isMade = this.#made.hasWithin(from, to)
    const isSealed = this.#sealed?.hasWithin(from, to) === true
    if (!isMade && !isSealed) return stored
    const layers: IterableIterator<StateChange>[] = []
    if (isMade) layers.push(this.#made.range(from, to))
    if (isSealed && this.#sealed !== undefined) layers.push(this.#sealed.range(from, to))
    return merged([...layers, stored])
  }

  /** What is changed from here on can be taken back, until this is called again. */
  mark(): void {
    if (this.#undo.length > 0) this.#undo = []
  }

  /** As at the last `mark`. */
  takeBack(): void {
    for (const { key, value } of this.#undo.reverse()) {
      if (value === undefined) this.#made.delete(key)
      else this.#made.set(key, value)
    }
    this.#undo = []
  }

  /** Whether something has changed that is not being committed. */
  get hasChanges(): boolean {
    return this.#made.size > 0
  }

  /** What is committed next: what has changed, but for what is found by time. What changes from here on goes with the one after. */
  seal(): StateChange[] {
    this.#sealedChanges = this.#made.entries()
    this.#sealed = this.#made
    this.#made = new OrderedMap()
    this.#undo = []
    return this.#sealedChanges.filter(({ key }) => !key.startsWith(indexMark))
  }

  /** What was sealed is committed: it goes into the store, with where it ends in the changelog. */
  async settle(checkpoint: Checkpoint): Promise<void> {
    if (this.#sealed === undefined) return
    await this.#store.commit(this.#sealedChanges, checkpoint)
    this.#sealed = undefined
    this.#sealedChanges = []
  }

  #change(key: StateKey, value: Buffer | null): void {
    this.#undo.push({ key, value: this.#made.set(key, value) })
  }
}

/** What the first of `layers` says of a key, for each key that is not deleted there. */
function* merged(layers: readonly Iterator<StateChange>[]): Generator<StateEntry> {
  const heads = layers.map((layer) => layer.next())
  for (;;) {
    let least: StateChange | undefined
    for (const head of heads) {
      if (head.done !== true && (least === undefined || head.value.key < least.key)) {
        least = head.value
      }
    }
    if (least === undefined) return
    const { key, value } = least
    heads.forEach((head, index) => {
      if (head.done !== true && head.value.key === key) {
        heads[index] = (layers[index] as Iterator<StateChange>).next()
      }
    })
    if (value !== null) yield { key, value }
  }
}

import type { MaybeAsync } from '../dedupe/dedupe-store.ts'

/** The longest key that a store takes. */
export const stateKeyBytesMax = 1_900

/**
 * A key: one character a byte, of a value from 0 to 255 (`latin1`), so that characters compare as bytes do. It has from 1 to
 * `stateKeyBytesMax` of them.
 */
export type StateKey = string

export interface StateEntry {
  readonly key: StateKey
  /** The store never changes it again: it may be kept. Nobody may write to it. */
  readonly value: Buffer
}

/** What is put under a key; null takes the key away. */
export interface StateChange {
  readonly key: StateKey
  readonly value: Buffer | null
}

/** To what in the changelog the content of a store corresponds. */
export interface Checkpoint {
  /** The changelog is read on from here. */
  readonly offset: number
  /** The leader epoch of what was read or written last; -1 where it is not known. */
  readonly leaderEpoch: number
  readonly topicId: string
  /** When it was written, in milliseconds since the epoch: older than a changelog keeps deletions, it is worth nothing. */
  readonly timestamp: number
}

/**
 * The state of one task as it was committed, ordered by key. What is not committed yet is with the task.
 *
 * - **open** → **closed**.
 * - **open** → **failed** (a commit or `clear` that was rejected, or a read that found damage) → **closed**. What is on disk
 *   is then that of the commit, or of the one before: opened again, the store tells which.
 *
 * Reading is synchronous: a join looks up every record it takes. In any other state than open all but `close` throws.
 */
export interface StateStore {
  /** Undefined: nothing was ever committed, or it cannot be trusted. */
  readonly checkpoint: Checkpoint | undefined
  /** What is committed under the key. The store never changes the buffer again, and nobody may write to it. */
  get(key: StateKey): Buffer | undefined
  /**
   * Entries from `from` on and before `to`, in the order of keys. The store is not changed while they are taken. Who does not
   * take them all owes it nothing.
   */
  range(from: StateKey, to: StateKey): IterableIterator<StateEntry>
  /**
   * Changes and checkpoint in one: after a crash both are there, or neither. Of changes of one key the last one counts. They
   * are read, and copied, before the call returns. Until it has resolved reading sees all of them or none; from then on, all.
   * Calls never overlap, neither with each other nor with `clear`.
   */
  commit(changes: Iterable<StateChange>, checkpoint: Checkpoint): MaybeAsync<void>
  /** As new: nothing in it, no checkpoint. */
  clear(): MaybeAsync<void>
  /** The commit that is on its way is waited for. Its name can be opened again from then on. */
  close(): MaybeAsync<void>
  readonly figures: StateFigures
}

export interface StateFigures {
  readonly entries: number
  /** About how much memory, or disk, the entries take. */
  readonly bytes: number
}

/** Where the states of tasks are kept. */
export interface StateStores {
  /** Opens a task's store: rejects while it is open already, in this process or in another one. */
  open(name: string): MaybeAsync<StateStore>
  /** Whether a store of this name was left here by an earlier life: such a task is best placed here again. */
  has(name: string): boolean
  /** Closes the stores that are open, too. */
  close(): MaybeAsync<void>
}

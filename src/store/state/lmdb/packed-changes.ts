import type { StateChange } from '../state-store.ts'
import type { LmdbBytes } from './lmdb-package.ts'

/**
 * The values of a commit in one piece of memory. A thread of the package's reads them while the program goes on: they must
 * stay as they are until the commit has ended, whatever the program does with its buffers. One piece also costs the package one
 * look at where it is.
 */
export class PackedChanges {
  readonly #changes: readonly StateChange[]
  readonly #memory: Buffer
  /** Given to the package for each value; it reads the places at once, and keeps the object for the memory. */
  readonly #place: LmdbBytes

  constructor(changes: readonly StateChange[]) {
    let bytes = 0
    for (const { value } of changes) bytes += value?.length ?? 0
    this.#changes = changes
    this.#memory = Buffer.allocUnsafeSlow(Math.max(1, bytes))
    this.#place = { buffer: this.#memory.buffer, start: 0, end: 0 }
    let at = 0
    for (const { value } of changes) {
      if (value === null) continue
      this.#memory.set(value, at)
      at += value.length
    }
  }

  /** Tells the changes, in their order. Nothing in it fails: a batch that ends early is committed all the same. */
  tell(put: (key: string, value: LmdbBytes) => void, remove: (key: string) => void): void {
    let at = 0
    for (const { key, value } of this.#changes) {
      if (value === null) {
        remove(key)
        continue
      }
      this.#place.start = at
      at += value.length
      this.#place.end = at
      put(key, this.#place)
    }
  }
}

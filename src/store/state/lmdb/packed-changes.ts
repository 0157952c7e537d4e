import type { StateChange } from '../state-store.ts'
import type { LmdbBytes } from './lmdb-package.ts'

/** How much a store keeps between commits. */
const keptBytesMax = 2 ** 20

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

  /** `memory` is that of a commit that has ended: it is used again where it is large enough. */
  constructor(changes: readonly StateChange[], memory?: Buffer) {
    let bytes = 0
    for (const { value } of changes) bytes += value?.length ?? 0
    this.#changes = changes
    this.#memory =
      memory !== undefined && memory.length >= bytes
        ? memory
        : Buffer.allocUnsafeSlow(Math.max(1, bytes + (bytes >>> 2)))
    this.#place = { buffer: this.#memory.buffer, start: 0, end: 0 }
    let at = 0
    for (const { value } of changes) {
      if (value === null) continue
      this.#memory.set(value, at)
      at += value.length
    }
  }

  /** For the next commit, once this one has ended; undefined where it is more than is worth keeping. */
  get memory(): Buffer | undefined {
    return this.#memory.length <= keptBytesMax ? this.#memory : undefined
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

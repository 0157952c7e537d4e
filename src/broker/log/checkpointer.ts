import type { LogStorage } from './storage.ts'

interface Captured {
  readonly content: Buffer
  readonly endOffset: number
}

/**
 * Saves checkpoints of a log, one at a time and only the latest. A checkpoint is captured when the
 * state of the log is what it says, and saved when everything below its end is synced.
 *
 * A captured checkpoint is waiting → being saved → saved or failed. One that is captured meanwhile
 * waits for that; one that is captured while another waits takes its place.
 */
export class Checkpointer {
  readonly #storage: LogStorage
  /** Told when the log's own bytes could not be synced. */
  readonly #syncFailed: (error: unknown) => void
  #waiting: Captured | undefined
  /** The save of the waiting one, once it was asked for: all who ask share its outcome. */
  #nextSave: Promise<void> | undefined
  #currentSave: Promise<void> | undefined

  constructor(storage: LogStorage, syncFailed: (error: unknown) => void) {
    this.#storage = storage
    this.#syncFailed = syncFailed
  }

  capture(content: Buffer, endOffset: number): void {
    this.#waiting = { content, endOffset }
  }

  /** Everything below `offset` is synced, or, with page-cache durability, will be before a save. */
  advance(offset: number): void {
    if (this.#waiting === undefined || this.#waiting.endOffset > offset) return
    // A checkpoint only makes recovery shorter: failing to save one loses nothing.
    this.save().catch(() => undefined)
  }

  /** Resolves when the checkpoint that was captured last, or a later one, is saved. */
  save(): Promise<void> {
    if (this.#waiting === undefined) return this.#currentSave ?? Promise.resolve()
    this.#nextSave ??= this.#saveNext(this.#currentSave)
    return this.#nextSave
  }

  async #saveNext(current: Promise<void> | undefined): Promise<void> {
    await current?.catch(() => undefined)
    const captured = this.#waiting
    const save = this.#nextSave
    this.#waiting = undefined
    this.#nextSave = undefined
    this.#currentSave = save
    try {
      if (captured !== undefined) await this.#write(captured)
    } finally {
      if (this.#currentSave === save) this.#currentSave = undefined
    }
  }

  async #write(captured: Captured): Promise<void> {
    try {
      await this.#storage.sync()
    } catch (error) {
      this.#syncFailed(error)
      throw error
    }
    await this.#storage.saveCheckpoint(captured.content)
  }
}

import type { LogStorage } from './storage.ts'

interface Captured {
  readonly content: Buffer
  readonly endOffset: number
}

/**
 * Saves checkpoints of a log, one at a time and only the latest. A checkpoint is captured when the
 * state of the log is what it says, and saved when everything below its end is synced.
 */
export class Checkpointer {
  readonly #storage: LogStorage
  /** Told when the log's own bytes could not be synced. */
  readonly #syncFailed: (error: unknown) => void
  #captured: Captured | undefined
  #saving: Promise<void> | undefined

  constructor(storage: LogStorage, syncFailed: (error: unknown) => void) {
    this.#storage = storage
    this.#syncFailed = syncFailed
  }

  capture(content: Buffer, endOffset: number): void {
    this.#captured = { content, endOffset }
  }

  /** Everything below `offset` is synced, or, with page-cache durability, will be before a save. */
  advance(offset: number): void {
    if (this.#captured === undefined || this.#captured.endOffset > offset) return
    // A checkpoint only makes recovery shorter: failing to save one loses nothing.
    this.save().catch(() => undefined)
  }

  /** Saves what was captured, after what is being saved. */
  async save(): Promise<void> {
    while (this.#saving !== undefined) await this.#saving.catch(() => undefined)
    const captured = this.#captured
    if (captured === undefined) return
    this.#captured = undefined
    this.#saving = this.#write(captured)
    try {
      await this.#saving
    } finally {
      this.#saving = undefined
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

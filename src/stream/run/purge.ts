import { partitionKey } from '../../client/index.ts'
import type { DriverAdmin } from '../../driver/index.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock } from '../../platform/index.ts'

export interface PurgeParts {
  readonly clock: Clock
  readonly log: Log
  readonly admin: Pick<DriverAdmin, 'records'>
  /** Up to where records were worked, and that is committed. */
  readonly done: () => readonly {
    readonly topic: string
    readonly partition: number
    readonly before: number
  }[]
}

const everyMs = 30_000

/**
 * Deletes what a flow has written again under another key, once it is worked: nobody else reads it, and the topic keeps it for
 * ever. Nothing is lost when it cannot: then it stays.
 *
 * - **waiting** → **closed**.
 */
export class Purge {
  readonly #parts: PurgeParts
  readonly #ending = new AbortController()
  readonly #deleted = new Map<string, number>()
  #isTold = false

  constructor(parts: PurgeParts) {
    this.#parts = parts
  }

  async run(): Promise<void> {
    const { clock } = this.#parts
    const { signal } = this.#ending
    for (;;) {
      await clock.sleep(everyMs, signal).catch(() => undefined)
      if (signal.aborted) return
      await this.#purge()
    }
  }

  close(): void {
    this.#ending.abort()
  }

  async #purge(): Promise<void> {
    const { admin, done } = this.#parts
    const deletions = done().filter(
      (each) => each.before > (this.#deleted.get(partitionKey(each)) ?? 0),
    )
    if (deletions.length === 0 || admin.records === undefined) return
    try {
      const results = await admin.records.deleteMany(deletions, { signal: this.#ending.signal })
      for (const { error, ...place } of results) {
        if (error !== undefined) this.#tell(error)
        else {
          const deletion = deletions.find((each) => partitionKey(each) === partitionKey(place))
          this.#deleted.set(partitionKey(place), deletion?.before ?? 0)
        }
      }
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#tell(error as Error)
    }
  }

  #tell(error: Error): void {
    if (this.#isTold) return
    this.#isTold = true
    const what = 'records that were written again under another key cannot be deleted: they stay'
    this.#parts.log('warn', what, { error: error.message })
  }
}

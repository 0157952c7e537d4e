import type {
  Checkpoint,
  StateChange,
  StateEntry,
  StateFigures,
  StateKey,
  StateStore,
} from '../state-store.ts'
import { stateKeyBytesMax } from '../state-store.ts'
import { checkedChanges, misused } from '../state-checks.ts'
import type { StateDatabase, StateEnvironment } from './lmdb-environment.ts'
import { LmdbRange, RangeReader } from './lmdb-range.ts'
import { PackedChanges } from './packed-changes.ts'

type Phase = 'open' | 'failed' | 'closed'

/**
 * The state of a task in an LMDB database of its own.
 *
 * - **open** → **failed** (what was written may be there, or not; or what was read is damaged) → **closed**.
 * - **open** → **closed**.
 */
export class LmdbStateStore implements StateStore {
  readonly #name: string
  readonly #environment: StateEnvironment
  readonly #database: StateDatabase
  readonly #ranges: RangeReader
  readonly #closed: () => void
  #checkpoint: Checkpoint | undefined
  /** What the last commit was packed into: new memory costs more than what is put into it. */
  #memory: Buffer | undefined
  #phase: Phase = 'open'
  /** A commit, or clearing, that is on its way. */
  #writing: Promise<void> | undefined

  constructor(name: string, environment: StateEnvironment, closed: () => void) {
    this.#name = name
    this.#environment = environment
    this.#closed = closed
    this.#database = environment.database(name)
    this.#ranges = new RangeReader(this.#database)
    this.#checkpoint = environment.checkpointOf(name)
  }

  get checkpoint(): Checkpoint | undefined {
    this.#checkOpen()
    return this.#checkpoint
  }

  get figures(): StateFigures {
    return this.#reading(() => {
      const { entryCount, pageSize, ...pages } = this.#database.getStats()
      const { treeBranchPageCount, treeLeafPageCount, overflowPages } = pages
      const bytes = pageSize * (treeBranchPageCount + treeLeafPageCount + overflowPages)
      return { entries: entryCount, bytes }
    })
  }

  get(key: StateKey): Buffer | undefined {
    // LMDB has no such keys, and says so by an error.
    if (key.length === 0 || key.length > stateKeyBytesMax) return undefined
    this.#checkOpen()
    try {
      return this.#database.get(key)
    } catch (error) {
      return this.#reading(() => {
        throw error
      })
    }
  }

  range(from: StateKey, to: StateKey): IterableIterator<StateEntry> {
    this.#checkOpen()
    return new LmdbRange(
      (next, end, count) => this.#reading(() => this.#ranges.read(next, end, count)),
      from,
      to,
    )
  }

  async commit(changes: Iterable<StateChange>, checkpoint: Checkpoint): Promise<void> {
    this.#checkIdle('commit')
    const packed = new PackedChanges(checkedChanges(changes, this.#name), this.#memory)
    const database = this.#database
    await this.#write(checkpoint, () =>
      packed.tell(
        (key, value) => database.put(key, value),
        (key) => database.remove(key),
      ),
    )
    this.#memory = packed.memory
  }

  async clear(): Promise<void> {
    this.#checkIdle('clear')
    await this.#write(undefined, () => this.#database.clearAsync())
  }

  async close(): Promise<void> {
    if (this.#phase === 'closed') return
    // Whoever asked for it is told how it ended.
    await this.#writing?.catch(() => undefined)
    if (this.#isClosed()) return
    if (this.#phase === 'open') this.#environment.prove()
    this.#phase = 'closed'
    this.#closed()
  }

  async #write(checkpoint: Checkpoint | undefined, write: () => void): Promise<void> {
    this.#writing = this.#environment.write(this.#name, checkpoint, write)
    try {
      await this.#writing
      this.#checkpoint = checkpoint
    } catch (error) {
      this.#phase = 'failed'
      throw error
    } finally {
      this.#writing = undefined
    }
  }

  #reading<Value>(read: () => Value): Value {
    this.#checkOpen()
    try {
      return this.#environment.reading(read)
    } catch (error) {
      this.#phase = 'failed'
      throw error
    }
  }

  #isClosed(): boolean {
    return this.#phase === 'closed'
  }

  #checkIdle(doing: string): void {
    this.#checkOpen()
    if (this.#writing === undefined) return
    throw misused(
      `${doing} of state store '${this.#name}' was called before the last one had ended`,
    )
  }

  #checkOpen(): void {
    if (this.#phase === 'open') return
    const what = this.#phase === 'closed' ? 'is closed' : 'has failed: it must be opened again'
    throw misused(`state store '${this.#name}' ${what}`)
  }
}

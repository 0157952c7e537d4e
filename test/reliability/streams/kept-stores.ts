import type { Platform } from '../../../src/platform/index.ts'
import { memoryStateStores } from '../../../src/store/index.ts'
import type {
  Checkpoint,
  StateChange,
  StateEntry,
  StateStore,
  StateStores,
} from '../../../src/store/index.ts'

/** What a store had at a commit. */
export interface KeptState {
  readonly entries: ReadonlyMap<string, Buffer>
  readonly checkpoint: Checkpoint
}

/** What the stores of a host had, by name: the last commit, and some before it. It outlives processes. */
export type KeptStates = Map<string, KeptState[]>

const keptMax = 30
const commitMsMax = 3

export interface KeptStoresOptions {
  readonly platform: Platform
  readonly kept: KeptStates
  /** Whether what is found now and then is gone, or as it was long ago. */
  readonly isUnreliable: boolean
  readonly tell: (what: string) => void
}

/** Stores whose commits are there when the process comes back: all of a commit or nothing, whenever it died. */
export class KeptStores implements StateStores {
  readonly #options: KeptStoresOptions
  readonly #inMemory = memoryStateStores()

  constructor(options: KeptStoresOptions) {
    this.#options = options
  }

  async open(name: string): Promise<StateStore> {
    const store = await this.#inMemory.open(name)
    const found = this.#find(name)
    if (found !== undefined) {
      const changes = [...found.entries].map(([key, value]) => ({ key, value }))
      await store.commit(changes, found.checkpoint)
    }
    return new KeptStore(store, name, this.#options)
  }

  has(name: string): boolean {
    return (this.#options.kept.get(name) ?? []).length > 0
  }

  close(): Promise<void> {
    return Promise.resolve(this.#inMemory.close())
  }

  #find(name: string): KeptState | undefined {
    const { kept, isUnreliable, platform, tell } = this.#options
    const states = kept.get(name) ?? []
    const luck = isUnreliable ? platform.random.integer(6) : 5
    if (luck === 0) {
      tell(`the state of ${name} is lost`)
      states.length = 0
    } else if (luck < 3 && states.length > 1) {
      states.length = 1 + platform.random.integer(states.length - 1)
      tell(`the state of ${name} is that of offset ${states.at(-1)?.checkpoint.offset}`)
    }
    return states.at(-1)
  }
}

class KeptStore implements StateStore {
  readonly #store: StateStore
  readonly #name: string
  readonly #options: KeptStoresOptions
  #committing: Promise<void> = Promise.resolve()

  constructor(store: StateStore, name: string, options: KeptStoresOptions) {
    this.#store = store
    this.#name = name
    this.#options = options
  }

  get checkpoint(): Checkpoint | undefined {
    return this.#store.checkpoint
  }

  get figures() {
    return this.#store.figures
  }

  get(key: string): Buffer | undefined {
    return this.#store.get(key)
  }

  range(from: string, to: string): IterableIterator<StateEntry> {
    return this.#store.range(from, to)
  }

  commit(changes: Iterable<StateChange>, checkpoint: Checkpoint): Promise<void> {
    const copied = [...changes].map(({ key, value }) => ({
      ...{ key, value: value === null ? null : Buffer.from(value) },
    }))
    this.#committing = this.#commit(copied, checkpoint)
    return this.#committing
  }

  async clear(): Promise<void> {
    this.#options.kept.delete(this.#name)
    await this.#store.clear()
  }

  async close(): Promise<void> {
    await this.#committing
    await this.#store.close()
  }

  /** A process that dies before it is there has not made it; one that dies behind it has. */
  async #commit(changes: readonly StateChange[], checkpoint: Checkpoint): Promise<void> {
    const { clock, random } = this.#options.platform
    await clock.sleep(random.integer(commitMsMax))
    await this.#store.commit(changes, checkpoint)
    this.#keep(changes, checkpoint)
    await clock.sleep(random.integer(commitMsMax))
  }

  #keep(changes: readonly StateChange[], checkpoint: Checkpoint): void {
    const { kept } = this.#options
    const states = kept.get(this.#name) ?? []
    const entries = new Map(states.at(-1)?.entries)
    for (const { key, value } of changes) {
      if (value === null) entries.delete(key)
      else entries.set(key, value)
    }
    states.push({ entries, checkpoint })
    if (states.length > keptMax) states.splice(0, states.length - keptMax)
    kept.set(this.#name, states)
  }
}

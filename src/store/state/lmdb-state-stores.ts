import { resolve } from 'node:path'
import { OptionError } from '../../errors.ts'
import { createConsoleLog, toLog } from '../../observe/index.ts'
import type { Log, Logger } from '../../observe/index.ts'
import { optionsOf, shown, text } from '../../option-checks.ts'
import { createNodePlatform } from '../../platform/index.ts'
import type { Platform } from '../../platform/index.ts'
import { StateEnvironment } from './lmdb/lmdb-environment.ts'
import { loadLmdb } from './lmdb/lmdb-package.ts'
import { LmdbStateStore } from './lmdb/lmdb-state-store.ts'
import { misused } from './state-checks.ts'
import type { StateStore, StateStores } from './state-store.ts'

export interface LmdbStateOptions {
  /**
   * A folder on a disk of this machine, of this process alone: two processes that share one are refused. Keep it from start
   * to start, as a volume of a stateful set is.
   */
  readonly path: string
  /** Where it is said that a state could not be used and was removed. @defaultValue a log on standard error */
  readonly log?: Log | Logger
  /** For tests. Whatever it is, LMDB reads and writes the files of this machine. */
  readonly platform?: Pick<Platform, 'disk' | 'clock'>
}

interface ResolvedOptions {
  readonly path: string
  readonly log: Log
  readonly platform: Pick<Platform, 'disk' | 'clock'>
}

/**
 * - **idle** → **open** (the first store is opened or asked for: only then are the package loaded and the folder locked) →
 *   **closed**.
 * - **idle** → **closed**.
 */
class LmdbStateStores implements StateStores {
  readonly #options: ResolvedOptions
  readonly #open = new Map<string, LmdbStateStore>()
  #environment: StateEnvironment | undefined
  #isClosed = false

  constructor(options: ResolvedOptions) {
    this.#options = options
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what is wrong must reject, and not throw.
  async open(name: string): Promise<StateStore> {
    text({ name }, 'name', 'name of a state store')
    const environment = this.#opened()
    if (this.#open.has(name)) throw misused(`state store '${name}' is open already`)
    const store = new LmdbStateStore(name, environment, () => this.#open.delete(name))
    this.#open.set(name, store)
    return store
  }

  has(name: string): boolean {
    return this.#opened().checkpointOf(name) !== undefined
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.all([...this.#open.values()].map((store) => store.close()))
    await this.#environment?.close()
  }

  #opened(): StateEnvironment {
    if (this.#isClosed) throw misused('these state stores are closed')
    const { path, log, platform } = this.#options
    this.#environment ??= new StateEnvironment({ lmdb: loadLmdb(), path, log, ...platform })
    return this.#environment
  }
}

/**
 * Keeps states in a folder of this machine, with the package `lmdb` (`npm install lmdb`): a process that starts again reads
 * from the changelogs what it has missed, and not all of them.
 *
 * @example
 * const stores = lmdbStateStores({ path: '/var/lib/orders/state' })
 */
export function lmdbStateStores(options: LmdbStateOptions): StateStores {
  const given = optionsOf(options, 'lmdbStateStores', ['path', 'log', 'platform'])
  const { path } = given
  if (typeof path !== 'string' || path === '') {
    throw new OptionError('path', `(${shown(path)}) must be the path of a folder`)
  }
  const { clock, disk } = options.platform ?? createNodePlatform()
  return new LmdbStateStores({
    path: resolve(path),
    log: options.log === undefined ? createConsoleLog() : toLog(options.log),
    platform: { clock, disk },
  })
}

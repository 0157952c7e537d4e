import { MillraceError } from '../../../errors.ts'
import type { Log } from '../../../observe/index.ts'
import type { Checkpoint, StateKey } from '../state-store.ts'
import { LmdbFolder } from './lmdb-folder.ts'
import type { LmdbFolderOptions } from './lmdb-folder.ts'
import { byteKeys, byteValues, isLmdbDamage } from './lmdb-package.ts'
import type { LmdbDatabase, LmdbEnvironment, LmdbPackage } from './lmdb-package.ts'

/** Of what is written here. What another one has written means nothing to this program. */
const formatNumber = 2

/** Of the tasks that a process ever had; LMDB wants to know it before. */
const databasesMax = 4_096

/**
 * How much of the address space is mapped. Nothing is taken for it; what is in use is the size of the file. When a file outgrows its
 * map the package makes one that is twice as large, and keeps the old one, whose pages are then counted twice wherever memory
 * is counted by process.
 */
const mapBytes = 2 ** 36

/**
 * A transaction begins at the next turn of the event loop, or when so many writes wait: until then what stores commit in one turn comes
 * together. The package lets the program sleep when far more wait (300,000).
 */
const startThreshold = 10_000

export type StateDatabase = LmdbDatabase<StateKey, Buffer>

export interface StateEnvironmentOptions extends LmdbFolderOptions {
  readonly lmdb: LmdbPackage
  readonly log: Log
}

/**
 * One LMDB environment for all tasks of this process: a database for each, and one for what is known of them (`about`).
 *
 * - **open** → **closed**.
 *
 * One file, since what several tasks commit at about the same time is then one transaction and one sync, on one thread of the
 * four that Node has for files, names and compression. LMDB would let only one of them write at a time in any case.
 */
export class StateEnvironment {
  readonly #folder: LmdbFolder
  readonly #environment: LmdbEnvironment
  readonly #about: LmdbDatabase<string, unknown>
  /** They stay open: LMDB has no safe moment to close one while others are written. */
  readonly #databases = new Map<string, StateDatabase>()

  constructor({ lmdb, log, ...folder }: StateEnvironmentOptions) {
    this.#folder = new LmdbFolder(folder)
    try {
      const opened = openUsable(lmdb, this.#folder, log)
      this.#environment = opened.environment
      this.#about = opened.about
    } catch (error) {
      this.#folder.release()
      throw error
    }
  }

  get path(): string {
    return this.#folder.path
  }

  checkpointOf(name: string): Checkpoint | undefined {
    return this.reading(() => checkpointIn(this.#about.get(checkpointKey(name))))
  }

  database(name: string): StateDatabase {
    let database = this.#databases.get(name)
    if (database === undefined) {
      database = this.reading(() =>
        this.#environment.openDB<StateKey, Buffer>(`state ${name}`, {
          keyEncoder: byteKeys,
          encoder: byteValues,
        }),
      )
      this.#databases.set(name, database)
    }
    return database
  }

  /** What `read` answers. Damage that it finds ends with this process: the next one clears the folder. */
  reading<Value>(read: () => Value): Value {
    try {
      return read()
    } catch (error) {
      if (isLmdbDamage(error)) this.#folder.condemn()
      throw failed('read', this.path, error)
    }
  }

  /** What `write` tells the databases, and the checkpoint of `name`, in one transaction. */
  async write(name: string, checkpoint: Checkpoint | undefined, write: () => void): Promise<void> {
    try {
      await this.#environment.batch(() => {
        write()
        if (checkpoint === undefined) this.#about.remove(checkpointKey(name))
        else this.#about.put(checkpointKey(name), checkpoint)
      })
    } catch (error) {
      const cause = await causeOf(error)
      if (isLmdbDamage(cause)) this.#folder.condemn()
      throw failed('written', this.path, cause)
    }
    this.#folder.prove()
  }

  /** A store was used, and closed in order. */
  prove(): void {
    this.#folder.prove()
  }

  async close(): Promise<void> {
    try {
      await this.#environment.close()
      this.#folder.prove()
    } finally {
      this.#folder.release()
    }
  }
}

interface Opened {
  readonly environment: LmdbEnvironment
  readonly about: LmdbDatabase<string, unknown>
}

/** Opens what is there; where that cannot be used, an empty environment in its place: the changelogs have it all. */
function openUsable(lmdb: LmdbPackage, folder: LmdbFolder, log: Log): Opened {
  const { major, minor, patch } = lmdb.version
  const format = `millrace ${formatNumber}, lmdb ${major}.${minor}.${patch}`
  const clear = (reason: string) => {
    log('warn', 'local state cannot be used: it is removed, and read again from its changelogs', {
      path: folder.path,
      reason,
    })
    folder.removeData()
  }
  const trouble = folder.troubleWithData(format)
  if (trouble !== undefined) clear(trouble)
  folder.setFormat(format)
  try {
    return openEnvironment(lmdb, folder.path)
  } catch (error) {
    if (!isLmdbDamage(error)) throw failed('opened', folder.path, error)
    clear(String(error))
  }
  try {
    return openEnvironment(lmdb, folder.path)
  } catch (error) {
    throw failed('opened', folder.path, error)
  }
}

function openEnvironment(lmdb: LmdbPackage, path: string): Opened {
  const environment = lmdb.open({
    path,
    noSubdir: false,
    maxDbs: databasesMax,
    mapSize: mapBytes,
    encoding: 'binary',
    // Else a transaction stays open until the turn of the event loop has ended, and the package's thread may wait for its end
    // already: a process that ends itself in that turn hangs for good, or ends with a fault.
    eventTurnBatching: false,
    txnStartThreshold: startThreshold,
  })
  try {
    return {
      environment,
      about: environment.openDB<string, unknown>('about', { encoding: 'json' }),
    }
  } catch (error) {
    // Nothing was written, so that it is closed when the call returns.
    void environment.close()
    throw error
  }
}

function checkpointKey(name: string): string {
  return `checkpoint ${name}`
}

/** Undefined where it is not one: a store without a checkpoint is read again. */
function checkpointIn(found: unknown): Checkpoint | undefined {
  if (typeof found !== 'object' || found === null) return undefined
  const { offset, leaderEpoch, topicId, timestamp } = found as Partial<Record<string, unknown>>
  if (typeof offset !== 'number' || typeof leaderEpoch !== 'number') return undefined
  if (typeof topicId !== 'string' || typeof timestamp !== 'number') return undefined
  return { offset, leaderEpoch, topicId, timestamp }
}

/** The package says that a commit has failed, and why with a promise of its own that nobody else listens to. */
async function causeOf(error: unknown): Promise<unknown> {
  if (typeof error !== 'object' || error === null || !('commitError' in error)) return error
  return Promise.resolve(error.commitError).then(
    () => error,
    (cause: unknown) => cause,
  )
}

function failed(doing: 'opened' | 'read' | 'written', path: string, cause: unknown): MillraceError {
  const what = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError(
    'MILLRACE_STORE_FAILED',
    `state in ${path} cannot be ${doing}: ${what}`,
    { cause },
  )
}

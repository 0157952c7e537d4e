import { createRequire } from 'node:module'
import { MillraceError } from '../../../errors.ts'
import type { StateKey } from '../state-store.ts'

/*
 * What we use of the package `lmdb`. Its own types say less: what an encoder gets, what a buffer is good for.
 */

export interface LmdbPackage {
  open(options: LmdbEnvironmentOptions): LmdbEnvironment
  /** Of the LMDB in it. */
  readonly version: { readonly major: number; readonly minor: number; readonly patch: number }
}

export interface LmdbEnvironmentOptions {
  readonly path: string
  /** False: `path` is a folder. */
  readonly noSubdir: false
  readonly maxDbs: number
  readonly mapSize: number
  readonly encoding: 'binary'
  /** Whether all that is written in a turn of the event loop is one transaction; else what is in one `batch`. */
  readonly eventTurnBatching: boolean
  /** A transaction begins when so many writes wait, or at the next turn. */
  readonly txnStartThreshold: number
}

/** One file. What is written to databases in one `batch` is committed in one transaction. */
export interface LmdbEnvironment {
  openDB<Key, Value>(name: string, options: LmdbDatabaseOptions<Key>): LmdbDatabase<Key, Value>
  /** Resolves once all that `write` asked for is committed, and on the disk. */
  batch(write: () => void): Promise<unknown>
  close(): Promise<void>
}

export interface LmdbDatabaseOptions<Key> {
  readonly encoding?: 'json'
  readonly keyEncoder?: {
    /** Answers where the key ends. */
    writeKey(key: Key | Uint8Array, target: Buffer, start: number): number
    readKey(source: Buffer, start: number, end: number): Key
  }
  readonly encoder?: {
    encode(value: LmdbBytes): LmdbBytes
    /** The bytes are those of whatever is read next, once it is. */
    decode(bytes: Buffer): Buffer
  }
}

/** Part of an array buffer; the package keeps the array buffer's address with it. */
export interface LmdbBytes {
  readonly buffer: ArrayBufferLike
  start: number
  end: number
}

export interface LmdbDatabase<Key, Value> {
  get(key: Key): Value | undefined
  put(key: Key, value: LmdbBytes | Value): unknown
  remove(key: Key): unknown
  clearAsync(): unknown
  /** `options` is read when an iterator is made, not before. */
  getRange(options: {
    start: Key
    end: Key
  }): Iterable<{ readonly key: Key; readonly value: Value }>
  getStats(): {
    readonly entryCount: number
    readonly pageSize: number
    readonly treeBranchPageCount: number
    readonly treeLeafPageCount: number
    readonly overflowPages: number
  }
}

/** What the package names an error by; undefined where it is none of its errors. */
export function lmdbErrorCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'number' ? error.code : undefined
}

/**
 * What LMDB says of a file that it cannot make sense of: page not found, corrupted, panic, another version, not LMDB's, other
 * flags, a transaction that has broken, a problem, a checksum.
 */
const damageCodes: ReadonlySet<number | undefined> = new Set([
  -30797, -30796, -30795, -30794, -30793, -30784, -30782, -30779, -30778,
])

/** Whether the file is to blame for the error: no second try helps. */
export function isLmdbDamage(error: unknown): boolean {
  return damageCodes.has(lmdbErrorCode(error))
}

/** Loads the package, synchronously: whether a state was left here is asked where nothing can be waited for. */
export function loadLmdb(
  load: (name: string) => unknown = createRequire(import.meta.url),
): LmdbPackage {
  try {
    return load('lmdb') as LmdbPackage
  } catch (error) {
    const isAbsent =
      error instanceof Error &&
      'code' in error &&
      error.code === 'MODULE_NOT_FOUND' &&
      error.message.includes("'lmdb'")
    const problem = isAbsent
      ? 'lmdbStateStores needs the package lmdb, which is not installed: npm install lmdb'
      : `lmdbStateStores needs the package lmdb, which is installed but cannot be loaded: ${String(error)}`
    throw new MillraceError('MILLRACE_STORE_NOT_INSTALLED', problem, { cause: error })
  }
}

/** Keys as they are: bytes, one a character. */
export const byteKeys: NonNullable<LmdbDatabaseOptions<StateKey>['keyEncoder']> = {
  writeKey(key, target, start) {
    if (typeof key === 'string') return start + target.write(key, start, 'latin1')
    // The package gives a key of no bytes to whatever needs none.
    target.set(key, start)
    return start + key.length
  },
  readKey: (source, start, end) => source.toString('latin1', start, end),
}

/** Values as they are. What is read is in memory that the next read of any database writes over, so that it is copied. */
export const byteValues: NonNullable<LmdbDatabaseOptions<StateKey>['encoder']> = {
  encode: (value) => value,
  decode(bytes) {
    const { length } = bytes
    const value = Buffer.allocUnsafe(length)
    // `bytes` has a length that was put on it; only a view has it in truth.
    value.set(bytes.subarray(0, length))
    return value
  },
}

import { join } from 'node:path'
import { MillraceError } from '../../../errors.ts'
import type { Clock, Disk, DiskLock } from '../../../platform/index.ts'
import { troubleWithHeader } from './lmdb-header.ts'
import { SmallFile } from './small-file.ts'

/** LMDB's own files. */
const dataNames: readonly string[] = ['data.mdb', 'lock.mdb']

/** Whoever finds that as many have opened the folder in vain does not try again. */
const startsInVainMax = 3

export interface LmdbFolderOptions {
  readonly path: string
  readonly disk: Disk
  readonly clock: Pick<Clock, 'now'>
}

/**
 * The folder that an environment is in, held by this process alone:
 *
 * - `data.mdb`, `lock.mdb`: LMDB's.
 * - `lock`: what is locked. LMDB would let any number of processes in.
 * - `holder`: who has locked it, for the one who is refused.
 * - `format`: what has written `data.mdb`: the format of ours, and the version of LMDB.
 * - `starts`: how many processes have opened it since the last one that committed something, or closed a store in order. LMDB has no
 *   checksums, and reads files by mapping them: one that was cut off, or written over, can end the process instead of being
 *   an error, and it would do so at each start.
 */
export class LmdbFolder {
  readonly path: string
  readonly #disk: Disk
  readonly #lock: DiskLock
  readonly #starts: SmallFile
  readonly #format: SmallFile
  /** How many have opened it in vain before this process. */
  readonly #startsInVain: number
  #isProven = false

  constructor({ path, disk, clock }: LmdbFolderOptions) {
    this.path = path
    this.#disk = disk
    disk.makeDirectory(path)
    const holder = new SmallFile(disk, join(path, 'holder'))
    const lock = disk.lock(join(path, 'lock'))
    if (lock === undefined) throw inUse(path, holder.read())
    this.#lock = lock
    holder.write(`process ${process.pid}, since ${new Date(clock.now()).toISOString()}`)
    this.#format = new SmallFile(disk, join(path, 'format'))
    this.#starts = new SmallFile(disk, join(path, 'starts'))
    const starts = Number(this.#starts.read() ?? '0')
    this.#startsInVain = Number.isSafeInteger(starts) ? starts : 0
    this.#starts.write(String(this.#startsInVain + 1))
  }

  /** Why what is there must not be given to LMDB. */
  troubleWithData(format: string): string | undefined {
    const path = join(this.path, 'data.mdb')
    if (this.#disk.status(path) === undefined) return undefined
    if (this.#startsInVain >= startsInVainMax) {
      return `${this.#startsInVain} processes have opened it, and none has committed anything`
    }
    const found = this.#format.read()
    if (found !== format) return `its format is '${found ?? ''}'; this program knows '${format}'`
    return troubleWithHeader(this.#disk, path)
  }

  /** What is written from here on is of this format. */
  setFormat(format: string): void {
    this.#format.write(format)
  }

  /** What is in it was used, and did no harm. */
  prove(): void {
    if (this.#isProven) return
    this.#isProven = true
    this.#starts.write('0')
  }

  /** What is in it is damaged: the next process finds nothing. */
  condemn(): void {
    this.#isProven = true
    this.#starts.write(String(startsInVainMax + 1))
  }

  /** The environment must not be open. */
  removeData(): void {
    for (const name of dataNames) {
      const path = join(this.path, name)
      if (this.#disk.status(path) !== undefined) this.#disk.remove(path)
    }
  }

  release(): void {
    this.#lock.release()
  }
}

function inUse(path: string, holder: string | undefined): MillraceError {
  const who = holder === undefined || holder === '' ? 'another process' : `another one (${holder})`
  return new MillraceError(
    'MILLRACE_STORE_IN_USE',
    `state folder ${path} is in use by ${who}; give each process a folder of its own`,
  )
}

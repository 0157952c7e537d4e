import fs from 'node:fs'
import { systemErrorCode, systemErrorText } from './builtin.ts'
import { DiskError } from './disk-error.ts'
import { takeLock } from './node-lock.ts'
import type { Disk, DiskErrorReason, DiskFile, PathStatus } from './platform.ts'

/** The files of this machine. */
export const nodeDisk: Disk = {
  open: (path, mode) => new NodeFile(path, mode),
  list: (path) => checked('list', path, () => fs.readdirSync(path).sort()),
  status,
  makeDirectory: (path) => {
    checked('make directory', path, () => fs.mkdirSync(path, { recursive: true }))
  },
  remove: (path) => {
    checked('remove', path, () => {
      if (fs.lstatSync(path).isDirectory()) fs.rmdirSync(path)
      else fs.unlinkSync(path)
    })
  },
  rename: (from, to) => {
    checked(`rename to ${to}`, from, () => fs.renameSync(from, to))
  },
  syncDirectory,
  lock: (path) => checked('lock', path, () => takeLock(path)),
}

/** States: open → closing (closed by the owner, syncs still running) → closed. */
class NodeFile implements DiskFile {
  readonly path: string
  readonly #descriptor: number
  #closed = false
  #syncsRunning = 0
  #syncFailure: DiskError | undefined

  constructor(path: string, mode: 'existing' | 'create') {
    const { O_RDWR, O_CREAT } = fs.constants
    const flags = mode === 'create' ? O_RDWR | O_CREAT : O_RDWR
    this.path = path
    this.#descriptor = checked('open', path, () => fs.openSync(path, flags))
  }

  size(): number {
    return checked('measure', this.path, () => fs.fstatSync(this.#open()).size)
  }

  read(target: Uint8Array, position: number): number {
    return checked('read', this.path, () => {
      let filled = 0
      while (filled < target.length) {
        const rest = target.length - filled
        const got = fs.readSync(this.#open(), target, filled, rest, position + filled)
        if (got === 0) break
        filled += got
      }
      return filled
    })
  }

  write(chunks: readonly Uint8Array[], position: number): void {
    checked('write', this.path, () => {
      let rest = chunks.filter((chunk) => chunk.length > 0)
      let end = position
      while (rest.length > 0) {
        const written = fs.writevSync(this.#open(), rest, end)
        if (written === 0) throw new Error('the system takes no bytes')
        end += written
        rest = withoutFirst(rest, written)
      }
    })
  }

  truncate(size: number): void {
    checked('truncate', this.path, () => fs.ftruncateSync(this.#open(), size))
  }

  /**
   * After one failed sync all later ones fail: the system may have dropped the pages it could not
   * write and marked them clean, so that a second sync would succeed without having written them.
   */
  async sync(): Promise<void> {
    if (this.#syncFailure !== undefined) throw this.#syncFailure
    const descriptor = checked('sync', this.path, () => this.#open())
    this.#syncsRunning += 1
    try {
      await settled((done) => fs.fdatasync(descriptor, done))
    } catch (error) {
      this.#syncFailure = diskError('sync', this.path, error)
      throw this.#syncFailure
    } finally {
      this.#syncsRunning -= 1
      this.#closeWhenIdle()
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#closeWhenIdle()
  }

  /** Closed under a running sync, the descriptor's number could be given to another file. */
  #closeWhenIdle(): void {
    if (!this.#closed || this.#syncsRunning > 0) return
    checked('close', this.path, () => fs.closeSync(this.#descriptor))
  }

  #open(): number {
    if (this.#closed) throw new Error('the file is closed')
    return this.#descriptor
  }
}

/** What is left of `chunks` after the system took the first `bytes` of them. */
function withoutFirst(chunks: Uint8Array[], bytes: number): Uint8Array[] {
  let taken = 0
  for (const [index, chunk] of chunks.entries()) {
    if (taken + chunk.length > bytes) {
      return [chunk.subarray(bytes - taken), ...chunks.slice(index + 1)]
    }
    taken += chunk.length
  }
  return []
}

function status(path: string): PathStatus | undefined {
  return checked('look at', path, () => {
    const found = fs.statSync(path, { throwIfNoEntry: false })
    if (found === undefined) return undefined
    return { kind: found.isDirectory() ? 'directory' : 'file', size: found.size }
  })
}

async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory for this; NTFS writes its entries to a journal by itself.
  if (process.platform === 'win32') return
  const descriptor = checked('open directory', path, () => fs.openSync(path, 'r'))
  try {
    await settled((done) => fs.fsync(descriptor, done))
  } catch (error) {
    // Some file systems do not know this operation on a directory: there is nothing more to do.
    if (systemErrorCode(error) !== 'EINVAL') throw diskError('sync directory', path, error)
  } finally {
    fs.closeSync(descriptor)
  }
}

function settled(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
}

function checked<Result>(doing: string, path: string, operation: () => Result): Result {
  try {
    return operation()
  } catch (error) {
    throw error instanceof DiskError ? error : diskError(doing, path, error)
  }
}

const reasons: Readonly<Record<string, DiskErrorReason>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'read-only',
  ENOENT: 'not-found',
  EACCES: 'denied',
  EPERM: 'denied',
  EEXIST: 'exists',
  ENOTEMPTY: 'exists',
}

function diskError(doing: string, path: string, cause: unknown): DiskError {
  const reason = reasons[systemErrorCode(cause) ?? ''] ?? 'failed'
  return new DiskError(reason, path, `${doing} ${path}: ${systemErrorText(cause)}`, { cause })
}

import type { DiskError, Disk, DiskFile, DiskLock } from '../../platform/index.ts'
import { diskError, type SimulatedDisk } from './disk.ts'
import type { FileContent } from './file-content.ts'
import { ProcessKilled, type SimulatedProcess } from './process.ts'
import type { World } from './world.ts'

/** The disk of its host as one process sees it. */
export function createProcessDisk(world: World, process: SimulatedProcess): Disk {
  const { disk } = process.host
  const entered = <Result>(name: string, operation: () => Result): Result => {
    process.enter(name)
    return operation()
  }
  return {
    open: (path, mode) =>
      entered('disk.open', () => new SimulatedFile(world, process, path, disk.open(path, mode))),
    list: (path) => entered('disk.list', () => disk.list(path)),
    status: (path) => entered('disk.status', () => disk.status(path)),
    makeDirectory: (path) => entered('disk.makeDirectory', () => disk.makeDirectory(path)),
    remove: (path) => entered('disk.remove', () => disk.remove(path)),
    rename: (from, to) => entered('disk.rename', () => disk.rename(from, to)),
    lock: (path) => entered('disk.lock', () => lock(process, path)),
    syncDirectory: (path) =>
      process.ask('disk.syncDirectory', (resolve, reject) => {
        const directory = disk.directory('sync directory', path)
        const mark = disk.directoryMark()
        sync(world, process, (fails) => {
          if (!fails) disk.directorySynced(directory, mark)
          process.perform('disk.directorySynced', () => {
            if (fails) reject(diskError('failed', 'sync directory', path, 'i/o error'))
            else resolve(undefined)
          })
        })
      }),
  }
}

function lock(process: SimulatedProcess, path: string): DiskLock | undefined {
  const giveBack = process.host.disk.lock(path)
  if (giveBack === undefined) return undefined
  const forget = process.atEnd(giveBack)
  return {
    release: () => {
      forget()
      giveBack()
    },
  }
}

/** Calls `done` when a sync that begins now has come to its end, unless the power fails before. */
function sync(world: World, process: SimulatedProcess, done: (fails: boolean) => void): void {
  const { host } = process
  const { durationMs, fails } = host.disk.drawSync()
  const { bootCount } = host
  world.scheduler.schedule(durationMs, 'disk.synced', () => {
    if (host.isUp && host.bootCount === bootCount) done(fails)
  })
}

/** States: open → closed (syncs that run come to their end all the same). */
class SimulatedFile implements DiskFile {
  readonly path: string
  readonly #world: World
  readonly #process: SimulatedProcess
  readonly #disk: SimulatedDisk
  readonly #content: FileContent
  #isClosed = false
  #syncFailure: DiskError | undefined

  constructor(world: World, process: SimulatedProcess, path: string, content: FileContent) {
    this.path = path
    this.#world = world
    this.#process = process
    this.#disk = process.host.disk
    this.#content = content
  }

  size(): number {
    this.#enter('disk.size', 'measure')
    return this.#content.size
  }

  read(target: Uint8Array, position: number): number {
    this.#enter('disk.read', 'read')
    return this.#content.read(target, position)
  }

  write(chunks: readonly Uint8Array[], position: number): void {
    const bytes = Buffer.concat(chunks)
    const wasOver = this.#process.isOver
    try {
      this.#enter('disk.write', 'write')
    } catch (error) {
      if (error instanceof ProcessKilled && !wasOver) this.#writePart(bytes, position)
      throw error
    }
    this.#disk.write(this.#content, this.path, bytes, position)
  }

  /** Killed in the middle of a write: the system may have done a part of it. */
  #writePart(bytes: Buffer, position: number): void {
    const cut = this.#process.faultRandom.integer(bytes.length + 1)
    try {
      this.#disk.write(this.#content, this.path, bytes.subarray(0, cut), position)
    } catch {
      // Nobody is left to be told.
    }
  }

  truncate(size: number): void {
    this.#enter('disk.truncate', 'truncate')
    this.#disk.truncate(this.#content, this.path, size)
  }

  sync(): Promise<void> {
    return this.#process.ask('disk.sync', (resolve, reject) => {
      if (this.#syncFailure !== undefined) throw this.#syncFailure
      this.#checkOpen('sync')
      const mark = this.#content.mark()
      sync(this.#world, this.#process, (fails) => {
        if (fails) this.#content.lost(mark)
        else this.#content.synced(mark)
        this.#process.perform('disk.synced', () => {
          if (fails) this.#syncFailure ??= diskError('failed', 'sync', this.path, 'i/o error')
          if (this.#syncFailure === undefined) resolve(undefined)
          else reject(this.#syncFailure)
        })
      })
    })
  }

  close(): void {
    this.#process.enter('disk.close')
    this.#isClosed = true
  }

  #enter(name: string, doing: string): void {
    this.#process.enter(name)
    this.#checkOpen(doing)
  }

  #checkOpen(doing: string): void {
    if (this.#isClosed) throw diskError('failed', doing, this.path, 'the file is closed')
  }
}

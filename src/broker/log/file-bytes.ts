import { damaged } from './damaged.ts'
import type { FileOwner, OpenFiles } from './open-files.ts'
import type { ReadBuffers, SegmentBytes } from './segment-bytes.ts'

/** What a segment's file needs of the directory that it is in. */
export interface FileHost {
  readonly files: OpenFiles
  /** Whether written bytes count only once they are synced. */
  readonly syncMatters: boolean
  /** A file is about to be made. */
  beforeMaking(): void
  /** A file has its first write since its last sync. */
  unsynced(bytes: FileBytes): void
}

const rewrittenAtOnceBytes = 1_048_576

/** A segment in a file. The file is made by its first append, and open only while it is used. */
export class FileBytes implements SegmentBytes, FileOwner {
  readonly #host: FileHost
  #path: string
  #size: number
  #made: boolean
  #unsynced = false
  #syncsRunning = 0

  /** Without `size` the file is still to be made. */
  constructor(host: FileHost, path: string, size?: number) {
    this.#host = host
    this.#path = path
    this.#size = size ?? 0
    this.#made = size !== undefined
  }

  get path(): string {
    return this.#path
  }

  get size(): number {
    return this.#size
  }

  get mustStayOpen(): boolean {
    return (this.#host.syncMatters && this.#unsynced) || this.#syncsRunning > 0
  }

  append(batch: Buffer): void {
    this.make()
    this.markUnsynced()
    const file = this.#host.files.use(this, 'existing')
    try {
      file.write([batch], this.#size)
    } catch (error) {
      this.#takeBack()
      throw error
    }
    this.#size += batch.length
  }

  chunkAt(position: number, lengthWanted: number, buffers?: ReadBuffers): Buffer {
    const length = Math.min(lengthWanted, this.#size - position)
    if (length <= 0) return Buffer.alloc(0)
    const chunk = buffers?.take(length) ?? Buffer.allocUnsafeSlow(length)
    const got = this.#host.files.use(this, 'existing').read(chunk, position)
    if (got < length) {
      throw damaged(`${this.#path} ends at byte ${position + got} of ${this.#size}`)
    }
    return chunk
  }

  /** Makes the file when there is none. */
  make(): void {
    if (this.#made) return
    this.#host.beforeMaking()
    this.#host.files.use(this, 'create')
    this.#made = true
    this.markUnsynced()
  }

  /** Drops what lies behind `size`. */
  truncate(size: number): void {
    this.markUnsynced()
    this.#host.files.use(this, 'existing').truncate(size)
    this.#size = size
  }

  /**
   * Writes bytes that are there once more. A sync that failed, and that nobody was left to be told
   * of, has made the system take them for written: another sync would pass them over, and succeed.
   */
  rewrite(from: number, to: number): void {
    this.markUnsynced()
    for (let position = from; position < to;) {
      const chunk = this.chunkAt(position, Math.min(to - position, rewrittenAtOnceBytes))
      this.#host.files.use(this, 'existing').write([chunk], position)
      position += chunk.length
    }
  }

  /** Asks that the next sync covers the file. */
  markUnsynced(): void {
    if (this.#unsynced) return
    this.#unsynced = true
    this.#host.unsynced(this)
  }

  async sync(): Promise<void> {
    const file = this.#host.files.use(this, 'existing')
    this.#unsynced = false
    this.#syncsRunning += 1
    try {
      await file.sync()
    } finally {
      this.#syncsRunning -= 1
      this.#host.files.released()
    }
  }

  /** The file is at `path` from now on; `rename` moves it there. */
  move(path: string, rename: (from: string, to: string) => void): void {
    // Windows does not rename files that are open.
    this.close()
    rename(this.#path, path)
    this.#path = path
  }

  close(): void {
    this.#host.files.close(this)
  }

  /**
   * Takes back a part of a batch. When the disk refuses that too, the part stays behind the end of
   * what counts: the next append writes over it, and recovery cuts what is left of it.
   */
  #takeBack(): void {
    try {
      this.#host.files.use(this, 'existing').truncate(this.#size)
    } catch {
      // The error that matters is that of the write.
    }
  }
}

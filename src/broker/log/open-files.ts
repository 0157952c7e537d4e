import type { Disk, DiskFile } from '../../platform/index.ts'

/** Who holds one of the open files. */
export interface FileOwner {
  readonly path: string
  /** Whether the file must not be closed to make room for another. */
  readonly mustStayOpen: boolean
}

/**
 * The files that are open, at most `filesMax` of them: ten thousand partitions must not need ten
 * thousand handles. The one that was used longest ago is closed first.
 *
 * A file that waits for a sync stays open, because the system reports a failed write-back only to
 * handles that were open when it failed: a sync through a new handle could succeed although the
 * bytes are lost. So the bound can be passed, while they wait, by the number of files that do.
 */
export class OpenFiles {
  readonly #disk: Disk
  readonly #filesMax: number
  /** In the order of their last use. */
  readonly #files = new Map<FileOwner, DiskFile>()
  #latest: FileOwner | undefined

  constructor(disk: Disk, filesMax: number) {
    this.#disk = disk
    this.#filesMax = filesMax
  }

  get count(): number {
    return this.#files.size
  }

  /** The owner's file, opened when it is not. */
  use(owner: FileOwner, mode: 'existing' | 'create'): DiskFile {
    let file = this.#files.get(owner)
    if (file !== undefined && this.#latest === owner) return file
    if (file === undefined) {
      this.#closeDownTo(this.#filesMax - 1)
      file = this.#disk.open(owner.path, mode)
    } else {
      this.#files.delete(owner)
    }
    this.#files.set(owner, file)
    this.#latest = owner
    return file
  }

  /** Closes the owner's file if it is open. */
  close(owner: FileOwner): void {
    const file = this.#files.get(owner)
    this.#files.delete(owner)
    file?.close()
  }

  /** Some of the owners let go of their files: goes back to the bound. */
  released(): void {
    this.#closeDownTo(this.#filesMax)
  }

  #closeDownTo(count: number): void {
    if (this.#files.size <= count) return
    for (const [owner, file] of this.#files) {
      if (owner.mustStayOpen) continue
      this.#files.delete(owner)
      file.close()
      if (this.#files.size <= count) return
    }
  }
}

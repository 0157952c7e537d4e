import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import type { Disk } from '../../platform/index.ts'
import { FileBytes } from './file-bytes.ts'
import type { FileHost } from './file-bytes.ts'
import { completeIndex, readIndexFile, writeIndexFile } from './index-file.ts'
import type { OpenFiles } from './open-files.ts'
import type { SegmentBytes } from './segment-bytes.ts'
import type { SegmentIndex } from './segment-index.ts'
import { checkpointName, newCheckpointName, stemOf } from './segment-names.ts'
import type { SegmentName } from './segment-names.ts'
import type { LogStorage, Replacement } from './storage.ts'
import { readWholeFile } from './whole-file.ts'

export interface DiskStorageOptions {
  readonly disk: Disk
  /** The directory of the log. It is made with the first file. */
  readonly path: string
  /** The directory below which it lies, and which is there. */
  readonly root: string
  readonly files: OpenFiles
  readonly durability: 'page-cache' | 'sync'
}

/** A log's segments as the files of a directory. */
export class DiskStorage implements LogStorage, FileHost {
  readonly durability: 'page-cache' | 'sync'
  readonly path: string
  readonly files: OpenFiles
  readonly #disk: Disk
  readonly #root: string
  readonly #segments = new Set<FileBytes>()
  #hasDirectory: boolean
  /** Whether this process sees to it that the names which lead to the log are synced. */
  #isPathMarked = false
  readonly #unsynced = new Set<FileBytes>()
  /** Directories whose entries changed since they were synced. */
  readonly #unsyncedDirectories = new Set<string>()
  /** All syncs so far: what they cover is not unsynced any more, but not yet synced either. */
  #syncing: Promise<void> = Promise.resolve()

  constructor(options: DiskStorageOptions) {
    this.durability = options.durability
    this.path = options.path
    this.files = options.files
    this.#disk = options.disk
    this.#root = options.root
    this.#hasDirectory = options.disk.status(options.path) !== undefined
  }

  get syncMatters(): boolean {
    return this.durability === 'sync'
  }

  beforeMaking(): void {
    this.#unsyncedDirectories.add(this.path)
    if (!this.#hasDirectory) this.#disk.makeDirectory(this.path)
    this.#hasDirectory = true
    this.markPathUnsynced()
  }

  /**
   * Asks that the next sync covers the names which lead to the log, and those in its directory. Who
   * made them may have been killed before they were synced.
   */
  markPathUnsynced(): void {
    if (this.#isPathMarked) return
    this.#isPathMarked = true
    this.#unsyncedDirectories.add(this.path)
    for (let path = this.path; path !== this.#root;) {
      path = dirname(path)
      this.#unsyncedDirectories.add(path)
    }
  }

  unsynced(bytes: FileBytes): void {
    this.#unsynced.add(bytes)
  }

  /** The names in the log's directory. */
  names(): string[] {
    return this.#hasDirectory ? this.#disk.list(this.path) : []
  }

  removeFile(name: string): void {
    this.#unsyncedDirectories.add(this.path)
    this.#disk.remove(join(this.path, name))
  }

  createSegment(baseOffset: number, made?: 'made'): FileBytes {
    const name = { baseOffset, endOffset: undefined }
    const bytes = this.#own(new FileBytes(this, this.#segmentPath(name)))
    if (made !== undefined) bytes.make()
    return bytes
  }

  /** A segment whose file is there. */
  openSegment(name: SegmentName): FileBytes {
    const path = this.#segmentPath(name)
    return this.#own(new FileBytes(this, path, this.#disk.status(path)?.size))
  }

  saveIndex(bytes: SegmentBytes, index: SegmentIndex): void {
    if (bytes.size > 0) writeIndexFile(this.#disk, indexPath(ownFile(bytes)), bytes, index)
  }

  loadIndex(bytes: FileBytes): SegmentIndex | undefined {
    const file = readIndexFile(this.#disk, indexPath(bytes))
    return file === undefined ? undefined : completeIndex(file, bytes)
  }

  /** Removes a segment's index, unless it covers no more than the first `syncedBytes`. */
  distrustIndex(bytes: FileBytes, syncedBytes: number): void {
    const file = readIndexFile(this.#disk, indexPath(bytes))
    if (file !== undefined && file.indexedBytes <= syncedBytes) return
    this.#unsyncedDirectories.add(this.path)
    this.#removeIfThere(indexPath(bytes))
  }

  /** What compaction was writing when it ended early stays behind: it starts anew. */
  createReplacement(baseOffset: number): FileBytes {
    const path = join(this.path, `${stemOf({ baseOffset, endOffset: undefined })}.cleaned`)
    this.#removeIfThere(path)
    const bytes = this.#own(new FileBytes(this, path))
    bytes.make()
    return bytes
  }

  async replace(replacement: Replacement): Promise<void> {
    const { baseOffset, endOffset, swap } = replacement
    const bytes = ownFile(replacement.bytes)
    const replaced = replacement.replaced.map(ownFile)
    const path = this.#segmentPath({ baseOffset, endOffset })
    // An index that outlived its segment could be taken for that of the replacement.
    for (const file of replaced) this.#removeIfThere(indexPath(file))
    this.#unsyncedDirectories.add(this.path)
    await this.sync()
    // A segment that is compacted again keeps its name: nobody may read the old one by it.
    for (const file of replaced) file.close()
    bytes.move(path, (from, to) => this.#disk.rename(from, to))
    swap()
    this.#unsyncedDirectories.add(this.path)
    await this.sync()
    for (const file of replaced) {
      if (file.path === path) this.#disown(file)
      else this.removeSegment(file)
    }
  }

  removeSegment(bytes: SegmentBytes): void {
    const file = ownFile(bytes)
    this.#disown(file)
    this.#unsyncedDirectories.add(this.path)
    // A replacement that was not finished has no index; its name could be that of another's.
    if (file.path.endsWith('.log')) this.#removeIfThere(indexPath(file))
    this.#removeIfThere(file.path)
  }

  sync(): Promise<void> {
    const syncs = [this.#syncing]
    for (const bytes of this.#unsynced) syncs.push(bytes.sync())
    for (const path of this.#unsyncedDirectories) syncs.push(this.#disk.syncDirectory(path))
    this.#unsynced.clear()
    this.#unsyncedDirectories.clear()
    this.#syncing = Promise.all(syncs).then(() => undefined)
    return this.#syncing
  }

  loadCheckpoint(): Buffer | undefined {
    return readWholeFile(this.#disk, join(this.path, checkpointName))
  }

  async saveCheckpoint(content: Buffer): Promise<void> {
    const path = join(this.path, newCheckpointName)
    this.beforeMaking()
    const file = this.#disk.open(path, 'create')
    try {
      file.truncate(0)
      file.write([content], 0)
      await file.sync()
    } finally {
      file.close()
    }
    this.#disk.rename(path, join(this.path, checkpointName))
    this.#unsyncedDirectories.add(this.path)
    await this.sync()
  }

  close(): void {
    for (const bytes of this.#segments) bytes.close()
  }

  delete(): void {
    this.close()
    this.#unsynced.clear()
    this.#unsyncedDirectories.clear()
    if (!this.#hasDirectory) return
    removeDirectory(this.#disk, this.path)
    for (let path = dirname(this.path); path !== this.#root; path = dirname(path)) {
      if (this.#disk.list(path).length > 0) return
      this.#disk.remove(path)
    }
  }

  #segmentPath(name: SegmentName): string {
    return join(this.path, `${stemOf(name)}.log`)
  }

  #own(bytes: FileBytes): FileBytes {
    this.#segments.add(bytes)
    return bytes
  }

  #disown(bytes: FileBytes): void {
    this.#unsynced.delete(bytes)
    this.#segments.delete(bytes)
    bytes.close()
  }

  #removeIfThere(path: string): void {
    if (this.#disk.status(path) !== undefined) this.#disk.remove(path)
  }
}

/** Removes a directory of files. */
export function removeDirectory(disk: Disk, path: string): void {
  for (const name of disk.list(path)) disk.remove(join(path, name))
  disk.remove(path)
}

function indexPath(bytes: FileBytes): string {
  return bytes.path.replace(/\.[a-z]+$/, '.index')
}

function ownFile(bytes: SegmentBytes): FileBytes {
  assert(bytes instanceof FileBytes, 'the segment is not a file')
  return bytes
}

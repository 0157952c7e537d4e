import { posix } from 'node:path'
import { DiskError, type DiskErrorReason, type PathStatus } from '../../platform/index.ts'
import { Directory, DirectoryTree } from './directory-tree.ts'
import { FileContent } from './file-content.ts'
import type { SeededRandom, Range } from './seeded-random.ts'

/** How a simulated disk behaves. */
export interface DiskConditions {
  readonly capacityBytes: number
  readonly isReadOnly: boolean
  /** How long a sync takes. */
  readonly syncMs: Range
  /** How many of the syncs take longer, and how long. */
  readonly slowSyncProbability: number
  readonly slowSyncMs: Range
  /** How often a sync fails. What it should have written may be lost then. */
  readonly syncFailureProbability: number
  /** How often a write fails after a part of it was written. */
  readonly writeFailureProbability: number
}

/** A disk without faults. */
export const healthyDisk: DiskConditions = {
  capacityBytes: Infinity,
  isReadOnly: false,
  syncMs: { min: 0.1, max: 3 },
  slowSyncProbability: 0.01,
  slowSyncMs: { min: 10, max: 200 },
  syncFailureProbability: 0,
  writeFailureProbability: 0,
}

/** Where relative paths begin. */
const workingDirectory = '/work'

/**
 * The disk of a host. It outlives the processes of the host; of what they wrote, a power failure
 * keeps what was synced and a random part of the rest.
 */
export class SimulatedDisk {
  readonly #tree = new DirectoryTree()
  readonly #random: SeededRandom
  readonly #initialConditions: DiskConditions
  readonly #locks = new Map<string, unknown>()
  #conditions: DiskConditions
  #usedBytes = 0

  constructor(random: SeededRandom, conditions: Partial<DiskConditions>) {
    this.#random = random
    this.#initialConditions = { ...healthyDisk, ...conditions }
    this.#conditions = this.#initialConditions
    this.makeDirectory(workingDirectory)
    const root = this.directory('make', '/')
    this.#tree.synced(root, this.#tree.mark())
  }

  get conditions(): DiskConditions {
    return this.#conditions
  }

  /** Changes some of the conditions, from now on. */
  change(conditions: Partial<DiskConditions>): void {
    this.#conditions = { ...this.#conditions, ...conditions }
  }

  /** Goes back to the conditions of the beginning, without faults. */
  calm(): void {
    const noFaults = { syncFailureProbability: 0, writeFailureProbability: 0 }
    this.#conditions = { ...this.#initialConditions, ...noFaults }
  }

  /** All files as the system has them now, by path. */
  files(): ReadonlyMap<string, Buffer> {
    const files = new Map<string, Buffer>()
    for (const [path, content] of this.#tree.files()) files.set(path, content.snapshot())
    return files
  }

  /** @internal */
  losePower(): void {
    this.#tree.losePower(this.#random)
    this.#locks.clear()
    this.#usedBytes = 0
    for (const [, content] of this.#tree.files()) this.#usedBytes += content.size
  }

  /** @internal How long a sync takes, and whether it fails. */
  drawSync(): { durationMs: number; fails: boolean } {
    const { syncMs, slowSyncProbability, slowSyncMs, syncFailureProbability } = this.#conditions
    const isSlow = this.#random.chance(slowSyncProbability)
    const durationMs = this.#random.within(isSlow ? slowSyncMs : syncMs)
    return { durationMs, fails: this.#random.chance(syncFailureProbability) }
  }

  /** @internal */
  open(path: string, mode: 'existing' | 'create'): FileContent {
    const absolute = absolutePath(path)
    const found = this.#tree.find(absolute)
    if (found instanceof FileContent) {
      this.#checkWritable('open', path)
      return found
    }
    if (found !== undefined) throw diskError('failed', 'open', path, 'it is a directory')
    const { directory, name } = this.#tree.place('open', absolute)
    if (mode === 'existing') throw diskError('not-found', 'open', path, noSuchFile)
    this.#checkWritable('open', path)
    const content = new FileContent()
    this.#tree.link(directory, name, content)
    return content
  }

  /** @internal */
  write(content: FileContent, path: string, bytes: Buffer, position: number): void {
    this.#checkWritable('write', path)
    const { capacityBytes, writeFailureProbability } = this.#conditions
    const before = content.size
    // What replaces bytes that are there takes no room, not even on a disk that has become full.
    const room = Math.max(0, capacityBytes - this.#usedBytes)
    const fitting = Math.min(bytes.length, Math.max(0, before + room - position))
    const fails = writeFailureProbability > 0 && this.#random.chance(writeFailureProbability)
    const written = fails ? this.#random.integer(fitting + 1) : fitting
    content.write(bytes.subarray(0, written), position)
    this.#usedBytes += content.size - before
    if (fails) throw diskError('failed', 'write', path, 'i/o error')
    if (written < bytes.length) throw diskError('full', 'write', path, 'no space left on device')
  }

  /** @internal */
  truncate(content: FileContent, path: string, size: number): void {
    this.#checkWritable('truncate', path)
    this.#usedBytes += size - content.size
    content.truncate(size)
  }

  /** @internal */
  list(path: string): string[] {
    return [...this.directory('list', path).entries.keys()].sort()
  }

  /** @internal */
  status(path: string): PathStatus | undefined {
    const found = this.#tree.find(absolutePath(path))
    if (found === undefined) return undefined
    if (found instanceof Directory) return { kind: 'directory', size: 0 }
    return { kind: 'file', size: found.size }
  }

  /** @internal */
  makeDirectory(path: string): void {
    this.#checkWritable('make directory', path)
    let above = '/'
    for (const name of absolutePath(path).split('/').slice(1)) {
      const here = posix.join(above, name)
      const found = this.#tree.find(here)
      if (found instanceof FileContent) {
        throw diskError('exists', 'make directory', path, 'file already exists')
      }
      if (found === undefined) {
        this.#tree.link(this.directory('make directory', above), name, new Directory())
      }
      above = here
    }
  }

  /** @internal */
  remove(path: string): void {
    const { directory, name } = this.#tree.place('remove', absolutePath(path))
    const node = directory.entries.get(name)
    if (node === undefined) throw diskError('not-found', 'remove', path, noSuchFile)
    this.#checkWritable('remove', path)
    if (node instanceof Directory && node.entries.size > 0) {
      throw diskError('exists', 'remove', path, 'directory not empty')
    }
    if (node instanceof FileContent) this.#usedBytes -= node.size
    this.#tree.unlink(directory, name)
  }

  /** @internal */
  rename(from: string, to: string): void {
    const doing = `rename to ${to}`
    const source = this.#tree.place(doing, absolutePath(from))
    const target = this.#tree.place(doing, absolutePath(to))
    if (!source.directory.entries.has(source.name)) {
      throw diskError('not-found', doing, from, noSuchFile)
    }
    this.#checkWritable(doing, from)
    const replaced = target.directory.entries.get(target.name)
    const moved = source.directory.entries.get(source.name)
    if (replaced instanceof Directory && replaced !== moved) {
      throw diskError('exists', doing, from, 'directory not empty')
    }
    if (replaced !== undefined && moved instanceof Directory && replaced !== moved) {
      throw diskError('failed', doing, from, 'not a directory')
    }
    if (replaced instanceof FileContent && replaced !== moved) this.#usedBytes -= replaced.size
    this.#tree.move(source.directory, source.name, target.directory, target.name)
  }

  /** @internal */
  directory(doing: string, path: string): Directory {
    const found = this.#tree.find(absolutePath(path))
    if (found instanceof Directory) return found
    if (found !== undefined) throw diskError('failed', doing, path, 'not a directory')
    throw diskError('not-found', doing, path, noSuchFile)
  }

  /** @internal Names the changes of directories so far, for `directorySynced`. */
  directoryMark(): number {
    return this.#tree.mark()
  }

  /** @internal */
  directorySynced(directory: Directory, mark: number): void {
    this.#tree.synced(directory, mark)
  }

  /** @internal Answers a function that gives the lock back, or undefined when another has it. */
  lock(path: string): (() => void) | undefined {
    const absolute = absolutePath(path)
    this.open(path, 'create')
    if (this.#locks.has(absolute)) return undefined
    const holder = {}
    this.#locks.set(absolute, holder)
    return () => {
      if (this.#locks.get(absolute) === holder) this.#locks.delete(absolute)
    }
  }

  #checkWritable(doing: string, path: string): void {
    if (!this.#conditions.isReadOnly) return
    throw diskError('read-only', doing, path, 'read-only file system')
  }
}

const noSuchFile = 'no such file or directory'

/** An error as the real world words it. */
export function diskError(
  reason: DiskErrorReason,
  doing: string,
  path: string,
  problem: string,
): DiskError {
  return new DiskError(reason, path, `${doing} ${path}: ${problem}`)
}

function absolutePath(path: string): string {
  return posix.resolve(workingDirectory, path)
}

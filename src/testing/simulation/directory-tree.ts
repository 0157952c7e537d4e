import { DiskError } from '../../platform/index.ts'
import type { FileContent } from './file-content.ts'
import type { SeededRandom } from './seeded-random.ts'

/** What a name in a directory stands for. */
export type TreeNode = FileContent | Directory

/** The names in a directory: as the system has them, and as the disk has them. */
export class Directory {
  readonly entries = new Map<string, TreeNode>()
  readonly durable = new Map<string, TreeNode>()
}

/** A change of names that may not have reached the disk: it is there wholly, or not at all. */
interface NameChange {
  readonly sequence: number
  readonly directories: readonly Directory[]
  readonly apply: () => void
}

/** Beyond this many the system writes the oldest change to the disk by itself. */
const changesMax = 1_024

/**
 * The directories of a disk. Changes of the names in a directory reach the disk in order, when the
 * directory is synced or before; those of different directories in any order. A power failure keeps
 * of each directory what was synced, and the first so many of the changes after that.
 */
export class DirectoryTree {
  readonly #root = new Directory()
  #changes: NameChange[] = []
  #sequence = 0

  find(path: string): TreeNode | undefined {
    let node: TreeNode | undefined = this.#root
    for (const name of namesIn(path)) {
      node = node instanceof Directory ? node.entries.get(name) : undefined
    }
    return node
  }

  /** The directory in which the last name of the path is, or would be, and that name. */
  place(doing: string, path: string): { directory: Directory; name: string } {
    const names = namesIn(path)
    const name = names.pop() ?? ''
    const directory = this.find(`/${names.join('/')}`)
    if (directory instanceof Directory && name !== '') return { directory, name }
    throw new DiskError('not-found', path, `${doing} ${path}: no such file or directory`)
  }

  link(directory: Directory, name: string, node: TreeNode): void {
    directory.entries.set(name, node)
    this.#note([directory], () => directory.durable.set(name, node))
  }

  unlink(directory: Directory, name: string): void {
    directory.entries.delete(name)
    this.#note([directory], () => directory.durable.delete(name))
  }

  /** Takes the place of what is there, at one moment. */
  move(from: Directory, fromName: string, to: Directory, toName: string): void {
    const node = from.entries.get(fromName)
    if (node === undefined || (from === to && fromName === toName)) return
    from.entries.delete(fromName)
    to.entries.set(toName, node)
    this.#note([from, to], () => {
      from.durable.delete(fromName)
      to.durable.set(toName, node)
    })
  }

  /** Names the changes so far, for `synced`. */
  mark(): number {
    return this.#sequence
  }

  /**
   * What was changed in the directory up to the mark is on the disk: and so are the earlier changes
   * of the directories from and to which something was moved.
   */
  synced(directory: Directory, mark: number): void {
    const concerned = new Set([directory])
    const reached = new Set<NameChange>()
    for (const change of this.#changes.toReversed()) {
      if (change.sequence > mark) continue
      if (!change.directories.some((one) => concerned.has(one))) continue
      for (const one of change.directories) concerned.add(one)
      reached.add(change)
    }
    this.#apply((change) => reached.has(change))
  }

  /** The power fails: what is on the disk is all there is. */
  losePower(random: SeededRandom): void {
    const keepProbability = random.pick([0, 0.5, 0.9, 1]) ?? 0
    const cutOff = new Set<Directory>()
    this.#apply(({ directories }) => {
      const follows = directories.every((one) => !cutOff.has(one))
      if (follows && random.chance(keepProbability)) return true
      for (const one of directories) cutOff.add(one)
      return false
    })
    this.#changes = []
    restore(this.#root, random)
  }

  /** All files, by path, in order. */
  *files(directory = this.#root, path = ''): Generator<[string, FileContent]> {
    for (const name of [...directory.entries.keys()].sort()) {
      const node = directory.entries.get(name)
      if (node instanceof Directory) yield* this.files(node, `${path}/${name}`)
      else if (node !== undefined) yield [`${path}/${name}`, node]
    }
  }

  #note(directories: readonly Directory[], apply: () => void): void {
    this.#sequence += 1
    this.#changes.push({ sequence: this.#sequence, directories, apply })
    if (this.#changes.length > changesMax) this.#changes.shift()?.apply()
  }

  #apply(isChosen: (change: NameChange) => boolean): void {
    this.#changes = this.#changes.filter((change) => {
      const chosen = isChosen(change)
      if (chosen) change.apply()
      return !chosen
    })
  }
}

function restore(directory: Directory, random: SeededRandom): void {
  directory.entries.clear()
  for (const [name, node] of directory.durable) {
    directory.entries.set(name, node)
    if (node instanceof Directory) restore(node, random)
    else node.losePower(random)
  }
}

function namesIn(path: string): string[] {
  return path.split('/').filter((name) => name !== '')
}

import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Clock, Disk } from '../../platform/index.ts'
import { openDataFolder } from './data-folder.ts'
import type { DataFolder } from './data-folder.ts'
import { DiskStorage, removeDirectory } from './disk-storage.ts'
import { GroupCommit } from './group-commit.ts'
import { defaultLogConfig } from './log-config.ts'
import type { LogConfig } from './log-config.ts'
import { LogRecovery } from './log-recovery.ts'
import type { Truncation } from './log-recovery.ts'
import { LogState } from './log-state.ts'
import { memoryStorage } from './memory-storage.ts'
import { OpenFiles } from './open-files.ts'
import { PartitionLog } from './partition-log.ts'
import type { RecoveredLog } from './log-types.ts'
import { Segment } from './segment.ts'
import type { LogStorage } from './storage.ts'

/** Names a log. A topic that is made again under its name has another id, and other logs. */
export interface LogIdentity {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}

/** A log that takes no writes until it is opened anew, because what it wrote may be lost. */
export interface LogFailure {
  readonly path: string
  readonly error: unknown
}

export interface LogFolderOptions {
  readonly platform: { readonly clock: Clock; readonly disk: Disk }
  /** The folder that everything is kept in. Undefined: everything is kept in memory. */
  readonly path: string | undefined
  /** When an append counts as durable: when it is synced, or at once. */
  readonly durability: 'page-cache' | 'sync'
  /** Told what was cut off a log that was not whole. */
  readonly truncated?: (truncation: Truncation) => void
  /** Told when a log refuses writes from now on. */
  readonly failed?: (failure: LogFailure) => void
  /** How many files may be open. @defaultValue 512 */
  readonly filesMax?: number
}

/** All logs of a broker. */
export interface LogFolder {
  /** Opens a log as it is, or an empty one. Each may be opened once. */
  open(identity: LogIdentity, config: () => LogConfig): PartitionLog
  /** The log that the cluster keeps its own state in. */
  openClusterLog(): PartitionLog
  /**
   * Resolves once all that was found in the logs opened so far is durable: until then readers do
   * not see what the last process wrote last.
   */
  recovered(): Promise<void>
  /** Removes the logs that nobody has opened: what is left of topics that were being deleted. */
  removeOthers(): void
  /** Closes all logs and lets go of the folder. */
  close(): Promise<void>
}

const clusterLog: LogIdentity = { topic: '__cluster', topicId: 'cluster', partition: 0 }
const clusterLogConfig: LogConfig = {
  ...defaultLogConfig,
  compacted: true,
  deleted: false,
  segmentBytes: 1_048_576,
}

const filesMaxDefault = 512

/** How many logs are closed at the same time. */
const closingMax = 16

/** Opens the folder of a broker's logs, or makes it; or keeps the logs in memory. */
export async function openLogFolder(options: LogFolderOptions): Promise<LogFolder> {
  const { path, platform } = options
  if (path === undefined) return new Logs(options, undefined)
  return new Logs(options, await openDataFolder(platform.disk, path))
}

/** States: open → closed. */
class Logs implements LogFolder {
  readonly #options: LogFolderOptions
  readonly #folder: DataFolder | undefined
  readonly #files: OpenFiles
  readonly #groupCommit: GroupCommit
  readonly #logs = new Map<string, PartitionLog>()
  /** The directories of logs that were opened, also of those that were deleted since. */
  readonly #opened = new Set<string>()
  #closing: Promise<void> | undefined

  constructor(options: LogFolderOptions, folder: DataFolder | undefined) {
    this.#options = options
    this.#folder = folder
    this.#files = new OpenFiles(options.platform.disk, options.filesMax ?? filesMaxDefault)
    this.#groupCommit = new GroupCommit(options.platform.clock)
  }

  open(identity: LogIdentity, config: () => LogConfig): PartitionLog {
    assert(this.#closing === undefined, 'the folder is closed')
    const key = directoryOf(identity)
    assert(!this.#logs.has(key), `${key} is open already`)
    const { clock } = this.#options.platform
    const { storage, recovered } = this.#recover(key, clock.now())
    const log = new PartitionLog({
      topic: identity.topic,
      partition: identity.partition,
      config,
      clock,
      storage,
      groupCommit: this.#groupCommit,
      recovered,
      failed: (error) => this.#options.failed?.({ path: storage.path, error }),
      ended: () => this.#logs.delete(key),
    })
    this.#logs.set(key, log)
    return log
  }

  openClusterLog(): PartitionLog {
    return this.open(clusterLog, () => clusterLogConfig)
  }

  async recovered(): Promise<void> {
    await Promise.all([...this.#logs.values()].map((log) => log.recovered))
  }

  removeOthers(): void {
    if (this.#folder === undefined) return
    const { disk } = this.#options.platform
    const { logsPath } = this.#folder
    // File managers leave files of their own everywhere; they are none of ours.
    const directories = (path: string): string[] =>
      disk.list(path).filter((name) => disk.status(join(path, name))?.kind === 'directory')
    for (const topic of directories(logsPath)) {
      for (const partition of directories(join(logsPath, topic))) {
        if (this.#opened.has(join(topic, partition))) continue
        removeDirectory(disk, join(logsPath, topic, partition))
      }
      if (disk.list(join(logsPath, topic)).length === 0) disk.remove(join(logsPath, topic))
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #recover(key: string, nowMs: number): { storage: LogStorage; recovered: RecoveredLog } {
    this.#opened.add(key)
    if (this.#folder === undefined) {
      const storage = memoryStorage(key)
      return { storage, recovered: emptyLog(storage, nowMs) }
    }
    const { platform, durability, truncated } = this.#options
    const root = this.#folder.logsPath
    const storage = new DiskStorage({
      disk: platform.disk,
      path: join(root, key),
      root,
      files: this.#files,
      durability,
    })
    const recovery = new LogRecovery(storage, nowMs, truncated ?? (() => undefined))
    return { storage, recovered: recovery.run() }
  }

  async #close(): Promise<void> {
    // Nobody else looks after the cluster's own log. It is small, and changes little.
    const cluster = this.#logs.get(directoryOf(clusterLog))
    await cluster?.compact(this.#options.platform.clock.now(), 'when-worth-it').catch(() => false)
    const waiting = [...this.#logs.values()]
    const errors: unknown[] = []
    const closeSome = async (): Promise<void> => {
      for (let log = waiting.pop(); log !== undefined; log = waiting.pop()) {
        await log.close().catch((error: unknown) => errors.push(error))
      }
    }
    await Promise.all(Array.from({ length: closingMax }, closeSome))
    this.#folder?.lock.release()
    if (errors.length > 0)
      throw new AggregateError(errors, 'some logs could not be closed in order')
  }
}

function emptyLog(storage: LogStorage, nowMs: number): RecoveredLog {
  const bytes = storage.createSegment(0)
  const segment = new Segment({ baseOffset: 0, endOffset: 0, bytes, createdMs: nowMs })
  return {
    segments: [segment],
    state: new LogState(),
    logStartOffset: 0,
    compactedOffset: 0,
    durableOffset: 0,
  }
}

/** How much of a topic's name goes into the name of its directory, which may have 255 characters. */
const nameLengthMax = 200

/**
 * Where the files of a log are: `orders~<topic id>/0`. The id keeps topics apart that have had the
 * same name, or one that differs only in case. No topic has a `~` in its name.
 */
function directoryOf({ topic, topicId, partition }: LogIdentity): string {
  return join(`${topic.slice(0, nameLengthMax)}~${topicId}`, String(partition))
}

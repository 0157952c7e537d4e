import type { SegmentBytes } from './segment-bytes.ts'
import type { SegmentIndex } from './segment-index.ts'

/** A stretch of the log that is replaced, and by what. */
export interface Replacement {
  /** Made by `createReplacement`, and complete. */
  readonly bytes: SegmentBytes
  readonly replaced: readonly SegmentBytes[]
  readonly baseOffset: number
  readonly endOffset: number
  /** Called at the moment from which on only the replacement may be read. */
  readonly swap: () => void
}

/** Where a log keeps its segments: in memory or in a directory. */
export interface LogStorage {
  /**
   * What makes appended bytes survive a power failure: nothing (`memory`), or `sync`. With
   * `page-cache` they need not survive it, and `sync` is only called before a checkpoint.
   */
  readonly durability: 'memory' | 'page-cache' | 'sync'
  /** Names the log in messages. */
  readonly path: string

  /** An empty segment that starts at `baseOffset`. With `made` it is there at once, though empty. */
  createSegment(baseOffset: number, made?: 'made'): SegmentBytes
  /** Saves what would have to be read from the whole segment. May be lost: it can be made again. */
  saveIndex(bytes: SegmentBytes, index: SegmentIndex): void
  /** Makes a segment that takes the place of others when it is complete. */
  createReplacement(baseOffset: number): SegmentBytes
  /** Makes the swap: after a crash either the replaced segments are there, or the replacement. */
  replace(replacement: Replacement): Promise<void>
  removeSegment(bytes: SegmentBytes): void
  /** Resolves when all that was appended and made before the call survives a power failure. */
  sync(): Promise<void>
  /** Replaces the checkpoint, at one moment. */
  saveCheckpoint(content: Buffer): Promise<void>
  close(): void
  /** Removes everything. */
  delete(): void
}

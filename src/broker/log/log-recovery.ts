import { RecordBatch } from '../../protocol/records/index.ts'
import { baseOffsetAt, batchBytesAt, headerBytes, lastOffsetAt } from './batch-header.ts'
import { decodeCheckpoint } from './checkpoint.ts'
import type { Checkpoint } from './checkpoint.ts'
import { isUnreadable } from './decompression.ts'
import type { DiskStorage } from './disk-storage.ts'
import type { FileBytes } from './file-bytes.ts'
import { LogState } from './log-state.ts'
import type { RecoveredLog } from './log-types.ts'
import { Segment } from './segment.ts'
import { isReplacedBy, parseSegmentName, stemOf } from './segment-names.ts'
import type { SegmentName } from './segment-names.ts'

/** What was missing at the end of a log when it was opened, or was not whole and cut off. */
export interface Truncation {
  readonly path: string
  /** Where the log goes on. */
  readonly offset: number
  readonly bytesDropped: number
  readonly reason: string
}

interface FoundSegment extends SegmentName {
  readonly bytes: FileBytes
}

/** The end of what could be read of a segment, and why it is not the end of its file. */
interface ScanEnd {
  readonly position: number
  readonly offset: number
  readonly problem: string | undefined
}

/** How much is read at once while batches are checked. */
const windowBytes = 1_048_576

/**
 * Finds out what a log's directory holds. What lies below the last checkpoint was synced and is
 * believed; every batch above it is checked, and the log is cut at the first one that is not whole.
 * Without a checkpoint that fits, everything is checked.
 *
 * What was checked is not known to be on the disk. A process that was killed leaves its last writes in
 * the page cache, and its last names; and where a sync has failed, the page cache holds what no later
 * sync will write. So what was checked is written once more, and the next sync covers all of it.
 */
export class LogRecovery {
  readonly #storage: DiskStorage
  readonly #nowMs: number
  readonly #truncated: (truncation: Truncation) => void
  readonly #state = new LogState()
  #found: FoundSegment[] = []

  constructor(storage: DiskStorage, nowMs: number, truncated: (truncation: Truncation) => void) {
    this.#storage = storage
    this.#nowMs = nowMs
    this.#truncated = truncated
  }

  run(): RecoveredLog {
    this.#found = this.#findSegments()
    if (this.#found.length > 0) this.#storage.markPathUnsynced()
    const content = this.#storage.loadCheckpoint()
    const saved = content === undefined ? undefined : decodeCheckpoint(content)
    const checkpoint = saved !== undefined && this.#fits(saved) ? saved : undefined
    if (checkpoint !== undefined) this.#state.restore(checkpoint)
    const bytesMissing = saved === undefined ? 0 : this.#bytesMissing(saved)
    const segments = this.#openSegments(checkpoint, saved?.endOffset ?? 0)
    const first = segments[0] as Segment
    const { endOffset } = segments[segments.length - 1] as Segment
    if (bytesMissing > 0) this.#reportMissing(bytesMissing, endOffset)
    const savedStart = Math.min(saved?.logStartOffset ?? 0, endOffset)
    const logStartOffset = Math.max(savedStart, first.baseOffset)
    this.#state.trimStart(logStartOffset)
    return {
      segments,
      state: this.#state,
      logStartOffset,
      compactedOffset: checkpoint?.compactedOffset ?? 0,
      durableOffset: Math.min(checkpoint?.endOffset ?? first.baseOffset, endOffset),
    }
  }

  /** Opens the segments that count, and removes what others were made of and what was not finished. */
  #findSegments(): FoundSegment[] {
    const names = this.#storage.names()
    const segments = names.flatMap((name) => parseSegmentName(name) ?? [])
    const current = segments.filter((name) => !segments.some((other) => isReplacedBy(name, other)))
    const stems = new Set(current.map(stemOf))
    for (const name of names) {
      const [, stem = '', ending] = /^(.*)\.(log|index|cleaned|new)$/.exec(name) ?? []
      const isKept = ending === undefined || (/log|index/.test(ending) && stems.has(stem))
      if (!isKept) this.#storage.removeFile(name)
    }
    current.sort((one, other) => one.baseOffset - other.baseOffset)
    return current.map((name) => ({ ...name, bytes: this.#storage.openSegment(name) }))
  }

  /** Whether the segments have everything that a checkpoint says was synced. */
  #fits({ segmentBaseOffset, segmentBytes }: Checkpoint): boolean {
    const found = this.#segmentAt(segmentBaseOffset)
    // A segment that was just begun has no file before its first batch.
    if (found === undefined) {
      const last = this.#found.at(-1)
      return segmentBytes === 0 && (last === undefined || last.baseOffset < segmentBaseOffset)
    }
    return found.endOffset === undefined && found.bytes.size >= segmentBytes
  }

  #segmentAt(baseOffset: number): FoundSegment | undefined {
    return this.#found.find((found) => found.baseOffset === baseOffset)
  }

  /** Checks what has to be checked, cuts what is not whole, and puts an active segment at the end. */
  #openSegments(checkpoint: Checkpoint | undefined, savedOffset: number): Segment[] {
    const segments: Segment[] = []
    const trustedBelow = checkpoint?.segmentBaseOffset ?? 0
    // Without segments it still goes on where it was: no offset is given twice.
    let endOffset = this.#found[0]?.baseOffset ?? savedOffset
    for (const [index, found] of this.#found.entries()) {
      const { baseOffset } = found
      if (baseOffset < trustedBelow) {
        endOffset = this.#found[index + 1]?.baseOffset ?? trustedBelow
        segments.push(this.#segment(found, endOffset))
        continue
      }
      if (baseOffset !== endOffset) {
        const problem = `the segment at offset ${endOffset} is missing`
        this.#cut(index - 1, { position: Infinity, offset: endOffset, problem })
        break
      }
      const isAtCheckpoint = checkpoint !== undefined && baseOffset === trustedBelow
      const end = isAtCheckpoint
        ? this.#scan(found, checkpoint.segmentBytes, checkpoint.endOffset)
        : this.#scan(found, 0, baseOffset)
      if (this.#storage.syncMatters) {
        found.bytes.rewrite(isAtCheckpoint ? checkpoint.segmentBytes : 0, end.position)
      }
      endOffset = found.endOffset ?? end.offset
      segments.push(this.#segment(found, end.offset))
      if (end.problem === undefined) continue
      this.#cut(index, end)
      break
    }
    const last = this.#found[segments.length - 1]
    const isLastActive = last !== undefined && last.endOffset === undefined
    if (!isLastActive || last.baseOffset < trustedBelow)
      segments.push(this.#emptySegment(endOffset))
    return segments
  }

  #segment(found: FoundSegment, endOffset: number): Segment {
    const { baseOffset, bytes } = found
    const mayHaveGaps = found.endOffset !== undefined
    const loadIndex = () => this.#storage.loadIndex(bytes)
    const createdMs = this.#nowMs
    return new Segment({ baseOffset, endOffset, bytes, createdMs, mayHaveGaps, loadIndex })
  }

  #emptySegment(baseOffset: number): Segment {
    const bytes = this.#storage.createSegment(baseOffset)
    return new Segment({ baseOffset, endOffset: baseOffset, bytes, createdMs: this.#nowMs })
  }

  /** Checks the batches of a segment from a position on, and takes note of what they say. */
  #scan({ bytes, endOffset }: FoundSegment, from: number, fromOffset: number): ScanEnd {
    bytes.markUnsynced()
    this.#storage.distrustIndex(bytes, from)
    let position = from
    let offset = fromOffset
    let window: Buffer = Buffer.alloc(0)
    let windowStart = from
    const stop = (problem: string): ScanEnd => ({ position, offset, problem })
    while (position < bytes.size) {
      const left = bytes.size - position
      if (left < headerBytes) return stop(`${left} bytes are left, less than a header`)
      if (position + headerBytes > windowStart + window.length) {
        window = bytes.chunkAt(position, windowBytes)
        windowStart = position
      }
      const batchBytes = batchBytesAt(window, position - windowStart)
      if (batchBytes < headerBytes || batchBytes > left) {
        return stop(`a batch of ${batchBytes} bytes where ${left} are left`)
      }
      if (position + batchBytes > windowStart + window.length) {
        window = bytes.chunkAt(position, Math.max(batchBytes, windowBytes))
        windowStart = position
      }
      const baseOffset = baseOffsetAt(window, position - windowStart)
      const hasGap = endOffset === undefined ? baseOffset !== offset : baseOffset < offset
      if (hasGap) return stop(`a batch at offset ${baseOffset} where ${offset} is expected`)
      const problem = this.#check(window, position - windowStart, endOffset)
      if (problem !== undefined) return stop(problem)
      offset = lastOffsetAt(window, position - windowStart) + 1
      position += batchBytes
    }
    return { position, offset, problem: undefined }
  }

  /** Takes note of a batch, or answers what is wrong with it. */
  #check(window: Buffer, at: number, endOffset: number | undefined): string | undefined {
    try {
      const batch = RecordBatch.at(window, at)
      if (!batch.isCrcValid()) return `the batch at offset ${batch.baseOffset} has a wrong CRC`
      if (endOffset !== undefined && batch.nextOffset > endOffset) {
        return `a batch ends at offset ${batch.nextOffset}, behind its segment's ${endOffset}`
      }
      this.#state.apply(batch, this.#nowMs)
      return undefined
    } catch (error) {
      if (isUnreadable(error)) return (error as Error).message
      throw error
    }
  }

  /** Drops what lies behind the end that was found, in that segment and in all later ones. */
  #cut(index: number, end: ScanEnd): void {
    const cut = this.#found[index] as FoundSegment
    const rest = this.#found.slice(index + 1)
    const position = Math.min(end.position, cut.bytes.size)
    let bytesDropped = cut.bytes.size - position
    if (bytesDropped > 0) cut.bytes.truncate(position)
    for (const { bytes } of rest) {
      bytesDropped += bytes.size
      this.#storage.removeSegment(bytes)
    }
    const reason = end.problem ?? ''
    this.#truncated({ path: cut.bytes.path, offset: end.offset, bytesDropped, reason })
  }

  /**
   * How many of the bytes that were synced are not there any more: a disk may lie, a hand delete.
   * Where there are later segments, retention has removed the one of the checkpoint.
   */
  #bytesMissing({ segmentBaseOffset, segmentBytes }: Checkpoint): number {
    const found = this.#segmentAt(segmentBaseOffset)
    if (found !== undefined) {
      return found.endOffset === undefined ? segmentBytes - found.bytes.size : 0
    }
    const hasLater = this.#found.some(({ baseOffset }) => baseOffset > segmentBaseOffset)
    return hasLater ? 0 : segmentBytes
  }

  #reportMissing(bytesDropped: number, offset: number): void {
    const reason = 'bytes that were synced are missing'
    this.#truncated({ path: this.#storage.path, offset, bytesDropped, reason })
  }
}

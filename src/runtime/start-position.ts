import { partitionKey } from '../client/index.ts'
import type { CommittedOffset, PartitionOffset, TopicPartition } from '../client/index.ts'
import type { PartitionCommit } from './commit/commit-strategy.ts'
import type { Log } from '../observe/index.ts'
import type { Clock } from '../platform/index.ts'
import type { DriverAdmin, RecordSource } from '../driver/index.ts'

/** Where a new group begins: with what is written from now on, with all there is, or at a time. */
export type StartPosition = 'latest' | 'earliest' | { readonly timestamp: number }

export interface StartPositionsParts {
  readonly clock: Clock
  readonly log: Log
  readonly source: RecordSource
  readonly commit: (commits: readonly PartitionCommit[], signal: AbortSignal) => Promise<void>
  readonly admin: Pick<DriverAdmin, 'topics'>
  /** Where a new group begins in a topic. */
  readonly start: (topic: string) => StartPosition
  /** Whether the partition is ours now. */
  readonly isOurs: (partition: TopicPartition) => boolean
}

const askAgainMs = 200
const askAgainMsMax = 2_000

/**
 * Finds where partitions go on: at what the group has committed, else where it begins.
 *
 * A group begins once: whoever owns a topic's partition 0 commits the starting positions of all its partitions
 * in one request, before anything runs; the others wait for that. So no crash in between makes a partition begin again
 * somewhere else, after what came meanwhile. A partition without a commit beside a partition 0 with one was added later,
 * and begins at its beginning.
 */
export class StartPositions {
  readonly #parts: StartPositionsParts

  constructor(parts: StartPositionsParts) {
    this.#parts = parts
  }

  /** Answers where each partition goes on, by its key; those that are not ours any more are left out. */
  async find(
    wanted: readonly TopicPartition[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, CommittedOffset>> {
    const { clock, source } = this.#parts
    const heads = [...new Set(wanted.map(({ topic }) => topic))].map(headOf)
    for (let pauseMs = askAgainMs; ; pauseMs = Math.min(pauseMs * 2, askAgainMsMax)) {
      const partitions = wanted.filter((each) => this.#parts.isOurs(each))
      const known = await source.committed(distinct([...partitions, ...heads]), { signal })
      const committed = new Map(known.map((each) => [partitionKey(each), each]))
      const isBegun = (topic: string) => committed.has(partitionKey(headOf(topic)))
      const begun = heads.filter(({ topic }) => isBegun(topic)).map(({ topic }) => topic)
      const missing = partitions.filter((each) => !committed.has(partitionKey(each)))
      const added = missing.filter(({ topic }) => begun.includes(topic))
      for (const each of await this.#beginnings(added)) committed.set(partitionKey(each), each)
      const ours = heads.filter((head) => !isBegun(head.topic) && this.#parts.isOurs(head))
      for (const head of ours) {
        for (const each of await this.#begin(head, signal)) committed.set(partitionKey(each), each)
      }
      if (partitions.every((each) => committed.has(partitionKey(each)))) return committed
      await clock.sleep(pauseMs, signal)
    }
  }

  async #beginnings(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    if (partitions.length === 0) return []
    const { log, source } = this.#parts
    const beginnings = await source.beginningOffsets(partitions)
    for (const { topic, partition, offset } of beginnings) {
      log('info', 'a partition that was added to its topic is read from its beginning', {
        topic,
        partition,
        offset,
      })
    }
    return beginnings.map(asCommitted)
  }

  /** Begins the group's reading of a topic; `head` is its partition 0, which is ours. */
  async #begin(head: TopicPartition, signal: AbortSignal): Promise<CommittedOffset[]> {
    const { admin, commit, source } = this.#parts
    const start = this.#parts.start(head.topic)
    const { partitions } = await admin.topics.describe(head.topic, { signal })
    const all = partitions.map(({ partition }) => ({ topic: head.topic, partition }))
    const [first, end] = await Promise.all([source.beginningOffsets(all), source.endOffsets(all)])
    const chosen = await this.#chosen(start, first, end)
    const commits = chosen.map((each) => ({ ...asCommitted(each), heldBy: head }))
    await commit(commits, signal)
    this.#tell(head.topic, { start, chosen, first, end })
    return commits
  }

  async #chosen(
    start: StartPosition,
    first: readonly PartitionOffset[],
    end: readonly PartitionOffset[],
  ): Promise<readonly PartitionOffset[]> {
    if (start === 'earliest') return first
    if (start === 'latest') return end
    const { timestamp } = start
    const times = end.map(({ topic, partition }) => ({ topic, partition, timestamp }))
    const found = await this.#parts.source.offsetsForTimes(times)
    const ends = new Map(end.map((each) => [partitionKey(each), each.offset]))
    return found.map(({ topic, partition, offset }) => ({
      topic,
      partition,
      offset: offset ?? ends.get(partitionKey({ topic, partition })) ?? 0,
    }))
  }

  /** One line that says what a new group passes over. */
  #tell(topic: string, { start, chosen, first, end }: Beginning): void {
    const { log } = this.#parts
    const skipped = sum(chosen) - sum(first)
    const left = sum(end) - sum(chosen)
    const place = typeof start === 'string' ? start : new Date(start.timestamp).toISOString()
    const rest = skipped > 0 ? `; what was written before is passed over` : ''
    log('info', `a new group begins to read ${topic} at '${place}'${rest}`, {
      topic,
      start: place,
      skippedRecords: skipped,
      recordsToRead: left,
    })
  }
}

/** Where a group begins to read a topic, between its first and its last record. */
interface Beginning {
  readonly start: StartPosition
  readonly chosen: readonly PartitionOffset[]
  readonly first: readonly PartitionOffset[]
  readonly end: readonly PartitionOffset[]
}

function headOf(topic: string): TopicPartition {
  return { topic, partition: 0 }
}

function asCommitted({ topic, partition, offset }: PartitionOffset): CommittedOffset {
  return { topic, partition, offset, leaderEpoch: -1, metadata: '' }
}

function distinct(partitions: readonly TopicPartition[]): TopicPartition[] {
  return [...new Map(partitions.map((each) => [partitionKey(each), each])).values()]
}

function sum(offsets: readonly PartitionOffset[]): number {
  return offsets.reduce((total, { offset }) => total + offset, 0)
}

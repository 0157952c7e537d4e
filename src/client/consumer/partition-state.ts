import type { Timer } from '../../platform/index.ts'
import type { Backoff } from '../backoff.ts'
import { partitionKey } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { FetchedBatch } from './fetched-batch.ts'
import type { FetchedChunk, TakenRecords } from './fetched-chunk.ts'
import type { PartitionError } from './partition-error.ts'
import type { Position, StartingPoint } from './position.ts'

/** A replica that the leader wants us to read from (KIP-392). */
interface ReadReplica {
  readonly nodeId: number
  readonly untilMs: number
}

interface BufferedChunk {
  readonly chunk: FetchedChunk
  /** The buffer of the response that it is a part of is free again. */
  readonly release: () => void
}

/**
 * One partition that is read.
 *
 * - **unlocated**: `start` says from where, the offset has to be looked up.
 * - **located**: `position` is the next offset to hand out, `fetchPosition` the next to fetch; what lies
 *   between them is buffered, without a gap.
 * - **unsure**: located, but the partition has another leader since, and the position has to be compared
 *   with its log before anything is fetched from it.
 * - **failed**: `error` says why nothing can be read from `position` on.
 *
 * unlocated → located (`locate`) ⇄ unsure; located and unsure → unlocated (`lose`) or failed (`fail`);
 * every state → located or unlocated (`seek`). Whatever moves the position otherwise than by handing records
 * out starts a new `generation`, and drops what is buffered: answers to questions of an older one are
 * thrown away, so nothing from before a seek can come out after it.
 */
export class PartitionState implements TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly key: string
  generation = 0
  paused = false
  /** It is being given up: nothing of it is handed out any more. */
  revoking = false
  /** A question about its position is on its way. */
  isAsked = false
  /** Set while it waits after an error. */
  pause: Timer | undefined
  /** How long it waits, when something has failed since it last succeeded. */
  backoff: Backoff | undefined
  /** It was said that the topic does not have it. */
  isToldMissing = false
  /** How often another leader was named since a fetch last succeeded. */
  redirects = 0
  /** How often in a row records at `position` could not be read. */
  unreadable = 0
  /** What the last answer said of the partition; -1 for unknown. */
  highWatermark = -1
  lastStableOffset = -1
  logStartOffset = -1
  readReplica: ReadReplica | undefined
  /** The topic that the position belongs to: another topic of that name has other records. */
  topicId: string | undefined
  /** The leader epoch in which the position was last known to be right. */
  validEpoch = -1
  /** The fetch position was out of range, though not the position: what is buffered has to go first. */
  endsAt = Infinity
  #start: StartingPoint | undefined
  #position: Position = { offset: -1, leaderEpoch: -1 }
  #fetchPosition: Position = this.#position
  #isUnsure = false
  #error: PartitionError | undefined
  readonly #buffered: BufferedChunk[] = []
  #bufferedBytes = 0

  constructor({ topic, partition }: TopicPartition, start: StartingPoint) {
    this.topic = topic
    this.partition = partition
    this.key = partitionKey({ topic, partition })
    this.#start = start
  }

  /** What has to be looked up; undefined when the position is known. */
  get start(): StartingPoint | undefined {
    return this.#start
  }

  /** The next offset to be handed out; undefined while it is not known. */
  get position(): Position | undefined {
    return this.#start === undefined ? this.#position : undefined
  }

  get fetchPosition(): Position {
    return this.#fetchPosition
  }

  get isUnsure(): boolean {
    return this.#isUnsure
  }

  get error(): PartitionError | undefined {
    return this.#error
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** Whether there is something to hand out. */
  get isReady(): boolean {
    return this.#buffered.length > 0 && !this.paused && !this.revoking && !this.#isUnsure
  }

  /** Whether it may be asked for records, as far as it concerns itself. */
  get mayFetch(): boolean {
    const isLocated = this.#start === undefined && this.#error === undefined && !this.#isUnsure
    const isFree = !this.paused && !this.revoking && this.pause === undefined
    const isBlocked = this.#buffered.length > 0 && this.#fetchPosition.offset >= this.endsAt
    return isLocated && isFree && !isBlocked
  }

  /** Whether it is known that there are records to fetch, or nothing is known. */
  get mayHaveMore(): boolean {
    const end = this.lastStableOffset >= 0 ? this.lastStableOffset : this.highWatermark
    return end < 0 || this.#fetchPosition.offset < end
  }

  seek(to: Position | StartingPoint): void {
    this.#renew()
    this.#error = undefined
    if ('kind' in to) this.#start = to
    else this.#move(to)
  }

  /** An offset was looked up. Answers false when somebody has sought elsewhere meanwhile. */
  locate(position: Position, generation: number): boolean {
    if (generation !== this.generation) return false
    this.#renew()
    this.#move(position)
    return true
  }

  /** The position leads nowhere: it has to be looked up anew. */
  lose(start: StartingPoint): void {
    this.#renew()
    this.#start = start
  }

  fail(error: PartitionError): void {
    this.#renew()
    this.#error = error
  }

  /** The position has to be compared with the log of the leader of this epoch. */
  doubt(): void {
    this.#isUnsure = true
  }

  trust(leaderEpoch: number): void {
    this.#isUnsure = false
    this.validEpoch = leaderEpoch
  }

  /** Forgets what is buffered; it is fetched again. */
  dropBuffered(): void {
    for (const { release } of this.#buffered.splice(0)) release()
    this.#bufferedBytes = 0
    this.#fetchPosition = this.#position
    this.endsAt = Infinity
  }

  /** Takes what a fetch at `fetchPosition` brought, up to `end`. */
  add(chunk: FetchedChunk, end: Position, release: () => void): void {
    this.#buffered.push({ chunk, release })
    this.#bufferedBytes += chunk.sizeInBytes
    this.#fetchPosition = end
  }

  /**
   * Hands out up to `recordsMax` records and moves the position behind them. Undefined when there were none
   * in what was buffered: the position may have moved all the same. Throws for what cannot be read.
   */
  take(recordsMax: number): FetchedBatch | undefined {
    for (;;) {
      const first = this.#buffered[0]
      if (first === undefined) return undefined
      const { chunk } = first
      const taken = this.#takeFrom(chunk, recordsMax)
      if (chunk.isEmpty) this.#removeFirst(first)
      if (taken.recordCount === 0) continue
      const { topic, partition } = this
      const { offset: nextOffset, leaderEpoch } = this.#position
      const { highWatermark } = chunk
      return new FetchedBatch({
        topic,
        partition,
        ...taken,
        nextOffset,
        leaderEpoch,
        highWatermark,
      })
    }
  }

  /** It is no longer ours: nothing of it is used any more. */
  discard(): void {
    this.#renew()
    this.pause?.cancel()
    this.pause = undefined
  }

  #takeFrom(chunk: FetchedChunk, recordsMax: number): TakenRecords {
    try {
      const taken = chunk.take(recordsMax)
      this.unreadable = 0
      return taken
    } finally {
      this.#position = chunk.position
    }
  }

  #removeFirst({ chunk, release }: BufferedChunk): void {
    this.#buffered.shift()
    this.#bufferedBytes -= chunk.sizeInBytes
    release()
  }

  #renew(): void {
    this.generation += 1
    this.isAsked = false
    this.#isUnsure = false
    this.unreadable = 0
    this.topicId = undefined
    this.validEpoch = -1
    this.dropBuffered()
  }

  #move(position: Position): void {
    this.#start = undefined
    this.#position = position
    this.#fetchPosition = position
  }
}

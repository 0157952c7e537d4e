import { isMillraceError } from '../../errors.ts'
import { isDiskError } from '../../platform/index.ts'
import type { Clock } from '../../platform/index.ts'
import { buildControlBatch, RecordBatch } from '../../protocol/records/index.ts'
import type { StateRecord, TransactionIdentity } from '../coordinator-log.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { admit } from './admission.ts'
import type { AppendRefusal } from './admission.ts'
import { ChangeListeners } from './change-listeners.ts'
import { encodeCheckpoint } from './checkpoint.ts'
import { Checkpointer } from './checkpointer.ts'
import { compactSegments } from './compaction.ts'
import { LogCommit } from './group-commit.ts'
import type { CommittedLog } from './group-commit.ts'
import type { EpochEnd, LeaderEpoch } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import type { LogState } from './log-state.ts'
import type {
  ActiveProducer,
  AppendOptions,
  Appended,
  Isolation,
  LogRead,
  MarkerOptions,
  PartitionLogOptions,
  ReadOptions,
} from './log-types.ts'
import type { ProducerEntry } from './producer-entry.ts'
import { expiredSegments } from './retention.ts'
import { shouldRoll } from './roll.ts'
import { SegmentList } from './segment-list.ts'
import { stateBatch } from './state-batch.ts'
import type { LogStorage } from './storage.ts'
import { findGreatestTimestamp, findTimestamp } from './timestamp-search.ts'
import type { OffsetAtTimestamp } from './timestamp-search.ts'

/** How many bytes may be appended before recovery gets a new point to start from. */
const checkpointBytes = 67_108_864

/**
 * The log of one partition.
 *
 * States: *open* → *failed* (a sync has failed: what is on the disk is not known any more, so it
 * takes no writes until it is opened anew, but what was durable can be read) → *closed*; *open* →
 * *closed*; and from all of them → *deleted*. A closed log refuses everything.
 *
 * A batch is appended (it has an offset, nobody sees it) → durable (it is below the high watermark)
 * → decided (below the last stable offset). In memory and in the page cache it is durable at once.
 */
export class PartitionLog implements CommittedLog {
  readonly topic: string
  readonly partition: number
  readonly #config: () => LogConfig
  readonly #clock: Pick<Clock, 'now' | 'defer'>
  readonly #storage: LogStorage
  readonly #segments: SegmentList
  readonly #state: LogState
  readonly #commit: LogCommit | undefined
  readonly #checkpointer: Checkpointer
  readonly #listeners = new ChangeListeners()
  readonly #failed: ((error: unknown) => void) | undefined
  readonly #ended: (() => void) | undefined
  #status: 'open' | 'failed' | 'closed' | 'deleted' = 'open'
  #logStartOffset: number
  #highWatermark: number
  #compactedOffset: number
  /** Whether something has happened that the last checkpoint does not know. */
  #hasNews: boolean
  #checkpointedBytes: number
  /** Retention, compaction, closing and deleting take turns. */
  #maintenance: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined
  /** Resolves when all that was found at start is durable. */
  readonly recovered: Promise<void>

  constructor(options: PartitionLogOptions) {
    const { storage, recovered } = options
    this.topic = options.topic
    this.partition = options.partition
    this.#config = options.config
    this.#clock = options.clock
    this.#storage = storage
    this.#failed = options.failed
    this.#ended = options.ended
    this.#segments = new SegmentList(storage, recovered.segments)
    this.#state = recovered.state
    this.#logStartOffset = recovered.logStartOffset
    this.#compactedOffset = recovered.compactedOffset
    this.#highWatermark = recovered.durableOffset
    this.#hasNews = recovered.durableOffset < this.logEndOffset
    this.#checkpointedBytes = this.#segments.active.bytes.size
    this.#checkpointer = new Checkpointer(storage, (error) => this.syncFailed(error))
    if (storage.durability === 'sync') this.#commit = new LogCommit(options.groupCommit, this)
    this.recovered = this.#durable(this.logEndOffset) ?? Promise.resolve()
    if (this.#commit === undefined) this.#moveHighWatermark(this.logEndOffset)
  }

  /** The first offset that can be read. */
  get logStartOffset(): number {
    return this.#logStartOffset
  }

  /** The offset that the next record will have. */
  get logEndOffset(): number {
    return this.#segments.endOffset
  }

  /** Everything below is durable and can be read. */
  get highWatermark(): number {
    return this.#highWatermark
  }

  /** Everything below is of a decided transaction, or of none. */
  get lastStableOffset(): number {
    const undecided = this.#state.transactions.firstUndecidedOffset
    return Math.min(undecided ?? this.#highWatermark, this.#highWatermark)
  }

  /** Whether what is appended may stay where it lies, instead of being written elsewhere. */
  get keepsAppended(): boolean {
    return this.#storage.durability === 'memory'
  }

  get sizeBytes(): number {
    return this.#segments.sizeBytes
  }

  get leaderEpochs(): readonly LeaderEpoch[] {
    return this.#state.leaderEpochs.entries
  }

  get closed(): boolean {
    return this.#status === 'closed' || this.#status === 'deleted'
  }

  /**
   * Appends the batch of a producer, which is patched where it lies. A batch that the log has
   * already is answered as it was the first time, once that is durable.
   */
  append(records: Buffer, options: AppendOptions = {}): Appended | AppendRefusal {
    const unavailable = this.#unavailable()
    if (unavailable !== undefined) return unavailable
    const nowMs = this.#clock.now()
    const admitted = admit(records, {
      config: this.#config(),
      producers: this.#state.producers,
      nowMs,
      startsAtSequenceZero: options.startsAtSequenceZero ?? false,
    })
    if (isRefusal(admitted)) return admitted
    if ('duplicateOf' in admitted) {
      const { baseOffset, lastOffset, maxTimestamp } = admitted.duplicateOf
      return this.#appended(baseOffset, lastOffset, maxTimestamp)
    }
    const { batch, logAppendTime } = admitted
    const baseOffset = this.logEndOffset
    // What was made anew lies in a buffer of its own.
    const together = batch.bytes.buffer === records.buffer ? options.keptTogetherBytes : undefined
    const refusal = this.#write(batch, options.leaderEpoch, nowMs, together)
    return refusal ?? this.#appended(baseOffset, this.logEndOffset - 1, logAppendTime)
  }

  /** Appends records of a coordinator, as one batch. */
  appendRecords(
    records: readonly StateRecord[],
    options: { readonly transaction?: TransactionIdentity; readonly leaderEpoch?: number } = {},
  ): Appended | Refusal {
    const unavailable = this.#unavailable()
    if (unavailable !== undefined) return unavailable
    const nowMs = this.#clock.now()
    const batch = RecordBatch.at(stateBatch(records, options.transaction, nowMs))
    const refused = this.#state.producers.checkBatch(batch, false)
    if (refused !== undefined) return refused
    const baseOffset = this.logEndOffset
    const refusal = this.#write(batch, options.leaderEpoch, nowMs)
    return refusal ?? this.#appended(baseOffset, this.logEndOffset - 1, -1)
  }

  /** Ends the open transaction of a producer, if there is one; a marker is written all the same. */
  appendMarker(marker: MarkerOptions): Appended | Refusal {
    const refused =
      this.#unavailable() ?? this.#state.producers.checkMarker(marker, marker.transactionVersion)
    if (refused !== undefined) return refused
    const nowMs = this.#clock.now()
    const offset = this.logEndOffset
    const type = marker.commit ? 'commit' : 'abort'
    const batch = buildControlBatch({ ...marker, type, timestamp: nowMs })
    const refusal = this.#write(RecordBatch.at(batch), marker.leaderEpoch, nowMs)
    return refusal ?? this.#appended(offset, offset, -1)
  }

  /**
   * Reads whole batches from the one that holds the offset on, as far as the reader may see. Nothing
   * there is not an error, but an offset outside of the log is.
   */
  read({ offset, isolation, bytesMax, atLeastOneBatch, buffers }: ReadOptions): LogRead | Refusal {
    if (this.closed) return this.#unavailable() as Refusal
    if (offset < this.#logStartOffset || offset > this.logEndOffset) {
      const range = `[${this.#logStartOffset}, ${this.logEndOffset}]`
      return refuse('OFFSET_OUT_OF_RANGE', `offset ${offset} is not within ${range}`)
    }
    const endOffset = this.#visibleEnd(isolation)
    const wanted = { offset, endOffset, bytesMax, atLeastOneBatch, buffers }
    try {
      const { chunks, bytes, nextOffset } = this.#segments.read(wanted)
      const isCommitted = isolation === 'committed'
      const abortedTransactions = isCommitted
        ? this.#state.transactions.abortedBetween(offset, nextOffset)
        : null
      return { chunks, bytes, nextOffset, abortedTransactions }
    } catch (error) {
      return this.#refusalFor(error)
    }
  }

  /** All batches, from the start of the log, also those that are not durable yet. */
  batches(): Iterable<RecordBatch> {
    return this.#segments.batches(this.#logStartOffset)
  }

  /** How many bytes a reader at `offset` could get; stops to count at `bytesMax`. */
  bytesAvailable(offset: number, isolation: Isolation, bytesMax: number): number {
    const endOffset = this.#visibleEnd(isolation)
    if (this.closed || offset >= endOffset) return 0
    try {
      return this.#segments.bytesBetween(offset, endOffset, bytesMax)
    } catch (error) {
      // Whoever waits for bytes has an error to be told of, which the next read finds.
      this.#refusalFor(error)
      return bytesMax
    }
  }

  /** The first visible record that is not older than `timestamp`. */
  offsetForTimestamp(
    timestamp: number,
    isolation: Isolation,
  ): OffsetAtTimestamp | Refusal | undefined {
    return this.#find(() => findTimestamp(this.#segments.all, this.#visible(isolation), timestamp))
  }

  /** The first of the visible records with the greatest timestamp. */
  largestTimestamp(isolation: Isolation): OffsetAtTimestamp | Refusal | undefined {
    return this.#find(() => findGreatestTimestamp(this.#segments.all, this.#visible(isolation)))
  }

  /** Where an epoch ended; -1 and -1 when it is not known. The caller has refused future ones. */
  endOffsetForEpoch(epoch: number): EpochEnd {
    return this.#state.leaderEpochs.endOffset(epoch, this.logEndOffset)
  }

  /** The leader epoch in which `offset` was written, -1 when it is not known. */
  epochAt(offset: number): number {
    return this.#state.leaderEpochs.at(offset)
  }

  /** The producers that the log remembers. */
  producers(): ActiveProducer[] {
    return Array.from(this.#state.producers.entries(), activeProducer)
  }

  producer(producerId: number): ActiveProducer | undefined {
    const entry = this.#state.producers.get(producerId)
    return entry === undefined ? undefined : activeProducer(entry)
  }

  /** Forgets producers that were not heard of for `producer.id.expiration.ms`; answers how many. */
  expireProducers(nowMs: number): number {
    return this.#state.producers.expire(nowMs, this.#config().producerIdExpirationMs)
  }

  /**
   * Calls `listener` some time after the high watermark, the last stable offset or the start of the
   * log has changed, or the log has closed. Answers a function that ends this.
   */
  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /**
   * Moves the start of the log up to `offset`, -1 for the high watermark. Resolves with the new
   * start once it is durable.
   */
  async deleteRecordsBefore(offset: number): Promise<number | Refusal> {
    const unavailable = this.#unavailable()
    if (unavailable !== undefined) return unavailable
    if (!this.#config().deleted) {
      return refuse('POLICY_VIOLATION', `cleanup.policy of ${this.#storage.path} is not delete`)
    }
    const target = offset === -1 ? this.#highWatermark : offset
    if (target < 0 || target > this.#highWatermark) {
      const problem = `offset ${offset} is not within [0, ${this.#highWatermark}]`
      return refuse('OFFSET_OUT_OF_RANGE', problem)
    }
    if (target <= this.#logStartOffset) return this.#logStartOffset
    this.#moveStart(target)
    try {
      await this.#saveCheckpoint()
    } catch (error) {
      return this.#refusalFor(error)
    }
    return this.#logStartOffset
  }

  /** Removes the segments that need not be kept any more; answers how many. */
  applyRetention(nowMs: number): Promise<number> {
    return this.#inTurn(async () => {
      if (this.#status !== 'open') return 0
      const bounds = {
        logStartOffset: this.#logStartOffset,
        highWatermark: this.#highWatermark,
        nowMs,
      }
      const count = expiredSegments(this.#segments.all, this.#config(), bounds)
      if (count === this.#segments.all.length) {
        // What is left says where the log goes on, so it must be there before the rest goes. The
        // producers of the rest are only in the checkpoint then; a full disk must not stop us.
        this.#segments.roll(nowMs, 'made')
        await this.#storage.sync()
        await this.#saveCheckpoint().catch(() => undefined)
      }
      this.#segments.removeFirst(count)
      if (this.#segments.baseOffset > this.#logStartOffset)
        this.#moveStart(this.#segments.baseOffset)
      return count
    })
  }

  /**
   * Keeps only the last record of each key, in segments that take no appends any more. With
   * `always` the active segment is closed for that, and it does not matter how much there is to gain.
   * Answers whether anything was rewritten.
   */
  compact(nowMs: number, when: 'always' | 'when-worth-it'): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#status !== 'open' || !this.#config().compacted) return false
      if (when === 'always' && this.#segments.active.bytes.size > 0) this.#roll(nowMs)
      const compactedOffset = await compactSegments({
        segments: this.#segments,
        storage: this.#storage,
        state: this.#state,
        config: this.#config(),
        lastStableOffset: this.lastStableOffset,
        compactedOffset: when === 'always' ? 0 : this.#compactedOffset,
        isForced: when === 'always',
        nowMs,
        pause: () => new Promise((resolve) => this.#clock.defer(resolve)),
        isCancelled: () => this.#status !== 'open',
        saveState: () => this.#saveCheckpoint(),
      })
      if (compactedOffset === undefined) return false
      this.#compactedOffset = compactedOffset
      this.#hasNews = true
      return true
    })
  }

  /** Makes everything durable, saves what shortens the next start, and lets go of files. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /**
   * Closes the log and removes all of it. When the disk refuses that, it rejects, and what is left is
   * removed by the next start.
   */
  delete(): Promise<void> {
    this.#setStatus('deleted')
    return this.#inTurn(async () => {
      // A sync that runs must not find its files gone.
      await this.#durable(this.logEndOffset)?.catch(() => undefined)
      this.#ended?.()
      this.#storage.delete()
    })
  }

  // What the group commit asks of a log.

  sync(): Promise<void> {
    return this.#storage.sync()
  }

  synced(endOffset: number): void {
    this.#moveHighWatermark(endOffset)
  }

  syncFailed(error: unknown): void {
    if (this.#status !== 'open') return
    this.#setStatus('failed')
    this.#failed?.(error)
  }

  async #close(): Promise<void> {
    const wasOpen = this.#status === 'open'
    this.#setStatus('closed')
    await this.#inTurn(async () => {
      if (this.#status === 'deleted') return
      try {
        if (wasOpen) await this.#durable(this.logEndOffset)
        // Without a checkpoint the next start takes longer, and loses nothing.
        if (wasOpen && this.#hasNews) await this.#saveCheckpoint().catch(() => undefined)
      } finally {
        this.#storage.close()
        this.#ended?.()
      }
    })
  }

  /** Appends a batch at the end; when it cannot, nothing has changed. */
  #write(
    batch: RecordBatch,
    leaderEpoch: number | undefined,
    nowMs: number,
    keptTogetherBytes?: number,
  ): Refusal | undefined {
    batch.setBaseOffset(this.logEndOffset)
    batch.setPartitionLeaderEpoch(leaderEpoch ?? Math.max(0, this.#state.leaderEpochs.latest))
    try {
      if (shouldRoll(this.#segments.active, batch, this.#config(), nowMs)) this.#roll(nowMs)
      this.#segments.active.append(batch.bytes, keptTogetherBytes)
    } catch (error) {
      return this.#refusalFor(error)
    }
    this.#state.apply(batch, nowMs)
    this.#hasNews = true
    if (this.#segments.active.bytes.size - this.#checkpointedBytes >= checkpointBytes) {
      this.#segments.saveActiveIndex()
      this.#captureCheckpoint()
    }
    if (this.#commit === undefined) this.#moveHighWatermark(this.logEndOffset)
    return undefined
  }

  #roll(nowMs: number): void {
    this.#segments.roll(nowMs)
    this.#captureCheckpoint()
  }

  #appended(baseOffset: number, lastOffset: number, logAppendTime: number): Appended {
    const durable = this.#durable(lastOffset + 1)
    return { baseOffset, lastOffset, logAppendTime, logStartOffset: this.#logStartOffset, durable }
  }

  #durable(endOffset: number): Promise<void> | undefined {
    return endOffset > this.#highWatermark ? this.#commit?.wait(endOffset) : undefined
  }

  #visibleEnd(isolation: Isolation): number {
    return isolation === 'committed' ? this.lastStableOffset : this.#highWatermark
  }

  #visible(isolation: Isolation): { startOffset: number; endOffset: number } {
    return { startOffset: this.#logStartOffset, endOffset: this.#visibleEnd(isolation) }
  }

  #moveHighWatermark(offset: number): void {
    this.#highWatermark = offset
    this.#state.transactions.moveHighWatermark(offset)
    this.#checkpointer.advance(offset)
    this.#listeners.changed()
  }

  #moveStart(offset: number): void {
    this.#logStartOffset = offset
    this.#state.trimStart(offset)
    this.#hasNews = true
    this.#listeners.changed()
  }

  #captureCheckpoint(): void {
    if (this.#storage.durability === 'memory') return
    const { active } = this.#segments
    const content = encodeCheckpoint({
      endOffset: this.logEndOffset,
      segmentBaseOffset: active.baseOffset,
      segmentBytes: active.bytes.size,
      logStartOffset: this.#logStartOffset,
      compactedOffset: this.#compactedOffset,
      leaderEpochs: this.#state.leaderEpochs.entries,
      producers: [...this.#state.producers.entries()],
      aborted: this.#state.transactions.aborted,
    })
    this.#checkpointer.capture(content, this.logEndOffset)
    this.#checkpointedBytes = active.bytes.size
    this.#hasNews = false
  }

  async #saveCheckpoint(): Promise<void> {
    this.#segments.saveActiveIndex()
    this.#captureCheckpoint()
    try {
      await this.#checkpointer.save()
    } catch (error) {
      this.#hasNews = true
      throw error
    }
  }

  #setStatus(status: 'failed' | 'closed' | 'deleted'): void {
    if (this.#status === 'deleted' || this.#status === status) return
    this.#status = status
    this.#listeners.changed()
  }

  /** Why nothing can be written, if so. */
  #unavailable(): AppendRefusal | undefined {
    switch (this.#status) {
      case 'open':
        return undefined
      case 'failed':
        return refuse('KAFKA_STORAGE_ERROR', `${this.#storage.path}: an earlier sync has failed`)
      case 'closed':
        return refuse('NOT_LEADER_OR_FOLLOWER', `${this.#storage.path} is closed`)
      case 'deleted':
        return refuse('UNKNOWN_TOPIC_OR_PARTITION', `${this.#storage.path} was deleted`)
    }
  }

  #find<Found>(find: () => Found): Found | Refusal {
    if (this.closed) return this.#unavailable() as Refusal
    try {
      return find()
    } catch (error) {
      return this.#refusalFor(error)
    }
  }

  /** What a failure of disk or data is answered with; any other error is thrown on. */
  #refusalFor(error: unknown): Refusal {
    if (isDiskError(error)) {
      return { ...refuse('KAFKA_STORAGE_ERROR', error.message), cause: error }
    }
    if (isMillraceError(error, 'MILLRACE_BROKER_DATA_INVALID')) {
      return { ...refuse('CORRUPT_MESSAGE', error.message), cause: error }
    }
    throw error
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const before = this.#maintenance
    let done = (): void => undefined
    this.#maintenance = new Promise((resolve) => {
      done = resolve
    })
    await before
    try {
      return await work()
    } finally {
      done()
    }
  }
}

function activeProducer(entry: ProducerEntry): ActiveProducer {
  return {
    producerId: entry.producerId,
    producerEpoch: entry.epoch,
    lastSequence: entry.lastSequence,
    lastTimestamp: entry.lastTimestamp,
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTxnStartOffset: entry.transactionStart,
    transactionOpen: entry.transactionStart >= 0,
  }
}

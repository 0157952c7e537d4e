import { MillraceError, OptionError } from '../../errors.ts'
import type { Timer } from '../../platform/index.ts'
import type { Cluster, TopicWatch } from '../cluster/cluster.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { AssignmentCallbacks, ResolvedFetchOptions } from './consumer-options.ts'
import type { FetchedBatch } from './fetched-batch.ts'
import { findEpochEnds } from './epoch-ends.ts'
import type { EpochEnd, PartitionEpoch } from './epoch-ends.ts'
import { Fetcher } from './fetcher.ts'
import type {
  CommittedOffset,
  GroupMember,
  GroupMemberHandler,
  GroupMetadata,
  OffsetToCommit,
} from './group-member.ts'
import { doneOffsets, GroupSession } from './group-session.ts'
import { listOffsetsOfAll } from './list-offsets.ts'
import { OffsetCommits } from './offset-commits.ts'
import type { CommitOptions } from './offset-commits.ts'
import type { PartitionState } from './partition-state.ts'
import { earliestTimestamp, latestTimestamp, seekPoint } from './position.ts'
import type { SeekTarget, StartingPoint } from './position.ts'
import { Progress } from './progress.ts'
import { subscriptionOf } from './subscription.ts'
import type { TopicSelection } from './subscription.ts'

export interface PollOptions {
  /** The most records that are handed out. @defaultValue all that have been fetched */
  readonly maxRecords?: number
  /** How long to wait for the first record. @defaultValue until there is one */
  readonly timeoutMs?: number
  /** Ends the wait: the poll rejects with its reason. */
  readonly signal?: AbortSignal
}

export type BatchesOptions = Pick<PollOptions, 'maxRecords' | 'signal'>

export interface CloseOptions {
  /** How long commits and leaving the group may take. @defaultValue 30000 */
  readonly timeoutMs?: number
  /** Whether a static member leaves too, instead of keeping its partitions for when it is back. @defaultValue false */
  readonly leave?: boolean
}

export interface PartitionOffset extends TopicPartition {
  readonly offset: number
}

/** Where a partition ends, for all readers and for those of committed records. */
export interface LogEnds {
  readonly end: number
  readonly stableEnd: number
}

export interface PartitionTimestamp extends TopicPartition {
  readonly timestamp: number
}

/** The first record at or after a time; offset and timestamp are undefined where there is none yet. */
export interface OffsetForTime extends TopicPartition {
  readonly offset: number | undefined
  readonly timestamp: number | undefined
}

/** What a consumer is made of. */
export interface ConsumerParts {
  readonly cluster: Cluster
  readonly fetch: ResolvedFetchOptions
  readonly callbacks: AssignmentCallbacks
  readonly autoCommitIntervalMs: number | undefined
  /** Undefined outside of a group. */
  readonly group: GroupParts | undefined
}

/** How a consumer deals with its group. */
export interface GroupParts {
  /** The group's offsets for a consumer that was told what to read. */
  readonly offsets: GroupOffsets & Pick<GroupMember, 'groupId'> & { readonly close: () => void }
  readonly join: (handler: GroupMemberHandler) => GroupMember
}

type GroupOffsets = Pick<GroupMember, 'commit' | 'committed'>

const closeTimeoutMs = 30_000
/** For so long other partitions may have the word before the error of one that stands still is repeated. */
const tellEveryMs = 1_000
/** An application that waits in a poll says so often: it is not stalled. */
const aliveEveryMs = 1_000
/** An application that never runs out of records lets the event loop turn so often. */
const turnEveryMs = 10
const recordsMax = Number.MAX_SAFE_INTEGER

/**
 * Reads partitions: those that it is told to (`assign`), or those that its group gives it (`subscribe`).
 *
 * - **idle**: nothing was asked for yet.
 * - **assigned** or **subscribed**: it fetches ahead, and `poll`, or iterating over it, hands out what has
 *   come. One of them at a time.
 * - **failed**: the group will not have it any more; each poll says why.
 * - **closed**.
 *
 * The position of a partition moves when a batch is handed out, not when it was dealt with: commit after
 * the work is done. An error of one partition is thrown as soon as it is known, and again by each poll
 * that has had nothing else to hand out for a while, until the partition is sought elsewhere, paused or
 * taken away.
 */
export class Consumer implements AsyncIterable<FetchedBatch>, AsyncDisposable {
  readonly #cluster: Cluster
  readonly #fetch: ResolvedFetchOptions
  readonly #fetcher: Fetcher
  readonly #progress = new Progress()
  readonly #group: GroupParts | undefined
  readonly #callbacks: AssignmentCallbacks
  readonly #commits: OffsetCommits
  /** Made when topics are subscribed. */
  #member: GroupMember | undefined
  readonly #autoCommitIntervalMs: number | undefined
  #watch: TopicWatch | undefined
  #mode: 'idle' | 'assigned' | 'subscribed' = 'idle'
  #isPolling = false
  #wakePoll: (() => void) | undefined
  #willWakePoll = false
  #turnedAtMs: number
  #failure: Error | undefined
  #reported: Error | undefined
  #autoCommit: Timer | undefined
  #closing: Promise<void> | undefined

  constructor({ cluster, fetch, callbacks, autoCommitIntervalMs, group }: ConsumerParts) {
    this.#cluster = cluster
    this.#fetch = fetch
    this.#callbacks = callbacks
    this.#autoCommitIntervalMs = autoCommitIntervalMs
    this.#group = group
    this.#turnedAtMs = cluster.platform.clock.elapsedMs()
    this.#commits = new OffsetCommits((offsets, signal) => this.#offsets().commit(offsets, signal))
    this.#fetcher = new Fetcher({
      cluster,
      options: fetch,
      committed: (partitions, signal) => this.#readCommitted(partitions, signal),
      notify: () => this.#wakePollSoon(),
      report: (error) => this.#report(error),
    })
  }

  /** The partitions that are read. */
  get assignment(): readonly TopicPartition[] {
    return [...this.#fetcher.states].map(({ topic, partition }) => ({ topic, partition }))
  }

  /** The partitions that are paused. */
  get paused(): readonly TopicPartition[] {
    const paused = [...this.#fetcher.states].filter((state) => state.paused)
    return paused.map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * Reads exactly these partitions from now on, as a member of no group. Those that were read before go on
   * where they are; the others start at what `groupId` has committed, if there is one, or where `offsetReset`
   * says, unless they are sought elsewhere.
   */
  assign(partitions: readonly TopicPartition[]): void {
    this.#checkOpen()
    if (this.#mode === 'subscribed') throw stateError('assign: it is subscribed')
    if (this.#mode === 'idle') this.#commitNowAndThen()
    this.#mode = 'assigned'
    const wanted = partitions.map(({ topic, partition }) => ({ topic, partition }))
    for (const state of [...this.#fetcher.states]) {
      const isWanted = wanted.some(
        ({ topic, partition }) => topic === state.topic && partition === state.partition,
      )
      if (isWanted) continue
      this.#fetcher.remove(state)
      this.#commits.forget(state.topic, state.partition)
    }
    const start: StartingPoint =
      this.#group === undefined
        ? { kind: 'reset', because: 'has no position', offset: -1 }
        : { kind: 'committed' }
    for (const partition of wanted) this.#fetcher.add(partition, start)
    this.#watchAssigned()
  }

  /** Joins the group, for topics by name or by a pattern; replaces what was subscribed before. */
  subscribe(topics: TopicSelection): void {
    this.#checkOpen()
    const group = this.#needGroup('subscribe')
    if (this.#mode === 'assigned') throw stateError('subscribe: partitions were assigned')
    const subscription = subscriptionOf(topics)
    if (this.#mode === 'idle') this.#commitNowAndThen()
    this.#mode = 'subscribed'
    this.#member ??= group.join(this.#groupSession())
    this.#member.subscribe(subscription)
  }

  /**
   * Hands out what has come, at most `maxRecords`; waits for the first record. Answers nothing when the time is
   * over, or the consumer was closed meanwhile.
   */
  async poll(options: PollOptions = {}): Promise<FetchedBatch[]> {
    const batches: FetchedBatch[] = []
    await this.#poll(options, () => {
      let left = options.maxRecords ?? recordsMax
      for (let batch = this.#take(left); batch !== undefined; batch = this.#take(left)) {
        batches.push(batch)
        left -= batch.recordCount
        if (left <= 0) break
      }
      return batches.length > 0
    })
    return batches
  }

  /** Iterates over batches as they come, until the consumer is closed or the signal aborts. */
  batches(options: BatchesOptions = {}): AsyncIterableIterator<FetchedBatch, undefined> {
    const next = async (): Promise<IteratorResult<FetchedBatch, undefined>> => {
      let batch: FetchedBatch | undefined
      if (this.#closing !== undefined) return { done: true, value: undefined }
      await this.#poll(options, () => {
        batch = this.#take(options.maxRecords ?? recordsMax)
        return batch !== undefined
      })
      return batch === undefined ? { done: true, value: undefined } : { done: false, value: batch }
    }
    const iterator: AsyncIterableIterator<FetchedBatch, undefined> = {
      next,
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  [Symbol.asyncIterator](): AsyncIterator<FetchedBatch, undefined> {
    return this.batches()
  }

  /** The next offset to be handed out; undefined while it is being looked up. */
  position(partition: TopicPartition): number | undefined {
    return this.#state(partition, 'position').position?.offset
  }

  /** How many offsets lie between the position and the end as it was last heard of; undefined before that. */
  lag(partition: TopicPartition): number | undefined {
    const { position, highWatermark, lastStableOffset } = this.#state(partition, 'lag')
    const end = this.#fetch.isolation === 'read_committed' ? lastStableOffset : highWatermark
    if (position === undefined || end < 0) return undefined
    return Math.max(0, end - position.offset)
  }

  /** Where the partition ends as it was last heard of; undefined before that, and for a partition that is not read here. */
  ends(partition: TopicPartition): LogEnds | undefined {
    const state = this.#fetcher.state(partition)
    if (state === undefined || state.highWatermark < 0) return undefined
    const { lastStableOffset, highWatermark } = state
    return {
      stableEnd: lastStableOffset < 0 ? highWatermark : lastStableOffset,
      end: highWatermark,
    }
  }

  /** Goes on from somewhere else. Nothing that was fetched before is handed out after this call. */
  seek(partition: TopicPartition, target: SeekTarget): void {
    const state = this.#state(partition, 'seek')
    state.seek(seekPoint(target))
    this.#fetcher.changed(state)
  }

  /** Hands out nothing of these partitions until they are resumed; what was fetched is kept. */
  pause(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, true, 'pause')
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, false, 'resume')
  }

  /**
   * Commits: the positions, up to what was handed out last, or the given offsets. Positions that are
   * committed already are passed over; an offset below what is committed is refused, unless
   * `allowBackwards` is said. Commits are made one after another. An offset of a partition that is not ours needs
   * `heldBy`, one that is.
   */
  async commit(
    offsets?: readonly (PartitionOffset & Partial<OffsetToCommit>)[],
    options: CommitOptions = {},
  ): Promise<void> {
    this.#needGroup('commit')
    if (offsets === undefined) {
      await this.#commits.advance(positionsOf(this.#fetcher.states), options.signal)
      return
    }
    const full = offsets.map(({ leaderEpoch = -1, metadata = '', ...given }) => {
      const { topic, partition, offset, heldBy } = given
      this.#assigned(heldBy ?? given, 'commit')
      if (!Number.isSafeInteger(offset) || offset < 0) {
        throw new OptionError('offset', `(${offset}) of ${topic}-${partition} must be 0 or more`)
      }
      return { topic, partition, offset, leaderEpoch, metadata, ...(heldBy && { heldBy }) }
    })
    await this.#commits.set(full, options)
  }

  /** The group's committed offsets; partitions that have none are left out. */
  async committed(
    partitions: readonly TopicPartition[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<readonly CommittedOffset[]> {
    this.#needGroup('committed')
    return this.#offsets().committed(partitions, options.signal)
  }

  /** What a transaction needs to commit offsets in the name of this member. */
  groupMetadata(): GroupMetadata {
    const { groupId } = this.#needGroup('groupMetadata').offsets
    if (this.#member !== undefined) return this.#member.groupMetadata()
    if (this.#mode === 'idle') throw stateError('groupMetadata: assign or subscribe first')
    return { groupId, generation: -1, memberId: '', groupInstanceId: undefined }
  }

  /** The first offsets that are there. */
  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<PartitionOffset[]> {
    return this.#offsetsAt(partitions, earliestTimestamp)
  }

  /** The offsets behind the last records; with `read_committed` of those that are decided. */
  async endOffsets(partitions: readonly TopicPartition[]): Promise<PartitionOffset[]> {
    return this.#offsetsAt(partitions, latestTimestamp)
  }

  /** The first records at or after a time. */
  async offsetsForTimes(times: readonly PartitionTimestamp[]): Promise<OffsetForTime[]> {
    const found = await listOffsetsOfAll(this.#cluster, times, this.#fetch.isolation)
    return found.map(({ topic, partition, offset, timestamp }) => {
      const isThere = offset >= 0
      return {
        topic,
        partition,
        offset: isThere ? offset : undefined,
        timestamp: isThere ? timestamp : undefined,
      }
    })
  }

  /** Where in the logs as they are now what leaders up to an epoch wrote ends: what lies behind is not what was read. */
  epochEnds(epochs: readonly PartitionEpoch[], signal?: AbortSignal): Promise<EpochEnd[]> {
    return findEpochEnds(this.#cluster, epochs, signal)
  }

  /**
   * Ends reading: polls that wait answer nothing, what is assigned is given up (with `onRevoked` and the last
   * automatic commit), the group is left. Resolves at the deadline at the latest.
   */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close({ timeoutMs = closeTimeoutMs, leave = false }: CloseOptions): Promise<void> {
    // `close` has to have answered before polls are told: they ask whether it was called.
    await Promise.resolve()
    this.#autoCommit?.cancel()
    this.#wakePoll?.()
    const deadlineMs = this.#cluster.platform.clock.elapsedMs() + timeoutMs
    try {
      if (this.#member !== undefined) await this.#member.close({ deadlineMs, leave })
      else if (this.#autoCommitIntervalMs !== undefined) await this.#commitLast(timeoutMs)
    } finally {
      this.#group?.offsets.close()
      this.#fetcher.close()
      this.#watch?.release()
    }
  }

  /** Waits until `take` has found something, or there is nothing to wait for any more. */
  async #poll(options: PollOptions, take: () => boolean): Promise<void> {
    this.#checkOpen()
    if (this.#mode === 'idle') throw stateError('poll: assign or subscribe first')
    if (this.#isPolling) throw stateError('poll: the one before has not been answered yet')
    checkMaxRecords(options.maxRecords)
    const { clock } = this.#cluster.platform
    const startMs = clock.elapsedMs()
    const deadlineMs = startMs + (options.timeoutMs ?? Infinity)
    this.#isPolling = true
    this.#progress.asks()
    this.#member?.polled()
    try {
      await this.#turn()
      for (;;) {
        options.signal?.throwIfAborted()
        if (this.#closing !== undefined) return
        this.#throwNews()
        if (take()) return
        // Taking may have found records that cannot be read.
        this.#throwNews()
        const standing = this.#fetcher.standingError()
        const endMs =
          standing === undefined ? deadlineMs : Math.min(deadlineMs, startMs + tellEveryMs)
        const leftMs = endMs - clock.elapsedMs()
        if (leftMs <= 0 && standing !== undefined) throw standing
        if (leftMs <= 0) return
        await this.#arrival(leftMs, options.signal)
        this.#member?.polled()
      }
    } finally {
      this.#isPolling = false
      this.#progress.works()
    }
  }

  #throwNews(): void {
    if (this.#failure !== undefined) throw this.#failure
    const error = this.#reported
    this.#reported = undefined
    if (error !== undefined) throw error
    const failed = this.#fetcher.takeNewError()
    if (failed !== undefined) throw failed
  }

  #take(countMax: number): FetchedBatch | undefined {
    return this.#fetcher.take(countMax, (state) => this.#progress.handsOut(state))
  }

  /** Records that are there already need no wait: timers and sockets still get their turn. */
  async #turn(): Promise<void> {
    const { clock } = this.#cluster.platform
    if (clock.elapsedMs() - this.#turnedAtMs < turnEveryMs) return
    await new Promise<void>((resolve) => clock.defer(resolve))
    this.#turnedAtMs = clock.elapsedMs()
  }

  /** Resolves when there may be something to hand out, and after a while in any case. */
  async #arrival(leftMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#cluster.platform
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(Math.min(leftMs, aliveEveryMs), () => end())
      const end = () => {
        timer.cancel()
        signal?.removeEventListener('abort', end)
        this.#wakePoll = undefined
        resolve()
      }
      this.#wakePoll = end
      signal?.addEventListener('abort', end, { once: true })
    })
    this.#turnedAtMs = clock.elapsedMs()
  }

  /** The next fetch leaves before the application starts to work on what the last one brought. */
  #wakePollSoon(): void {
    if (this.#wakePoll === undefined || this.#willWakePoll) return
    this.#willWakePoll = true
    this.#cluster.platform.clock.defer(() => {
      this.#willWakePoll = false
      this.#wakePoll?.()
    })
  }

  #setPaused(partitions: readonly TopicPartition[], paused: boolean, what: string): void {
    for (const state of partitions.map((partition) => this.#state(partition, what))) {
      if (state.paused === paused) continue
      state.paused = paused
      this.#fetcher.changed(state)
    }
  }

  async #offsetsAt(
    partitions: readonly TopicPartition[],
    timestamp: number,
  ): Promise<PartitionOffset[]> {
    const questions = partitions.map(({ topic, partition }) => ({ topic, partition, timestamp }))
    const found = await listOffsetsOfAll(this.#cluster, questions, this.#fetch.isolation)
    return found.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
  }

  async #readCommitted(
    partitions: readonly TopicPartition[],
    signal: AbortSignal,
  ): Promise<readonly CommittedOffset[]> {
    const committed = await this.#offsets().committed(partitions, signal)
    for (const each of committed) this.#commits.isCommitted(each)
    return committed
  }

  #watchAssigned(): void {
    const topics = new Set([...this.#fetcher.states].map(({ topic }) => topic))
    this.#watch ??= this.#cluster.watchTopics(topics)
    this.#watch.change(topics)
  }

  #commitNowAndThen(): void {
    const intervalMs = this.#autoCommitIntervalMs
    if (intervalMs === undefined || this.#closing !== undefined) return
    this.#autoCommit = this.#cluster.platform.clock.setTimer(intervalMs, () => {
      void this.#commitDone().finally(() => this.#commitNowAndThen())
    })
  }

  /** Commits what the application is done with. */
  async #commitDone(signal?: AbortSignal): Promise<void> {
    try {
      await this.#commits.advance(doneOffsets(this.#progress, this.#fetcher.states), signal)
    } catch (error) {
      const fields = { error: (error as Error).message }
      this.#cluster.log('warn', 'consumer: automatic commit failed', fields)
    }
  }

  async #commitLast(timeoutMs: number): Promise<void> {
    const controller = new AbortController()
    const timer = this.#cluster.platform.clock.setTimer(timeoutMs, () => controller.abort())
    await this.#commitDone(controller.signal)
    timer.cancel()
  }

  #groupSession(): GroupSession {
    return new GroupSession({
      cluster: this.#cluster,
      fetcher: this.#fetcher,
      progress: this.#progress,
      commits: this.#commits,
      callbacks: this.#callbacks,
      autoCommit: this.#autoCommitIntervalMs !== undefined,
      isClosing: () => this.#closing !== undefined,
      assignmentChanged: () => this.#watchAssigned(),
      failed: (error) => this.#fail(error),
      callbackFailed: (error) => this.#report(error),
    })
  }

  /** The next poll throws it, once. */
  #report(error: Error): void {
    this.#reported ??= error
    this.#wakePoll?.()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#wakePoll?.()
  }

  #state(partition: TopicPartition, what: string): PartitionState {
    this.#checkOpen()
    return this.#assigned(partition, what)
  }

  /** Also while it closes: what is given up then can still be committed. */
  #assigned(partition: TopicPartition, what: string): PartitionState {
    const state = this.#fetcher.state(partition)
    if (state !== undefined) return state
    throw new MillraceError(
      'MILLRACE_CLIENT_NOT_OWNED',
      `${what}: ${partition.topic}-${partition.partition} is not assigned to this consumer`,
    )
  }

  #needGroup(what: string): GroupParts {
    if (this.#group !== undefined) return this.#group
    throw stateError(`${what}: the consumer has no groupId`)
  }

  /** Whoever speaks for us with the group. */
  #offsets(): GroupOffsets {
    return this.#member ?? this.#needGroup('consumer').offsets
  }

  #checkOpen(): void {
    if (this.#closing === undefined) return
    throw new MillraceError('MILLRACE_CLIENT_CLOSED', 'the consumer was closed')
  }
}

function positionsOf(states: Iterable<PartitionState>): CommittedOffset[] {
  return [...states].flatMap(({ topic, partition, position }) =>
    position === undefined ? [] : [{ topic, partition, ...position, metadata: '' }],
  )
}

function stateError(message: string): MillraceError {
  return new MillraceError('MILLRACE_CLIENT_STATE_INVALID', message)
}

function checkMaxRecords(maxRecords: number | undefined): void {
  if (maxRecords === undefined || (Number.isSafeInteger(maxRecords) && maxRecords > 0)) return
  throw new OptionError('maxRecords', `(${String(maxRecords)}) must be a whole number above 0`)
}

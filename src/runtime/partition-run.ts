import { setMaxListeners } from 'node:events'
import type { TopicPartition } from '../client/index.ts'
import type { SourceBatch, SourceRecord } from '../driver/index.ts'
import { isBatchFailure } from './batch/batch.ts'
import type { Batch } from './batch/batch.ts'
import type { CommittedPartition, TakenCommit } from './commit/commits.ts'
import { Delivery } from './delivery.ts'
import type { FailingPartition, Resolution } from './failure/failures.ts'
import type { ProbeSource } from './failure/outage-guard.ts'
import type { Lane } from './lanes/lane.ts'
import { LaneTable } from './lanes/lane-table.ts'
import { laneKeyOf } from './lanes/record-order.ts'
import type { TurnTaker } from './lanes/turns.ts'
import type { Bookkeeping } from './bookkeeping.ts'
import { Handling } from './handling.ts'
import { Intake } from './intake.ts'
import { failingMax } from './ledger/index.ts'
import type { Ledger } from './ledger/index.ts'
import type { OwnerMark } from './ledger/owner-mark.ts'
import { PartitionInput } from './partition-input.ts'
import type { Ending, Outcome } from './outcome.ts'
import type { PartitionWorld } from './partition-world.ts'
import { SuspectRun } from './suspect-run.ts'
import type { SuspectPartition } from './suspect-run.ts'

type State = 'acquiring' | 'running' | 'stopped' | 'draining' | 'gone'

/**
 * One assignment of a partition, from when it is given to us until it is given up. Records go into their lanes in the
 * order of their offsets, synchronously; what ends is told to the ledger.
 *
 * - **acquiring**: what was committed is looked up; nothing runs.
 * - **running**.
 * - **stopped**: something is wrong that trying again does not mend. It stays ours, and nothing new starts.
 * - **draining**: it goes to another member: what runs may end, nothing new starts.
 * - **gone**: nothing counts any more. What still runs holds its key until it settles (`unsettled`).
 */
export class PartitionRun
  implements
    TopicPartition,
    TurnTaker,
    ProbeSource,
    FailingPartition,
    CommittedPartition,
    SuspectPartition
{
  readonly topic: string
  readonly partition: number
  /** Known once the partition is acquired. */
  #books: Bookkeeping | undefined
  readonly #world: PartitionWorld
  readonly #lanes = new LaneTable()
  readonly #leaving = new AbortController()
  readonly #gone = new AbortController()
  readonly #input: PartitionInput
  readonly #intake: Intake
  #holds = 0
  /** While one of its records may kill the process. */
  #suspect: SuspectRun | undefined
  #heldBecause: string | undefined
  #isPaused = false
  #state: State = 'acquiring'
  readonly #handling = new Handling()
  /** Lanes whose current record runs again when a stopped partition goes on. */
  #standing: Lane[] = []

  constructor({ topic, partition }: TopicPartition, world: PartitionWorld) {
    this.topic = topic
    this.partition = partition
    this.#world = world
    this.#input = new PartitionInput({
      begun: ({ nextOffset, leaderEpoch }) => {
        world.time.passes()
        this.books.epochs.note(nextOffset - 1, leaderEpoch)
      },
      ended: ({ nextOffset }) => {
        world.time.settle()
        this.ledger.readTo(nextOffset)
        world.commits.changed(0)
      },
    })
    const { clock, time, waitingMax, waitingBytesMax } = world
    this.#intake = new Intake({
      ...{ clock, time, waitingMax, waitingBytesMax, input: this.#input, lanes: this.#lanes },
      isOpen: () => this.#mayStart,
      isHeld: () => this.#holds > 0,
      openCount: () => this.ledger.openCount,
      mayStart: (offset) => this.ledger.mayStart(offset),
      blocked: () => world.blocked(this),
      accept: (record) => this.#accept(record),
      full: (isFull) => {
        world.full(this, isFull)
        this.#suspect?.wake()
      },
      failed: (error) => this.stop('records that were read are malformed', error),
    })
    // Each failing record of the partition listens.
    setMaxListeners(0, this.#leaving.signal, this.#gone.signal)
  }

  get books(): Bookkeeping {
    if (this.#books === undefined) throw new Error('the partition is not acquired')
    return this.#books
  }

  get ledger(): Ledger {
    return this.books.ledger
  }

  get isAcquired(): boolean {
    return this.#books !== undefined
  }

  is(state: State): boolean {
    return this.#state === state
  }

  get leaving(): AbortSignal {
    return this.#leaving.signal
  }

  get gone(): AbortSignal {
    return this.#gone.signal
  }

  get isFull(): boolean {
    return this.#intake.isFull
  }

  /** Whether nothing more starts until an earlier record ends: its window is full, or too many records fail. */
  get isBlocked(): boolean {
    const next = this.#input.waiting
    return next !== undefined && !this.ledger.mayStart(next.offset)
  }

  get isSuspect(): boolean {
    return this.#suspect !== undefined
  }

  get waitingCount(): number {
    return this.#lanes.waitingCount
  }

  get waitingBytes(): number {
    return this.#lanes.waitingBytes
  }

  get runningCount(): number {
    return this.#handling.size
  }

  /** Records between the frontier and the end, as far as it was heard of. */
  get lag(): number | undefined {
    if (this.#books === undefined || this.#input.logEnd < 0) return undefined
    return Math.max(0, this.#input.logEnd - this.#books.ledger.frontier)
  }

  /** When the oldest record that has not ended was written, or one near it; undefined when all have ended. */
  get oldestTimestamp(): number | undefined {
    if (this.lag === undefined || this.lag === 0) return undefined
    return this.#input.timeAt(this.ledger.frontier)
  }

  /** The key of a record that is being worked on, for people; undefined where it has none, or is not. */
  keyAt(offset: number): string | undefined {
    const [handled] = this.#handling.filter((delivery) => delivery.offset === offset)
    return handled?.record.key?.toString().slice(0, 100)
  }

  /** Keys whose handlers have not settled though the partition was given up. */
  get unsettled(): readonly Delivery[] {
    return this.#handling.filter((delivery) => this.#world.running.has(delivery))
  }

  /** Holds a key that a handler of an earlier assignment still works on. */
  holdKey({ record }: Delivery): void {
    this.#lanes.hold(laneKeyOf(this.#world.order, record))
  }

  /** That handler has come to its end. */
  letGoKey({ record }: Delivery): void {
    this.#lanes.letGo(laneKeyOf(this.#world.order, record))
    this.#offer()
  }

  /** Where it goes on is known; it is ours when that is committed. */
  acquired(books: Bookkeeping): void {
    this.#books = books
  }

  /** What was committed is known and ours: records run. */
  begin(): void {
    this.#state = 'running'
    this.#world.guard.addSource(this)
    if (this.books.mark.mode === 'suspect') {
      this.#suspect = new SuspectRun(this, this.#world.alone)
    }
    this.#intake.take()
  }

  /** Records that have been read, behind those before. */
  feed(batch: SourceBatch): void {
    if (this.#state === 'gone' || this.#state === 'draining') return
    this.#input.push(batch)
    this.#intake.take()
  }

  /** Goes on after it was stopped; the record that stopped it runs again. */
  resume(): void {
    if (this.#state !== 'stopped') return
    this.#state = 'running'
    const standing = this.#standing
    this.#standing = []
    for (const lane of standing) this.#lanes.again(lane)
    this.#offer()
    this.#intake.take()
  }

  /**
   * Starts nothing more; resolves when nothing runs. When the signal aborts, what runs is told to end, and it is not
   * waited for any longer.
   */
  async drain(signal: AbortSignal, reason: Error): Promise<void> {
    if (this.#state === 'gone') return
    this.#state = 'draining'
    this.#dropWaiting()
    this.#leaving.abort(reason)
    this.#handling.drop(reason)
    await this.#handling.untilIdle(signal)
    this.#handling.abort(reason)
  }

  /**
   * Says in the next commit that it is given up by choice. Not while a handler ignores that its time is over: whoever comes
   * next shall know that this did not end well.
   */
  closeMark(): void {
    const stuck = this.#handling.filter(
      (delivery) => delivery.isAborted && this.#world.running.hasTimedOut(delivery),
    )
    if (stuck.length === 0) this.#books?.mark.close()
  }

  /** It is ours no more: nothing counts from here on. */
  leave(reason: Error): void {
    if (this.#state === 'gone') return
    this.#state = 'gone'
    this.#dropWaiting()
    this.#world.guard.removeSource(this)
    this.#leaving.abort(reason)
    this.#gone.abort(reason)
    this.#books?.discard()
    this.#handling.drop(reason)
    this.#handling.abort(reason)
    this.#handling.giveUp()
  }

  get hasReady(): boolean {
    if (!this.#mayStart || this.#suspect !== undefined) return false
    return this.#lanes.hasAgain || (this.#lanes.hasNew && this.ledger.failingCount < failingMax)
  }

  /** Whether anything of it may begin to run. */
  get #mayStart(): boolean {
    return this.#state === 'running' && this.#holds === 0 && !this.#isPaused
  }

  runNext(): boolean {
    this.#startNext()
    return this.hasReady
  }

  /** Answers whether there was something to run. */
  #startNext(lane = this.#lanes.next()): boolean {
    const delivery = lane?.current
    if (lane === undefined || delivery === undefined) return false
    this.runAttempt(lane, delivery)
    return true
  }

  get mark(): OwnerMark {
    return this.books.mark
  }

  takeNext(end: number, first: number | undefined): { lane: Lane; delivery: Delivery } | undefined {
    // The record that ran at the last death is first, also before those that were read before it.
    const isComing = first !== undefined && this.ledger.nextOffset <= first && !this.isFull
    if (!this.#mayStart || isComing) return undefined
    const lane = this.#lanes.nextBelow(end, first)
    const delivery = lane?.current
    return lane === undefined || delivery === undefined ? undefined : { lane, delivery }
  }

  runAttempt(lane: Lane, delivery: Delivery): void {
    this.#run(lane, delivery)
    this.#intake.makeRoom()
  }

  putBack(lane: Lane): void {
    this.#lanes.again(lane)
  }

  async condemn(lane: Lane, delivery: Delivery): Promise<boolean> {
    const resolution = await this.#world.failures.condemn(delivery, this)
    if (resolution === 'stopped') this.#standing.push(lane)
    if (resolution !== 'dead-lettered' || this.#state === 'gone') return false
    this.#end(lane, delivery, resolution)
    return true
  }

  becameNormal(): void {
    this.#suspect = undefined
    this.#offer()
    this.#intake.take()
  }

  /** Not first one that waits for somebody else's claim: it is there each time, and no other was ever tried. */
  probe(): boolean {
    const isFull = this.ledger.failingCount >= failingMax
    return this.hasReady && this.#startNext(isFull ? undefined : this.#lanes.nextNew())
  }

  /** Puts a record into its lane: at once, and in the order of offsets. */
  #accept(record: SourceRecord): void {
    const { ledger } = this
    const { offset } = record
    if (!ledger.read(offset)) return
    const delivery = new Delivery(this.topic, this.partition, record)
    const lanes = this.#lanes
    const { turns, order } = this.#world
    const mayRunNow = turns.isOpen && this.#suspect === undefined
    if (lanes.isEmpty && mayRunNow) {
      this.#run(undefined, delivery)
      return
    }
    const key = laneKeyOf(order, record)
    if (mayRunNow && lanes.lane(key) === undefined) {
      this.#run(undefined, delivery, key)
      return
    }
    lanes.wait(key, delivery)
    this.#offer()
  }

  #offer(): void {
    if (this.#suspect !== undefined) this.#suspect.wake()
    else if (this.hasReady) this.#world.turns.offer(this)
  }

  /** Runs an attempt. A record that did not wait has no lane yet, and gets one only if it does not end at once. */
  #run(lane: Lane | undefined, delivery: Delivery, key?: string): void {
    delivery.lane = lane
    if (lane !== undefined && delivery.failure !== undefined) {
      const { error } = delivery.failure
      delivery.failure = undefined
      void this.#failed(lane, delivery, error)
      return
    }
    const attempts = this.ledger.failingCount === 0 ? 0 : this.ledger.attempts(delivery.offset)
    delivery.begin(attempts + 1)
    if (this.#suspect !== undefined || this.#world.guard.isOpen) delivery.isAlone = true
    this.#world.blockWatch.called = delivery
    let outcome: Outcome | Promise<Outcome>
    try {
      outcome = this.#world.way(delivery)
    } catch (error) {
      this.#suspect?.attemptEnded(delivery)
      this.#threw(lane ?? this.#occupy(delivery, key), delivery, error)
      return
    }
    if (outcome instanceof Promise) {
      this.#settle(lane ?? this.#occupy(delivery, key), delivery, outcome)
      return
    }
    this.#suspect?.attemptEnded(delivery)
    this.#answered(lane, delivery, outcome, key)
  }

  #occupy(delivery: Delivery, key: string | undefined): Lane {
    const lane = this.#lanes.occupy(key ?? laneKeyOf(this.#world.order, delivery.record), delivery)
    delivery.lane = lane
    return lane
  }

  #settle(lane: Lane, delivery: Delivery, outcome: Promise<Outcome>): void {
    const { turns, running } = this.#world
    this.#handling.add(delivery)
    running.started(delivery)
    if (delivery.batch === undefined) {
      turns.take()
      delivery.whenJoined((batch) => {
        this.#joined(lane, batch)
        turns.release()
      })
    } else this.#joined(lane, delivery.batch)
    outcome.then(
      (answer) => {
        delivery.hasSettled(false, answer)
        if (!this.#settled(delivery)) return
        const timeout = running.takeTimeout(delivery)
        // What a batch says of its records it says in spite of their time.
        if (timeout === undefined || delivery.batch !== undefined) {
          this.#answered(lane, delivery, answer)
        } else if (answer !== undefined && 'postponedMs' in answer) {
          this.#answered(lane, delivery, answer)
        } else this.#threw(lane, delivery, timeout)
        this.#handling.mayBeIdle()
      },
      (error: unknown) => {
        delivery.hasSettled(true, undefined)
        if (!this.#settled(delivery)) return
        const timeout = running.takeTimeout(delivery)
        this.#threw(lane, delivery, delivery.batch === undefined ? (timeout ?? error) : error)
      },
    )
  }

  /** The record waits in a batch: the next one of its key may follow it there. */
  #joined(lane: Lane, batch: Batch): void {
    this.#lanes.joined(lane, batch)
    this.#offer()
  }

  #answered(lane: Lane | undefined, delivery: Delivery, outcome: Outcome, key?: string): void {
    if (outcome === undefined) this.#succeeded(lane, delivery, 'done')
    else if ('skipped' in outcome) this.#succeeded(lane, delivery, 'skipped')
    else if (lane?.isShared === true) this.#giveBack(lane, delivery)
    else void this.#postpone(lane ?? this.#occupy(delivery, key), delivery, outcome.postponedMs)
  }

  #threw(lane: Lane, delivery: Delivery, error: unknown): void {
    if (!lane.isShared) {
      void this.#failed(lane, delivery, error)
      return
    }
    if (isBatchFailure(error)) delivery.isAlone = true
    else if (delivery.batch !== undefined) delivery.failure = { error }
    this.#giveBack(lane, delivery)
  }

  /** Records before it are, or were, in a batch: what is to be done about it is done behind them. */
  #giveBack(lane: Lane, delivery: Delivery): void {
    const { guard } = this.#world
    if (guard.isOpen) guard.probeEnded()
    this.#lanes.giveBack(lane, delivery)
    this.#offer()
    this.#handling.mayBeIdle()
  }

  /** A record that could not start: its way begins anew after a pause, and its partition may go without it. */
  async #postpone(lane: Lane, delivery: Delivery, pauseMs: number): Promise<void> {
    const { guard, clock } = this.#world
    // Whether an outage is over is found out by another record.
    if (guard.isOpen) guard.probeEnded()
    try {
      await clock.sleep(pauseMs, this.leaving)
    } catch {
      return
    }
    if (this.#state === 'stopped') this.#standing.push(lane)
    if (this.#state !== 'running') return
    this.#lanes.again(lane)
    this.#offer()
  }

  /** A handler has come to its end. Answers whether that still counts. */
  #settled(delivery: Delivery): boolean {
    const { turns, running, guard, late } = this.#world
    this.#handling.delete(delivery)
    this.#suspect?.attemptEnded(delivery)
    running.settled(delivery)
    if (delivery.batch === undefined) turns.release()
    if (this.#state !== 'gone' && !delivery.wasDropped) return true
    // It never started, or its partition was given up: nothing has become of it.
    delivery.settle(false)
    running.takeTimeout(delivery)
    guard.probeEnded()
    if (this.#state !== 'gone') this.#handling.mayBeIdle()
    else if (!delivery.wasDropped) late(delivery)
    return false
  }

  #succeeded(lane: Lane | undefined, delivery: Delivery, ending: Ending): void {
    this.#world.guard.succeeded()
    this.#end(lane, delivery, ending)
  }

  #end(lane: Lane | undefined, delivery: Delivery, ending: Ending): void {
    const { commits, ended } = this.#world
    this.books.end(delivery, ending)
    ended(delivery, ending)
    commits.changed(1)
    if (lane !== undefined) {
      this.#lanes.ended(lane, delivery)
      this.#offer()
    }
    this.#intake.makeRoom()
  }

  async #failed(lane: Lane, delivery: Delivery, error: unknown): Promise<void> {
    // Until it is decided what becomes of it, it counts as running: a drain waits for its letter.
    this.#handling.add(delivery)
    const resolution = await this.#resolve(delivery, error)
    this.#handling.delete(delivery)
    if (resolution === 'again') this.#again(lane, delivery)
    else if (resolution === 'stopped') this.#standing.push(lane)
    else if (resolution !== 'gone' && this.#state !== 'gone') this.#end(lane, delivery, resolution)
    this.#handling.mayBeIdle()
  }

  /** The record runs again: at once when it was picked to find out whether an outage is over. */
  #again(lane: Lane, delivery: Delivery): void {
    const { guard } = this.#world
    if (this.#state === 'stopped') this.#standing.push(lane)
    if (this.#state !== 'running') {
      guard.probeEnded()
    } else if (guard.isOpen && this.#suspect === undefined && this.#mayStart) {
      this.#run(lane, delivery)
    } else {
      // A paused partition is no place to find out whether an outage is over.
      if (!this.#mayStart) guard.probeEnded()
      this.#lanes.again(lane)
      this.#offer()
    }
  }

  async #resolve(delivery: Delivery, error: unknown): Promise<Resolution> {
    try {
      return await this.#world.failures.resolve(delivery, this, error)
    } catch (defect) {
      this.stop('a failed record could not be dealt with', defect)
      return 'stopped'
    }
  }

  #dropWaiting(): void {
    this.#lanes.clear()
    this.#input.clear()
  }

  countFailure(delivery: Delivery): number {
    return this.ledger.fail(delivery.offset)
  }

  acknowledged(): Promise<void> {
    return this.#world.commits.acknowledged(this)
  }

  /** Why nothing starts though nothing was stopped; undefined while things start. */
  get heldBecause(): string | undefined {
    return this.#holds > 0 ? this.#heldBecause : undefined
  }

  hold(reason: string): void {
    this.#holds++
    this.#intake.setFull(true)
    this.#heldBecause = reason
  }

  letGo(): void {
    this.#holds--
    this.#offer()
    this.#intake.take()
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Starts nothing while somebody wants it to stand; what runs goes on. */
  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused
    if (isPaused) return
    this.#offer()
    this.#intake.take()
  }

  stop(reason: string, error: unknown): void {
    if (this.#state !== 'running') return
    this.#state = 'stopped'
    this.#world.stopped(this, reason, error)
  }

  get isDirty(): boolean {
    return this.#books?.isDirty ?? false
  }

  /** Whether something has ended that no acknowledged commit contains. */
  get hasUncommitted(): boolean {
    return this.#books?.ledger.isDirty ?? false
  }

  takeCommit(charactersMax: number): TakenCommit {
    const { commit, acknowledged } = this.books.takeCommit(this, charactersMax)
    return {
      commit,
      acknowledged: () => {
        acknowledged()
        this.#suspect?.wake()
      },
    }
  }
}

import { setMaxListeners } from 'node:events'
import { byTopic, PartitionError, partitionKey } from '../client/index.ts'
import type { SeekTarget, TopicPartition, TopicSelection } from '../client/index.ts'
import type { DriverAdmin, RecordSource, SourceBatch, SourceOptions } from '../driver/index.ts'
import { isMillraceError, MillraceError } from '../errors.ts'
import type { Log } from '../observe/index.ts'
import type { Clock } from '../platform/index.ts'
import type { Rebalance } from './consumer-events.ts'
import type { Commits } from './commit/commits.ts'
import { PartitionOutputs } from './commit/partition-outputs.ts'
import type { Delivery } from './delivery.ts'
import { Bookkeeping } from './bookkeeping.ts'
import { Deadline, goodbyeMs } from './deadline.ts'
import type { AcquiredPartition } from './bookkeeping.ts'
import type { Lineage } from './ledger/commit-metadata.ts'
import { findCutLogs } from './log-cuts.ts'
import { PausedPartitions } from './paused-partitions.ts'
import { PartitionRun } from './partition-run.ts'
import type { PartitionWorld } from './partition-world.ts'
import { findSoughtPlace } from './seek-target.ts'
import { StartPositions } from './start-position.ts'
import type { StartPosition } from './start-position.ts'
import { OpenTransactions } from './open-transactions.ts'
import { WaitingPartitions } from './waiting-partitions.ts'

export interface ConsumerRunParts {
  readonly clock: Clock
  readonly log: Log
  readonly admin: Pick<DriverAdmin, 'cluster' | 'topics' | 'transactions'>
  /** How long a transaction may hold back what is read before that is told. */
  readonly openTransactionMsMax: number
  /** Another one in each life of the process. */
  readonly processId: string
  readonly topics: TopicSelection
  /** Where a new group begins in a topic. */
  readonly start: (topic: string) => StartPosition
  readonly onOffsetLost: OffsetLostRule
  readonly window: number
  /** How long what runs may take to end when its partition is given up. */
  readonly drainMs: number
  readonly rebalanced: (kind: Rebalance) => void
  /** Is told of each batch before anything of it runs. */
  readonly read: (batch: SourceBatch) => void
  /** A partition was taken over from a process that has died. */
  readonly ownerDied: (partition: TopicPartition) => void
  /** A partition has come to a stand, and waits for an operator. */
  readonly stopped: (partition: TopicPartition, reason: string, error: unknown) => void
  /** Makes the source; its callbacks are the run's. */
  readonly source: (callbacks: Required<Callbacks>) => RecordSource
  /** Makes what the partitions share, once there is a source to commit to. */
  readonly world: (source: RecordSource, run: RunCallbacks) => PartitionWorld
}

type Callbacks = Pick<SourceOptions, 'onAssigned' | 'onRevoked' | 'onLost'>
type RunCallbacks = Pick<PartitionWorld, 'blocked' | 'full' | 'stopped'>

export interface CloseRunOptions {
  /** How long what runs may take to end. */
  readonly drainMs: number
  readonly leave: boolean
}

/** What is done when the records where a partition goes on are not there any more: it stands, or goes on with the first. */
export type OffsetLostRule = 'stop' | 'earliest'

type Found = Pick<AcquiredPartition, 'committed' | 'lineage' | 'logEnd' | 'cutAt'>

/** How many records are asked for at a time: a poll never holds the event loop for long. */
const pollRecordsMax = 10_000
const acquireAgainMs = 500
const revoked = () => new Error('the partition goes to another member of the group')
const lost = () => new Error('the partition was lost')
const sought = () => new Error('the partition is read on from another place')

/**
 * Reads the topics of one consumer, and gives each partition that the group assigns a run of its own.
 *
 * - **idle** → **reading** (`run`) → **draining** (`close`: nothing new starts, what runs may end) → **closed**.
 *
 * A partition that is assigned is paused until it is known, and committed, where it goes on; the group's callbacks
 * wait for nothing but a drain.
 */
export class ConsumerRun {
  readonly #parts: ConsumerRunParts
  readonly #source: RecordSource
  readonly #world: PartitionWorld
  readonly #commits: Commits
  readonly #positions: StartPositions
  readonly #runs = new Map<string, PartitionRun>()
  /** Handlers of partitions that were given up and that still hold their keys, by partition. */
  readonly #unsettled = new Map<string, Set<Delivery>>()
  readonly #paused = new PausedPartitions()
  /** Partitions that were ours before, and where their logs were cut if that is why they begin again. */
  readonly #restarts = new WeakMap<PartitionRun, { readonly cutAt: number | undefined }>()
  readonly #ending = new AbortController()
  readonly #waiting: WaitingPartitions
  readonly #openTransactions: OpenTransactions
  #drainMs: number
  #wasAssigned = false
  /** Something that has ended was given up, and no commit says so: whoever comes next does it again. */
  #owesCommit = false
  #closing: Promise<boolean> | undefined

  constructor(parts: ConsumerRunParts) {
    this.#parts = parts
    // Each topic that is taken over asks several questions beside each other.
    setMaxListeners(0, this.#ending.signal)
    this.#drainMs = parts.drainMs
    this.#waiting = new WaitingPartitions(parts.clock, parts.log)
    this.#source = parts.source({
      onAssigned: (partitions) => this.#assigned(partitions),
      onRevoked: (partitions, { signal }) => this.#revoked(partitions, signal),
      onLost: (partitions) => this.#lost(partitions),
    })
    this.#world = parts.world(this.#source, {
      blocked: (run) => this.#waiting.waits(run),
      full: (run, isFull) => this.#full(run, isFull),
      stopped: (run, reason, error) => this.#stopped(run, reason, error),
    })
    this.#commits = this.#world.commits
    this.#openTransactions = new OpenTransactions({
      ...{ clock: parts.clock, log: parts.log, admin: parts.admin, source: this.#source },
      patienceMs: parts.openTransactionMsMax,
      partitions: () => this.partitions.filter((run) => this.#isRead(run)),
    })
    this.#positions = new StartPositions({
      clock: parts.clock,
      log: parts.log,
      admin: parts.admin,
      start: parts.start,
      source: this.#source,
      commit: (commits, signal) => this.#commits.place(commits, { signal }),
      isOurs: (partition) => this.#runs.has(partitionKey(partition)),
    })
  }

  get partitions(): readonly PartitionRun[] {
    return [...this.#runs.values()]
  }

  /** Why the consumer does not do all its work now; undefined when it does. */
  get notReadyBecause(): string | undefined {
    if (this.#isEnding()) return 'it is closing'
    if (!this.#wasAssigned) return 'no partitions were assigned yet'
    if (this.#world.guard.isOpen) return 'an outage: handlers fail for many records'
    for (const run of this.#runs.values()) {
      if (run.is('acquiring')) return `${partitionKey(run)} is being acquired`
      if (run.is('stopped')) return `${partitionKey(run)} is stopped`
      if (run.heldBecause !== undefined) return `${partitionKey(run)} waits: ${run.heldBecause}`
    }
    return undefined
  }

  /** For how long something has kept the thread, so that no heartbeat could leave; 0 when nothing has. */
  get blockedMs(): number {
    return this.#world.blockWatch.blockedMs
  }

  /** For how long a transaction that should have ended has held the partition's end back; 0 when none does. */
  heldBackMs(partition: TopicPartition): number {
    return this.#openTransactions.heldBackMs(partition)
  }

  /** Since when the oldest of the running handlers of each topic runs, by `elapsedMs`. */
  get oldestRunning(): ReadonlyMap<string, number> {
    return this.#world.running.oldest
  }

  /** Joins the group and reads until it is closed; rejects when the group will not have it any more. */
  async run(): Promise<void> {
    const { signal } = this.#ending
    this.#source.subscribe(this.#parts.topics)
    this.#openTransactions.watch()
    while (!this.#isEnding()) {
      try {
        const batches = await this.#source.poll({ maxRecords: pollRecordsMax, signal })
        for (const batch of batches) this.#feed(batch)
      } catch (error) {
        if (this.#isEnding()) break
        if (!(error instanceof PartitionError)) throw error
        this.#cannotRead(this.#runs.get(partitionKey(error)), error)
      }
    }
    await this.#closing
  }

  /**
   * Starts nothing more, waits for what runs, commits and leaves the group. Answers whether everything had ended by the
   * deadline, and is committed.
   */
  close(options: CloseRunOptions): Promise<boolean> {
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  async #close({ drainMs, leave }: CloseRunOptions): Promise<boolean> {
    this.#drainMs = drainMs
    this.#ending.abort()
    this.#source.pause([...this.#runs.values()])
    // What was assigned is revoked by closing the source: drained, committed and given up.
    const deadline = new Deadline(this.#parts.clock, drainMs + goodbyeMs)
    await this.#source.close({ timeoutMs: deadline.leftMs, leave })
    this.#noteOwed([...this.#runs.values()])
    const isClean = this.#runs.size === 0 && this.#unsettled.size === 0 && !this.#owesCommit
    this.#giveUp([...this.#runs.values()], lost())
    await this.#commits.close({ timeoutMs: deadline.leftMs })
    this.#openTransactions.end()
    this.#world.guard.end()
    this.#world.running.end()
    this.#world.blockWatch.end()
    const { alone, turns } = this.#world
    void turns.untilIdle().then(() => alone.remove(turns))
    return isClean
  }

  /** Starts nothing more of these partitions, or of all, until they are resumed; what runs goes on. */
  pause(partitions?: readonly TopicPartition[]): void {
    this.#paused.pause(partitions)
    this.#applyPauses()
  }

  resume(partitions?: readonly TopicPartition[]): void {
    this.#paused.resume(partitions)
    this.#applyPauses()
  }

  /** Lets partitions that were stopped try again; answers which. */
  resumeStopped(): readonly TopicPartition[] {
    const stopped = [...this.#runs.values()].filter((run) => run.is('stopped'))
    for (const run of stopped) {
      run.resume()
      this.#fetchOn(run)
    }
    return stopped.map(({ topic, partition }) => ({ topic, partition }))
  }

  owns(partition: TopicPartition): boolean {
    return this.#runs.has(partitionKey(partition))
  }

  /**
   * Goes on elsewhere in a partition: what runs may end, then what was known of its records is forgotten, and the new
   * place is committed before anything runs.
   */
  async seek(partition: TopicPartition, target: SeekTarget): Promise<void> {
    const run = this.#runs.get(partitionKey(partition))
    if (run === undefined || !this.#mayMove(run)) throw notOurs(partition)
    await this.#moveTo(run, target)
  }

  #mayMove(run: PartitionRun): boolean {
    return this.#runs.get(partitionKey(run)) === run && (run.is('running') || run.is('stopped'))
  }

  #isEnding(): boolean {
    return this.#ending.signal.aborted
  }

  #feed(batch: SourceBatch): void {
    this.#parts.read(batch)
    this.#runs.get(partitionKey(batch))?.feed(batch)
  }

  #assigned(partitions: readonly TopicPartition[]): void {
    this.#wasAssigned = true
    // The group answers again: what is missing has been, or will be, done by whoever has it now.
    this.#owesCommit = false
    this.#parts.rebalanced('assigned')
    this.#source.pause(partitions)
    // Until it is known where they go on: nothing is handed out of a paused partition.
    for (const partition of partitions) this.#source.seek(partition, 'beginning')
    const runs = partitions.map((partition) => this.#newRun(partition))
    for (const ofTopic of byTopic(runs).values()) void this.#acquire(ofTopic)
  }

  #newRun(partition: TopicPartition): PartitionRun {
    const key = partitionKey(partition)
    const run = new PartitionRun(partition, this.#world)
    for (const delivery of this.#unsettled.get(key) ?? []) run.holdKey(delivery)
    run.setPaused(this.#paused.has(partition))
    this.#runs.set(key, run)
    return run
  }

  /** Finds out where partitions of a topic go on, says in a commit that they are ours, and lets them run. */
  async #acquire(runs: readonly PartitionRun[]): Promise<void> {
    const { log } = this.#parts
    const { signal } = this.#ending
    for (;;) {
      const left = runs.filter((run) => run.is('acquiring'))
      if (left.length === 0 || this.#isEnding()) return
      try {
        // A member that was out of the group for a moment may be back in the same generation: what it had begun to commit
        // is not refused then, and would count after the offsets were read.
        await this.#commits.decided()
        const positions = await this.#find(left, signal)
        await Promise.all(left.map((run) => this.#begin(run, positions.get(partitionKey(run)))))
      } catch (error) {
        if (this.#isEnding()) return
        const fields = { error: (error as Error).message, topic: left[0]?.topic }
        log('warn', 'where partitions go on is not known yet, it is asked again', fields)
        await this.#pause(acquireAgainMs, signal)
      }
    }
  }

  /** What is known of partitions of one topic. */
  async #find(
    partitions: readonly PartitionRun[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Found>> {
    const { topic } = partitions[0] as PartitionRun
    const committed = await this.#positions.find(partitions, signal)
    const [lineage, ends] = await Promise.all([
      this.#lineage(topic, signal),
      this.#source.endOffsets(partitions),
    ])
    const cut = await findCutLogs(this.#source, committed.values(), lineage, signal)
    return new Map(
      ends.flatMap((end) => {
        const key = partitionKey(end)
        const found = committed.get(key)
        if (found === undefined) return []
        const known = { committed: found, lineage, logEnd: end.offset }
        // Nothing of what it names above its offset is believed.
        return [[key, cut.has(key) ? { ...known, cutAt: found.offset } : known]]
      }),
    )
  }

  /** Which log the offsets of a topic are of: a topic that was made anew has other records at them. */
  async #lineage(topic: string, signal: AbortSignal): Promise<Lineage> {
    const { admin } = this.#parts
    const [{ clusterId }, { id }] = await Promise.all([
      admin.cluster.describe({ signal }),
      admin.topics.describe(topic, { signal }),
    ])
    return { clusterId, topicId: id }
  }

  #tellOf(run: PartitionRun, { unreadable, mark, ledger }: Bookkeeping): void {
    const { log, ownerDied } = this.#parts
    if (mark.foundDeath) ownerDied(run)
    const where = { topic: run.topic, partition: run.partition, offset: ledger.frontier }
    if (unreadable !== undefined) {
      const what =
        'what the last commit tells beside its offset cannot be used; records may run again'
      log('warn', what, { ...where, reason: unreadable })
    }
    if (mark.mode !== 'claimed' || mark.pauseMs === 0) return
    log('warn', 'owners of the partition have died: its records run one at a time', where)
  }

  async #begin(run: PartitionRun, position: Found | undefined): Promise<void> {
    if (position === undefined || !run.is('acquiring')) return
    const { offset, leaderEpoch } = position.committed
    const { processId, window } = this.#parts
    const { staged } = this.#world
    const outputs = staged === undefined ? undefined : new PartitionOutputs(staged)
    const cutAt = position.cutAt ?? this.#restarts.get(run)?.cutAt
    const isStillOurs = this.#restarts.has(run)
    const books = new Bookkeeping(
      { ...position, processId, window, isStillOurs, ...(cutAt !== undefined && { cutAt }) },
      outputs,
    )
    run.acquired(books)
    this.#tellOf(run, books)
    this.#commits.add(run)
    try {
      await this.#commits.acknowledged(run)
    } catch (error) {
      this.#commits.remove(run)
      if (run.is('acquiring')) throw error
      return
    }
    if (books.mark.pauseMs > 0) await this.#pause(books.mark.pauseMs, run.leaving)
    if (!run.is('acquiring')) return
    this.#source.seek(run, { offset, leaderEpoch })
    run.begin()
    this.#fetchOn(run)
  }

  /** Waits so long, or until the signal aborts. */
  async #pause(pauseMs: number, signal: AbortSignal): Promise<void> {
    await this.#parts.clock.sleep(pauseMs, signal).catch(() => undefined)
  }

  async #revoked(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    this.#parts.rebalanced('revoked')
    const runs = this.#runsOf(partitions)
    const drained = this.#parts.clock.setTimer(this.#drainMs, () => deadline.abort())
    const deadline = new AbortController()
    const end = () => deadline.abort()
    signal.addEventListener('abort', end, { once: true })
    try {
      await Promise.all(runs.map((run) => run.drain(deadline.signal, revoked())))
      for (const run of runs) run.closeMark()
      await this.#commits.release(
        runs.filter(({ isAcquired }) => isAcquired),
        signal,
      )
    } catch (error) {
      const fields = { error: (error as Error).message }
      this.#parts.log('warn', 'what was given up could not be committed', fields)
      this.#noteOwed(runs)
    } finally {
      drained.cancel()
      signal.removeEventListener('abort', end)
      this.#giveUp(runs, revoked())
    }
  }

  #lost(partitions: readonly TopicPartition[]): void {
    this.#parts.rebalanced('lost')
    const runs = this.#runsOf(partitions)
    this.#noteOwed(runs)
    this.#giveUp(runs, lost())
  }

  #noteOwed(runs: readonly PartitionRun[]): void {
    this.#owesCommit ||= runs.some((run) => run.hasUncommitted)
  }

  #giveUp(runs: readonly PartitionRun[], reason: Error): void {
    for (const run of runs) {
      this.#commits.remove(run)
      this.#waiting.forget(run)
      this.#runs.delete(partitionKey(run))
      const unsettled = run.unsettled
      run.leave(reason)
      if (unsettled.length > 0) this.#keep(partitionKey(run), unsettled)
    }
  }

  /** Remembers which keys handlers still work on, until they settle. */
  #keep(key: string, deliveries: readonly Delivery[]): void {
    const kept = this.#unsettled.get(key) ?? new Set<Delivery>()
    this.#unsettled.set(key, kept)
    for (const delivery of deliveries) {
      kept.add(delivery)
      this.#world.running.whenSettled(delivery, () => {
        kept.delete(delivery)
        if (kept.size === 0 && this.#unsettled.get(key) === kept) this.#unsettled.delete(key)
        this.#runs.get(key)?.letGoKey(delivery)
      })
    }
  }

  #runsOf(partitions: readonly TopicPartition[]): PartitionRun[] {
    return partitions.flatMap((partition) => this.#runs.get(partitionKey(partition)) ?? [])
  }

  #full(run: PartitionRun, isFull: boolean): void {
    if (this.#isEnding()) return
    if (isFull) this.#source.pause([run])
    else this.#fetchOn(run)
  }

  #fetchOn(run: PartitionRun): void {
    if (this.#isRead(run)) this.#source.resume([run])
  }

  #isRead(run: PartitionRun): boolean {
    return run.is('running') && !run.isFull && !run.isPaused
  }

  #applyPauses(): void {
    for (const run of this.#runs.values()) {
      const isPaused = this.#paused.has(run)
      if (run.isPaused === isPaused) continue
      run.setPaused(isPaused)
      if (isPaused) this.#source.pause([run])
      else this.#fetchOn(run)
    }
  }

  #cannotRead(run: PartitionRun | undefined, error: PartitionError): void {
    if (run === undefined) return
    const isLost = isMillraceError(error, 'MILLRACE_CLIENT_OFFSET_LOST')
    const { cutAt } = error
    if (cutAt !== undefined && run.is('running') && cutAt >= run.ledger.frontier) {
      this.#goOnBehindCut(run, cutAt)
      return
    }
    if (!isLost || this.#parts.onOffsetLost === 'stop' || !run.is('running')) {
      run.stop('it cannot be read on', error)
      return
    }
    this.#parts.log(
      'error',
      `${partitionKey(run)} goes on with its first record: others are lost`,
      {
        topic: run.topic,
        partition: run.partition,
        lostFrom: error.offset,
      },
    )
    this.#source.pause([run])
    this.#moveTo(run, 'beginning').catch((failure: unknown) => {
      // Still ours: it stands until somebody looks at it. Else the next owner finds the same.
      run.stop('it cannot be read on', failure)
    })
  }

  async #moveTo(run: PartitionRun, target: SeekTarget): Promise<void> {
    const { clock, log } = this.#parts
    const { topic, partition } = run
    const { signal } = this.#ending
    const [{ offset, logEnd }, lineage] = await Promise.all([
      findSoughtPlace(this.#source, clock, run, target),
      this.#lineage(topic, signal),
    ])
    // It may have been given up, or sought elsewhere, while the place was looked up.
    if (!this.#mayMove(run)) throw notOurs(run)
    this.#source.pause([run])
    await this.#drained(run)
    if (this.#isEnding() || this.#runs.get(partitionKey(run)) !== run) throw notOurs(run)
    try {
      // What has ended is committed first, and what it wrote with it.
      await this.#commits.release([run], signal)
    } catch (error) {
      this.#startAgain(run)
      throw error
    }
    this.#giveUp([run], sought())
    const next = this.#newRun({ topic, partition })
    const committed = { topic, partition, offset, leaderEpoch: -1, metadata: '' }
    log('info', `${partitionKey(run)} is read on from offset ${offset}`, {
      topic,
      partition,
      offset,
    })
    while (!this.#isEnding() && next.is('acquiring')) {
      try {
        // It alone may go backwards, and forgets what stood beside the offset.
        await this.#commits.place([committed], { signal, allowBackwards: true })
        await this.#begin(next, { committed, lineage, logEnd })
        return
      } catch (error) {
        const fields = { topic, partition, error: (error as Error).message }
        log('warn', 'where a partition goes on is not committed yet, it is tried again', fields)
        await this.#pause(acquireAgainMs, signal)
      }
    }
    throw notOurs(run)
  }

  /** Gives a partition up and goes on from what the group has committed. Keys stay closed until handlers settle. */
  #startAgain(run: PartitionRun, cutAt?: number): void {
    const { topic, partition } = run
    this.#source.pause([run])
    this.#giveUp([run], sought())
    const next = this.#newRun({ topic, partition })
    this.#restarts.set(next, { cutAt })
    void this.#commits.settled().then(() => this.#acquire([next]))
  }

  /**
   * The log was cut above the frontier: what was known of records behind the cut is forgotten, and the partition is read
   * again from what is committed. Handlers that run keep their keys until they settle, and count for nothing.
   */
  #goOnBehindCut(run: PartitionRun, cutAt: number): void {
    const { topic, partition } = run
    this.#parts.log('warn', `the log of ${partitionKey(run)} was cut: it is read again`, {
      ...{ topic, partition, cutAt, offset: run.ledger.frontier },
    })
    this.#startAgain(run, cutAt)
  }

  async #drained(run: PartitionRun): Promise<void> {
    const deadline = new AbortController()
    const timer = this.#parts.clock.setTimer(this.#drainMs, () => deadline.abort())
    await run.drain(deadline.signal, sought())
    timer.cancel()
  }

  #stopped(run: PartitionRun, reason: string, error: unknown): void {
    // What ends reads nothing more.
    if (!this.#isEnding()) this.#source.pause([run])
    this.#parts.stopped(run, reason, error)
    this.#parts.log('error', `${partitionKey(run)} is stopped: ${reason}`, {
      topic: run.topic,
      partition: run.partition,
      offset: run.ledger.frontier,
      error: error instanceof Error ? error.message : String(error),
    })
  }
}

function notOurs(partition: TopicPartition): MillraceError {
  const problem = `${partitionKey(partition)} is not, or no longer, read here`
  return new MillraceError('MILLRACE_CLIENT_NOT_OWNED', problem)
}

import { PartitionError, partitionKey } from '../../client/index.ts'
import type { CommittedOffset, PartitionOffset, TopicPartition } from '../../client/index.ts'
import type { RecordSource, SourceBatch, SourceOptions } from '../../driver/index.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock } from '../../platform/index.ts'
import { Deadline, goodbyeMs } from '../../runtime/index.ts'
import type { StateStore, StateStores } from '../../store/index.ts'
import { within } from '../../transaction/index.ts'
import type { TaskState } from '../state/task-state.ts'
import type { InputPosition } from '../task/input-queue.ts'
import type { StreamTask } from '../task/stream-task.ts'
import type { Changelog } from './changelog.ts'
import type { SourceWatch } from './source-watch.ts'
import { TaskRun } from './task-run.ts'
import type { WatchedTime } from './watched-time.ts'
import type { WorkCommits } from './work-commits.ts'

export interface StreamRunParts {
  readonly clock: Clock
  readonly log: Log
  readonly name: string
  /** The topic of each input. */
  readonly topics: readonly string[]
  readonly stores: StateStores
  /** Undefined where nothing is remembered. */
  readonly changelog: Changelog | undefined
  /** Makes the source; its callbacks are the run's. */
  readonly source: (
    callbacks: Required<Pick<SourceOptions, 'onAssigned' | 'onRevoked' | 'onLost'>>,
  ) => RecordSource
  /** Makes what commits, once there is a source whose offsets are committed. */
  readonly commits: (source: RecordSource, tasks: () => readonly TaskRun[]) => WorkCommits
  readonly newState: (store: StateStore) => TaskState
  readonly task: (partition: number, state: TaskState) => StreamTask
  /** Told whenever it is looked what there is: idleness is counted while somebody looks. */
  readonly watched: WatchedTime
  /** Of each input that is written again under another key: how far that has come. */
  readonly watches: readonly (Pick<SourceWatch, 'latest'> | undefined)[]
  readonly rebalanced: (kind: 'assigned' | 'revoked' | 'lost') => void
  /** Nothing more can be done here: the service ends. */
  readonly failed: (error: Error) => void
}

const pollRecordsMax = 5_000
/** Records of an input that wait for those of the other before no more are read of it. */
const waitingMax = 2_000
/** How long it works before what has arrived meanwhile has its turn. */
const sliceMs = 20
const sliceRecords = 500
/** What has been worked and is not committed, of all tasks, waits in memory: above this a task works its share of it and no more. */
const workedMax = 20_000
/** How often it is looked whether the time has gone on. */
const tickMs = 50
const acquireAgainMs = 500

/**
 * Runs the tasks of a flow that the group assigns here: reads for them, lets them work in turns, has committed what they have worked.
 *
 * - **idle** → **running** (`run`) → **closing** (`close`) → **closed**.
 */
export class StreamRun {
  readonly #parts: StreamRunParts
  readonly #source: RecordSource
  readonly #commits: WorkCommits
  readonly #tasks = new Map<number, TaskRun>()
  /** Stores that are still being closed, by task: they are waited for when the task comes back. */
  readonly #closings = new Map<number, Promise<void>>()
  readonly #ending = new AbortController()
  #wasAssigned = false
  /** What was worked was given up, and no commit has it: whoever comes next works it again. */
  #owesCommit = false
  #closing: Promise<boolean> | undefined

  constructor(parts: StreamRunParts) {
    this.#parts = parts
    this.#source = parts.source({
      onAssigned: (partitions) => this.#assigned(partitions),
      onRevoked: (partitions, { signal }) => this.#revoked(partitions, signal),
      onLost: (partitions) => this.#lost(partitions),
    })
    this.#commits = parts.commits(this.#source, () => this.tasks)
  }

  get tasks(): readonly TaskRun[] {
    return [...this.#tasks.values()]
  }

  /** Why it does not do all its work now; undefined when it does. */
  get notReadyBecause(): string | undefined {
    if (this.#isEnding()) return 'it is closing'
    if (!this.#wasAssigned) return 'no tasks were assigned yet'
    for (const run of this.#tasks.values()) {
      if (run.idleBecause !== undefined) return `task ${run.partition}: ${run.idleBecause}`
    }
    return undefined
  }

  /** The committed state of a task; undefined where it is not here, or not restored. */
  storeOf(partition: number): StateStore | undefined {
    const run = this.#tasks.get(partition)
    return run?.is('running', 'draining') === true ? run.parts?.store : undefined
  }

  /** How many records of an input are still to be read; undefined while that is not known. */
  lagOf(partition: TopicPartition): number | undefined {
    try {
      return this.#source.lag(partition)
    } catch {
      return undefined
    }
  }

  /** Joins the group and works until it is closed; rejects when the group will not have it any more. */
  async run(): Promise<void> {
    const { signal } = this.#ending
    this.#source.subscribe(this.#parts.topics)
    let isBusy = false
    while (!this.#isEnding()) {
      try {
        const timeoutMs = isBusy ? 0 : tickMs
        const batches = await this.#source.poll({ maxRecords: pollRecordsMax, timeoutMs, signal })
        for (const batch of batches) this.#feed(batch)
      } catch (error) {
        if (this.#isEnding()) break
        if (!(error instanceof PartitionError)) throw error
        this.#cannotRead(error)
      }
      isBusy = this.#work()
      if (isBusy) await new Promise<void>((resolve) => this.#parts.clock.defer(resolve))
    }
    await this.#closing
  }

  /** Works nothing more, commits what was worked, and leaves the group. Answers whether all of it was committed in time. */
  close({
    drainMs,
    leave,
  }: {
    readonly drainMs: number
    readonly leave: boolean
  }): Promise<boolean> {
    this.#closing ??= this.#close(drainMs, leave)
    return this.#closing
  }

  async #close(drainMs: number, leave: boolean): Promise<boolean> {
    this.#ending.abort()
    // What was assigned is revoked by closing the source: committed, and given up.
    const deadline = new Deadline(this.#parts.clock, drainMs + goodbyeMs)
    await this.#source.close({ timeoutMs: deadline.leftMs, leave })
    const hadGivenUp = this.#tasks.size === 0
    await this.#giveUp(this.tasks)
    await this.#commits.close({ timeoutMs: deadline.leftMs })
    this.#parts.changelog?.close()
    await Promise.all(this.#closings.values())
    return hadGivenUp && !this.#owesCommit
  }

  #isEnding(): boolean {
    return this.#ending.signal.aborted
  }

  #feed(batch: SourceBatch): void {
    const run = this.#tasks.get(batch.partition)
    if (run?.is('running') !== true) return
    run.parts?.task.add(this.#parts.topics.indexOf(batch.topic), batch)
  }

  /** A turn for each task; answers whether there is more to be done at once. */
  #work(): boolean {
    const { clock, watched } = this.#parts
    watched.look()
    const untilMs = clock.elapsedMs() + sliceMs
    let isBusy = false
    let worked = 0
    for (const { parts } of this.#tasks.values()) worked += parts?.task.workedCount ?? 0
    const share = workedMax / this.#tasks.size
    for (const run of this.#tasks.values()) {
      const task = run.parts?.task
      if (task === undefined || !run.is('running')) continue
      run.topics.forEach((topic, input) => {
        const place = { topic, partition: run.partition }
        task.setAtEnd(input, task.waitingOf(input) === 0 && this.#isRead(place))
        this.#seeSources(run, task, input)
      })
      try {
        let count: number
        do {
          const mayWork = worked < workedMax || task.workedCount < share
          count = mayWork ? task.work(sliceRecords) : 0
          worked += count
          isBusy ||= count > 0
        } while (count === sliceRecords && clock.elapsedMs() < untilMs)
      } catch (error) {
        this.#stop(run, error as Error)
        continue
      }
      if (task.hasWork) this.#commits.changed(task.isFull || worked >= workedMax / 2)
      this.#holdBack(run)
    }
    return isBusy
  }

  /** Whether nothing more is there: what is in a transaction that is open may still come. */
  #isRead(place: TopicPartition): boolean {
    if (this.lagOf(place) !== 0) return false
    const ends = this.#source.ends?.(place)
    return ends === undefined || ends.stableEnd >= ends.end
  }

  /** How far the sources of an input had come counts once all is taken that was in it then. */
  #seeSources(run: TaskRun, task: StreamTask, input: number): void {
    const watch = this.#parts.watches[input]
    if (watch === undefined) return
    const { latest } = watch
    if (latest === undefined) {
      task.setSources(input, undefined)
      return
    }
    const sight = run.sights[input]?.next(latest, ({ ends }) =>
      this.#isTaken(run, task, input, ends[run.partition] ?? 0),
    )
    if (sight !== undefined) task.setSources(input, sight)
  }

  #isTaken(run: TaskRun, task: StreamTask, input: number, end: number): boolean {
    if ((task.takenTo(input) ?? 0) >= end) return true
    const place = { topic: run.topics[input] as string, partition: run.partition }
    if (task.waitingOf(input) > 0 || !this.#isRead(place)) return false
    return (this.#source.ends?.(place)?.end ?? 0) >= end
  }

  /** Reads no more of an input while enough of it waits. */
  #holdBack(run: TaskRun): void {
    run.topics.forEach((topic, input) => {
      run.holdBack(input, waitingMax, (isPaused) => {
        const place = [{ topic, partition: run.partition }]
        if (isPaused) this.#source.pause(place)
        else this.#source.resume(place)
      })
    })
  }

  #assigned(partitions: readonly TopicPartition[]): void {
    this.#wasAssigned = true
    // The group answers again: what is missing has been, or will be, worked by whoever has it now.
    this.#owesCommit = false
    this.#parts.rebalanced('assigned')
    this.#source.pause(partitions)
    // Until it is known where they go on: nothing is handed out of a paused partition.
    for (const partition of partitions) this.#source.seek(partition, 'beginning')
    const { topics } = this.#parts
    for (const partition of new Set(partitions.map((each) => each.partition))) {
      if (this.#tasks.has(partition)) continue
      const run = new TaskRun(partition, topics)
      this.#tasks.set(partition, run)
      run.acquiring = this.#acquire(run)
    }
  }

  /** Finds out where a task goes on, restores its state, and lets it run; tries again until it is ours no more. */
  async #acquire(run: TaskRun): Promise<void> {
    const { clock, log, name } = this.#parts
    const { signal } = run.leaving
    while (!run.is('gone')) {
      try {
        await this.#closings.get(run.partition)
        // What an earlier assignment has begun to commit counts before the offsets are read, or not at all.
        await within(signal, this.#commits.decided())
        await this.#restore(run)
        return
      } catch (error) {
        if (run.is('gone')) return
        const fields = { flow: name, task: run.partition, error: (error as Error).message }
        log('warn', 'a task cannot be restored yet, it is tried again', fields)
        await clock.sleep(acquireAgainMs, signal).catch(() => undefined)
      }
    }
  }

  async #restore(run: TaskRun): Promise<void> {
    const { stores, changelog, clock, name, log } = this.#parts
    const { partition } = run
    const { signal } = run.leaving
    const committed = await this.#source.committed(run.partitions, { signal })
    const store = await stores.open(`${name}-${partition}`)
    try {
      signal.throwIfAborted()
      const beganMs = clock.elapsedMs()
      const state = this.#parts.newState(store)
      const task = this.#parts.task(partition, state)
      const checkpoint = await changelog?.restore({
        ...{ partition, store, signal },
        dueTimeOf: (change) => task.dueTimeOf(change),
        progress: (progress) => run.restored(progress),
      })
      signal.throwIfAborted()
      task.restored()
      const firsts = await within(signal, this.#source.beginningOffsets(run.partitions))
      const seconds = ((clock.elapsedMs() - beganMs) / 1_000).toFixed(1)
      log('info', 'a task is restored', {
        flow: name,
        task: partition,
        entries: store.figures.entries,
        seconds,
      })
      const starts = run.partitions.map((place) => startOf(place, committed, firsts))
      // Throws while not all inputs are assigned: then it is not ours yet.
      run.partitions.forEach((place, input) => {
        this.#source.seek(place, starts[input] as InputPosition)
      })
      run.begin({ task, state, store, checkpoint, starts })
      this.#source.resume(run.partitions)
    } catch (error) {
      await store.close()
      throw error
    }
  }

  async #revoked(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    this.#parts.rebalanced('revoked')
    const runs = this.#runsOf(partitions)
    for (const run of runs) run.drain()
    try {
      while (runs.some((run) => run.hasPending && run.is('draining')) && !signal.aborted) {
        await this.#commits.commitNow(signal).catch(() => this.#pause(signal))
      }
    } finally {
      await this.#giveUp(runs)
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    await this.#parts.clock.sleep(100, signal).catch(() => undefined)
  }

  #lost(partitions: readonly TopicPartition[]): void {
    this.#parts.rebalanced('lost')
    void this.#giveUp(this.#runsOf(partitions))
  }

  async #giveUp(runs: readonly TaskRun[]): Promise<void> {
    this.#owesCommit ||= runs.some((run) => run.hasPending)
    await Promise.all(
      runs.map((run) => {
        this.#tasks.delete(run.partition)
        run.leave()
        const before = this.#closings.get(run.partition)
        const closing = Promise.resolve(before)
          .then(() => run.acquiring)
          .then(() => run.close())
        this.#closings.set(run.partition, closing)
        return closing.catch((error: unknown) => this.#parts.failed(error as Error))
      }),
    )
  }

  /** A task is given up as soon as one of its inputs is. */
  #runsOf(partitions: readonly TopicPartition[]): TaskRun[] {
    const numbers = new Set(partitions.map(({ partition }) => partition))
    return [...numbers].flatMap((partition) => this.#tasks.get(partition) ?? [])
  }

  #cannotRead(error: PartitionError): void {
    const run = this.#tasks.get(error.partition)
    if (run === undefined) this.#source.pause([error])
    else this.#stop(run, error)
  }

  /** Something has to be mended first: it stands, and the others go on. */
  #stop(run: TaskRun, error: Error): void {
    const { log, name } = this.#parts
    this.#source.pause(run.partitions)
    run.stop(error.message)
    log('error', 'a task has come to a stand', {
      flow: name,
      task: run.partition,
      error: error.message,
    })
  }
}

/** Where the group has committed, or the first record that is there: a flow begins at the beginning. */
function startOf(
  place: TopicPartition,
  committed: readonly CommittedOffset[],
  firsts: readonly PartitionOffset[],
): InputPosition {
  const isSame = (other: TopicPartition) => partitionKey(other) === partitionKey(place)
  const known = committed.find(isSame)
  if (known !== undefined) return { offset: known.offset, leaderEpoch: known.leaderEpoch }
  return { offset: firsts.find(isSame)?.offset ?? 0, leaderEpoch: -1 }
}

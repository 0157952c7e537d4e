import type { ProducerRecord, TopicPartition } from '../../client/index.ts'
import type { PartitionCommit } from '../../runtime/index.ts'
import type { Checkpoint, StateStore } from '../../store/index.ts'
import type { TaskState } from '../state/task-state.ts'
import type { InputPosition } from '../task/input-queue.ts'
import type { StreamTask, TaskWork } from '../task/stream-task.ts'
import type { RestoreProgress } from './changelog.ts'
import { AwaitedSight } from './source-watch.ts'

/** What a task works with, once it is restored. */
export interface TaskParts {
  readonly task: StreamTask
  readonly state: TaskState
  readonly store: StateStore
  /** Undefined where nothing is remembered. */
  readonly checkpoint: Checkpoint | undefined
  /** Where each input goes on. */
  readonly starts: readonly InputPosition[]
}

/** Work that is to be committed: again and again with the same content, until it is or the task is given up. */
export interface PendingWork extends TaskWork {
  readonly run: TaskRun
}

/** Of state that no changelog has. */
const noCheckpoint: Checkpoint = { offset: 0, leaderEpoch: -1, topicId: '', timestamp: 0 }

/**
 * One assignment of a task: from when it is ours to when it is given up.
 *
 * - **restoring** → **running** → **draining** (`drain`: nothing more is worked, what was is committed) → **gone**.
 * - **running** → **stopped** (`stop`: something has to be mended first) → **gone**.
 * - **gone** at once (`leave`) from anywhere.
 */
export class TaskRun {
  readonly partition: number
  readonly topics: readonly string[]
  readonly leaving = new AbortController()
  /** Ends when it runs, or when it has stopped trying to. */
  acquiring: Promise<void> = Promise.resolve()
  #state: 'restoring' | 'running' | 'draining' | 'stopped' | 'gone' = 'restoring'
  #parts: TaskParts | undefined
  #pending: PendingWork | undefined
  #progress: RestoreProgress | undefined
  #problem: string | undefined
  readonly #paused: boolean[]
  /** Of each input. */
  readonly sights: readonly AwaitedSight[]
  /** Behind what is committed, by input; undefined where nothing was yet. */
  #committedTo: readonly (InputPosition | undefined)[] = []

  constructor(partition: number, topics: readonly string[]) {
    this.partition = partition
    this.topics = topics
    this.#paused = topics.map(() => false)
    this.sights = topics.map(() => new AwaitedSight())
  }

  is(...states: ('restoring' | 'running' | 'draining' | 'stopped' | 'gone')[]): boolean {
    return states.includes(this.#state)
  }

  get partitions(): readonly TopicPartition[] {
    return this.topics.map((topic) => ({ topic, partition: this.partition }))
  }

  /** Why it does not work; undefined when it does. */
  get idleBecause(): string | undefined {
    if (this.#state === 'stopped') return `it is stopped: ${this.#problem}`
    if (this.#state !== 'restoring') return undefined
    if (this.#progress === undefined) return 'it is being acquired'
    const { from, at, to } = this.#progress
    return `its state is being restored (${at - from} of ${to - from} changes)`
  }

  /** How many changes are still to be restored. */
  get restoreLag(): number {
    return this.#state === 'restoring' && this.#progress !== undefined
      ? this.#progress.to - this.#progress.at
      : 0
  }

  get parts(): TaskParts | undefined {
    return this.#parts
  }

  restored(progress: RestoreProgress): void {
    this.#progress = progress
  }

  begin(parts: TaskParts): void {
    this.#parts = parts
    this.#state = 'running'
  }

  drain(): void {
    if (this.#state === 'running') this.#state = 'draining'
    else if (this.#state === 'restoring') this.leave()
  }

  stop(problem: string): void {
    this.#problem = problem
    if (this.#state !== 'gone') this.#state = 'stopped'
  }

  /** It is not ours any more: what was not committed is as if it had never been. */
  leave(): void {
    this.#state = 'gone'
    this.#pending = undefined
    this.leaving.abort()
  }

  /** What is to be committed: what failed before, or what was worked since. */
  takePending(): PendingWork | undefined {
    if (this.#pending !== undefined) return this.#pending
    const task = this.#parts?.task
    if (task === undefined || !this.is('running', 'draining') || !task.hasWork) return undefined
    this.#pending = { run: this, ...task.takeWork() }
    return this.#pending
  }

  get hasPending(): boolean {
    if (this.#pending !== undefined) return true
    return this.is('running', 'draining') && this.#parts?.task.hasWork === true
  }

  /**
   * What was pending is committed, and the changelog goes on from `offset`, undefined where nothing of it is in there. It was
   * written under `leaderEpoch` or a later one.
   */
  async settle(offset: number | undefined, timestamp: number, leaderEpoch = -1): Promise<void> {
    this.#committedTo = this.#pending?.positions ?? this.#committedTo
    this.#pending = undefined
    const parts = this.#parts as TaskParts
    const { checkpoint = noCheckpoint } = parts
    const next =
      offset === undefined
        ? { ...checkpoint, timestamp }
        : {
            ...{ ...checkpoint, timestamp, offset },
            leaderEpoch: Math.max(checkpoint.leaderEpoch, leaderEpoch),
          }
    await parts.state.settle(next)
    this.#parts = { ...parts, checkpoint: next }
  }

  /** What has been committed of an input in this assignment lies before it; undefined while nothing was. */
  committedTo(input: number): number | undefined {
    return this.#committedTo[input]?.offset
  }

  /** Whether an input is paused because enough of it waits; `changed` is told when that changes. */
  holdBack(input: number, waitingMax: number, changed: (isPaused: boolean) => void): void {
    const waiting = this.#parts?.task.waitingOf(input) ?? 0
    const isPaused = this.#paused[input] === true
    if (isPaused ? waiting > waitingMax / 4 : waiting <= waitingMax) return
    this.#paused[input] = !isPaused
    changed(!isPaused)
  }

  async close(): Promise<void> {
    this.leave()
    await this.#parts?.store.close()
  }
}

/**
 * What is committed of a task: the offsets of all its inputs, also where they are as before, and with the first of them what it
 * wrote. The offsets are what fences it.
 */
export function commitsOf(
  { run, positions, outputs, note }: PendingWork,
  changes: readonly ProducerRecord[],
): PartitionCommit[] {
  const { starts } = run.parts as TaskParts
  return run.topics.map((topic, input) => {
    const { offset, leaderEpoch } = (positions[input] ?? starts[input]) as InputPosition
    const commit = { topic, partition: run.partition, offset, leaderEpoch, metadata: note }
    return input === 0 ? { ...commit, outputs: [...outputs, ...changes] } : commit
  })
}

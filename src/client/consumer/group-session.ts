import type { Cluster } from '../cluster/cluster.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { AssignmentCallbacks } from './consumer-options.ts'
import type { Fetcher } from './fetcher.ts'
import type { CommittedOffset, GroupMemberHandler } from './group-member.ts'
import type { OffsetCommits } from './offset-commits.ts'
import type { PartitionState } from './partition-state.ts'
import type { Progress } from './progress.ts'

export interface GroupSessionOptions {
  readonly cluster: Cluster
  readonly fetcher: Fetcher
  readonly progress: Progress
  readonly commits: OffsetCommits
  readonly callbacks: AssignmentCallbacks
  readonly autoCommit: boolean
  /** Whether the application has called `close`: it does not come back for more. */
  readonly isClosing: () => boolean
  /** The topics of the assigned partitions have changed. */
  readonly assignmentChanged: () => void
  /** Membership has ended for good. */
  readonly failed: (error: Error) => void
  /** A callback of the application has thrown. */
  readonly callbackFailed: (error: Error) => void
}

/** What is left of the time until a deadline for the last commit. */
const commitMsMax = 3_000

/**
 * What happens to the consumer when its group gives partitions and takes them.
 *
 * Revoked: nothing of the partitions is handed out from the start. Then the application gets time to end
 * what it works on: in its `onRevoked`, or, when it has none, until it asks for more. Then what it is done with
 * is committed (with `autoCommit`), and the partitions are let go. Lost: they are let go, and nothing is
 * committed.
 */
export class GroupSession implements GroupMemberHandler {
  readonly #options: GroupSessionOptions

  constructor(options: GroupSessionOptions) {
    this.#options = options
  }

  async assigned(partitions: readonly TopicPartition[]): Promise<void> {
    const { fetcher, callbacks, assignmentChanged } = this.#options
    const states = partitions.map((each) => fetcher.add(each, { kind: 'committed' }))
    // Nothing is looked up or read before the application has had its say.
    for (const state of states) state.revoking = true
    assignmentChanged()
    try {
      // What it throws ends the membership: partitions may stand where they should not.
      await callbacks.onAssigned?.(partitions)
    } finally {
      for (const state of states) {
        state.revoking = false
        fetcher.changed(state)
      }
    }
  }

  async revoked(partitions: readonly TopicPartition[], deadlineMs: number): Promise<void> {
    const { autoCommit, callbacks } = this.#options
    const states = this.#letGo(partitions)
    await this.#untilDeadline(deadlineMs, async (signal) => {
      const { onRevoked } = callbacks
      if (onRevoked !== undefined) {
        await this.#call(() => onRevoked(partitions, { signal }))
      } else if (!this.#options.isClosing()) {
        await Promise.race([this.#options.progress.done(states), aborted(signal)])
      }
    })
    if (autoCommit) await this.#commitDone(states)
    this.#remove(partitions)
  }

  async lost(partitions: readonly TopicPartition[]): Promise<void> {
    this.#letGo(partitions)
    this.#remove(partitions)
    await this.#call(() => this.#options.callbacks.onLost?.(partitions))
  }

  failed(error: Error): void {
    this.#options.failed(error)
  }

  #letGo(partitions: readonly TopicPartition[]): PartitionState[] {
    const { fetcher } = this.#options
    return partitions.flatMap((partition) => {
      const state = fetcher.state(partition)
      if (state === undefined) return []
      state.revoking = true
      fetcher.changed(state)
      return [state]
    })
  }

  #remove(partitions: readonly TopicPartition[]): void {
    const { fetcher, commits, assignmentChanged } = this.#options
    for (const partition of partitions) {
      fetcher.remove(partition)
      commits.forget(partition.topic, partition.partition)
    }
    assignmentChanged()
  }

  async #commitDone(states: readonly PartitionState[]): Promise<void> {
    const { commits, progress, cluster } = this.#options
    try {
      await commits.advance(doneOffsets(progress, states))
    } catch (error) {
      const fields = { error: (error as Error).message }
      cluster.log('warn', 'consumer: offsets of revoked partitions were not committed', fields)
    }
  }

  /** Calls `wait` with a signal that aborts while there is still time for a commit. */
  async #untilDeadline(
    deadlineMs: number,
    wait: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { clock } = this.#options.cluster.platform
    const leftMs = Math.max(0, deadlineMs - clock.elapsedMs())
    const controller = new AbortController()
    const timer = clock.setTimer(leftMs - Math.min(commitMsMax, leftMs / 4), () => {
      controller.abort(new Error('the partitions have to be given up now'))
    })
    try {
      await wait(controller.signal)
    } finally {
      timer.cancel()
    }
  }

  /** A callback that throws must not keep the group from going on: the next poll throws what it threw. */
  async #call(callback: () => void | Promise<void>): Promise<void> {
    try {
      await callback()
    } catch (error) {
      this.#options.callbackFailed(error as Error)
    }
  }
}

/** Up to where the application is done with each partition. */
export function doneOffsets(
  progress: Progress,
  states: Iterable<PartitionState>,
): CommittedOffset[] {
  return [...states].flatMap((state) => {
    const position = progress.doneUpTo(state)
    if (position === undefined) return []
    return [{ topic: state.topic, partition: state.partition, ...position, metadata: '' }]
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

import type { Clock } from '../../platform/index.ts'
import type { CoordinatorLog } from '../coordinator-log.ts'
import type { PartitionLog } from '../log/index.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { SharePartition } from './share-partition.ts'
import type { SharedTarget } from './share-sessions.ts'
import { newShareState, releaseMember, startAt } from './share-state.ts'
import type { ShareState } from './share-state.ts'
import { startPosition } from './start-position.ts'
import { StateLog } from './state-log.ts'
import { restoredState, sharePartitionName, storedBatches } from './stored-state.ts'
import type { SharePartitionKey, StoredState } from './stored-state.ts'

/** What share partitions need of the broker around them. */
export interface SharePorts {
  readonly clock: Clock
  /** The partition of `__share_group_state` that holds a share partition, by its name. */
  partitionFor(name: string): number | undefined
  /** `group.share.delivery.count.limit` */
  readonly deliveriesMax: () => number
  /** `share.auto.offset.reset` of a group */
  offsetReset(groupId: string): string
}

/** The partition that is shared, as its leader has it. */
export interface SharedLog {
  readonly log: PartitionLog
  readonly leaderEpoch: number
}

interface Opened {
  readonly leaderEpoch: number
  readonly key: SharePartitionKey
  readonly stateIndex: number
  readonly partition: Promise<SharePartition | Refusal>
}

/**
 * The share partitions of an embedded cluster: what share groups know of the partitions they read, and
 * the states of all that, in `__share_group_state`. Which node may answer for a partition is for the
 * caller to know; a share partition is read anew when the partition has another leader.
 */
export class ShareCoordinator {
  readonly #ports: SharePorts
  readonly #logs = new Map<number, StateLog>()
  readonly #closing = new Map<number, Promise<void>>()
  readonly #opened = new Map<string, Opened>()

  constructor(ports: SharePorts) {
    this.#ports = ports
  }

  /** Reads the states of a partition of `__share_group_state`, and keeps them from then on. */
  async load(index: number, log: CoordinatorLog): Promise<void> {
    this.unload(index)
    // What was appended before must be durable: the log shows it, but nobody may see it yet.
    await this.#closing.get(index)
    this.#logs.set(index, new StateLog(log))
  }

  unload(index: number): void {
    const log = this.#logs.get(index)
    if (log === undefined) return
    log.close()
    this.#logs.delete(index)
    this.#closing.set(index, log.settled())
    for (const [name, opened] of this.#opened) {
      if (opened.stateIndex === index) this.#drop(name)
    }
  }

  /** The share partition, to work with; begun where the group says when it is the first time. */
  async open(key: SharePartitionKey, shared: SharedLog): Promise<SharePartition | Refusal> {
    const name = sharePartitionName(key)
    const known = this.#opened.get(name)
    if (known?.leaderEpoch === shared.leaderEpoch) {
      const partition = await known.partition
      if (!isRefusal(partition) && !partition.closed) return partition
    }
    if (this.#opened.get(name) === known) {
      this.#drop(name)
      const stateIndex = this.#ports.partitionFor(name) ?? -1
      const partition = this.#read(key, shared, stateIndex)
      this.#opened.set(name, { key, stateIndex, leaderEpoch: shared.leaderEpoch, partition })
    }
    return this.#opened.get(name)?.partition ?? unavailable
  }

  /** The share partition if it is being worked with. */
  async opened(key: SharePartitionKey): Promise<SharePartition | undefined> {
    const partition = await this.#opened.get(sharePartitionName(key))?.partition
    return partition === undefined || isRefusal(partition) || partition.closed
      ? undefined
      : partition
  }

  /**
   * A member has gone, or its session with a node: what it has may be acquired by others, of all
   * partitions or of those that the session was about.
   */
  async releaseMember(
    groupId: string,
    memberId: string,
    targets?: readonly SharedTarget[],
  ): Promise<void> {
    const names = targets?.map((target) => sharePartitionName({ groupId, ...target }))
    const released = [...this.#opened]
      .filter(([name, { key }]) => names?.includes(name) ?? key.groupId === groupId)
      .map(([, opened]) => opened)
      .map(async (opened) => {
        const partition = await opened.partition
        if (isRefusal(partition)) return
        await partition.turn((state) => ({
          answer: undefined,
          state: releaseMember(state, memberId),
          evenUnwritten: true,
        }))
      })
    await Promise.all(released)
  }

  /** Where a group is in a partition; undefined when it has not begun. */
  startOffset(key: SharePartitionKey): number | Refusal | undefined {
    const log = this.#logOf(key)
    return isRefusal(log) ? log : log.get(key)?.startOffset
  }

  /** Makes a group go on from an offset, whatever it knew of the partition. */
  async setStartOffset(key: SharePartitionKey, offset: number): Promise<Refusal | undefined> {
    const log = this.#logOf(key)
    if (isRefusal(log)) return log
    const before = log.get(key)
    const stateEpoch = (before?.stateEpoch ?? -1) + 1
    const state = this.#stored(newShareState(offset), { before, stateEpoch, leaderEpoch: -1 })
    await this.#close(key)
    return log.write(key, state)
  }

  /** Forgets what a group knows of a partition. */
  async forget(key: SharePartitionKey): Promise<Refusal | undefined> {
    const log = this.#logOf(key)
    if (isRefusal(log)) return log
    await this.#close(key)
    return log.get(key) === undefined ? undefined : log.write(key, null)
  }

  /** Forgets all that a group knows; answers why it could not. */
  forgetGroup(groupId: string): Promise<Refusal | undefined> {
    return this.#forgetWhere((key) => key.groupId === groupId)
  }

  /** A topic is gone, and with it what groups know of it. */
  forgetTopic(topicId: string): Promise<Refusal | undefined> {
    return this.#forgetWhere((key) => key.topicId === topicId)
  }

  close(): void {
    for (const name of this.#opened.keys()) this.#drop(name)
    for (const index of this.#logs.keys()) this.unload(index)
  }

  async #forgetWhere(isMeant: (key: SharePartitionKey) => boolean): Promise<Refusal | undefined> {
    for (const [name, { key }] of this.#opened) if (isMeant(key)) this.#drop(name)
    const entries = [...this.#logs.values()].flatMap((log) => [...log.entries()])
    const forgotten = entries.filter(({ key }) => isMeant(key)).map(({ key }) => this.forget(key))
    const outcomes = await Promise.all(forgotten)
    return outcomes.find((outcome) => outcome !== undefined)
  }

  /** Ends what is under way, so that nothing is written after what comes next. */
  async #close(key: SharePartitionKey): Promise<void> {
    const name = sharePartitionName(key)
    const opened = this.#opened.get(name)
    this.#drop(name)
    await opened?.partition
  }

  #drop(name: string): void {
    const opened = this.#opened.get(name)
    this.#opened.delete(name)
    void opened?.partition.then((partition) => {
      if (!isRefusal(partition)) partition.close()
    })
  }

  #logOf(key: SharePartitionKey): StateLog | Refusal {
    const index = this.#ports.partitionFor(sharePartitionName(key))
    return (index === undefined ? undefined : this.#logs.get(index)) ?? unavailable
  }

  async #read(
    key: SharePartitionKey,
    { log, leaderEpoch }: SharedLog,
    stateIndex: number,
  ): Promise<SharePartition | Refusal> {
    const states = this.#logs.get(stateIndex)
    if (states === undefined) return unavailable
    const stored = states.get(key)
    const state = await this.#begin(key, log, states, leaderEpoch)
    if (isRefusal(state)) return state
    const { clock, deliveriesMax } = this.#ports
    const stateEpoch = stored?.stateEpoch ?? 0
    return new SharePartition({
      state: startAt(state, log.logStartOffset),
      clock,
      deliveriesMax,
      write: (next) => {
        const before = states.get(key)
        // Others may have begun anew meanwhile: what is known here is about the past.
        if ((before?.stateEpoch ?? 0) !== stateEpoch) return Promise.resolve(fenced)
        return states.write(key, this.#stored(next, { before, stateEpoch, leaderEpoch }))
      },
    })
  }

  async #begin(
    key: SharePartitionKey,
    log: PartitionLog,
    states: StateLog,
    leaderEpoch: number,
  ): Promise<ShareState | Refusal> {
    const stored = states.get(key)
    if (stored !== undefined && stored.startOffset >= 0) return restoredState(stored)
    const reset = this.#ports.offsetReset(key.groupId)
    const offset = startPosition(log, reset, this.#ports.clock.now())
    if (typeof offset !== 'number') return offset
    const state = newShareState(offset)
    const stateEpoch = stored?.stateEpoch ?? 0
    const write = this.#stored(state, { before: stored, stateEpoch, leaderEpoch })
    // What comes after `latest` would be lost to a group that is not remembered to have begun.
    return (await states.write(key, write)) ?? state
  }

  #stored(
    state: ShareState,
    {
      before,
      stateEpoch,
      leaderEpoch,
    }: { before: StoredState | undefined; stateEpoch: number; leaderEpoch: number },
  ): StoredState {
    const nowMs = this.#ports.clock.now()
    return {
      snapshotEpoch: (before?.snapshotEpoch ?? -1) + 1,
      stateEpoch,
      leaderEpoch,
      startOffset: state.startOffset,
      createTimestamp: before?.createTimestamp ?? nowMs,
      writeTimestamp: nowMs,
      stateBatches: storedBatches(state),
    }
  }
}

const unavailable = refuse(
  'COORDINATOR_NOT_AVAILABLE',
  'the state of the share group is not available at present',
)
const fenced = refuse('FENCED_STATE_EPOCH', 'the group has begun anew in this partition')

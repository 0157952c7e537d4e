import { kafkaError } from '../../protocol/index.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import type { CoordinatorLog, StateRecord, TransactionIdentity } from '../coordinator-log.ts'
import { AppendRefused } from '../coordinator-log.ts'
import { decodeRecord, encodeRecord } from './group-record.ts'
import type { GroupRecord } from './group-record.ts'
import { GroupState } from './group-state.ts'
import { Lane } from './lane.ts'
import type { GroupPorts } from './ports.ts'
import { Timers } from './timers.ts'
import type { TimerKind } from './timers.ts'
import type { TopicsVersion } from './topics-version.ts'

/** What a request changes, and its answer. */
export interface Change<T> {
  /** What is answered once the records are durable. */
  readonly answer: T
  readonly records?: readonly GroupRecord[]
  /** Set when memory already is as the records say; otherwise they are applied to it. */
  readonly inMemory?: boolean
  /** Runs when the records are durable and memory is as they say, before the answer. */
  readonly after?: () => void
  /** Takes back what was changed in memory, when the log refuses the records; is told the error. */
  readonly undo?: (errorCode: number) => void
}

/**
 * One partition of `__consumer_offsets`: the groups in it, their timers, and the one way in which
 * they change: decide, append, and when the records are durable, apply them and answer.
 *
 * - *open*: from the end of the replay.
 * - *closed*: the partition has moved to another node, or its log has failed, so that nobody knows
 *   what is in it. Everything that waits is answered NOT_COORDINATOR; what was appended before may
 *   be in the log, and whoever loads it next will see.
 */
export class GroupPartition {
  readonly ports: GroupPorts
  readonly topicsVersion: TopicsVersion
  readonly timers: Timers
  readonly state = new GroupState()
  readonly #log: CoordinatorLog
  readonly #lanes = new Map<string, Lane>()
  #appending = 0
  #lastAppend: Promise<void> = Promise.resolve()
  #closed = false

  constructor(log: CoordinatorLog, ports: GroupPorts, topicsVersion: TopicsVersion) {
    this.#log = log
    this.ports = ports
    this.topicsVersion = topicsVersion
    this.timers = new Timers(ports.clock)
    log.replay({
      record: (offset, stored, transaction) => {
        const record = decodeRecord(stored)
        if (record !== undefined) this.state.apply(record, offset, transaction?.producerId)
      },
      marker: (_, producerId, committed) => {
        this.state.offsets.endTransaction(producerId, committed)
      },
    })
    this.state.complete(ports.clock.now())
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Resolves when no append is under way; undefined when none is. */
  get unsettled(): Promise<void> | undefined {
    return this.#appending > 0 ? this.#lastAppend : undefined
  }

  /** The groups that there are, and those that something is about to be done with. */
  groupIds(): Set<string> {
    return new Set([...this.state.groups.keys(), ...this.#lanes.keys()])
  }

  /** Changes a group, after everything that was asked of it before and before anything later. */
  change<T>(groupId: string, decide: () => Change<T>): Promise<T | Refusal> {
    return this.#run(groupId, false, decide, undefined)
  }

  /** Adds records that no other change of the group depends on: they may wait beside each other. */
  commit<T>(
    groupId: string,
    decide: () => Change<T>,
    transaction?: TransactionIdentity,
  ): Promise<T | Refusal> {
    return this.#run(groupId, true, decide, transaction)
  }

  /**
   * Changes a group after a while, unless the timer is set anew or cancelled before its turn. A change that the log
   * refuses, as on a full disk, is tried again: a member that is gone would be waited for for ever. What changes in
   * memory first has happened all the same.
   */
  schedule(
    groupId: string,
    kind: TimerKind,
    memberId: string,
    delayMs: number,
    decide: () => Change<undefined>,
  ): void {
    this.timers.set(groupId, kind, memberId, delayMs, (claim) => {
      let mayTryAgain = false
      const decideInTurn = (): Change<undefined> => {
        if (!claim()) return { answer: undefined }
        const change = decide()
        mayTryAgain = change.inMemory !== true
        return change
      }
      void this.change(groupId, decideInTurn).then((outcome) => {
        if (!isRefusal(outcome) || !mayTryAgain || this.#closed) return
        // A sign of life that came meanwhile has set the timer anew.
        if (this.timers.has(groupId, kind, memberId)) return
        this.schedule(groupId, kind, memberId, refusedAgainMs, decide)
      })
    })
  }

  /**
   * A transaction that wrote here has ended, and its marker is in the log. What was appended before
   * the marker is applied before it.
   */
  endTransaction(producerId: number, committed: boolean): Promise<void> {
    const apply = () => {
      if (!this.#closed) this.state.offsets.endTransaction(producerId, committed)
    }
    if (this.#appending > 0) return this.#lastAppend.then(apply)
    apply()
    return Promise.resolve()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.timers.cancelAll()
    for (const group of this.state.groups.values()) {
      if (group.type !== 'classic') continue
      group.setState('Dead', this.ports.clock.now())
      group.answerAll(kafkaError.NOT_COORDINATOR)
    }
  }

  #run<T>(
    groupId: string,
    shared: boolean,
    decide: () => Change<T>,
    transaction: TransactionIdentity | undefined,
  ): Promise<T | Refusal> {
    return new Promise((resolve, reject) => {
      this.#lane(groupId).add(shared, () => {
        try {
          return this.#perform(decide, transaction, { resolve, reject })
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
          return undefined
        }
      })
    })
  }

  #lane(groupId: string): Lane {
    const known = this.#lanes.get(groupId)
    if (known !== undefined) return known
    const made = new Lane(() => this.#lanes.delete(groupId))
    this.#lanes.set(groupId, made)
    return made
  }

  #perform<T>(
    decide: () => Change<T>,
    transaction: TransactionIdentity | undefined,
    settle: Settle<T>,
  ): Promise<void> | undefined {
    if (this.#closed) {
      settle.resolve(movedAway)
      return undefined
    }
    const change = decide()
    const { records } = change
    if (records === undefined || records.length === 0) {
      change.after?.()
      settle.resolve(change.answer)
      return undefined
    }
    const encoded = encodeAll(change, records)
    this.#appending += 1
    const appended = this.#append(encoded, transaction)
      .then((appended) => settle.resolve(this.#finish(change, records, transaction, appended)))
      .catch((error: unknown) => {
        // Memory may differ from the log now, and nobody knows how.
        this.close()
        settle.reject(error)
      })
      .finally(() => {
        this.#appending -= 1
      })
    this.#lastAppend = appended
    return appended
  }

  /** The offset of the first record, or why the records are not in the log. */
  async #append(
    records: readonly StateRecord[],
    transaction: TransactionIdentity | undefined,
  ): Promise<number | Refusal> {
    try {
      const last = await this.#log.append(records, transaction)
      return last - records.length + 1
    } catch (error) {
      if (error instanceof AppendRefused) return asCoordinator(error.refusal)
      this.close()
      return movedAway
    }
  }

  #finish<T>(
    change: Change<T>,
    records: readonly GroupRecord[],
    transaction: TransactionIdentity | undefined,
    appended: number | Refusal,
  ): T | Refusal {
    if (this.#closed) return movedAway
    if (typeof appended !== 'number') {
      change.undo?.(kafkaError[appended.error])
      return appended
    }
    if (change.inMemory !== true) {
      for (const [index, record] of records.entries()) {
        this.#apply(record, appended + index, transaction?.producerId)
      }
    }
    change.after?.()
    return change.answer
  }

  /** A group that is deleted or converted takes its timers with it. */
  #apply(record: GroupRecord, offset: number, producerId: number | undefined): void {
    const before = this.state.group(record.group)
    this.state.apply(record, offset, producerId)
    if (this.state.group(record.group) !== before) this.timers.cancelGroup(record.group)
  }
}

/** What cannot be written (a name that is too long) is an error of this change alone. */
function encodeAll<T>(change: Change<T>, records: readonly GroupRecord[]): StateRecord[] {
  try {
    return records.map(encodeRecord)
  } catch (error) {
    change.undo?.(kafkaError.UNKNOWN_SERVER_ERROR)
    throw error
  }
}

/**
 * Clients know what to do about a coordinator, and nothing of its log: told that a disk is full,
 * Java's consumer ends, where it would look for the coordinator and try again.
 */
function asCoordinator({ error, message }: Refusal): Refusal {
  switch (error) {
    case 'KAFKA_STORAGE_ERROR':
    case 'NOT_LEADER_OR_FOLLOWER':
      return refuse('NOT_COORDINATOR', message)
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return refuse('COORDINATOR_NOT_AVAILABLE', message)
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return refuse('UNKNOWN_SERVER_ERROR', message)
    default:
      return refuse(error, message)
  }
}

interface Settle<T> {
  readonly resolve: (answer: T | Refusal) => void
  readonly reject: (error: unknown) => void
}

/** When a change is made that the log has refused. */
const refusedAgainMs = 500

const movedAway = refuse('NOT_COORDINATOR', 'the group has moved to another coordinator')

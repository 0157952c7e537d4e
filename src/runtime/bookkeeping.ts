import type { CommittedOffset, TopicPartition } from '../client/index.ts'
import type { TakenCommit } from './commit/commits.ts'
import type { PartitionOutputs } from './commit/partition-outputs.ts'
import type { Delivery } from './delivery.ts'
import type { Ending } from './outcome.ts'
import {
  highestOffset,
  readMetadata,
  windowWithin,
  writeMetadata,
} from './ledger/commit-metadata.ts'
import type { Lineage, UnreadableMetadata } from './ledger/commit-metadata.ts'
import { LeaderEpochs } from './ledger/leader-epochs.ts'
import { Ledger } from './ledger/ledger.ts'
import { OwnerMark } from './ledger/owner-mark.ts'

/** What is known of a partition when it is acquired. */
export interface AcquiredPartition {
  readonly committed: CommittedOffset
  readonly lineage: Lineage
  /** Behind the last record that can be read. */
  readonly logEnd: number
  readonly processId: string
  readonly window: number
  /** The log was cut here: what the commit names as ended from here on is gone, and other records come in its place. */
  readonly cutAt?: number
  /** This process had it up to now, and goes on with it: it has not died. */
  readonly isStillOurs?: boolean
}

/**
 * What is known of a partition that is ours: which records have ended, how often others failed, who its owner is;
 * and how a commit says so.
 */
export class Bookkeeping {
  readonly ledger: Ledger
  readonly mark: OwnerMark
  readonly epochs = new LeaderEpochs()
  /** Why the metadata that was found could not be used; undefined when it was, or there was none. */
  readonly unreadable: Exclude<UnreadableMetadata, 'empty'> | undefined
  readonly #lineage: Lineage
  /** Where what is written goes with the commits; undefined where each is acknowledged by itself. */
  readonly #outputs: PartitionOutputs | undefined

  constructor(acquired: AcquiredPartition, outputs?: PartitionOutputs) {
    const { committed, lineage, logEnd, processId, window, cutAt } = acquired
    this.#outputs = outputs
    const frontier = committed.offset
    const { state, unreadable } = readMetadata(committed.metadata, { offset: frontier, lineage })
    this.unreadable = unreadable === 'empty' ? undefined : unreadable
    this.#lineage = lineage
    this.ledger = new Ledger({
      frontier,
      window,
      ...(state && { endedAbove: state.endedAbove, attempts: state.attempts }),
    })
    const found = state?.mark
    const isAlive = acquired.isStillOurs === true && found?.processId === processId
    this.mark = new OwnerMark({
      found: isAlive ? { ...found, isOpen: false } : found,
      processId,
      frontier,
      logEnd,
      window,
    })
    if (cutAt !== undefined) {
      this.ledger.truncate(Math.max(cutAt, frontier))
      this.mark.truncate(Math.max(cutAt, frontier))
    }
    if (frontier > 0) this.epochs.note(frontier - 1, committed.leaderEpoch)
    const highest = state === undefined ? undefined : highestOffset(state)
    if (highest !== undefined && state?.leaderEpoch !== undefined) {
      this.epochs.note(highest, state.leaderEpoch)
    }
  }

  /** The record has ended. */
  end(delivery: Delivery, ending: Ending): void {
    this.ledger.end(delivery.offset)
    this.#outputs?.add(delivery, ending)
  }

  /** The partition was given up: what no commit says has not happened. */
  discard(): void {
    this.#outputs?.discard()
  }

  get isDirty(): boolean {
    return this.ledger.isDirty || this.mark.isDirty
  }

  /** What a commit made now says, in so many characters beside the offset. */
  takeCommit({ topic, partition }: TopicPartition, charactersMax: number): TakenCommit {
    const { ledger, mark, epochs } = this
    // From here on no more is open than has room.
    ledger.shrinkWindow(Math.max(1, windowWithin(charactersMax)))
    const state = ledger.state()
    const { frontier } = state
    const told = { ...state, mark: mark.markAt(frontier) }
    const highest = highestOffset(told)
    const leaderEpoch = highest === undefined ? undefined : epochs.at(highest)
    const outputs = this.#outputs?.take()
    const metadata = writeMetadata({ ...told, leaderEpoch }, this.#lineage, charactersMax)
    return {
      commit: {
        topic,
        partition,
        offset: frontier,
        leaderEpoch: epochs.at(frontier - 1) ?? -1,
        metadata: metadata.text,
        ...(outputs && { outputs: outputs.records }),
      },
      acknowledged: () => {
        ledger.acknowledge(state)
        mark.acknowledge(told.mark)
        outputs?.committed()
        epochs.forgetBelow(frontier - 1)
      },
    }
  }
}

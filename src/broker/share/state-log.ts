import { AppendRefused } from '../coordinator-log.ts'
import type { CoordinatorLog } from '../coordinator-log.ts'
import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { readStateRecord, sharePartitionName, stateRecord } from './stored-state.ts'
import type { SharePartitionKey, StoredState } from './stored-state.ts'

export interface StoredEntry {
  readonly key: SharePartitionKey
  readonly state: StoredState
}

/**
 * One partition of `__share_group_state`: the states of the share partitions in it, as they were last
 * made durable. Each record holds a whole state, so that compaction may drop all but the last.
 *
 * - *open*: from the end of the replay.
 * - *closed*: the partition has moved, or its log has failed. Nothing is written any more.
 */
export class StateLog {
  readonly #log: CoordinatorLog
  readonly #states = new Map<string, StoredEntry>()
  readonly #appends = new Set<Promise<unknown>>()
  #closed = false

  constructor(log: CoordinatorLog) {
    this.#log = log
    log.replay({
      record: (_offset, record) => {
        const read = readStateRecord(record)
        if (read !== undefined) this.#apply(read.key, read.state)
      },
      marker: () => undefined,
    })
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#appends)
  }

  get(key: SharePartitionKey): StoredState | undefined {
    return this.#states.get(sharePartitionName(key))?.state
  }

  entries(): Iterable<StoredEntry> {
    return this.#states.values()
  }

  /** Makes a state durable, or its absence; answers why it is not. */
  async write(key: SharePartitionKey, state: StoredState | null): Promise<Refusal | undefined> {
    if (this.#closed) return moved
    const append = this.#log.append([stateRecord(key, state)])
    this.#appends.add(append)
    try {
      await append
    } catch (error) {
      // Nobody knows what is in the log after any other failure.
      if (!(error instanceof AppendRefused)) this.close()
      return refuse('COORDINATOR_NOT_AVAILABLE', 'the state of the share group cannot be written')
    } finally {
      this.#appends.delete(append)
    }
    if (this.closed) return moved
    this.#apply(key, state)
    return undefined
  }

  close(): void {
    this.#closed = true
  }

  #apply(key: SharePartitionKey, state: StoredState | null): void {
    const name = sharePartitionName(key)
    if (state === null) this.#states.delete(name)
    else this.#states.set(name, { key, state })
  }
}

const moved = refuse('NOT_COORDINATOR', 'the state of the share group has moved')

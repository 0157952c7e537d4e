import type { ProducerRecord, TopicDescription, TopicPartition } from '../../client/index.ts'
import type { Driver, DriverAdmin, LogReader } from '../../driver/index.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock } from '../../platform/index.ts'
import type { Checkpoint, StateChange, StateStore } from '../../store/index.ts'
import { within } from '../../transaction/index.ts'
import { freshBytes } from '../../fresh-bytes.ts'
import { indexKeyOf } from '../state/timers.ts'
import { SeenKeys } from './seen-keys.ts'

export interface ChangelogParts {
  readonly driver: Pick<Driver, 'reader' | 'admin'>
  readonly clock: Clock
  readonly log: Log
  readonly topic: string
  /** How far back deletions can be relied on, as the topic says. */
  readonly deletionsKeptMs: number
}

/** How far a task has been restored. */
export interface RestoreProgress {
  readonly partition: number
  readonly from: number
  readonly at: number
  readonly to: number
}

export interface RestoreCall {
  readonly partition: number
  readonly store: StateStore
  /** When an entry is due: the index by time is not in the changelog. */
  readonly dueTimeOf: (change: {
    readonly key: string
    readonly value: Buffer
  }) => number | undefined
  readonly progress: (progress: RestoreProgress) => void
  readonly signal: AbortSignal
}

/** Which log a checkpoint speaks of. */
interface Lineage {
  readonly topicId: string
  readonly leaderEpoch: number
}

const nothing = Buffer.alloc(0)
const pollRecordsMax = 10_000
const tellEveryMs = 5_000
/** How often it is looked who leads the partitions, while something is written. */
const epochsEveryMs = 5_000

/** The topic that has every change of a flow's state, from which a state is made again. */
export class Changelog {
  readonly topic: string
  readonly #parts: ChangelogParts
  /** By partition. */
  #epochs: ReadonlyMap<number, number> = new Map()
  #epochsAskedMs = -Infinity
  readonly #ending = new AbortController()

  constructor(parts: ChangelogParts) {
    this.topic = parts.topic
    this.#parts = parts
  }

  /** The records of changes of a task's state. */
  recordsOf(partition: number, changes: readonly StateChange[]): ProducerRecord[] {
    const { topic } = this
    return changes.map(({ key, value }) => {
      const keyBytes = freshBytes(key.length)
      keyBytes.write(key, 'latin1')
      return { topic, partition, key: keyBytes, value }
    })
  }

  /**
   * The leader epochs as they were heard of last, and asks for them again now and then. A checkpoint that is of an epoch before its
   * offset's is not trusted later: what it is of could have been cut off.
   */
  epochs(): ReadonlyMap<number, number> {
    const { clock, driver } = this.#parts
    const nowMs = clock.elapsedMs()
    if (nowMs - this.#epochsAskedMs >= epochsEveryMs) {
      this.#epochsAskedMs = nowMs
      driver
        .admin()
        .topics.describe(this.topic, { signal: this.#ending.signal })
        .then(
          ({ partitions }) => this.#heard(partitions),
          // Nobody answers: the next one may.
          () => undefined,
        )
    }
    return this.#epochs
  }

  /** Nothing is asked for any more. */
  close(): void {
    this.#ending.abort()
  }

  #heard(partitions: TopicDescription['partitions']): void {
    this.#epochs = new Map(
      partitions.map(({ partition, leaderEpoch = -1 }) => [partition, leaderEpoch]),
    )
  }

  /**
   * Brings a store to what the changelog has: from its checkpoint on, or, where that cannot be trusted, from the beginning. All that
   * was in the log at the time of the call is waited for until it is decided. Answers where changes go on from.
   */
  async restore(call: RestoreCall): Promise<Checkpoint> {
    const { driver } = this.#parts
    const { partition, store, signal } = call
    const place = { topic: this.topic, partition }
    const ends = driver.reader({ offsetReset: 'none', isolation: 'read_uncommitted' })
    const reader = driver.reader({ offsetReset: 'none' })
    const stop = () =>
      void Promise.all([ends.close({ timeoutMs: 0 }), reader.close({ timeoutMs: 0 })])
    signal.addEventListener('abort', stop, { once: true })
    try {
      const [lineage, [start], [end]] = await within(
        signal,
        Promise.all([
          this.#lineage(partition, driver.admin(), signal),
          ends.beginningOffsets([place]),
          ends.endOffsets([place]),
        ]),
      )
      const bounds = { start: start?.offset ?? 0, end: end?.offset ?? 0 }
      const untrusted = await within(
        signal,
        this.#distrust(store.checkpoint, place, { ...lineage, ...bounds }, ends),
      )
      if (untrusted !== undefined) {
        this.#parts.log('warn', `the local state is made anew: ${untrusted}`, place)
      }
      // What has no checkpoint may have entries all the same, of a commit that was damaged.
      if (untrusted !== undefined || store.checkpoint === undefined) await store.clear()
      const from = store.checkpoint?.offset ?? bounds.start
      return await this.#read({ ...call, reader, lineage, from, to: bounds.end })
    } finally {
      signal.removeEventListener('abort', stop)
      await Promise.all([ends.close({ timeoutMs: 0 }), reader.close({ timeoutMs: 0 })])
    }
  }

  async #lineage(partition: number, admin: DriverAdmin, signal: AbortSignal): Promise<Lineage> {
    const { id = '', partitions } = await admin.topics.describe(this.topic, { signal })
    return { topicId: id, leaderEpoch: partitions[partition]?.leaderEpoch ?? -1 }
  }

  /** Why a checkpoint is worth nothing; undefined where there is none, or it can be trusted. */
  async #distrust(
    checkpoint: Checkpoint | undefined,
    place: TopicPartition,
    { topicId, start, end }: Lineage & { readonly start: number; readonly end: number },
    reader: LogReader,
  ): Promise<string | undefined> {
    if (checkpoint === undefined) return undefined
    const { offset, leaderEpoch, timestamp } = checkpoint
    if (checkpoint.topicId !== topicId) return 'its changelog was made anew'
    if (offset > end) return `it is of offset ${offset}, and the changelog ends at ${end}`
    if (offset < start) return `it is of offset ${offset}, and the changelog begins at ${start}`
    const { clock, deletionsKeptMs } = this.#parts
    if (clock.now() - timestamp > deletionsKeptMs / 2) {
      return 'it is so old that the changelog may have forgotten deletions since'
    }
    if (leaderEpoch < 0) return undefined
    const [known] = await reader.epochEnds([{ ...place, leaderEpoch }])
    return known !== undefined && known.endOffset >= 0 && known.endOffset < offset
      ? `what it is of was cut off the changelog at ${known.endOffset}`
      : undefined
  }

  async #read({
    partition,
    store,
    dueTimeOf,
    progress,
    signal,
    reader,
    lineage,
    from,
    to,
  }: RestoreCall & {
    readonly reader: LogReader
    readonly lineage: Lineage
    readonly from: number
    readonly to: number
  }): Promise<Checkpoint> {
    const { clock } = this.#parts
    const place = { topic: this.topic, partition }
    let at = from
    let toldMs = clock.elapsedMs()
    // A store that is filled from nothing need not be asked for what cannot be there.
    const seen = store.checkpoint === undefined ? new SeenKeys(to - from) : undefined
    progress({ partition, from, at, to })
    reader.assign([place])
    reader.seek(place, from)
    while (at < to) {
      const batches = await reader.poll({ maxRecords: pollRecordsMax, timeoutMs: 200, signal })
      signal.throwIfAborted()
      const changes: StateChange[] = []
      for (const batch of batches) {
        for (const { key, value } of batch) {
          if (key === null) continue
          const change = { key: key.toString('latin1'), value }
          changes.push(change)
          const before = seen?.add(key) === false ? undefined : store.get(change.key)
          addIndexChanges(changes, change, before, dueTimeOf)
        }
      }
      at = reader.position(place) ?? at
      if (changes.length > 0) await store.commit(changes, this.#checkpoint(at, lineage))
      progress({ partition, from, at, to })
      if (clock.elapsedMs() - toldMs < tellEveryMs) continue
      toldMs = clock.elapsedMs()
      this.#parts.log('info', 'state is being restored', { ...place, from, at, to })
    }
    const checkpoint = this.#checkpoint(at, lineage)
    await store.commit([], checkpoint)
    return checkpoint
  }

  #checkpoint(offset: number, { topicId, leaderEpoch }: Lineage): Checkpoint {
    return { offset, leaderEpoch, topicId, timestamp: this.#parts.clock.now() }
  }
}

/** What changes in the index by time with an entry. */
function addIndexChanges(
  changes: StateChange[],
  { key, value }: StateChange,
  before: Buffer | undefined,
  dueTimeOf: RestoreCall['dueTimeOf'],
): void {
  const dueBefore = before === undefined ? undefined : dueTimeOf({ key, value: before })
  const due = value === null ? undefined : dueTimeOf({ key, value })
  if (due === dueBefore) return
  if (dueBefore !== undefined) changes.push({ key: indexKeyOf(dueBefore, key), value: null })
  if (due !== undefined) changes.push({ key: indexKeyOf(due, key), value: nothing })
}

import type { CommittedOffset, PartitionOffset, TopicPartition } from '../../client/index.ts'
import type { LogReader, RecordSource } from '../../driver/index.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock } from '../../platform/index.ts'
import type { SourceSight } from '../task/stream-task.ts'

/** How far the sources of a topic have come that is written again under another key, and where that topic ended then. */
export interface WatchedSources extends SourceSight {
  /** By partition: what was written again so far lies before it. */
  readonly ends: readonly number[]
}

export interface SourceWatchParts {
  readonly clock: Clock
  readonly log: Log
  /** Reads for the group that writes the topic again. */
  readonly source: Pick<RecordSource, 'committed' | 'beginningOffsets'>
  /** Reads what is not decided, too. */
  readonly ends: Pick<LogReader, 'endOffsets' | 'close'>
  /** What is written again, and its partitions; they may become more. */
  readonly from: (signal: AbortSignal) => Promise<readonly TopicPartition[]>
  /** Where it is written. */
  readonly to: readonly TopicPartition[]
  readonly everyMs: number
}

/** How many looks may fail before what was seen is worth nothing. */
const failuresMax = 3

/**
 * Looks how far a topic has been written again under another key. Its partitions get on at different rates, and one of them may have
 * nothing for a partition of the copies: who reads these alone cannot tell whether more of an earlier time is to come.
 *
 * What is seen is true in this order only: the ends of what is read, then what was committed, then the ends of what was written. All
 * that had been committed by then lies before these.
 *
 * - **watching** → **closed**.
 */
export class SourceWatch {
  readonly #parts: SourceWatchParts
  readonly #ending = new AbortController()
  readonly #times: number[] = []
  #latest: WatchedSources | undefined
  #failures = 0

  constructor(parts: SourceWatchParts) {
    this.#parts = parts
  }

  /** Undefined while nothing is known, or not any more. */
  get latest(): WatchedSources | undefined {
    return this.#latest
  }

  async run(): Promise<void> {
    const { clock, log, everyMs } = this.#parts
    const { signal } = this.#ending
    while (!this.#isEnding()) {
      try {
        this.#latest = await this.#look()
        this.#failures = 0
      } catch (error) {
        if (this.#isEnding()) break
        this.#failures++
        if (this.#failures >= failuresMax) this.#latest = undefined
        const fields = { topic: this.#parts.to[0]?.topic ?? '', error: (error as Error).message }
        log('debug', 'it could not be seen how far a topic has been written again', fields)
      }
      await clock.sleep(everyMs, signal).catch(() => undefined)
    }
  }

  async close(): Promise<void> {
    this.#ending.abort()
    await this.#parts.ends.close({ timeoutMs: 0 })
  }

  #isEnding(): boolean {
    return this.#ending.signal.aborted
  }

  async #look(): Promise<WatchedSources> {
    const { source, ends, from, to } = this.#parts
    const { signal } = this.#ending
    const places = await from(signal)
    const read = await ends.endOffsets(places)
    const committed = await source.committed(places, { signal })
    const written = await ends.endOffsets(to)
    const hasNone = places.filter((place) => committedOf(committed, place) === undefined)
    const firsts = hasNone.length === 0 ? [] : await source.beginningOffsets(hasNone)
    const areRead = places.map((place) => {
      const known = committedOf(committed, place)
      const at = known?.offset ?? offsetOf(firsts, place)
      this.#noted(place.partition, known?.metadata)
      return at >= offsetOf(read, place)
    })
    return { times: [...this.#times], areRead, ends: to.map((place) => offsetOf(written, place)) }
  }

  #noted(partition: number, note: string | undefined): void {
    const time = note === undefined || note === '' ? Number.NaN : Number(note)
    const before = this.#times[partition] ?? -1
    this.#times[partition] = Number.isSafeInteger(time) ? Math.max(before, time) : before
  }
}

function committedOf(
  committed: readonly CommittedOffset[],
  { partition }: TopicPartition,
): CommittedOffset | undefined {
  return committed.find((each) => each.partition === partition)
}

function offsetOf(offsets: readonly PartitionOffset[], { partition }: TopicPartition): number {
  return offsets.find((each) => each.partition === partition)?.offset ?? 0
}

/** What a task has still to take before it counts for it how far the sources of an input had come. */
export class AwaitedSight {
  #awaited: WatchedSources | undefined
  #seen: WatchedSources | undefined

  /** The sight that counts from now on, where there is a new one. A newer one does not take the place of one that is waited for. */
  next(latest: WatchedSources, isTaken: (sight: WatchedSources) => boolean) {
    if (this.#awaited === undefined && latest !== this.#seen) this.#awaited = latest
    if (this.#awaited === undefined || !isTaken(this.#awaited)) return undefined
    this.#seen = this.#awaited
    this.#awaited = undefined
    return this.#seen
  }
}

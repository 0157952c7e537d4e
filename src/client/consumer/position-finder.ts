import { isMillraceError } from '../../errors.ts'
import { isWorthRetrying } from '../client-error.ts'
import { partitionKey } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { FetchWorld } from './fetch-world.ts'
import type { CommittedOffset } from './group-member.ts'
import { listOffsets } from './list-offsets.ts'
import type { OffsetAnswers, OffsetQuestion } from './list-offsets.ts'
import { PartitionError } from './partition-error.ts'
import type { PartitionState } from './partition-state.ts'
import { earliestTimestamp, latestTimestamp } from './position.ts'
import type { OffsetReset, StartingPoint } from './position.ts'

/** Answers the committed offsets of partitions; those that have none are left out. */
export type ReadCommittedOffsets = (
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
) => Promise<readonly CommittedOffset[]>

interface Search {
  readonly state: PartitionState
  readonly generation: number
  readonly start: StartingPoint
}

/**
 * Looks up the offsets of partitions that have none. Many are asked for together, each partition once at a
 * time. What is answered counts only if nobody has sought elsewhere meanwhile (the generation): neither
 * a committed offset nor a reset undoes a seek.
 */
export class PositionFinder {
  readonly #world: FetchWorld
  readonly #committed: ReadCommittedOffsets | undefined
  readonly #closing = new AbortController()

  constructor(world: FetchWorld, committed: ReadCommittedOffsets | undefined) {
    this.#world = world
    this.#committed = committed
  }

  /** Starts to look for the offsets of all partitions that need one. */
  find(states: Iterable<PartitionState>): void {
    const inGroup: Search[] = []
    const atLeaders: Search[] = []
    const lost: Search[] = []
    for (const state of states) {
      const { start, generation } = state
      const isWaiting = state.isAsked || state.pause !== undefined || state.revoking
      if (start === undefined || isWaiting || state.error !== undefined) continue
      state.isAsked = true
      const search = { state, generation, start }
      if (start.kind === 'committed') inGroup.push(search)
      else if (start.kind === 'reset' && this.#reset === 'none') lost.push(search)
      else atLeaders.push(search)
    }
    if (inGroup.length > 0) void this.#readCommitted(inGroup)
    if (atLeaders.length > 0) void this.#askLeaders(atLeaders)
    if (lost.length > 0) void this.#tellLost(lost)
  }

  close(): void {
    this.#closing.abort()
  }

  get #reset(): OffsetReset {
    return this.#world.options.offsetReset
  }

  async #readCommitted(searches: readonly Search[]): Promise<void> {
    const partitions = searches.map(({ state: { topic, partition } }) => ({ topic, partition }))
    try {
      const read = this.#committed ?? (() => Promise.resolve([]))
      const committed = await read(partitions, this.#closing.signal)
      const byKey = new Map(committed.map((each) => [partitionKey(each), each]))
      for (const { state, generation } of this.#settle(searches)) {
        const found = byKey.get(state.key)
        if (found !== undefined && found.offset >= 0) {
          const { offset, leaderEpoch } = found
          state.locate({ offset, leaderEpoch }, generation)
        } else {
          state.lose({ kind: 'reset', because: 'has no committed offset', offset: -1 })
        }
      }
    } catch (error) {
      for (const search of this.#settle(searches)) this.#failed(search, error as Error)
    }
    this.#world.wake()
  }

  async #askLeaders(searches: readonly Search[]): Promise<void> {
    const answers = await this.#ask(searches.map((search) => this.#question(search)))
    for (const search of this.#settle(searches)) {
      const { state, generation } = search
      const found = answers.found.get(state.key)
      const error = answers.failed.get(state.key)
      if (error !== undefined) this.#failed(search, error)
      // No record is so young: what comes next is.
      else if (found === undefined || found.offset < 0) {
        state.lose({ kind: 'timestamp', timestamp: latestTimestamp })
      } else if (state.locate({ offset: found.offset, leaderEpoch: -1 }, generation)) {
        state.backoff = undefined
      }
    }
    this.#world.wake()
  }

  /** There is no policy for a position that is lost: the user has to know what could be read instead. */
  async #tellLost(searches: readonly Search[]): Promise<void> {
    const question = (timestamp: number) => (search: Search) => ({
      topic: search.state.topic,
      partition: search.state.partition,
      timestamp,
    })
    const first = await this.#ask(searches.map(question(earliestTimestamp)))
    const last = await this.#ask(searches.map(question(latestTimestamp)))
    for (const search of this.#settle(searches)) {
      const { state, start } = search
      const error = first.failed.get(state.key) ?? last.failed.get(state.key)
      if (error !== undefined) this.#failed(search, error)
      else if (start.kind === 'reset') {
        const beginning = first.found.get(state.key)?.offset ?? -1
        const end = last.found.get(state.key)?.offset ?? -1
        this.#world.failed(state, lostError(state, start, { beginning, end }))
      }
    }
  }

  async #ask(questions: readonly OffsetQuestion[]): Promise<OffsetAnswers> {
    const { cluster, options } = this.#world
    return listOffsets(cluster, questions, options.isolation)
  }

  #question({ state: { topic, partition }, start }: Search): OffsetQuestion {
    return { topic, partition, timestamp: this.#timestamp(start) }
  }

  #timestamp(start: StartingPoint): number {
    const ago = (agoMs: number) => Math.max(0, this.#world.cluster.platform.clock.now() - agoMs)
    if (start.kind === 'timestamp') return start.timestamp
    if (start.kind === 'ago') return ago(start.agoMs)
    const reset = this.#reset
    if (typeof reset === 'object') return ago(reset.agoMs)
    return reset === 'earliest' ? earliestTimestamp : latestTimestamp
  }

  /** Those of `searches` whose partition has not been sought elsewhere meanwhile; they can be asked again. */
  #settle(searches: readonly Search[]): Search[] {
    const current = searches.filter(({ state, generation }) => state.generation === generation)
    for (const { state } of current) state.isAsked = false
    return current
  }

  #failed({ state }: Search, error: Error): void {
    if (this.#closing.signal.aborted) return
    if (isWorthRetrying(error)) {
      const { topic, partition } = state
      const fields = { topic, partition, error: error.message }
      this.#world.cluster.log('debug', 'consumer: no position could be found', fields)
      this.#world.retryLater(state)
      return
    }
    const code = isMillraceError(error) ? error.code : 'MILLRACE_CLIENT_REFUSED'
    const problem = `its position cannot be found: ${error.message}`
    this.#world.failed(
      state,
      new PartitionError(code, state, problem, { offset: -1, cause: error }),
    )
  }
}

function lostError(
  state: PartitionState,
  { because, offset }: Extract<StartingPoint, { kind: 'reset' }>,
  { beginning, end }: { readonly beginning: number; readonly end: number },
): PartitionError {
  const what = offset < 0 ? `it ${because}` : `offset ${offset} ${because}`
  const range =
    beginning === end ? `it is empty, at offset ${end}` : `it has ${beginning} to ${end - 1}`
  const problem = `${what}; ${range}, and offsetReset is 'none': seek to where to go on`
  return new PartitionError('MILLRACE_CLIENT_OFFSET_LOST', state, problem, { offset })
}

import { isMillraceError } from '../../errors.ts'
import { asksForMetadata, isRetriable, kafkaError, kafkaErrorName } from '../../protocol/index.ts'
import { KafkaError } from '../client-error.ts'
import type { FetchTarget } from './fetch-session.ts'
import type { FetchWorld } from './fetch-world.ts'
import { PartitionError } from './partition-error.ts'
import type { PartitionState } from './partition-state.ts'
import type { Position } from './position.ts'

/** Bytes are fetched so often before they are believed to be broken where they are stored. */
const readAttemptsMax = 3

/** So many leaders in a row are believed at once: brokers that name one another would be asked without a pause. */
const redirectsMax = 3

/** Decides what becomes of a partition that could not be fetched or read. */
export class FetchFailures {
  readonly #world: FetchWorld

  constructor(world: FetchWorld) {
    this.#world = world
  }

  /** The broker `nodeId` answered `code` for a partition. */
  refused(target: FetchTarget, nodeId: number, code: number): void {
    const { state } = target
    if (code === kafkaError.OFFSET_OUT_OF_RANGE) {
      this.#outOfRange(target, nodeId)
      return
    }
    if (code === kafkaError.CORRUPT_MESSAGE) {
      this.unreadable(state, new KafkaError(code, `fetch of ${state.topic}-${state.partition}`))
      return
    }
    const passes = isRetriable(code) || code === kafkaError.UNKNOWN_SERVER_ERROR
    if (!passes) {
      const problem = `cannot be fetched: ${kafkaErrorName(code)} (${code})`
      const offset = state.position?.offset ?? -1
      const cause = new KafkaError(code, `fetch of ${state.topic}-${state.partition}`)
      const error = new PartitionError('MILLRACE_CLIENT_REFUSED', state, problem, { offset, cause })
      this.#world.failed(state, error)
      return
    }
    this.#note('debug', state, 'fetch refused', { nodeId, error: kafkaErrorName(code) })
    state.readReplica = undefined
    const leader = this.#world.cluster.metadata.partition(state.topic, state.partition)
    state.redirects += 1
    const isElsewhere = code === kafkaError.NOT_LEADER_OR_FOLLOWER && leader?.leaderId !== nodeId
    // The answer may have named the leader, which can be asked at once.
    if (isElsewhere && state.redirects <= redirectsMax) {
      this.#world.wake()
      return
    }
    if (asksForMetadata(code)) this.#world.cluster.metadataIsStale()
    this.#world.retryLater(state)
  }

  /** The log does not hold what was read: it has been cut at `end`, and goes on otherwise. */
  diverged(state: PartitionState, end: Position): void {
    const { position } = state
    if (position === undefined) return
    if (state.fetchPosition.offset !== position.offset) {
      // Perhaps only what is buffered is gone: the next fetch asks from the position itself.
      state.dropBuffered()
      return
    }
    const { offset, leaderEpoch } = position
    const problem = `the log was cut at offset ${end.offset}: what was read up to ${offset} in leader epoch ${leaderEpoch} is not in it`
    if (this.#world.options.offsetReset === 'none') {
      const error = new PartitionError('MILLRACE_CLIENT_OFFSET_LOST', state, problem, {
        offset,
        cutAt: end.offset,
      })
      this.#world.failed(state, error)
      return
    }
    this.#note('warn', state, problem, {})
    state.seek({ offset: Math.min(end.offset, offset), leaderEpoch: end.leaderEpoch })
    this.#world.wake()
  }

  /** What was fetched is broken. Perhaps it broke on its way: it is fetched again a few times. */
  unreadable(state: PartitionState, cause: unknown): void {
    if (!isMillraceError(cause)) throw cause
    const attempts = state.unreadable + 1
    const offset = state.position?.offset ?? -1
    state.dropBuffered()
    state.unreadable = attempts
    if (attempts < readAttemptsMax) {
      this.#note('warn', state, 'records cannot be read', { offset, error: cause.message })
      this.#world.retryLater(state)
      return
    }
    const problem = `records at offset ${offset} cannot be read, fetched ${attempts} times: ${cause.message}`
    this.#world.failed(state, new PartitionError(cause.code, state, problem, { offset, cause }))
  }

  #outOfRange({ state, fetchOffset }: FetchTarget, nodeId: number): void {
    const { cluster } = this.#world
    const leaderId = cluster.metadata.partition(state.topic, state.partition)?.leaderId
    if (state.readReplica !== undefined && nodeId !== leaderId) {
      // A follower may be behind, or have let go of more than the leader has.
      state.readReplica = undefined
      this.#world.wake()
      return
    }
    if (fetchOffset !== state.position?.offset) {
      // What is buffered is still good. Whether its end is out of range shows when that has been read.
      state.endsAt = fetchOffset
      return
    }
    this.#note('info', state, 'offset out of range', { offset: fetchOffset })
    state.lose({ kind: 'reset', because: 'is out of range', offset: fetchOffset })
    this.#world.wake()
  }

  #note(
    level: 'debug' | 'info' | 'warn',
    { topic, partition }: PartitionState,
    message: string,
    fields: Readonly<Record<string, string | number>>,
  ): void {
    this.#world.cluster.log(level, `consumer: ${message}`, { topic, partition, ...fields })
  }
}

import type { Timer } from '../../platform/index.ts'
import { isRetriable } from '../../protocol/index.ts'
import { Backoff } from '../backoff.ts'
import { isWorthRetrying, KafkaError } from '../client-error.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { OwnConnections } from '../cluster/own-connections.ts'
import { partitionKey } from '../topic-partition.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { BrokerFetch } from './broker-fetch.ts'
import type { ResolvedFetchOptions } from './consumer-options.ts'
import { checkEpochs } from './epoch-check.ts'
import { FetchFailures } from './fetch-failures.ts'
import type { FetchWorld } from './fetch-world.ts'
import type { FetchedBatch } from './fetched-batch.ts'
import { PartitionError } from './partition-error.ts'
import { PartitionState } from './partition-state.ts'
import { PositionFinder } from './position-finder.ts'
import type { ReadCommittedOffsets } from './position-finder.ts'
import type { StartingPoint } from './position.ts'

export interface FetcherOptions {
  readonly cluster: Cluster
  readonly options: ResolvedFetchOptions
  /** Where partitions that start with `committed` start. */
  readonly committed: ReadCommittedOffsets | undefined
  /** There is something to hand out, or to throw. */
  readonly notify: () => void
  /** Something went wrong that no retry helps, and that is no partition's. */
  readonly report: (error: Error) => void
}

/**
 * Keeps the partitions of a consumer supplied: finds their positions, has one request on its way to every
 * broker that leads some of them, and hands out what has come, partition by partition in turn.
 *
 * Nothing here waits. Whatever happens (an answer, a seek, room in the buffer, new metadata, a timer)
 * calls `wake`, and soon after all partitions are looked at once: those without an offset are looked for,
 * those with one are given to the broker they are read from, which asks if it is idle.
 */
export class Fetcher {
  readonly #cluster: Cluster
  readonly #options: ResolvedFetchOptions
  readonly #notify: () => void
  readonly #world: FetchWorld
  readonly #failures: FetchFailures
  readonly #finder: PositionFinder
  readonly #states = new Map<string, PartitionState>()
  readonly #brokers = new Map<number, BrokerFetch>()
  /** Partitions with something to hand out, the one that is next first. */
  readonly #ready = new Set<PartitionState>()
  readonly #failed = new Set<PartitionState>()
  readonly #newFailures = new Set<PartitionState>()
  readonly #stopListening: () => void
  #metadataTimer: Timer | undefined
  readonly #metadataBackoff: Backoff
  #isAwake = false
  #isClosed = false

  constructor({ cluster, options, committed, notify, report }: FetcherOptions) {
    this.#cluster = cluster
    this.#options = options
    this.#notify = notify
    this.#world = {
      cluster,
      options,
      connections: new OwnConnections(cluster, 'fetch'),
      wake: () => this.#wake(),
      report,
      arrived: (state) => this.#arrived(state),
      failed: (state, error) => this.#fail(state, error),
      retryLater: (state) => this.#retryLater(state),
      dropPaused: () => this.#dropPaused(),
    }
    this.#failures = new FetchFailures(this.#world)
    this.#finder = new PositionFinder(this.#world, committed)
    this.#metadataBackoff = this.#newBackoff()
    this.#stopListening = cluster.onMetadata(() => this.#wake())
  }

  get states(): Iterable<PartitionState> {
    return this.#states.values()
  }

  state({ topic, partition }: TopicPartition): PartitionState | undefined {
    return this.#states.get(partitionKey({ topic, partition }))
  }

  /** Reads a partition from now on; one that is read already goes on where it is. */
  add(partition: TopicPartition, start: StartingPoint): PartitionState {
    const known = this.state(partition)
    if (known !== undefined) return known
    const state = new PartitionState(partition, start)
    this.#states.set(state.key, state)
    this.#wake()
    return state
  }

  /** Reads a partition no more; what is buffered of it is gone. */
  remove(partition: TopicPartition): void {
    const state = this.state(partition)
    if (state === undefined) return
    this.#states.delete(state.key)
    this.#forget(state)
    state.discard()
    this.#wake()
  }

  /** Something of the partition was changed from outside: it was sought, paused, resumed or is let go. */
  changed(state: PartitionState): void {
    if (state.error === undefined) this.#forget(state)
    this.#arrived(state)
    this.#wake()
  }

  /** The next records of some partition; each gets its turn. `before` is told of it while it is where it was. */
  take(recordsMax: number, before: (state: PartitionState) => void): FetchedBatch | undefined {
    for (const state of this.#ready) {
      this.#ready.delete(state)
      if (!state.isReady) continue
      before(state)
      const batch = this.#takeFrom(state, recordsMax)
      this.#lineUp(state)
      if (batch !== undefined) return batch
    }
    return undefined
  }

  /** The error of a partition that nobody was told of yet. */
  takeNewError(): PartitionError | undefined {
    for (const state of this.#newFailures) {
      if (state.paused || state.revoking) continue
      this.#newFailures.delete(state)
      return state.error
    }
    return undefined
  }

  /** The error of a partition that stands still, though it was told before. */
  standingError(): PartitionError | undefined {
    for (const state of this.#failed) if (!state.paused && !state.revoking) return state.error
    return undefined
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopListening()
    this.#metadataTimer?.cancel()
    this.#finder.close()
    for (const broker of this.#brokers.values()) broker.close()
    this.#world.connections.close()
    for (const state of this.#states.values()) state.discard()
    this.#states.clear()
    for (const states of [this.#ready, this.#failed, this.#newFailures]) states.clear()
  }

  #takeFrom(state: PartitionState, recordsMax: number): FetchedBatch | undefined {
    try {
      return state.take(recordsMax)
    } catch (error) {
      this.#failures.unreadable(state, error)
      return undefined
    }
  }

  #wake(): void {
    if (this.#isAwake || this.#isClosed) return
    this.#isAwake = true
    queueMicrotask(() => {
      this.#isAwake = false
      if (!this.#isClosed) this.#lookAround()
    })
  }

  #lookAround(): void {
    const lookedFor: PartitionState[] = []
    const unsure = new Map<number, PartitionState[]>()
    const readable = new Map<number, PartitionState[]>()
    let leaderIsMissing = false
    for (const state of this.#states.values()) {
      const leaderId = this.#leaderOf(state)
      if (leaderId < 0 && state.error === undefined) {
        leaderIsMissing = this.#mayGetLeader(state) || leaderIsMissing
      }
      const { start } = state
      if (start?.kind === 'committed') lookedFor.push(state)
      else if (leaderId < 0) continue
      else if (start !== undefined) lookedFor.push(state)
      else if (state.isUnsure) {
        if (!state.isAsked && state.pause === undefined) put(unsure, leaderId, state)
      } else if (state.mayFetch && this.#isSameTopic(state)) {
        put(readable, this.#sourceOf(state, leaderId), state)
      }
    }
    this.#finder.find(lookedFor)
    for (const [nodeId, states] of unsure) {
      void checkEpochs(this.#world, this.#failures, nodeId, states)
    }
    // Every broker has its share, so that one whose partitions are idle takes nothing from another.
    const bytesMax = this.#options.bufferedBytesMax / Math.max(1, readable.size)
    for (const [nodeId, states] of readable) this.#broker(nodeId).consider(states, bytesMax)
    if (leaderIsMissing) this.#askForLeaders()
    else this.#metadataBackoff.reset()
  }

  /** Whether the leader of a partition that has none can turn up. What cannot pass fails the partition. */
  #mayGetLeader(state: PartitionState): boolean {
    const topic = this.#cluster.metadata.topics.get(state.topic)
    const code = topic?.errorCode ?? 0
    if (code === 0 || isRetriable(code)) {
      this.#tellIfMissing(state, topic?.partitions.length ?? 0)
      return true
    }
    const cause = new KafkaError(code, `metadata of topic ${state.topic}`)
    const offset = state.position?.offset ?? -1
    const options = { offset, cause }
    this.#fail(state, new PartitionError(cause.code, state, cause.message, options))
    return false
  }

  /** The cluster tells of topics that are not there. A topic that is can get more partitions. */
  #tellIfMissing(state: PartitionState, partitionCount: number): void {
    const { topic, partition } = state
    if (state.isToldMissing || partitionCount === 0 || partition < partitionCount) return
    state.isToldMissing = true
    const fields = { topic, partition, partitionCount }
    this.#cluster.log('warn', 'consumer: the topic has no such partition yet', fields)
  }

  /** New metadata wakes us; when it does not help, or does not come, it is asked for again later. */
  #askForLeaders(): void {
    if (this.#metadataTimer !== undefined) return
    this.#cluster.refreshMetadata().catch((error: unknown) => {
      if (!this.#isClosed && !isWorthRetrying(error)) this.#world.report(error as Error)
    })
    const pauseMs = this.#metadataBackoff.nextMs()
    this.#metadataTimer = this.#cluster.platform.clock.setTimer(pauseMs, () => {
      this.#metadataTimer = undefined
      this.#wake()
    })
  }

  #broker(nodeId: number): BrokerFetch {
    const known = this.#brokers.get(nodeId)
    if (known !== undefined) return known
    const made = new BrokerFetch(nodeId, this.#world, this.#failures)
    this.#brokers.set(nodeId, made)
    return made
  }

  /** A position in a topic means nothing in another one that was made under the same name. */
  #isSameTopic(state: PartitionState): boolean {
    const id = this.#cluster.metadata.topics.get(state.topic)?.id
    if (id === undefined || id === state.topicId) return true
    if (state.topicId === undefined) {
      state.topicId = id
      return true
    }
    const offset = state.position?.offset ?? -1
    state.lose({ kind: 'reset', because: 'is of a topic that was deleted and made again', offset })
    this.#wake()
    return false
  }

  #leaderOf({ topic, partition }: PartitionState): number {
    return this.#cluster.metadata.partition(topic, partition)?.leaderId ?? -1
  }

  #sourceOf(state: PartitionState, leaderId: number): number {
    const { readReplica } = state
    if (readReplica !== undefined) {
      const isOver = this.#cluster.platform.clock.elapsedMs() >= readReplica.untilMs
      if (!isOver && this.#cluster.metadata.brokers.has(readReplica.nodeId))
        return readReplica.nodeId
      state.readReplica = undefined
    }
    return leaderId
  }

  /** Behind those that are ready already. */
  #lineUp(state: PartitionState): void {
    if (state.isReady) this.#ready.add(state)
  }

  #arrived(state: PartitionState): void {
    this.#lineUp(state)
    if (state.isReady || state.error !== undefined) this.#notify()
  }

  #fail(state: PartitionState, error: PartitionError): void {
    state.fail(error)
    this.#failed.add(state)
    this.#newFailures.add(state)
    this.#notify()
  }

  #forget(state: PartitionState): void {
    this.#ready.delete(state)
    this.#failed.delete(state)
    this.#newFailures.delete(state)
  }

  #retryLater(state: PartitionState): void {
    if (state.pause !== undefined || this.#isClosed) return
    state.backoff ??= this.#newBackoff()
    state.pause = this.#cluster.platform.clock.setTimer(state.backoff.nextMs(), () => {
      state.pause = undefined
      this.#wake()
    })
  }

  #newBackoff(): Backoff {
    const { platform, options } = this.#cluster
    return new Backoff(platform.random, {
      firstMs: options.retryBackoffMs,
      limitMs: options.retryBackoffMsMax,
    })
  }

  #dropPaused(): void {
    for (const state of this.#states.values()) {
      if (state.paused && state.bufferedBytes > 0) state.dropBuffered()
    }
  }
}

function put(byNode: Map<number, PartitionState[]>, nodeId: number, state: PartitionState): void {
  const states = byNode.get(nodeId)
  if (states === undefined) byNode.set(nodeId, [state])
  else states.push(state)
}

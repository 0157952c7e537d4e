import { ProtocolError } from '../../errors.ts'
import type { Timer } from '../../platform/index.ts'
import { asksForMetadata, fetchApi, kafkaError } from '../../protocol/index.ts'
import type { RequestInput, ResponseOf } from '../../protocol/index.ts'
import { Backoff } from '../backoff.ts'
import { checkKafkaCode, isWorthRetrying, KafkaError } from '../client-error.ts'
import type { RequestOptions } from '../cluster/cluster.ts'
import { FetchedChunk } from './fetched-chunk.ts'
import type { FetchFailures } from './fetch-failures.ts'
import { FetchSession } from './fetch-session.ts'
import type { FetchTarget, SessionRequest } from './fetch-session.ts'
import type { FetchWorld } from './fetch-world.ts'
import { isolationLevels } from './list-offsets.ts'
import type { PartitionState } from './partition-state.ts'

type FetchResponse = ResponseOf<typeof fetchApi>
type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number]

const versionWithTopicIds = 13
/** From here on the broker itself compares the epoch of the last record with its log. */
const versionWithLastFetchedEpoch = 12

/**
 * While partitions are full and the others have nothing new, so long passes until those are asked again;
 * twice as long each time, up to what a long poll lasts. The poll itself would keep a full one that is emptied
 * meanwhile from being asked.
 */
const holdMsMin = 25

/**
 * A broker may answer so often in a row at once and without a record: a leader moves, a log was cut, another
 * replica is nearer. From then on it is believed to be broken, and asked no more often than it deserves.
 */
const hastyAnswersMax = 2

const sessionErrors: ReadonlySet<number> = new Set([
  kafkaError.FETCH_SESSION_ID_NOT_FOUND,
  kafkaError.INVALID_FETCH_SESSION_EPOCH,
  kafkaError.FETCH_SESSION_TOPIC_ID_ERROR,
])

/**
 * Fetches from one broker, one long poll at a time.
 *
 * - **idle**: nothing is wanted of the broker, or there is no room for an answer.
 * - **asking**: a request is on its way or waits at the broker. The next one leaves as soon as it is answered.
 * - **holding**: see `holdMsMin` and `hastyAnswersMax`.
 * - **pausing**: after a failure, longer each time.
 *
 * While a long poll waits at the broker it cannot be told of a partition that is new, or was sought or resumed.
 * So that this one need not wait as well, it is asked for **beside** the poll, once, without waiting and without
 * a session, over another connection.
 *
 * `heldBytes` are the buffers of answers of which something has not been handed out: one buffer lives as
 * long as the last of its partitions.
 */
export class BrokerFetch {
  readonly nodeId: number
  readonly #world: FetchWorld
  readonly #failures: FetchFailures
  readonly #session = new FetchSession()
  readonly #backoff: Backoff
  #isAsking = false
  /** While a long poll is on its way: what is asked for in it and beside it, by partition. */
  #asked: Map<string, FetchTarget> | undefined
  #isAskingBeside = false
  /** What the answer to the request that is on its way may take. */
  #expectedBytes = 0
  #isClosed = false
  #pause: Timer | undefined
  #hold: Timer | undefined
  #holdIsOver = false
  #holdMs = holdMsMin
  #sessionErrors = 0
  #hastyAnswers = 0
  #heldBytes = 0

  constructor(nodeId: number, world: FetchWorld, failures: FetchFailures) {
    this.nodeId = nodeId
    this.#world = world
    this.#failures = failures
    const { platform, options } = world.cluster
    this.#backoff = new Backoff(platform.random, {
      firstMs: options.retryBackoffMs,
      limitMs: options.retryBackoffMsMax,
    })
  }

  /**
   * Fetches from `states`, all partitions that are to be read from this broker, if it is time to.
   * `bytesMax` is what this broker's answers may hold.
   */
  consider(states: readonly PartitionState[], bytesMax: number): void {
    if (this.#pause !== undefined || this.#isClosed) return
    if (this.#isAsking) {
      this.#considerBeside(states, bytesMax)
      return
    }
    const { partitionFetchBytesMax, fetchWaitMsMax } = this.#world.options
    const open = states.filter(({ bufferedBytes }) => bufferedBytes <= partitionFetchBytesMax)
    if (open.length === 0) return
    const room = bytesMax - this.#heldBytes
    if (this.#heldBytes > 0 && room < partitionFetchBytesMax) {
      if (states.every(({ bufferedBytes }) => bufferedBytes === 0)) this.#world.dropPaused()
      return
    }
    const someAreFull = open.length < states.length
    if (!someAreFull && !this.#isHasty) this.#holdMs = holdMsMin
    const mayHaveMore = !this.#isHasty && open.some((state) => state.mayHaveMore)
    if ((someAreFull || this.#isHasty) && !this.#holdIsOver && !mayHaveMore) {
      this.#holdOn()
      return
    }
    this.#endHold()
    void this.#ask(open, room, someAreFull ? 0 : fetchWaitMsMax)
  }

  /** Asks no more, and tells the broker that it may forget the session. */
  close(): void {
    this.#isClosed = true
    this.#pause?.cancel()
    this.#endHold()
    const end = this.#session.end()
    if (end === undefined || !this.#world.cluster.metadata.brokers.has(this.nodeId)) return
    const request = { ...this.#limits(0, 1), minBytes: 0, ...end }
    // A broker that does not hear of it forgets the session by itself, later.
    this.#world.connections
      .broker(this.nodeId)
      .request(fetchApi, request)
      .catch(() => undefined)
  }

  get #isHasty(): boolean {
    return this.#hastyAnswers > hastyAnswersMax
  }

  async #ask(states: readonly PartitionState[], room: number, waitMs: number): Promise<void> {
    const { clock } = this.#world.cluster.platform
    this.#isAsking = true
    try {
      const askedAtMs = clock.elapsedMs()
      const response = await this.#poll(states, room, waitMs)
      if (!this.#isClosed && response !== undefined) {
        const hasRecords = this.#take(response)
        const lastedMs = clock.elapsedMs() - askedAtMs
        // Where it was not to wait, it may only not speak of records that it does not send.
        const isHasty = waitMs > 0 ? lastedMs < waitMs / 2 : states.some((each) => each.mayHaveMore)
        this.#judge(!hasRecords && isHasty)
      }
    } catch (error) {
      if (!this.#isClosed) this.#lostAnswer(states, error as Error)
    }
    this.#isAsking = false
    this.#asked = undefined
    this.#expectedBytes = 0
    this.#world.wake()
  }

  async #poll(
    states: readonly PartitionState[],
    room: number,
    waitMs: number,
  ): Promise<FetchResponse | undefined> {
    const { partitionFetchBytesMax } = this.#world.options
    const broker = this.#world.connections.broker(this.nodeId)
    const options = this.#requestOptions(states, waitMs)
    const targets = this.#targets(states, await broker.version(fetchApi, options))
    if (targets.length === 0 || this.#isClosed) return undefined
    // Something is left for what is asked beside it.
    const spare = waitMs > 0 && room >= 4 * partitionFetchBytesMax ? partitionFetchBytesMax : 0
    this.#expectedBytes = Math.min(targets.length * partitionFetchBytesMax, room - spare)
    if (waitMs > 0) this.#asked = new Map(targets.map((target) => [target.state.key, target]))
    const limits = this.#limits(waitMs, this.#expectedBytes)
    return broker.request(
      fetchApi,
      (version): RequestInput<typeof fetchApi> => ({
        ...limits,
        ...this.#session.next(version, targets),
      }),
      options,
    )
  }

  /** Asks for those of `states` that the long poll does not know of, or knows elsewhere. */
  #considerBeside(states: readonly PartitionState[], bytesMax: number): void {
    const asked = this.#asked
    if (asked === undefined || this.#isAskingBeside || this.#isHasty) return
    const { partitionFetchBytesMax } = this.#world.options
    const left = states.filter(({ key, generation, fetchPosition, bufferedBytes }) => {
      const target = asked.get(key)
      const isAsked =
        target?.generation === generation && target.fetchOffset === fetchPosition.offset
      return !isAsked && bufferedBytes <= partitionFetchBytesMax
    })
    const room = bytesMax - this.#heldBytes - this.#expectedBytes
    if (left.length > 0 && room >= partitionFetchBytesMax) void this.#askBeside(left, room, asked)
  }

  async #askBeside(
    states: readonly PartitionState[],
    room: number,
    asked: Map<string, FetchTarget>,
  ): Promise<void> {
    const { cluster, options } = this.#world
    this.#isAskingBeside = true
    try {
      const broker = cluster.broker(this.nodeId, 'fetch')
      const requestOptions = this.#requestOptions(states, 0)
      const targets = this.#targets(states, await broker.version(fetchApi, requestOptions))
      for (const target of targets) asked.set(target.state.key, target)
      if (targets.length > 0 && !this.#isClosed) {
        const limits = this.#limits(
          0,
          Math.min(targets.length * options.partitionFetchBytesMax, room),
        )
        const once = new FetchSession()
        const body = (version: number) => ({ ...limits, ...once.once(version, targets) })
        const response = await broker.request(fetchApi, body, requestOptions)
        this.#takeBeside(response, once, states)
      }
    } catch (error) {
      // The poll will have ended soon: the next one asks for them, and shows what is wrong.
      if (this.#asked === asked) this.#asked = undefined
      const fields = { broker: this.nodeId, error: (error as Error).message }
      if (!this.#isClosed) cluster.log('debug', 'consumer: fetch beside a poll failed', fields)
    }
    this.#isAskingBeside = false
    this.#world.wake()
  }

  #takeBeside(
    response: FetchResponse,
    asked: FetchSession,
    states: readonly PartitionState[],
  ): void {
    if (this.#isClosed) return
    checkKafkaCode(response.errorCode, `fetch from broker ${this.nodeId}`)
    const hasRecords = this.#takePartitions(response, asked)
    const isHasty = !hasRecords && states.some((each) => each.mayHaveMore)
    if (hasRecords || isHasty) this.#judge(isHasty)
  }

  #requestOptions(states: readonly PartitionState[], waitMs: number): RequestOptions {
    const { metadata, options } = this.#world.cluster
    const timeoutMs = options.requestTimeoutMs + waitMs
    const hasIds = states.every(({ topic }) => metadata.topics.get(topic)?.id !== undefined)
    return hasIds ? { timeoutMs } : { timeoutMs, versionMax: versionWithTopicIds - 1 }
  }

  #limits(waitMs: number, room: number): Omit<RequestInput<typeof fetchApi>, keyof SessionRequest> {
    const { cluster, options } = this.#world
    return {
      maxWaitMs: waitMs,
      minBytes: options.fetchBytesMin,
      maxBytes: Math.min(options.fetchBytesMax, room),
      isolationLevel: isolationLevels[options.isolation],
      rackId: cluster.options.rack ?? '',
    }
  }

  /** What to ask for. Positions that an old broker cannot compare with its log are doubted first. */
  #targets(states: readonly PartitionState[], version: number): FetchTarget[] {
    const { cluster, options } = this.#world
    const targets: FetchTarget[] = []
    for (const state of states) {
      if (!state.mayFetch) continue
      const { topic, partition, fetchPosition, generation } = state
      const currentLeaderEpoch = cluster.metadata.partition(topic, partition)?.leaderEpoch ?? -1
      const isChecked =
        version >= versionWithLastFetchedEpoch ||
        currentLeaderEpoch < 0 ||
        currentLeaderEpoch === state.validEpoch
      if (!isChecked && fetchPosition.leaderEpoch >= 0) {
        state.doubt()
        continue
      }
      targets.push({
        state,
        generation,
        topicId: cluster.metadata.topics.get(topic)?.id,
        fetchOffset: fetchPosition.offset,
        lastFetchedEpoch: fetchPosition.leaderEpoch,
        currentLeaderEpoch,
        partitionBytesMax: options.partitionFetchBytesMax,
      })
    }
    return targets
  }

  #judge(isHasty: boolean): void {
    this.#hastyAnswers = isHasty ? this.#hastyAnswers + 1 : 0
    if (this.#hastyAnswers !== hastyAnswersMax + 1) return
    this.#world.cluster.log('warn', 'consumer: broker answers at once and sends nothing', {
      broker: this.nodeId,
    })
  }

  /** Answers whether it had records of a partition that was asked for. */
  #take(response: FetchResponse): boolean {
    if (response.errorCode !== 0) {
      this.#refused(response.errorCode)
      return false
    }
    this.#session.answered(response.sessionId)
    this.#sessionErrors = 0
    this.#backoff.reset()
    return this.#takePartitions(response, this.#session)
  }

  #takePartitions(response: FetchResponse, asked: FetchSession): boolean {
    const held = new HeldBuffer(sizeOf(response), (bytes) => {
      this.#heldBytes += bytes
      if (bytes <= 0) this.#world.wake()
    })
    for (const { topic, topicId, partitions } of response.responses) {
      for (const answer of partitions) {
        const target = asked.target(topic, topicId, answer.partitionIndex)
        if (target === undefined) continue
        const { state, generation, fetchOffset } = target
        // Something else is wanted of the partition by now.
        if (state.generation !== generation || state.fetchPosition.offset !== fetchOffset) continue
        this.#takeLeader(state, answer, response)
        if (answer.errorCode === 0) this.#takePartition(target, answer, held)
        else this.#failures.refused(target, this.nodeId, answer.errorCode)
      }
    }
    return held.isUsed
  }

  #takePartition(target: FetchTarget, answer: PartitionAnswer, held: HeldBuffer): void {
    const { state } = target
    const { divergingEpoch, preferredReadReplica, records, highWatermark } = answer
    if (divergingEpoch.endOffset >= 0) {
      const { epoch: leaderEpoch, endOffset: offset } = divergingEpoch
      this.#failures.diverged(state, { offset, leaderEpoch })
      return
    }
    state.backoff = undefined
    state.redirects = 0
    state.validEpoch = target.currentLeaderEpoch
    state.highWatermark = highWatermark
    state.lastStableOffset = answer.lastStableOffset
    state.logStartOffset = answer.logStartOffset
    if (preferredReadReplica >= 0) this.#readFrom(state, preferredReadReplica)
    if (records === null || records.length === 0) return
    const end = FetchedChunk.end(records)
    if (end === undefined) {
      this.#failures.unreadable(state, new ProtocolError('record batch: no whole one was sent'))
      return
    }
    if (end.offset <= target.fetchOffset) {
      const problem = `record batch: the last one ends before offset ${end.offset}, asked was for ${target.fetchOffset}`
      this.#failures.unreadable(state, new ProtocolError(problem))
      return
    }
    const { isolation, checkCrc, decompressedBytesMax } = this.#world.options
    const chunk = new FetchedChunk({
      records,
      position: { offset: target.fetchOffset, leaderEpoch: target.lastFetchedEpoch },
      aborted: isolation === 'read_committed' ? (answer.abortedTransactions ?? []) : [],
      highWatermark,
      checkCrc,
      decompressedBytesMax,
    })
    state.add(chunk, end, held.use())
    this.#world.arrived(state)
  }

  #takeLeader(
    { topic, partition }: PartitionState,
    { currentLeader }: PartitionAnswer,
    { nodeEndpoints }: FetchResponse,
  ): void {
    const { leaderId, leaderEpoch } = currentLeader
    if (leaderId < 0) return
    const endpoint = nodeEndpoints.find(({ nodeId }) => nodeId === leaderId)
    this.#world.cluster.takeLeader(topic, partition, leaderId, leaderEpoch, endpoint)
  }

  /** The leader knows of a replica that is nearer. It is asked again now and then whether that is so. */
  #readFrom(state: PartitionState, nodeId: number): void {
    const { metadata, platform, options } = this.#world.cluster
    if (!metadata.brokers.has(nodeId) || nodeId === this.nodeId) return
    state.readReplica = { nodeId, untilMs: platform.clock.elapsedMs() + options.metadataMaxAgeMs }
  }

  /** The broker would not answer the request as a whole. */
  #refused(code: number): void {
    this.#session.restart(code === kafkaError.FETCH_SESSION_ID_NOT_FOUND)
    if (sessionErrors.has(code)) {
      this.#sessionErrors += 1
      // Once can happen at any time, and a full request helps at once.
      if (this.#sessionErrors === 1) return
    }
    const error = new KafkaError(code, `fetch from broker ${this.nodeId}`)
    this.#world.cluster.log('warn', `consumer: ${error.message}`)
    if (asksForMetadata(code)) this.#world.cluster.metadataIsStale()
    this.#pauseAfterFailure()
  }

  /** Whether the broker has taken the changes to the session is not known. */
  #lostAnswer(states: readonly PartitionState[], error: Error): void {
    this.#session.restart()
    for (const state of states) {
      if (state.readReplica?.nodeId === this.nodeId) state.readReplica = undefined
    }
    const { cluster } = this.#world
    cluster.log('debug', 'consumer: fetch failed', { broker: this.nodeId, error: error.message })
    if (!isWorthRetrying(error)) this.#world.report(error)
    cluster.metadataIsStale()
    this.#pauseAfterFailure()
  }

  #pauseAfterFailure(): void {
    this.#pause = this.#world.cluster.platform.clock.setTimer(this.#backoff.nextMs(), () => {
      this.#pause = undefined
      this.#world.wake()
    })
  }

  #holdOn(): void {
    this.#hold ??= this.#world.cluster.platform.clock.setTimer(this.#holdMs, () => {
      this.#hold = undefined
      this.#holdIsOver = true
      this.#holdMs = Math.min(
        2 * this.#holdMs,
        Math.max(holdMsMin, this.#world.options.fetchWaitMsMax),
      )
      this.#world.wake()
    })
  }

  #endHold(): void {
    this.#hold?.cancel()
    this.#hold = undefined
    this.#holdIsOver = false
  }
}

/** The buffer of an answer, of which several partitions have a part. */
class HeldBuffer {
  readonly #bytes: number
  readonly #changed: (bytes: number) => void
  #users = 0

  /** `changed` is told by how many bytes more are held when it is first used, and less at each end of a use. */
  constructor(bytes: number, changed: (bytes: number) => void) {
    this.#bytes = bytes
    this.#changed = changed
  }

  get isUsed(): boolean {
    return this.#users > 0
  }

  /** One more part is in use, until what is answered is called. */
  use(): () => void {
    if (this.#users === 0) this.#changed(this.#bytes)
    this.#users += 1
    return () => {
      this.#users -= 1
      this.#changed(this.#users === 0 ? -this.#bytes : 0)
    }
  }
}

function sizeOf({ responses }: FetchResponse): number {
  let bytes = 0
  for (const { partitions } of responses) {
    for (const { records } of partitions) bytes += records?.length ?? 0
  }
  return bytes
}

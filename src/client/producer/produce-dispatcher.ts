import { asksForMetadata, produceApi } from '../../protocol/index.ts'
import { MillraceError } from '../../errors.ts'
import type { Broker, Cluster, RequestOptions } from '../cluster/cluster.ts'
import { Backoff } from '../backoff.ts'
import { KafkaError } from '../client-error.ts'
import { attemptOf, attemptWithout } from './attempt.ts'
import type { Attempt } from './attempt.ts'
import { requestOverheadBytes } from './producer-options.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { IdentitySource } from './producer-identity.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ResolvedProducerOptions } from './producer-options.ts'
import { ProduceRequest } from './produce-request.ts'
import type { ProduceResponse } from './produce-request.ts'
import type { TopicQueue } from './topic-queue.ts'
import type { RecordBatchOptions } from '../../protocol/records/index.ts'

export interface DispatcherContext {
  readonly cluster: Cluster
  readonly options: ResolvedProducerOptions
  readonly identity: IdentitySource | undefined
  readonly topic: (name: string) => TopicQueue
  /** Whether a batch that is not full goes out although it might grow. */
  readonly isUrgent: () => boolean
  /** The batch takes another amount of memory than before. */
  readonly resized: (batch: ProducerBatch) => void
  /** Something has ended: there may be more to send. */
  readonly wake: () => void
}

/**
 * A broker that batches go to. It is connected to before batches are taken for it, so that what waits for a
 * connection has not been sent, can go to another leader, and is certainly not written when it expires.
 */
interface Leader {
  readonly broker: Broker
  readonly backoff: Backoff
  isConnected: boolean
  isConnecting: boolean
  retryAtMs: number
  requestsInFlight: number
}

/**
 * Requests to one broker that may wait for their answers. While so many do, batches grow: that is what
 * makes them large under load, without a delay when there is none.
 */
const requestsInFlightMax = 5
/** What remains of a request's time for the answer's way, when the broker waits for its replicas. */
const replicaTimeShare = 0.8
/** Below this many bytes the way to another thread costs more than it saves. */
const offloadBytesMin = 32 * 1024
const gzipLevel = 6
const acksCodes = { all: -1, leader: 1, none: 0 } as const

/** Takes batches that are ready from the queues, and brings them to the leaders in requests. */
export class ProduceDispatcher {
  readonly #context: DispatcherContext
  readonly #leaders = new Map<number, Leader>()
  readonly #active: PartitionQueue[] = []
  readonly #format: RecordBatchOptions
  readonly #transactionalId: string | null
  /** Where the next round begins, so that no partition is always the last. */
  #turn = 0
  #nextMs = Infinity
  #isGettingIdentity = false

  constructor(context: DispatcherContext) {
    this.#context = context
    const { compression, compressionLevel } = context.options
    this.#transactionalId = context.identity?.transactionalId ?? null
    this.#format = {
      compression,
      ...(compressionLevel === undefined ? {} : { compressionLevel }),
      isTransactional: this.#transactionalId !== null,
    }
  }

  /** The partitions that have batches. */
  get active(): readonly PartitionQueue[] {
    return this.#active
  }

  get requestsInFlight(): number {
    let count = 0
    for (const { requestsInFlight } of this.#leaders.values()) count += requestsInFlight
    return count
  }

  activate(queue: PartitionQueue): void {
    if (queue.isActive) return
    queue.isActive = true
    this.#active.push(queue)
  }

  /** Sends what can be sent. Answers when there may be more to do, as `elapsedMs` counts. */
  dispatch(nowMs: number): number {
    this.#nextMs = Infinity
    this.#forgetEmpty()
    if (!this.#hasIdentity()) return this.#nextMs
    for (;;) {
      const requests = new Map<number, ProduceRequest>()
      const isMore = this.#collect(nowMs, requests)
      for (const request of requests.values()) this.#send(request)
      if (!isMore || requests.size === 0) break
    }
    this.#turn += 1
    return this.#nextMs
  }

  #forgetEmpty(): void {
    let kept = 0
    for (const queue of this.#active) {
      if (queue.isEmpty) queue.isActive = false
      else this.#active[kept++] = queue
    }
    this.#active.length = kept
  }

  #hasIdentity(): boolean {
    const { identity, wake } = this.#context
    if (identity === undefined || identity.current !== undefined) return true
    if (!this.#isGettingIdentity && this.#active.length > 0) {
      this.#isGettingIdentity = true
      const done = (error?: unknown): void => {
        this.#isGettingIdentity = false
        if (error !== undefined) for (const queue of this.#active) queue.failWaiting(error as Error)
        wake()
      }
      identity.ready().then(() => done(), done)
    }
    return false
  }

  /** Takes what is ready into requests; answers whether some had to be left for another request. */
  #collect(nowMs: number, requests: Map<number, ProduceRequest>): boolean {
    const { length } = this.#active
    let isMore = false
    const ready: PartitionQueue[] = []
    for (let step = 0; step < length; step++) {
      const queue = this.#active[(this.#turn + step) % length] as PartitionQueue
      if (this.#isReady(queue, nowMs)) ready.push(queue)
    }
    for (const queue of this.#admitted(ready)) {
      const batch = queue.next(nowMs)
      if (batch === undefined) continue
      let request = requests.get(queue.leaderId)
      if (request === undefined) {
        request = new ProduceRequest(queue.leaderId)
        requests.set(queue.leaderId, request)
      }
      const bytes = request.bytes + batch.sizeInBytes + requestOverheadBytes
      if (request.batchCount > 0 && bytes > this.#context.options.requestBytesMax) {
        isMore = true
        continue
      }
      if (this.#compressesElsewhere(queue, batch)) continue
      this.#take(queue, batch)
      request.add(this.#context.topic(queue.topic).id, queue, batch)
    }
    return isMore
  }

  #isReady(queue: PartitionQueue, nowMs: number): boolean {
    if (queue.isEmpty) return false
    if (queue.leaderId < 0) {
      this.#context.cluster.metadataIsStale()
      this.#at(nowMs + this.#context.cluster.options.retryBackoffMsMax)
      return false
    }
    const leader = this.#leader(queue.leaderId)
    if (!this.#mayUse(leader, nowMs)) return false
    if (queue.retryAtMs > nowMs) this.#at(queue.retryAtMs)
    const batch = queue.next(nowMs)
    if (batch === undefined) return false
    if (batch.state !== 'open' || queue.inFlightCount === 0 || this.#context.isUrgent()) return true
    const lingersUntilMs = batch.createdMs + this.#context.options.lingerMs
    if (lingersUntilMs <= nowMs) return true
    this.#at(lingersUntilMs)
    return false
  }

  /** Those of the partitions that may be written to; the others are being put into the transaction. */
  #admitted(ready: PartitionQueue[]): PartitionQueue[] {
    const { identity, wake } = this.#context
    if (identity?.transactionalId === undefined || ready.length === 0) return ready
    const admission = identity.admit(ready.map(({ topic, partition }) => ({ topic, partition })))
    if (admission === undefined) return ready
    for (const queue of ready) queue.isHeld = true
    const done = (error?: unknown): void => {
      for (const queue of ready) {
        queue.isHeld = false
        if (error !== undefined) queue.failWaiting(error as Error)
      }
      wake()
    }
    admission.then(() => done(), done)
    return []
  }

  #take(queue: PartitionQueue, batch: ProducerBatch): void {
    this.#close(queue, batch)
    queue.take(batch, this.#format)
    if (batch.heldBytes !== batch.capacity) this.#context.resized(batch)
  }

  #close(queue: PartitionQueue, batch: ProducerBatch): void {
    if (batch.state !== 'open') return
    batch.state = 'closed'
    const topic = this.#context.topic(queue.topic)
    topic.expectedBatchBytes = batch.sizeInBytes
    topic.batchClosed(queue.partition)
  }

  /**
   * Gzip is the one codec that other threads can do. Where it takes long enough to be worth the way there, it
   * does not hold up everything else; the partition waits meanwhile, so nothing overtakes the batch.
   */
  #compressesElsewhere(queue: PartitionQueue, batch: ProducerBatch): boolean {
    const { compression, compressionLevel = gzipLevel } = this.#context.options
    const { uncompressedRecords: records, compressedRecords } = batch
    if (compression !== 'gzip' || batch.isCompressedHere || compressedRecords !== undefined) {
      return false
    }
    if (records === undefined || records.length < offloadBytesMin) return false
    this.#close(queue, batch)
    queue.isHeld = true
    const { cluster, wake } = this.#context
    const done = (compressed?: Buffer): void => {
      queue.isHeld = false
      if (compressed === undefined) batch.isCompressedHere = true
      else batch.compressedRecords = compressed
      wake()
    }
    cluster.platform.offload.gzip(records, compressionLevel).then(done, () => done())
    return true
  }

  #leader(nodeId: number): Leader {
    const known = this.#leaders.get(nodeId)
    if (known !== undefined) return known
    const { cluster } = this.#context
    const { retryBackoffMs, retryBackoffMsMax } = cluster.options
    const leader: Leader = {
      broker: cluster.broker(nodeId, 'produce'),
      backoff: new Backoff(cluster.platform.random, {
        firstMs: retryBackoffMs,
        limitMs: retryBackoffMsMax,
      }),
      isConnected: false,
      isConnecting: false,
      retryAtMs: 0,
      requestsInFlight: 0,
    }
    this.#leaders.set(nodeId, leader)
    return leader
  }

  #mayUse(leader: Leader, nowMs: number): boolean {
    if (leader.isConnected) return leader.requestsInFlight < requestsInFlightMax
    if (leader.isConnecting) return false
    if (leader.retryAtMs > nowMs) this.#at(leader.retryAtMs)
    else void this.#connect(leader)
    return false
  }

  async #connect(leader: Leader): Promise<void> {
    const { cluster, wake } = this.#context
    leader.isConnecting = true
    try {
      await leader.broker.version(produceApi, this.#versions())
      leader.isConnected = true
      leader.backoff.reset()
    } catch (error) {
      const isFinal = error instanceof MillraceError && !error.retriable
      for (const queue of this.#active) {
        if (queue.leaderId !== leader.broker.nodeId) continue
        queue.lastError = error as Error
        if (isFinal) queue.failQueued(error)
      }
      leader.retryAtMs = cluster.platform.clock.elapsedMs() + leader.backoff.nextMs()
      cluster.metadataIsStale()
    }
    leader.isConnecting = false
    wake()
  }

  #versions(request?: ProduceRequest): RequestOptions {
    const wanted = this.#context.identity?.produceVersionMax ?? produceApi.versions.last
    const versionMax = Math.min(wanted, request?.versionMax ?? wanted)
    // Batches of magic 2 are understood from version 3 on.
    return { versionMin: 3, versionMax }
  }

  #send(request: ProduceRequest): void {
    const { cluster, options, wake } = this.#context
    const leader = this.#leader(request.leaderId)
    const { requestTimeoutMs } = cluster.options
    const acks = acksCodes[options.acks]
    const timeoutMs = Math.ceil(requestTimeoutMs * replicaTimeShare)
    const body = request.body(acks, timeoutMs, this.#transactionalId)
    const versions = this.#versions(request)
    leader.requestsInFlight += 1
    const ended = (settle: () => void): void => {
      leader.requestsInFlight -= 1
      settle()
      wake()
    }
    const failed = (error: unknown): void => ended(() => this.#failed(request, leader, error))
    if (options.acks === 'none') {
      const written = (): void => ended(() => this.#handedOver(request))
      leader.broker.send(produceApi, body, versions).then(written, failed)
    } else {
      leader.broker
        .request(produceApi, body, versions)
        .then((response) => ended(() => this.#answered(request, response)), failed)
    }
  }

  #handedOver(request: ProduceRequest): void {
    const written = { baseOffset: -1, logAppendTimeMs: -1 }
    for (const { queue, batch } of request.batches()) {
      queue.ended(batch, { kind: 'written', written }, 0)
    }
  }

  #answered(request: ProduceRequest, response: ProduceResponse): void {
    const { cluster } = this.#context
    const nowMs = cluster.platform.clock.elapsedMs()
    for (const { queue, batch, answer } of request.answers(response)) {
      if (answer === undefined) {
        const error = new Error(`the response says nothing of ${queue.topic}-${queue.partition}`)
        this.#ended(queue, batch, { kind: 'retry', mayBeWritten: true, error }, nowMs)
        continue
      }
      this.#ended(queue, batch, attemptOf(answer, queue, this.#transactionalId !== null), nowMs)
      if (answer.errorCode === 0) continue
      const { leaderId, leaderEpoch } = answer.currentLeader
      if (leaderId >= 0 && leaderEpoch >= 0) {
        const endpoint = response.nodeEndpoints.find(({ nodeId }) => nodeId === leaderId)
        cluster.takeLeader(queue.topic, queue.partition, leaderId, leaderEpoch, endpoint)
      }
      if (asksForMetadata(answer.errorCode)) cluster.metadataIsStale()
      // The metadata may have learned of another leader while the request was on its way.
      if (queue.leaderId !== request.leaderId) queue.retryAtMs = 0
    }
  }

  #failed(request: ProduceRequest, leader: Leader, error: unknown): void {
    leader.isConnected = false
    const attempt = attemptWithout(error)
    const nowMs = this.#context.cluster.platform.clock.elapsedMs()
    for (const { queue, batch } of request.batches()) this.#ended(queue, batch, attempt, nowMs)
    if (attempt.kind === 'retry') this.#context.cluster.metadataIsStale()
  }

  #ended(queue: PartitionQueue, batch: ProducerBatch, attempt: Attempt, nowMs: number): void {
    if (attempt.kind !== 'written') {
      const { error } = attempt
      this.#context.cluster.log('debug', 'a batch was not written', {
        topic: queue.topic,
        partition: queue.partition,
        records: batch.recordCount,
        attempt: batch.attempts,
        outcome: attempt.kind,
        error: error instanceof KafkaError ? error.kafkaName : error.message,
      })
    }
    queue.ended(batch, attempt, nowMs)
  }

  #at(timeMs: number): void {
    if (timeMs < this.#nextMs) this.#nextMs = timeMs
  }
}

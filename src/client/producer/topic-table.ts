import type { Cluster, TopicWatch } from '../cluster/cluster.ts'
import { Backoff } from '../backoff.ts'
import { KafkaError } from '../client-error.ts'
import { kafkaError } from '../../protocol/index.ts'
import type { BufferMemory } from './buffer-memory.ts'
import { DeliveryError } from './delivery-error.ts'
import type { QueueContext } from './partition-queue.ts'
import { noSuchPartition, TopicQueue } from './topic-queue.ts'
import type { PendingRecord } from './topic-queue.ts'
import { MillraceError, OptionError } from '../../errors.ts'

export interface TopicTableContext {
  readonly cluster: Cluster
  readonly queueContext: QueueContext
  readonly memory: BufferMemory
  readonly batchBytesMax: number
  readonly createTopics: boolean
  /** The partitions of the topic have become known. */
  readonly ready: (topic: TopicQueue) => void
  /** Something has changed that may let records go on. */
  readonly changed: () => void
}

type AwaitedRecords = readonly [topic: TopicQueue, pending: ReadonlySet<PendingRecord>]

/** A broker may not know of partitions yet that another one has just added. */
const partitionPatienceMs = 5_000

/** Errors of a topic that no waiting helps. */
const finalErrors: ReadonlySet<number> = new Set([
  kafkaError.INVALID_TOPIC_EXCEPTION,
  kafkaError.TOPIC_AUTHORIZATION_FAILED,
])

/**
 * The topics that were ever written to, kept for as long as the producer lives: so are the sequence
 * numbers of their partitions. While one of them is unknown the metadata is asked for again and again.
 */
export class TopicTable {
  readonly #context: TopicTableContext
  readonly #topics = new Map<string, TopicQueue>()
  readonly #watch: TopicWatch
  readonly #stopListening: () => void
  readonly #closing = new AbortController()
  #isLoading = false
  #lastError: Error | undefined

  constructor(context: TopicTableContext) {
    this.#context = context
    const { cluster, createTopics } = context
    this.#watch = cluster.watchTopics([], { createMissing: createTopics })
    this.#stopListening = cluster.onMetadata(() => this.#update())
  }

  get all(): Iterable<TopicQueue> {
    return this.#topics.values()
  }

  /** Why the metadata could not be had, or not of a topic, as far as it matters for those that wait. */
  get lastError(): Error | undefined {
    return this.#lastError
  }

  get(name: string): TopicQueue {
    const known = this.#topics.get(name)
    if (known !== undefined) {
      if (!known.isReady) void this.#load()
      return known
    }
    if (typeof name !== 'string' || name === '') {
      throw new OptionError('topic', `(${JSON.stringify(name)}) must be a name`)
    }
    const { batchBytesMax, queueContext, cluster } = this.#context
    const topic = new TopicQueue(name, batchBytesMax, queueContext)
    this.#topics.set(name, topic)
    this.#watch.change(this.#topics.keys())
    const metadata = cluster.metadata.topics.get(name)
    if (metadata?.errorCode === 0) topic.update(metadata)
    if (!topic.isReady) void this.#load()
    return topic
  }

  /** Takes records of a call, or of all, out of those that wait for their topics. */
  takePending(isTaken: (pending: PendingRecord) => boolean): PendingRecord[] {
    const taken: PendingRecord[] = []
    for (const topic of this.#topics.values()) {
      if (topic.pending.length === 0) continue
      const left: PendingRecord[] = []
      for (const pending of topic.pending) (isTaken(pending) ? taken : left).push(pending)
      topic.pending = left
    }
    for (const { heldBytes } of taken) this.#context.memory.release(heldBytes)
    return taken
  }

  /** Some record waits for a partition that its topic does not have yet, or not at all. */
  lookForPartitions(): void {
    void this.#load()
  }

  close(): void {
    this.#closing.abort(new Error('the producer is closed'))
    this.#stopListening()
    this.#watch.release()
  }

  #hasUnknown(): boolean {
    for (const { pending } of this.#topics.values()) if (pending.length > 0) return true
    return false
  }

  async #load(): Promise<void> {
    if (this.#isLoading) return
    this.#isLoading = true
    const { cluster } = this.#context
    const { retryBackoffMs, retryBackoffMsMax } = cluster.options
    const { clock, random } = cluster.platform
    const backoff = new Backoff(random, { firstMs: retryBackoffMs, limitMs: retryBackoffMsMax })
    const { signal } = this.#closing
    try {
      do {
        try {
          const lookedFor = this.#awaitedOfReady()
          await cluster.refreshMetadata(signal)
          this.#lastError = undefined
          this.#update()
          this.#refuseStillWaiting(lookedFor)
        } catch (error) {
          this.#lastError = error as Error
          if (error instanceof MillraceError && !error.retriable) this.#refuseAll(error)
        }
        if (this.#hasUnknown()) await clock.sleep(backoff.nextMs(), signal)
      } while (this.#hasUnknown())
    } catch {
      // Closed while it waited.
    } finally {
      this.#isLoading = false
    }
  }

  /** A login that was refused, or a cluster that is too old: nobody should wait for it. */
  #refuseAll(cause: Error): void {
    for (const topic of this.#topics.values()) {
      const { pending } = topic
      topic.pending = []
      for (const waiting of pending) this.#refuse(topic, waiting, cause)
    }
  }

  #update(): void {
    const { metadata } = this.#context.cluster
    for (const topic of this.#topics.values()) {
      const found = metadata.topics.get(topic.name)
      if (found === undefined) continue
      if (found.errorCode !== 0) {
        if (!topic.isReady) this.#failed(topic, found.errorCode)
        continue
      }
      topic.update(found)
      if (topic.isReady && topic.pending.length > 0) this.#context.ready(topic)
    }
    this.#context.changed()
  }

  #failed(topic: TopicQueue, errorCode: number): void {
    const cause = new KafkaError(errorCode, `metadata of topic ${topic.name}`)
    this.#lastError = cause
    if (!finalErrors.has(errorCode)) return
    const { pending } = topic
    topic.pending = []
    for (const waiting of pending) this.#refuse(topic, waiting, cause)
  }

  /** What has waited long enough for partitions of topics that are known: asked for once more, it is decided. */
  #awaitedOfReady(): AwaitedRecords[] {
    const latestMs = this.#context.cluster.platform.clock.elapsedMs() - partitionPatienceMs
    return [...this.#topics.values()]
      .filter(({ isReady }) => isReady)
      .map((topic) => [topic, new Set(topic.pending.filter(({ sinceMs }) => sinceMs <= latestMs))])
  }

  #refuseStillWaiting(lookedFor: readonly AwaitedRecords[]): void {
    for (const [topic, records] of lookedFor) {
      const refused = topic.pending.filter((pending) => records.has(pending))
      topic.pending = topic.pending.filter((pending) => !records.has(pending))
      for (const waiting of refused) {
        const { partition = -1 } = waiting.call.record(waiting.index)
        this.#refuse(topic, waiting, noSuchPartition(topic, partition))
      }
    }
  }

  #refuse({ name }: TopicQueue, { call, index, heldBytes }: PendingRecord, cause: Error): void {
    this.#context.memory.release(heldBytes)
    const { partition = -1 } = call.record(index)
    const what = { topic: name, partition, definitelyNotWritten: true, reason: cause.message }
    call.recordFailed(index, new DeliveryError(what, { cause, retriable: false }))
  }
}

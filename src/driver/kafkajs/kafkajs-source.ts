import { partitionKey } from '../../client/index.ts'
import type {
  AssignmentCallbacks,
  CloseOptions,
  CommitOptions,
  CommittedOffset,
  GroupMetadata,
  OffsetForTime,
  OffsetToCommit,
  EpochEnd,
  PartitionEpoch,
  PartitionOffset,
  PartitionTimestamp,
  PollOptions,
  SeekTarget,
  TopicPartition,
  TopicSelection,
} from '../../client/index.ts'
import { MillraceError, OptionError } from '../../errors.ts'
import type { Log } from '../../observe/index.ts'
import type { Clock } from '../../platform/index.ts'
import type { RecordSource, SourceBatch } from '../driver.ts'
import type { BatchPayload, EachBatchPayload, KafkaJsConsumer } from './kafkajs-api.ts'
import type { KafkaJsCommits } from './kafkajs-commits.ts'
import { fromKafkaJs } from './kafkajs-errors.ts'
import type { GroupEvents } from './kafkajs-group.ts'
import type { KafkaJsOffsets } from './kafkajs-offsets.ts'
import { KafkaJsRecords } from './kafkajs-records.ts'
import { PartitionReading } from './partition-reading.ts'
import type { ReadingTarget } from './partition-reading.ts'
import { asPartitionError } from './place-finder.ts'
import type { PlaceFinder } from './place-finder.ts'

export interface KafkaJsSourceParts {
  readonly clock: Clock
  readonly log: Log
  readonly groupId: string
  readonly heartbeatIntervalMs: number
  readonly callbacks: AssignmentCallbacks
  readonly consumer: KafkaJsConsumer
  readonly offsets: KafkaJsOffsets
  readonly places: PlaceFinder
  readonly commits: KafkaJsCommits
  readonly group: GroupEvents
}

const closeTimeoutMs = 30_000
/** For so long other partitions may have the word before the error of one that stands still is repeated. */
const tellEveryMs = 1_000
const againMs = 250
const againMsMax = 5_000
/** Batches that kafkajs handles beside each other: one that waits to be polled keeps no other waiting. */
const handlersMax = 64

/**
 * Reads by a consumer of kafkajs, which pushes what the port pulls: a batch that kafkajs brings waits until it is polled,
 * and kafkajs with it, with heartbeats; of a partition that is paused it is told to fetch nothing.
 *
 * - **idle** → **subscribed** (`subscribe`: it joins, again and again until it may) → **closed** (`close`).
 * - **failed**: kafkajs has given up; each poll says why.
 *
 * Where each partition is read is decided here and not by kafkajs, which is sent there by a seek: a batch counts only
 * when it was fetched from exactly where the last one ended.
 */
export class KafkaJsSource implements RecordSource {
  readonly #parts: KafkaJsSourceParts
  readonly #partitions = new Map<string, PartitionReading>()
  readonly #ending = new AbortController()
  /** Callbacks of the application, one after another. */
  #calls: Promise<void> = Promise.resolve()
  #running: Promise<void> | undefined
  #isPolling = false
  #wakePoll: (() => void) | undefined
  #failure: Error | undefined
  #reported: Error | undefined
  #closing: Promise<void> | undefined

  constructor(parts: KafkaJsSourceParts) {
    this.#parts = parts
    parts.group.listen({
      isOurs: (partition) => this.#partitions.has(partitionKey(partition)),
      assigned: (partitions, generation) => this.#assigned(partitions, generation),
      lost: () => this.#lost(),
      passedOver: (payload) => this.#passedOver(payload),
      failed: (error) => this.#fail(error),
    })
  }

  subscribe(topics: TopicSelection): void {
    this.#checkOpen()
    const names = typeof topics === 'string' ? [topics] : topics
    if (!Array.isArray(names) || names.length === 0) {
      throw new OptionError(
        'topics',
        'must be one topic or more: the driver kafkajs has no patterns',
      )
    }
    if (this.#running !== undefined) throw stateError('subscribe: it is subscribed already')
    this.#running = this.#run([...new Set(names as readonly string[])])
  }

  async poll(options: PollOptions = {}): Promise<SourceBatch[]> {
    this.#checkOpen()
    if (this.#running === undefined) throw stateError('poll: subscribe first')
    if (this.#isPolling) throw stateError('poll: the one before has not been answered yet')
    const { clock } = this.#parts
    const startMs = clock.elapsedMs()
    const deadlineMs = startMs + (options.timeoutMs ?? Infinity)
    this.#isPolling = true
    try {
      for (;;) {
        options.signal?.throwIfAborted()
        if (this.#closing !== undefined) return []
        this.#throwNews()
        const batches = this.#take(options.maxRecords ?? Infinity)
        if (batches.length > 0) return batches
        const standing = [...this.#partitions.values()].find((each) => each.isStanding)?.error
        const tellMs = standing === undefined ? Infinity : startMs + tellEveryMs
        const leftMs = Math.min(deadlineMs, tellMs) - clock.elapsedMs()
        if (leftMs <= 0 && standing !== undefined) throw standing
        if (leftMs <= 0) return []
        await this.#arrival(leftMs, options.signal)
      }
    } finally {
      this.#isPolling = false
    }
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, true, 'pause')
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, false, 'resume')
  }

  seek(partition: TopicPartition, target: SeekTarget): void {
    this.#checkOpen()
    const reading = this.#assignedTo(partition, 'seek')
    reading.seek(readingTarget(target))
    this.#changed(reading)
  }

  lag(partition: TopicPartition): number | undefined {
    const { position, highWatermark } = this.#assignedTo(partition, 'lag')
    if (position === undefined || highWatermark < 0) return undefined
    return Math.max(0, highWatermark - position)
  }

  commit(offsets: readonly OffsetToCommit[], options: CommitOptions = {}): Promise<void> {
    return this.#parts.commits.commit(offsets, options)
  }

  committed(
    partitions: readonly TopicPartition[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<readonly CommittedOffset[]> {
    const { offsets, groupId } = this.#parts
    return offsets.committed(groupId, partitions, options)
  }

  groupMetadata(): GroupMetadata {
    const { groupId, group } = this.#parts
    const { memberId, brokerGeneration: generation } = group
    return { groupId, memberId, generation, groupInstanceId: undefined }
  }

  beginningOffsets(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]> {
    return this.#parts.offsets.beginnings(partitions)
  }

  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]> {
    return this.#parts.offsets.ends(partitions)
  }

  /** kafkajs has no request for it. */
  epochEnds(epochs: readonly PartitionEpoch[]): Promise<readonly EpochEnd[]> {
    const unknown = { endOffset: -1, leaderEpoch: -1 }
    return Promise.resolve(epochs.map((each) => ({ ...each, ...unknown })))
  }

  offsetsForTimes(
    times: readonly PartitionTimestamp[],
  ): Promise<readonly Omit<OffsetForTime, 'timestamp'>[]> {
    return this.#parts.offsets.forTimes(times)
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  async #close({ timeoutMs = closeTimeoutMs }: CloseOptions): Promise<void> {
    // `close` has to have answered before polls are told: they ask whether it was called.
    await Promise.resolve()
    const { clock, consumer, group, callbacks } = this.#parts
    const late = new AbortController()
    const timer = clock.setTimer(timeoutMs, () => late.abort())
    const isLate = new Promise<void>((resolve) => {
      late.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    this.#ending.abort()
    this.#wakePoll?.()
    const given = [...this.#partitions.values()]
    for (const each of given) each.setPaused(true)
    for (const each of given) this.#tellKafkaJs(each)
    if (given.length > 0) {
      const { onRevoked } = callbacks
      const places = given.map(placeOf)
      const call = this.#inTurn(() => onRevoked?.(places, { signal: late.signal }))
      await Promise.race([call, isLate])
    }
    group.close()
    this.#giveUp()
    const gone = this.#leave(consumer)
    await Promise.race([gone, isLate])
    timer.cancel()
  }

  /** A consumer of kafkajs that has not joined yet must not be stopped: it would join all the same, and stay. */
  async #leave(consumer: KafkaJsConsumer): Promise<void> {
    await this.#running
    await consumer.disconnect().catch((error: unknown) => {
      this.#parts.log('warn', 'kafkajs: the consumer could not be closed', messageOf(error))
    })
  }

  #isEnding(): boolean {
    return this.#ending.signal.aborted
  }

  async #run(topics: readonly string[]): Promise<void> {
    const { consumer, groupId, clock, log } = this.#parts
    const { signal } = this.#ending
    for (let pauseMs = againMs; !this.#isEnding(); pauseMs = Math.min(pauseMs * 2, againMsMax)) {
      try {
        await consumer.connect()
        await consumer.subscribe({ topics: [...topics], fromBeginning: true })
        if (this.#isEnding()) return
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: handlersMax,
          eachBatch: (payload) => this.#eachBatch(payload),
        })
        return
      } catch (error) {
        const failure = fromKafkaJs(error, `subscribe of group ${groupId} to ${topics.join(', ')}`)
        if (!failure.retriable) {
          this.#fail(failure)
          return
        }
        log('warn', 'the group cannot be joined yet, it is tried again', messageOf(failure))
        await clock.sleep(pauseMs, signal).catch(() => undefined)
      }
    }
  }

  #assigned(partitions: readonly TopicPartition[], generation: number): void {
    const { group, commits, callbacks } = this.#parts
    const readings = partitions.map((partition) => new PartitionReading(partition))
    for (const each of readings) {
      this.#partitions.set(partitionKey(each), each)
      // Also after it was given up: kafkajs remembers whether it fetches a partition, if it still has it.
      each.isFetched = true
      this.#tellKafkaJs(each)
    }
    if (readings.length === 0) return
    const isOver = () => group.generation !== generation || this.#closing !== undefined
    void this.#inTurn(async () => {
      // A commit that is tried again would else come behind the first of this generation.
      await commits.idle()
      if (isOver()) return
      try {
        await callbacks.onAssigned?.(readings.map(placeOf))
      } catch (error) {
        // Partitions may stand where they should not.
        this.#fail(error as Error)
        return
      }
      if (isOver()) return
      for (const each of readings) {
        each.begin()
        this.#changed(each)
      }
    })
  }

  #lost(): void {
    const lost = this.#giveUp()
    const { onLost } = this.#parts.callbacks
    if (lost.length > 0) void this.#inTurn(() => onLost?.(lost))
  }

  #giveUp(): readonly TopicPartition[] {
    const given = [...this.#partitions.values()]
    this.#partitions.clear()
    for (const each of given) {
      each.leave()
      this.#parts.commits.forget(each)
    }
    return given.map(placeOf)
  }

  /** What a callback throws, the next poll throws. */
  #inTurn(call: () => void | Promise<void>): Promise<void> {
    this.#calls = this.#calls.then(call).catch((error: unknown) => this.#report(error as Error))
    return this.#calls
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload
    const reading = this.#partitions.get(partitionKey(batch))
    if (reading?.is('reading') !== true || payload.isStale()) return
    const fetchedOffset = Number(batch.fetchedOffset)
    if (fetchedOffset !== reading.fetchOffset) {
      reading.recheck(fetchedOffset)
      this.#changed(reading)
      return
    }
    const lastOffset = batch.lastOffset()
    payload.resolveOffset(lastOffset)
    const { topic, partition, messages } = batch
    const nextOffset = Number(lastOffset) + 1
    const highWatermark = Number(batch.highWatermark)
    reading.push(new KafkaJsRecords({ topic, partition, messages, nextOffset, highWatermark }))
    this.#wakePoll?.()
    try {
      await this.#hold(reading, payload)
    } finally {
      this.#tellKafkaJs(reading)
    }
  }

  /** Keeps kafkajs from fetching on until the batch is polled, and the member alive meanwhile. */
  async #hold(reading: PartitionReading, payload: EachBatchPayload): Promise<void> {
    const { clock, heartbeatIntervalMs } = this.#parts
    const over = new AbortController()
    const letGo = reading.hold().then(() => over.abort())
    while (!over.signal.aborted) {
      await clock.sleep(heartbeatIntervalMs, over.signal).catch(() => undefined)
      // Where the group is rebalanced, kafkajs finds that out itself when its handlers have answered.
      if (reading.isHeld) await payload.heartbeat().catch(() => this.#letGoAll())
    }
    await letGo
  }

  #letGoAll(): void {
    for (const each of this.#partitions.values()) each.letGo()
  }

  /** All that kafkajs has fetched there was aborted, or is nobody's to see. */
  #passedOver({ topic, partition, firstOffset, lastOffset, highWatermark }: BatchPayload): void {
    const reading = this.#partitions.get(partitionKey({ topic, partition }))
    if (reading?.is('reading') !== true) return
    reading.highWatermark = Math.max(reading.highWatermark, Number(highWatermark))
    // What begins elsewhere may have been fetched before a seek.
    if (Number(firstOffset ?? lastOffset) !== reading.fetchOffset) return
    reading.passOver(Number(lastOffset) + 1)
  }

  /** Does what the state of a partition asks for. */
  #changed(reading: PartitionReading): void {
    if (reading.is('seeking') && !reading.paused) void this.#lookUp(reading)
    this.#tellKafkaJs(reading)
  }

  async #lookUp(reading: PartitionReading): Promise<void> {
    const { places, consumer, clock, log } = this.#parts
    const { seekCount, target } = reading
    const isOver = () => reading.seekCount !== seekCount || !reading.is('seeking')
    for (let pauseMs = againMs; ; pauseMs = Math.min(pauseMs * 2, againMsMax)) {
      try {
        const place = await places.find(reading, target)
        if (isOver()) return
        reading.found(place)
        const { topic, partition } = reading
        this.#order(() => consumer.seek({ topic, partition, offset: String(place.offset) }))
        this.#tellKafkaJs(reading)
        return
      } catch (error) {
        if (isOver()) return
        const failure = fromKafkaJs(error, `position of ${partitionKey(reading)}`)
        if (!failure.retriable) {
          this.#cannotRead(reading, failure)
          return
        }
        log('warn', 'where a partition goes on is not known yet, it is asked again', {
          ...messageOf(failure),
          topic: reading.topic,
          partition: reading.partition,
        })
        await clock.sleep(pauseMs, this.#ending.signal).catch(() => undefined)
        if (isOver() || this.#closing !== undefined) return
      }
    }
  }

  #cannotRead(reading: PartitionReading, failure: Error): void {
    const { target } = reading
    const offset = target.kind === 'offset' ? target.offset : -1
    const error = asPartitionError(reading, failure, offset)
    reading.fail(error)
    this.#report(error)
    // kafkajs may have found out first, and committed where it would have gone on.
    this.#parts.commits.restore(reading).catch((cause: unknown) => {
      const fields = { ...messageOf(cause), topic: reading.topic, partition: reading.partition }
      this.#parts.log('warn', 'what was committed could not be committed again', fields)
    })
  }

  /** Tells kafkajs whether to fetch a partition, when that has changed. */
  #tellKafkaJs(reading: PartitionReading): void {
    if (this.#partitions.get(partitionKey(reading)) !== reading) return
    const { mayFetch } = reading
    if (mayFetch === reading.isFetched) return
    reading.isFetched = mayFetch
    const topics = [{ topic: reading.topic, partitions: [reading.partition] }]
    const { consumer } = this.#parts
    this.#order(() => (mayFetch ? consumer.resume(topics) : consumer.pause(topics)))
  }

  /** kafkajs takes no orders while it is stopped: then it will join anew, and all begins again. */
  #order(give: () => void): void {
    try {
      give()
    } catch (error) {
      this.#parts.log('debug', 'kafkajs takes no orders now', messageOf(error))
    }
  }

  #take(countMax: number): SourceBatch[] {
    const batches: SourceBatch[] = []
    let left = countMax
    for (const [key, reading] of [...this.#partitions]) {
      if (left <= 0) break
      if (reading.paused || !reading.hasRecords) continue
      while (left > 0) {
        const batch = reading.take(left)
        if (batch === undefined) break
        batches.push(batch)
        left -= batch.recordCount
      }
      // Next time others come first.
      this.#partitions.delete(key)
      this.#partitions.set(key, reading)
      this.#tellKafkaJs(reading)
    }
    return batches
  }

  #throwNews(): void {
    if (this.#failure !== undefined) throw this.#failure
    const error = this.#reported
    this.#reported = undefined
    if (error !== undefined) throw error
  }

  async #arrival(leftMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#parts
    await new Promise<void>((resolve) => {
      const timer = leftMs === Infinity ? undefined : clock.setTimer(leftMs, () => end())
      const end = () => {
        timer?.cancel()
        signal?.removeEventListener('abort', end)
        this.#wakePoll = undefined
        resolve()
      }
      this.#wakePoll = end
      signal?.addEventListener('abort', end, { once: true })
    })
  }

  #setPaused(partitions: readonly TopicPartition[], paused: boolean, what: string): void {
    for (const reading of partitions.map((each) => this.#assignedTo(each, what))) {
      if (reading.paused === paused) continue
      reading.setPaused(paused)
      this.#changed(reading)
      if (!paused) this.#wakePoll?.()
    }
  }

  #report(error: Error): void {
    this.#reported ??= error
    this.#wakePoll?.()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#wakePoll?.()
  }

  #assignedTo(partition: TopicPartition, what: string): PartitionReading {
    const reading = this.#partitions.get(partitionKey(partition))
    if (reading !== undefined) return reading
    const problem = `${what}: ${partitionKey(partition)} is not assigned to this consumer`
    throw new MillraceError('MILLRACE_CLIENT_NOT_OWNED', problem)
  }

  #checkOpen(): void {
    if (this.#closing === undefined) return
    throw new MillraceError('MILLRACE_CLIENT_CLOSED', 'the consumer was closed')
  }
}

function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}

function messageOf(error: unknown): { readonly error: string } {
  return { error: error instanceof Error ? error.message : String(error) }
}

function stateError(message: string): MillraceError {
  return new MillraceError('MILLRACE_CLIENT_STATE_INVALID', message)
}

function readingTarget(target: SeekTarget): ReadingTarget {
  if (typeof target === 'number') return { kind: 'offset', offset: target }
  if (target === 'beginning' || target === 'end') return { kind: target }
  if ('offset' in target) return { kind: 'offset', offset: target.offset }
  if ('timestamp' in target) return { kind: 'timestamp', timestamp: target.timestamp }
  return { kind: 'ago', agoMs: target.agoMs }
}

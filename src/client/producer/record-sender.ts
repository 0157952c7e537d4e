import { MillraceError } from '../../errors.ts'
import type { Timer } from '../../platform/index.ts'
import { prepareCompression } from '../../protocol/compression/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { BatchPart } from './batch-part.ts'
import { BufferMemory } from './buffer-memory.ts'
import { DeliveryError } from './delivery-error.ts'
import { FlushCounter } from './flush-counter.ts'
import { ManySend } from './many-send.ts'
import type { QueueContext } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { ProduceDispatcher } from './produce-dispatcher.ts'
import type { IdentitySource } from './producer-identity.ts'
import type { ResolvedProducerOptions } from './producer-options.ts'
import type { ProducerRecord } from './producer-record.ts'
import { batchWithout, splitBatch } from './rebuild-batch.ts'
import { estimatedBytes, RecordAccumulator } from './record-accumulator.ts'
import { LazyResults } from './record-results.ts'
import type { RecordResult, RecordResults } from './record-results.ts'
import type { CallContext, SendCall } from './send-call.ts'
import { SingleSend } from './single-send.ts'
import { TopicTable } from './topic-table.ts'

export interface SendOptions {
  /**
   * Takes back what is in no request yet: that is certainly not written. What is under way is told as unknown at
   * once, and goes on.
   */
  readonly signal?: AbortSignal
}

/**
 * Writes records in the name of an identity: the core of the plain and of the transactional producer.
 *
 * It is **open** until `close`, then **closing** (what was sent before is still settled), then **closed**.
 *
 * Nothing is sent in the middle of a call: whatever changes wakes the sender, which then looks at everything
 * at once, when the input that is already there was handled. So records that come together leave together.
 */
export class RecordSender {
  readonly #cluster: Cluster
  readonly #options: ResolvedProducerOptions
  readonly #memory: BufferMemory
  readonly #topics: TopicTable
  readonly #accumulator: RecordAccumulator
  readonly #dispatcher: ProduceDispatcher
  /** Calls that wait for memory, in their order. */
  readonly #line: SendCall[] = []
  readonly #flushes = new FlushCounter()
  readonly #settled: (call: SendCall) => void
  #state: 'open' | 'closing' | 'closed' = 'open'
  /** Whether the codec can be used: one of them has to be loaded. */
  #isPrepared: boolean
  #isAwake = false
  #timer: Timer | undefined
  #timerMs = Infinity
  #expiryMs = Infinity
  #expirySleep: AbortController | undefined
  /** Why nothing can be sent at all. */
  #unusable: Error | undefined

  constructor(
    cluster: Cluster,
    identity: IdentitySource | undefined,
    options: ResolvedProducerOptions,
  ) {
    this.#cluster = cluster
    this.#options = options
    this.#memory = new BufferMemory(options.bufferBytesMax)
    this.#settled = (call) => {
      call.isSettled = true
      call.onSettled?.()
      this.#flushes.leave(call.context.generation)
    }
    const { random, clock } = cluster.platform
    const queueContext: QueueContext = {
      identity,
      inFlightMax: options.inFlightMax,
      random,
      retryBackoffMs: cluster.options.retryBackoffMs,
      retryBackoffMsMax: cluster.options.retryBackoffMsMax,
      split: (batch) => this.#split(batch),
      released: (batch) => this.#released(batch),
    }
    const memory = this.#memory
    const topic = (name: string) => this.#topics.get(name)
    const wake = () => this.#wake()
    this.#accumulator = new RecordAccumulator({
      ...{ options, clock, memory, topic },
      awaitsPartition: () => this.#topics.lookForPartitions(),
      began: (queue, batch) => {
        batch.generation = this.#flushes.enter()
        this.#dispatcher.activate(queue)
      },
    })
    this.#dispatcher = new ProduceDispatcher({
      ...{ cluster, options, identity, topic, wake },
      resized: (batch) => this.#resized(batch),
      isUrgent: () => this.#line.length > 0 || this.#flushes.isFlushing,
    })
    this.#topics = new TopicTable({
      ...{ cluster, queueContext, memory },
      batchBytesMax: options.batchBytesMax,
      createTopics: options.createTopics,
      ready: (ready) => this.#accumulator.placePending(ready),
      changed: wake,
    })
    this.#isPrepared = options.compression !== 'zstd'
    if (!this.#isPrepared) void this.#prepare()
  }

  /** The memory that records take which are not settled yet. */
  get bufferedBytes(): number {
    return this.#memory.usedBytes
  }

  /** Sends a record; resolves when it is written. */
  send(record: ProducerRecord, { signal }: SendOptions = {}): Promise<RecordResult> {
    return new Promise((resolve, reject) => {
      if (!this.#mayCall(signal, reject)) return
      this.#submit(new SingleSend(record, this.#newContext(), resolve, reject), signal, reject)
    })
  }

  /** Sends records; resolves when all are written, or rejects when each is settled and some are not. */
  sendAll(
    records: readonly ProducerRecord[],
    { signal }: SendOptions = {},
  ): Promise<RecordResults> {
    return new Promise((resolve, reject) => {
      if (!this.#mayCall(signal, reject)) return
      if (records.length === 0) {
        resolve(new LazyResults(0, () => undefined as never))
        return
      }
      this.#submit(new ManySend(records, this.#newContext(), resolve, reject), signal, reject)
    })
  }

  /** Sends everything without lingering; resolves when nothing of it is on its way any more. */
  flush(): Promise<void> {
    const flushed = this.#flushes.begin()
    for (const queue of this.#dispatcher.active) queue.closeOpen()
    this.#wake()
    return flushed
  }

  /** Fails whatever is in no request yet. */
  discardUnsent(error: Error): void {
    for (const call of this.#line.splice(0)) this.#failUnplaced(call, error)
    for (const { call, index } of this.#topics.takePending(() => true)) {
      call.recordFailed(index, notWritten(call.record(index), error))
    }
    for (const queue of this.#dispatcher.active) queue.failQueued(error)
    this.#wake()
  }

  /** Fails whatever is not in flight: what was sent before is not sent again. */
  discard(error: Error): void {
    this.discardUnsent(error)
    for (const queue of this.#dispatcher.active) queue.failWaiting(error)
  }

  /** Takes no more records, and settles those that it has within `timeoutMs`. */
  async close({ timeoutMs = this.#options.deliveryTimeoutMs } = {}): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closing'
    let timer: Timer | undefined
    const timeIsOver = new Promise<void>((resolve) => {
      timer = this.#cluster.platform.clock.setTimer(timeoutMs, resolve)
    })
    await Promise.race([this.flush(), timeIsOver])
    timer?.cancel()
    const error = new Error(`the producer was closed, and gave it ${timeoutMs} ms`)
    this.discardUnsent(error)
    for (const queue of this.#dispatcher.active) queue.failAll(error)
    this.#state = 'closed'
    this.#timer?.cancel()
    this.#expirySleep?.abort()
    this.#topics.close()
  }

  // ---- calls

  #mayCall(signal: AbortSignal | undefined, reject: (error: Error) => void): boolean {
    if (this.#state !== 'open') {
      reject(new MillraceError('MILLRACE_CLIENT_CLOSED', 'the producer is closed'))
    } else if (this.#unusable !== undefined) {
      reject(this.#unusable)
    } else if (signal?.aborted === true) {
      reject(signal.reason as Error)
    } else {
      return true
    }
    return false
  }

  #newContext(): CallContext {
    const { clock } = this.#cluster.platform
    return {
      deadlineMs: clock.elapsedMs() + this.#options.deliveryTimeoutMs,
      timestamp: clock.now(),
      generation: this.#flushes.enter(),
      settled: this.#settled,
    }
  }

  #submit(call: SendCall, signal: AbortSignal | undefined, reject: (error: Error) => void): void {
    if (this.#options.whenFull === 'reject' && !this.#hasRoomFor(call)) {
      this.#settled(call)
      reject(this.#fullError())
      return
    }
    if (this.#line.length > 0 || !this.#accumulator.place(call)) {
      if (this.#options.whenFull === 'reject') this.#failUnplaced(call, this.#fullError())
      else this.#line.push(call)
    }
    if (signal !== undefined) this.#follow(signal, call)
    if (this.#expiryMs === Infinity) this.#expiryMs = call.context.deadlineMs
    this.#wake()
  }

  #follow(signal: AbortSignal, call: SendCall): void {
    if (call.isSettled) return
    const abort = (): void => this.#abort(call, signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    call.onSettled = () => signal.removeEventListener('abort', abort)
  }

  /** Takes back what is in no request yet; the rest is told as unknown, and goes on. */
  #abort(call: SendCall, reason: unknown): void {
    const cause = new Error('the send was aborted', { cause: reason })
    const place = this.#line.indexOf(call)
    if (place >= 0) this.#line.splice(place, 1)
    this.#failUnplaced(call, cause)
    for (const { index } of this.#topics.takePending((pending) => pending.call === call)) {
      call.recordFailed(index, notWritten(call.record(index), cause))
    }
    for (const part of call.parts) {
      const { batch } = part
      if (batch === undefined) continue
      const { topic, partition } = batch
      const definitelyNotWritten = batch.state === 'open' || batch.state === 'closed'
      if (definitelyNotWritten) this.#takeOut(batch, part)
      const what = { topic, partition, definitelyNotWritten, reason: cause.message }
      part.settleFailed({ error: new DeliveryError(what, { cause }) })
    }
    this.#wake()
  }

  #takeOut(batch: ProducerBatch, part: BatchPart): void {
    const queue = this.#topics.get(batch.topic).partitions[batch.partition]
    const rest = batchWithout(batch, part)
    if (rest === undefined) {
      queue?.removeQueued(batch)
      return
    }
    this.#holdMemory(rest, batch.generation)
    queue?.replaceQueued(batch, rest)
  }

  #hasRoomFor(call: SendCall): boolean {
    let bytes = 0
    for (let index = 0; index < call.recordCount; index++) {
      bytes += estimatedBytesOrNone(call.record(index))
    }
    return bytes <= this.#memory.freeBytes
  }

  #fullError(): Error {
    const { usedBytes, bytesMax } = this.#memory
    return new MillraceError(
      'MILLRACE_CLIENT_BUFFER_FULL',
      `records that are not acknowledged take ${usedBytes} of bufferBytesMax (${bytesMax}) bytes: ` +
        'none of these was written',
    )
  }

  #failUnplaced(call: SendCall, cause: Error): void {
    for (; call.cursor < call.recordCount; call.cursor++) {
      const { cursor } = call
      call.recordFailed(cursor, notWritten(call.record(cursor), cause))
    }
  }

  // ---- the loop

  async #prepare(): Promise<void> {
    try {
      await prepareCompression(this.#options.compression)
      this.#isPrepared = true
      this.#wake()
    } catch (error) {
      this.#unusable = error as Error
      this.discardUnsent(error as Error)
    }
  }

  #wake(): void {
    if (this.#isAwake || this.#state === 'closed') return
    this.#isAwake = true
    this.#cluster.platform.clock.defer(() => {
      this.#isAwake = false
      if (this.#state !== 'closed') this.#run()
    })
  }

  #run(): void {
    const nowMs = this.#cluster.platform.clock.elapsedMs()
    if (nowMs >= this.#expiryMs) this.#expire(nowMs)
    this.#serveLine()
    if (this.#isPrepared) this.#setTimer(this.#dispatcher.dispatch(nowMs), nowMs)
    if (this.#expirySleep === undefined && this.#expiryMs < Infinity)
      void this.#sleepToExpiry(nowMs)
  }

  #serveLine(): void {
    while (this.#line[0] !== undefined && this.#accumulator.place(this.#line[0])) {
      this.#line.shift()
    }
  }

  #setTimer(atMs: number, nowMs: number): void {
    if (this.#timer !== undefined && this.#timerMs <= atMs) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (atMs === Infinity) return
    this.#timerMs = atMs
    this.#timer = this.#cluster.platform.clock.setTimer(Math.max(0, atMs - nowMs), () => {
      this.#timer = undefined
      this.#wake()
    })
  }

  /** Unlike a timer it keeps the process alive: who waits for a record is answered, even if by nobody else. */
  async #sleepToExpiry(nowMs: number): Promise<void> {
    this.#expirySleep = new AbortController()
    const { signal } = this.#expirySleep
    await this.#cluster.platform.clock.sleep(this.#expiryMs - nowMs, signal).catch(() => undefined)
    this.#expirySleep = undefined
    this.#wake()
  }

  /** Fails what has waited for too long, and finds out when that is to be done next. */
  #expire(nowMs: number): void {
    for (const queue of this.#dispatcher.active) {
      queue.expire(nowMs, () => this.#timeIsOver(queue.lastError))
    }
    const late = ({ context }: SendCall): boolean => context.deadlineMs <= nowMs
    while (this.#line[0] !== undefined && late(this.#line[0])) {
      const call = this.#line.shift() as SendCall
      this.#failUnplaced(call, this.#timeIsOver(this.#fullError()))
    }
    for (const { call, index } of this.#topics.takePending(({ call: waiting }) => late(waiting))) {
      const error = this.#timeIsOver(this.#topics.lastError)
      call.recordFailed(index, notWritten(call.record(index), error))
    }
    this.#expiryMs = this.#nextExpiry()
  }

  #nextExpiry(): number {
    let next = this.#line[0]?.context.deadlineMs ?? Infinity
    for (const queue of this.#dispatcher.active) next = Math.min(next, queue.oldestDeadlineMs)
    for (const { pending } of this.#topics.all) {
      next = Math.min(next, pending[0]?.call.context.deadlineMs ?? Infinity)
    }
    return next
  }

  #timeIsOver(cause: Error | undefined): Error {
    const because = cause === undefined ? '' : `; last: ${cause.message}`
    return new Error(
      `deliveryTimeoutMs (${this.#options.deliveryTimeoutMs}) is over${because}`,
      cause === undefined ? {} : { cause },
    )
  }

  // ---- batches

  #split(batch: ProducerBatch): ProducerBatch[] {
    const topic = this.#topics.get(batch.topic)
    topic.batchBytesMax = Math.min(topic.batchBytesMax, Math.ceil(batch.uncompressedBytes / 2))
    const halves = splitBatch(batch)
    for (const half of halves) this.#holdMemory(half, batch.generation)
    return halves
  }

  /** A batch has come in the place of one of `generation`. */
  #holdMemory(batch: ProducerBatch, generation: number): void {
    batch.generation = this.#flushes.enter(generation)
    this.#resized(batch)
  }

  #resized(batch: ProducerBatch): void {
    this.#memory.take(batch.capacity - batch.heldBytes)
    batch.heldBytes = batch.capacity
  }

  #released(batch: ProducerBatch): void {
    this.#memory.release(batch.heldBytes)
    batch.heldBytes = 0
    this.#flushes.leave(batch.generation)
  }
}

/** What is wrong with a record is told when it is placed. */
function estimatedBytesOrNone(record: ProducerRecord): number {
  try {
    return estimatedBytes(record)
  } catch {
    return 0
  }
}

function notWritten(record: ProducerRecord, cause: Error): DeliveryError {
  const { topic, partition = -1 } = record
  const what = { topic, partition, definitelyNotWritten: true, reason: cause.message }
  return new DeliveryError(what, { cause })
}

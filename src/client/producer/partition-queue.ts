import { Backoff } from '../backoff.ts'
import type { Random } from '../../platform/index.ts'
import type { RecordBatchOptions } from '../../protocol/records/index.ts'
import type { Attempt } from './attempt.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { sequenceAfter } from './producer-batch.ts'
import { DeliveryError } from './delivery-error.ts'
import type { BatchFailure } from './delivery-error.ts'
import type { IdentitySource, ProducerIdentity } from './producer-identity.ts'

/** For what passes by itself: waiting longer would be most of the time that a small transaction takes. */
const shortBackoffMs = 2

/** What the queues of all partitions share. */
export interface QueueContext {
  /** Undefined: batches carry no sequence numbers. */
  readonly identity: IdentitySource | undefined
  /** Batches of a partition that may be on their way at the same time. */
  readonly inFlightMax: number
  readonly random: Random
  readonly retryBackoffMs: number
  readonly retryBackoffMsMax: number
  /** Makes smaller ones of a batch that is too large. Their state is 'waiting'. */
  readonly split: (batch: ProducerBatch) => readonly ProducerBatch[]
  /** Nothing refers to the batch any more. */
  readonly released: (batch: ProducerBatch) => void
}

/**
 * The batches of one partition, and the sequence numbers that make each of them count once.
 *
 * A batch is **queued** until it is sent first; then it is **taken**: it has the next sequence number of the
 * partition under the current identity, and keeps it until it is gone or, when it is certain that nothing
 * of it was written, gets another one under another identity. `README.md` has the states and the
 * invariants; in short:
 *
 * - Taken batches stand in the order of their sequence numbers. Queued ones come behind them.
 * - What waits to be sent again goes alone, the first of the taken ones first.
 * - A partition has requests in flight to one leader only.
 * - An identity is **broken** in the partition once a sequence number was given out that may never be
 *   written. No batch is numbered under it any more; the next identity is taken on when no taken batch
 *   is left.
 */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  /** The broker that leads the partition; -1 while none does. */
  leaderId = -1
  /** Whether the dispatcher looks at it. */
  isActive = false
  /** Why the last attempt did not succeed, for who asks what all the waiting was about. */
  lastError: Error | undefined
  /** Earliest time at which something is sent again. */
  retryAtMs = 0
  /** Something outside stands in the way: the partition joins a transaction, or a batch is compressed. */
  isHeld = false
  readonly #context: QueueContext
  readonly #backoff: Backoff
  readonly #shortBackoff: Backoff
  #queued: ProducerBatch[] = []
  #taken: ProducerBatch[] = []
  #inFlightCount = 0
  #inFlightTo = -1
  #leaderEpoch = -1
  #identity: ProducerIdentity | undefined
  #nextSequence = 0
  #isBroken = false
  /** Set while everything fails that would be written under the broken identity. */
  #fatalError: Error | undefined
  /** The producer that the leader has written a batch of: from then on it checks sequence numbers. */
  #knownProducerId = -1

  constructor(topic: string, partition: number, context: QueueContext) {
    this.topic = topic
    this.partition = partition
    this.#context = context
    this.#backoff = new Backoff(context.random, {
      firstMs: context.retryBackoffMs,
      limitMs: context.retryBackoffMsMax,
    })
    this.#shortBackoff = new Backoff(context.random, {
      firstMs: Math.min(shortBackoffMs, context.retryBackoffMs),
      limitMs: context.retryBackoffMs,
    })
  }

  get isEmpty(): boolean {
    return this.#queued.length === 0 && this.#taken.length === 0
  }

  get inFlightCount(): number {
    return this.#inFlightCount
  }

  /** Whether a batch is to be sent again. */
  get isRetrying(): boolean {
    return this.#taken.length > this.#inFlightCount
  }

  /** The batch that records are added to. */
  get open(): ProducerBatch | undefined {
    const last = this.#queued[this.#queued.length - 1]
    return last?.state === 'open' ? last : undefined
  }

  /** The batch that is sent first next, when nothing is to be sent again. */
  get nextQueued(): ProducerBatch | undefined {
    return this.#queued[0]
  }

  get oldestDeadlineMs(): number {
    return Math.min(
      this.#taken.find(({ isSettled }) => !isSettled)?.deadlineMs ?? Infinity,
      this.#queued[0]?.deadlineMs ?? Infinity,
    )
  }

  push(batch: ProducerBatch): void {
    this.#queued.push(batch)
  }

  /** Takes the leader that the metadata has; -1 for none. Answers whether it is another one. */
  leaderChanged(leaderId: number, leaderEpoch: number): boolean {
    if (leaderId === this.leaderId && leaderEpoch === this.#leaderEpoch) return false
    this.leaderId = leaderId
    this.#leaderEpoch = leaderEpoch
    this.retryAtMs = 0
    return true
  }

  /** The topic is another than it was: nobody knows of what was written to the one before. */
  logWasReplaced(): void {
    this.#knownProducerId = -1
  }

  /**
   * The batch that may be sent to the leader now, were it ready; undefined when something must end before.
   */
  next(nowMs: number): ProducerBatch | undefined {
    if (this.isHeld || nowMs < this.retryAtMs) return undefined
    if (this.#inFlightCount > 0 && this.leaderId !== this.#inFlightTo) return undefined
    if (this.isRetrying) {
      const first = this.#taken[0] as ProducerBatch
      return first.state === 'waiting' && this.#inFlightCount === 0 ? first : undefined
    }
    if (this.#taken.length >= this.#context.inFlightMax) return undefined
    this.#failWhatCannotBeWritten()
    return this.#mayNumberNext() ? this.#queued[0] : undefined
  }

  /** The batch that `next` answered goes out. It has its sequence number from here on. */
  take(batch: ProducerBatch, format: RecordBatchOptions): void {
    if (batch === this.#queued[0]) {
      this.#queued.shift()
      this.#taken.push(batch)
      if (this.#context.identity === undefined) batch.stamp(undefined, -1, format)
      else batch.stamp(this.#context.identity.current, this.#number(batch), format)
    } else if (!batch.isBuilt) {
      // Half of one that was too large.
      batch.stamp(batch.identity, batch.baseSequence, format)
    }
    batch.state = 'in flight'
    batch.wasFirst = this.#taken[0] === batch
    batch.attempts += 1
    this.#inFlightCount += 1
    this.#inFlightTo = this.leaderId
  }

  /** A request that carried the batch has ended. */
  ended(batch: ProducerBatch, attempt: Attempt, nowMs: number): void {
    this.#inFlightCount -= 1
    if (attempt.kind !== 'written') this.lastError = attempt.error
    switch (attempt.kind) {
      case 'written':
        this.#backoff.reset()
        this.#shortBackoff.reset()
        this.retryAtMs = 0
        if (batch.identity !== undefined) this.#knownProducerId = batch.identity.producerId
        batch.delivered(attempt.written)
        this.#remove(batch)
        break
      case 'retry':
        batch.mayBeWritten ||= attempt.mayBeWritten
        this.#retryOrFail(batch, attempt.error, nowMs + this.#pauseMs(attempt), nowMs)
        break
      case 'sequence refused':
        this.#sequenceRefused(batch, attempt.error, nowMs)
        break
      case 'too large':
        this.#tooLarge(batch, attempt.error)
        break
      case 'failed':
        batch.mayBeWritten ||= attempt.mayBeWritten
        this.#fail(batch, attempt.error, attempt.recordErrors)
        break
    }
    this.#resolveBroken()
  }

  /** Fails what has waited for too long. */
  expire(nowMs: number, describe: (batch: ProducerBatch) => Error): void {
    for (const batch of [...this.#taken]) {
      if (batch.isSettled || batch.deadlineMs > nowMs) continue
      if (batch.state === 'in flight') this.#tellUnknown(batch, describe(batch))
      else this.#fail(batch, describe(batch))
    }
    while (this.#queued[0] !== undefined && this.#queued[0].deadlineMs <= nowMs) {
      this.#failQueued(this.#queued[0], describe(this.#queued[0]))
    }
    this.#resolveBroken()
  }

  /** Fails all batches that were never sent. */
  failQueued(error: Error): void {
    for (const batch of [...this.#queued]) this.#failQueued(batch, error)
  }

  /** Fails all batches that are not in flight: those that were sent before are not sent again. */
  failWaiting(error: Error): void {
    this.failQueued(error)
    for (const batch of [...this.#taken]) {
      if (batch.state === 'waiting') this.#fail(batch, error)
    }
    this.#resolveBroken()
  }

  /** Fails everything; what is in flight may still be written. */
  failAll(error: Error): void {
    this.failQueued(error)
    for (const batch of [...this.#taken]) {
      if (batch.state === 'in flight') this.#tellUnknown(batch, error)
      else this.#settleAndRemove(batch, error)
    }
  }

  /** Takes a batch out that was never sent; false when it was. */
  removeQueued(batch: ProducerBatch): boolean {
    const index = this.#queued.indexOf(batch)
    if (index < 0) return false
    this.#queued.splice(index, 1)
    this.#release(batch)
    return true
  }

  /** Puts a batch in the place of one that was never sent. */
  replaceQueued(batch: ProducerBatch, replacement: ProducerBatch): void {
    this.#queued[this.#queued.indexOf(batch)] = replacement
    this.#release(batch)
  }

  /** Closes the open batch, so that nothing is added to it. */
  closeOpen(): void {
    const { open } = this
    if (open !== undefined) open.state = 'closed'
  }

  // ---- numbering

  #mayNumberNext(): boolean {
    const { identity } = this.#context
    if (identity === undefined) return true
    const { current } = identity
    if (current === undefined) return false
    // Another identity starts from sequence 0, which must not overtake what has a number of the old one.
    if (!isSame(this.#identity, current)) return this.#taken.length === 0
    if (this.#isBroken) return false
    // A leader that knows nothing of a producer takes any sequence number: a second batch could be
    // written before a first one that was refused for a moment (KIP-360). So the first goes alone.
    return this.#taken.length === 0 || this.#knownProducerId === current.producerId
  }

  #number(batch: ProducerBatch): number {
    const current = this.#context.identity?.current as ProducerIdentity
    if (!isSame(this.#identity, current)) {
      this.#identity = current
      this.#nextSequence = 0
      this.#isBroken = false
      this.#fatalError = undefined
    }
    const baseSequence = this.#nextSequence
    this.#nextSequence = sequenceAfter(baseSequence, batch.recordCount)
    return baseSequence
  }

  // ---- what attempts end in

  #pauseMs({ passesSoon = false }: { readonly passesSoon?: boolean }): number {
    return passesSoon ? this.#shortBackoff.nextMs() : this.#backoff.nextMs()
  }

  #retryOrFail(batch: ProducerBatch, error: Error, atMs: number, nowMs: number): void {
    if (batch.isSettled) {
      // It has expired in flight, and was told of then.
      this.#remove(batch)
      this.#breakIdentity(batch, error)
    } else if (batch.deadlineMs <= nowMs) {
      this.#fail(batch, error)
    } else if (this.#fatalError !== undefined) {
      this.#settleAndRemove(batch, this.#fatalError)
    } else {
      batch.state = 'waiting'
      if (batch === this.#taken[0]) this.retryAtMs = atMs
    }
  }

  #sequenceRefused(batch: ProducerBatch, error: Error, nowMs: number): void {
    if (batch.isSettled || batch.identity === undefined) {
      this.#fail(batch, error)
    } else if (!batch.wasFirst) {
      // One before it was not written when it arrived. It is sent again after that one.
      this.#retryOrFail(batch, error, this.retryAtMs, nowMs)
    } else if (this.#breakIdentity(batch, error) === 'renewed') {
      batch.state = 'refused'
      if (batch.attempts > 1) this.retryAtMs = nowMs + this.#backoff.nextMs()
    } else {
      this.#settleAndRemove(batch, error)
    }
  }

  #tooLarge(batch: ProducerBatch, error: Error): void {
    if (batch.isSettled || batch.recordCount === 1) {
      this.#fail(batch, error)
      return
    }
    const parts = this.#context.split(batch)
    this.#taken.splice(this.#taken.indexOf(batch), 1, ...parts)
    this.#release(batch)
  }

  /** A taken batch will not be sent any more. */
  #fail(
    batch: ProducerBatch,
    error: Error,
    recordErrors?: ReadonlyMap<number, string | null>,
  ): void {
    if (!batch.isSettled) settleFailed(batch, error, recordErrors)
    this.#remove(batch)
    this.#breakIdentity(batch, error)
  }

  #failQueued(batch: ProducerBatch, error: Error): void {
    this.#queued.splice(this.#queued.indexOf(batch), 1)
    settleFailed(batch, error)
    this.#release(batch)
    const { identity } = this.#context
    if (identity?.transactionalId === undefined || identity.current === undefined) return
    identity.batchFailed({
      topic: this.topic,
      partition: this.partition,
      identity: identity.current,
      error,
      mayBeWritten: batch.mayBeWritten,
    })
  }

  #tellUnknown(batch: ProducerBatch, cause: Error): void {
    batch.mayBeWritten = true
    settleFailed(batch, cause)
  }

  /** A sequence number was given out in vain, or may have been. */
  #breakIdentity(batch: ProducerBatch, error: Error): 'renewed' | 'failed' {
    const source = this.#context.identity
    if (source === undefined || batch.identity === undefined) return 'renewed'
    const { topic, partition } = this
    const { identity, mayBeWritten } = batch
    const verdict = source.batchFailed({ topic, partition, identity, error, mayBeWritten })
    this.#isBroken = true
    if (verdict === 'renewed') return verdict
    this.#fatalError = error
    for (const other of this.#taken.filter(({ state }) => state === 'waiting')) {
      this.#settleAndRemove(other, error)
    }
    this.#failWhatCannotBeWritten()
    return verdict
  }

  /**
   * Once nothing is in flight under a broken identity: what was certainly not written goes back into the
   * queue, in order, to be numbered under another. While the outcome of some batch can still be learned by
   * sending it again under the old identity, that is done first. It cannot once the first one is refused:
   * then those which may be written will never be known.
   */
  #resolveBroken(): void {
    if (!this.#isBroken || this.#inFlightCount > 0 || this.#taken.length === 0) return
    const isRefused = this.#taken[0]?.state === 'refused'
    if (!isRefused && this.#taken.some(({ mayBeWritten }) => mayBeWritten)) return
    const again: ProducerBatch[] = []
    for (const batch of this.#taken) {
      if (batch.mayBeWritten) {
        const reason = 'a batch before it was not written'
        settleFailed(batch, new Error(reason))
        this.#release(batch)
      } else {
        batch.state = 'closed'
        batch.identity = undefined
        batch.baseSequence = -1
        again.push(batch)
      }
    }
    this.#taken = []
    this.#queued.unshift(...again)
  }

  #failWhatCannotBeWritten(): void {
    if (this.#fatalError === undefined || this.#queued.length === 0) return
    const current = this.#context.identity?.current
    if (current === undefined || isSame(current, this.#identity)) this.failQueued(this.#fatalError)
  }

  #settleAndRemove(batch: ProducerBatch, error: Error): void {
    settleFailed(batch, error)
    this.#remove(batch)
  }

  #remove(batch: ProducerBatch): void {
    const index = this.#taken.indexOf(batch)
    if (index >= 0) this.#taken.splice(index, 1)
    this.#release(batch)
  }

  #release(batch: ProducerBatch): void {
    batch.discard()
    this.#context.released(batch)
  }
}

function isSame(one: ProducerIdentity | undefined, other: ProducerIdentity | undefined): boolean {
  return one?.producerId === other?.producerId && one?.producerEpoch === other?.producerEpoch
}

/** Tells those who wait for a batch that it was not acknowledged, and whether it may be written. */
function settleFailed(
  batch: ProducerBatch,
  cause: Error,
  recordErrors?: ReadonlyMap<number, string | null>,
): void {
  batch.failed(failureOf(batch, cause, recordErrors))
}

function failureOf(
  batch: ProducerBatch,
  cause: Error,
  recordErrors?: ReadonlyMap<number, string | null>,
): BatchFailure {
  const { topic, partition } = batch
  const where = { topic, partition, definitelyNotWritten: !batch.mayBeWritten }
  const retriable = !batch.mayBeWritten && (cause as { retriable?: boolean }).retriable !== false
  if (recordErrors === undefined) {
    const error = new DeliveryError({ ...where, reason: cause.message }, { cause, retriable })
    return { error }
  }
  const reason = 'another record of its batch was refused'
  const error = new DeliveryError({ ...where, reason }, { cause, retriable: !batch.mayBeWritten })
  const own = new Map<number, DeliveryError>()
  for (const [index, message] of recordErrors) {
    const options = { cause, retriable: false }
    own.set(index, new DeliveryError({ ...where, reason: message ?? cause.message }, options))
  }
  return { error, recordErrors: own }
}

import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { ProducerEntry, sequenceAfter } from './producer-entry.ts'
import type { RememberedBatch } from './producer-entry.ts'

/** The part of a batch that says who wrote it, and as which of its batches. */
export interface ProducedBatch {
  readonly producerId: number
  readonly producerEpoch: number
  /** -1 for what a coordinator writes in the name of a producer. */
  readonly baseSequence: number
  readonly lastSequence: number
  readonly lastOffsetDelta: number
  readonly isTransactional: boolean
}

/** A control record that ends a transaction. */
export interface TransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
}

/**
 * The producers that a partition remembers: which batches it has of them, so that a retry is known
 * again and a gap is refused (KIP-98, KIP-360), and which epoch, so that a zombie is fenced.
 *
 * An entry comes with the first batch or marker of a producer and goes when it was not heard of for
 * `producer.id.expiration.ms` and has no open transaction. While there is no entry any sequence is
 * taken: the producer may be older than what the log still holds. Producers of transactions v2 are
 * the exception, because they start again at 0 after every transaction (KIP-890).
 */
export class Producers {
  readonly #entries = new Map<number, ProducerEntry>()

  get count(): number {
    return this.#entries.size
  }

  /** In the order in which they were first heard of. */
  entries(): IterableIterator<ProducerEntry> {
    return this.#entries.values()
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId)
  }

  /** The batch that `batch` repeats, if the log has it. To be asked before anything else. */
  duplicateOf(batch: ProducedBatch): RememberedBatch | undefined {
    const entry = this.#entries.get(batch.producerId)
    if (entry?.epoch !== batch.producerEpoch) return undefined
    return entry.batchOf(batch.baseSequence, batch.lastSequence)
  }

  /** Why a batch may not follow what the log has of its producer, if so. */
  checkBatch(batch: ProducedBatch, startsAtZero: boolean): Refusal | undefined {
    const entry = this.#entries.get(batch.producerId)
    if (entry === undefined) return checkStranger(batch, startsAtZero)
    if (batch.producerEpoch < entry.epoch) return staleEpoch(batch, entry)
    const gap = checkSequence(batch, entry)
    if (gap !== undefined) return gap
    if (entry.transactionStart >= 0 && !batch.isTransactional) {
      return refuse(
        'INVALID_TXN_STATE',
        `producer ${batch.producerId} has an open transaction since offset ${entry.transactionStart}, ` +
          `a batch outside of it is not allowed`,
      )
    }
    return undefined
  }

  /**
   * Why a marker may not be written, if so. With transactions v2 the coordinator raises the epoch
   * before it writes a marker. A marker of the epoch that is known is therefore late, and would end
   * the transaction after the one it is meant for: it is taken only if none is open, where it ends
   * nothing (KIP-890, KIP-1228).
   */
  checkMarker(marker: TransactionMarker, transactionsVersion: number): Refusal | undefined {
    const entry = this.#entries.get(marker.producerId)
    if (entry === undefined) return undefined
    const repeats = marker.producerEpoch === entry.epoch && entry.transactionStart >= 0
    if (marker.producerEpoch < entry.epoch || (transactionsVersion >= 2 && repeats)) {
      return staleEpoch(marker, entry)
    }
    if (marker.coordinatorEpoch < entry.coordinatorEpoch) {
      return refuse(
        'TRANSACTION_COORDINATOR_FENCED',
        `a marker of producer ${marker.producerId} has coordinator epoch ${marker.coordinatorEpoch}, ` +
          `${entry.coordinatorEpoch} was seen`,
      )
    }
    return undefined
  }

  /** Takes note of a batch that was appended; answers whether a transaction starts with it. */
  addBatch(batch: ProducedBatch, baseOffset: number, maxTimestamp: number, nowMs: number): boolean {
    const entry = this.#entryOf(batch.producerId, nowMs)
    entry.moveTo(batch.producerEpoch)
    entry.lastTimestamp = maxTimestamp
    entry.lastHeardMs = nowMs
    entry.remember({
      baseSequence: batch.baseSequence,
      lastSequence: batch.lastSequence,
      baseOffset,
      lastOffset: baseOffset + batch.lastOffsetDelta,
      maxTimestamp,
    })
    const starts = batch.isTransactional && entry.transactionStart < 0
    if (starts) entry.transactionStart = baseOffset
    return starts
  }

  /** Takes note of a marker; answers where the transaction that it ends started, -1 for none. */
  addMarker(marker: TransactionMarker, timestamp: number, nowMs: number): number {
    const entry = this.#entryOf(marker.producerId, nowMs)
    entry.moveTo(marker.producerEpoch)
    // An empty marker, left by compaction, does not say who its coordinator was.
    entry.coordinatorEpoch = Math.max(entry.coordinatorEpoch, marker.coordinatorEpoch)
    entry.lastTimestamp = timestamp
    entry.lastHeardMs = nowMs
    const start = entry.transactionStart
    entry.transactionStart = -1
    return start
  }

  /** Puts back an entry that was saved. */
  restore(entry: ProducerEntry): void {
    this.#entries.set(entry.producerId, entry)
  }

  forgetAll(): void {
    this.#entries.clear()
  }

  /** Forgets producers that were not heard of for so long; answers how many. */
  expire(nowMs: number, expirationMs: number): number {
    const before = this.#entries.size
    for (const entry of this.#entries.values()) {
      const idle = nowMs - entry.lastHeardMs >= expirationMs
      if (idle && entry.transactionStart < 0) this.#entries.delete(entry.producerId)
    }
    return before - this.#entries.size
  }

  #entryOf(producerId: number, nowMs: number): ProducerEntry {
    let entry = this.#entries.get(producerId)
    if (entry === undefined) {
      entry = new ProducerEntry(producerId, nowMs)
      this.#entries.set(producerId, entry)
    }
    return entry
  }
}

function checkStranger(batch: ProducedBatch, startsAtZero: boolean): Refusal | undefined {
  if (!startsAtZero || !batch.isTransactional || batch.baseSequence <= 0) return undefined
  return refuse(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    `producer ${batch.producerId} is not known here and starts with sequence ${batch.baseSequence}, 0 expected`,
  )
}

function checkSequence(batch: ProducedBatch, entry: ProducerEntry): Refusal | undefined {
  // A coordinator's batches have no sequences.
  if (batch.baseSequence < 0) return undefined
  const isNewEpoch = batch.producerEpoch !== entry.epoch
  const last = entry.lastSequence
  const expected = isNewEpoch || last < 0 ? 0 : sequenceAfter(last, 1)
  if (batch.baseSequence === expected) return undefined
  return refuse(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    `producer ${batch.producerId} sends sequence ${batch.baseSequence} in epoch ${batch.producerEpoch}, ` +
      `${expected} expected`,
  )
}

function staleEpoch(
  writer: { readonly producerId: number; readonly producerEpoch: number },
  entry: ProducerEntry,
): Refusal {
  return refuse(
    'INVALID_PRODUCER_EPOCH',
    `producer ${writer.producerId} has epoch ${writer.producerEpoch}, ${entry.epoch} was seen`,
  )
}

import { RecordBatch } from '../../protocol/records/index.ts'
import type {
  RecordBatchBuilder,
  RecordBatchOptions,
  RecordHeaderInput,
} from '../../protocol/records/index.ts'
import type { BufferPool } from './buffer-pool.ts'
import type { BatchPart, BatchWritten } from './batch-part.ts'
import type { BatchFailure } from './delivery-error.ts'
import type { ProducerIdentity } from './producer-identity.ts'
import type { RecordBytes } from './producer-record.ts'

/**
 * Where a batch is on its way.
 *
 * - **open**: records are added. It closes when it is full, before it is sent, or by `flush`.
 * - **closed**: it waits for its first request.
 * - **in flight**: a request carries it that has not ended.
 * - **waiting**: a request that carried it has ended without success; it is to be sent again.
 * - **refused**: the broker does not take its sequence number, and never will under this identity.
 * - **gone**: written, failed, or split into others.
 */
export type BatchState = 'open' | 'closed' | 'in flight' | 'waiting' | 'refused' | 'gone'

export interface BatchOrigin {
  readonly topic: string
  readonly partition: number
  /** When it was begun, as `elapsedMs` counts. */
  readonly createdMs: number
  /** When its first record must be settled, as `elapsedMs` counts. */
  readonly deadlineMs: number
}

/** Sequence numbers go from 0 to 2^31 - 1, and then from 0 on again. */
export const sequenceCount = 2 ** 31

/** A batch of records of one partition, and who waits for them. */
export class ProducerBatch {
  readonly topic: string
  readonly partition: number
  readonly createdMs: number
  deadlineMs: number
  state: BatchState = 'open'
  /** Whether an attempt to write it ended without saying that it did not. Never taken back. */
  mayBeWritten = false
  /** Whether those who waited were told. A batch that expired in flight is told of, but still there. */
  isSettled = false
  /** Whether all batches before it were resolved when it was last sent. */
  wasFirst = false
  identity: ProducerIdentity | undefined
  /** -1 while it has none. */
  baseSequence = -1
  attempts = 0
  /** How many flushes had begun when it was. */
  generation = 0
  /** Bytes of the producer's memory that it holds. */
  heldBytes = 0
  parts: BatchPart[] = []
  /** What another thread has made of `uncompressedRecords`. */
  compressedRecords: Buffer | undefined
  /** Whether other threads have failed to. */
  isCompressedHere = false
  #builder: RecordBatchBuilder | undefined
  #bytes: Buffer | undefined
  readonly #pool: BufferPool | undefined
  /** All of the buffer that the bytes are in, when they are where they were appended. */
  #memory: Buffer | undefined
  #uncompressedBytes = 0
  #recordCount = 0

  /** `pool` gets the memory back where nobody can look at it any more. */
  constructor(origin: BatchOrigin, builder: RecordBatchBuilder, pool?: BufferPool) {
    this.topic = origin.topic
    this.partition = origin.partition
    this.createdMs = origin.createdMs
    this.deadlineMs = origin.deadlineMs
    this.#builder = builder
    this.#pool = pool
    this.#recordCount = builder.recordCount
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** The memory of its buffer. */
  get capacity(): number {
    return this.#memory?.length ?? this.#builder?.memory.length ?? this.#bytes?.length ?? 0
  }

  /** Its size as it is sent, or as it would be sent without compression. */
  get sizeInBytes(): number {
    return this.#bytes?.length ?? this.#builder?.sizeInBytes ?? 0
  }

  /** Its size before compression. */
  get uncompressedBytes(): number {
    return this.#builder?.sizeInBytes ?? this.#uncompressedBytes
  }

  /** The batch for who reads its records. Nothing can be added any more. */
  readableBatch(): Buffer {
    return this.#bytes ?? this.#builder?.build() ?? Buffer.alloc(0)
  }

  /** What is compressed, as long as it was not built. */
  get uncompressedRecords(): Buffer | undefined {
    return this.#builder?.uncompressedRecords
  }

  /** The bytes that a request carries. */
  get bytes(): Buffer {
    if (this.#bytes === undefined) throw new Error('the batch was not built')
    return this.#bytes
  }

  get isBuilt(): boolean {
    return this.#bytes !== undefined
  }

  /** Adds a record, unless the batch would pass `sizeMax` with it; answers whether it did. */
  tryAppend(
    key: RecordBytes,
    value: RecordBytes,
    timestamp: number,
    headers: readonly RecordHeaderInput[],
    sizeMax: number,
  ): boolean {
    const isAdded = this.#builder?.tryAppend(key, value, timestamp, headers, sizeMax)
    if (isAdded !== true) return false
    this.#recordCount += 1
    return true
  }

  /** The same of a record that was packed before. */
  tryAppendContent(content: Uint8Array, timestamp: number, sizeMax: number): boolean {
    const isAdded = this.#builder?.tryAppendContent(content, timestamp, sizeMax)
    if (isAdded !== true) return false
    this.#recordCount += 1
    return true
  }

  /** Writes it in the name of `identity`, from `baseSequence` on; builds it when that was not done yet. */
  stamp(
    identity: ProducerIdentity | undefined,
    baseSequence: number,
    options: RecordBatchOptions,
  ): void {
    this.identity = identity
    this.baseSequence = baseSequence
    const { producerId, producerEpoch } = identity ?? { producerId: -1, producerEpoch: -1 }
    if (this.#builder === undefined) {
      RecordBatch.at(this.bytes).setProducer(producerId, producerEpoch, baseSequence)
      return
    }
    this.#uncompressedBytes = this.#builder.sizeInBytes
    const { compressedRecords } = this
    const { memory } = this.#builder
    const { compression = 'none', compressionLevel, isTransactional = false } = options
    // Named one by one: to spread them would take a fifth of the time that a single send takes here.
    this.#bytes = this.#builder.build({
      compression,
      compressionLevel,
      isTransactional,
      compressedRecords,
      producerId,
      producerEpoch,
      baseSequence,
    })
    this.#builder = undefined
    this.compressedRecords = undefined
    if (this.#bytes.buffer === memory.buffer) this.#memory = memory
    else this.#pool?.give(memory)
  }

  delivered(written: BatchWritten): void {
    this.isSettled = true
    for (const part of this.parts) part.settleDelivered(this, written)
    // An earlier request with these bytes could still be on its way out.
    if (this.#memory !== undefined && this.attempts === 1) this.#pool?.give(this.#memory)
    this.#drop()
  }

  failed(failure: BatchFailure): void {
    this.isSettled = true
    for (const part of this.parts) part.settleFailed(failure)
    this.parts = []
  }

  /** Its memory is not needed any more. */
  discard(): void {
    this.state = 'gone'
    this.#drop()
  }

  #drop(): void {
    this.parts = []
    this.#bytes = undefined
    this.#memory = undefined
    this.#builder = undefined
  }
}

/** The sequence number `count` records behind `sequence`. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % sequenceCount
}

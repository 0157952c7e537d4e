import { MillraceError } from '../../errors.ts'
import { RecordBatchBuilder } from '../../protocol/records/index.ts'
import type { RecordHeaderInput } from '../../protocol/records/index.ts'
import type { Clock } from '../../platform/index.ts'
import { BufferPool } from './buffer-pool.ts'
import type { BufferMemory } from './buffer-memory.ts'
import { DeliveryError } from './delivery-error.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { PackedRecord } from './packed-record.ts'
import { partitionOfKey } from './partitioner.ts'
import { ProducerBatch } from './producer-batch.ts'
import { requestOverheadBytes } from './producer-options.ts'
import type { ResolvedProducerOptions } from './producer-options.ts'
import { checkedBytes, headersOf } from './producer-record.ts'
import type { ProducerRecord, RecordBytes } from './producer-record.ts'
import type { SendCall } from './send-call.ts'
import { noSuchPartition } from './topic-queue.ts'
import type { TopicQueue } from './topic-queue.ts'

export interface AccumulatorContext {
  readonly options: ResolvedProducerOptions
  readonly clock: Clock
  readonly memory: BufferMemory
  /** The queue of a topic, which is made when it is first asked for. */
  readonly topic: (name: string) => TopicQueue
  /** A record waits for a partition that a known topic does not have yet. */
  readonly awaitsPartition: () => void
  /** The partition has one more batch. */
  readonly began: (queue: PartitionQueue, batch: ProducerBatch) => void
}

/** A batch takes no less than this from the start. */
const batchBytesMin = 512
/** What is kept of buffers that were used, for batches to come. */
const pooledBytesMax = 16 * 1024 * 1024
/** What is counted for a record besides its bytes, while it waits for its topic. */
const recordOverheadBytes = 64
const noHeaders: readonly RecordHeaderInput[] = []

/**
 * Puts records into batches: chooses the partition, once, and writes the record at its place in the
 * partition's open batch. This is the path that every record takes.
 */
export class RecordAccumulator {
  readonly #context: AccumulatorContext
  readonly #recordBytesMax: number
  readonly #pool: BufferPool

  constructor(context: AccumulatorContext) {
    this.#context = context
    const { requestBytesMax, bufferBytesMax } = context.options
    this.#pool = new BufferPool(Math.min(pooledBytesMax, bufferBytesMax / 4))
    this.#recordBytesMax = Math.min(requestBytesMax - requestOverheadBytes, bufferBytesMax)
  }

  /** Places the records of a call from its cursor on; false when the memory is taken before the end. */
  place(call: SendCall): boolean {
    const { recordCount } = call
    let topic: TopicQueue | undefined
    while (call.cursor < recordCount) {
      const index = call.cursor
      const record = call.record(index)
      try {
        if (topic?.name !== record.topic) topic = this.#context.topic(record.topic)
        const isPlaced =
          topic.isReady && !isMissing(record.partition, topic)
            ? this.#append(call, index, record, topic)
            : this.#keep(call, index, record, topic)
        if (!isPlaced) return false
      } catch (error) {
        this.#refuse(call, index, error as Error)
      }
      call.cursor = index + 1
    }
    return true
  }

  /** Partitions of the topic have become known: places what has waited for them. */
  placePending(topic: TopicQueue): void {
    const { pending } = topic
    topic.pending = []
    for (const waiting of pending) {
      const { call, index, heldBytes } = waiting
      const record = call.record(index)
      if (isMissing(record.partition, topic)) {
        topic.pending.push(waiting)
        this.#context.awaitsPartition()
        continue
      }
      this.#context.memory.release(heldBytes)
      try {
        // Its memory was granted before; to wait for it again would let others overtake.
        this.#append(call, index, record, topic, 'granted')
      } catch (error) {
        this.#refuse(call, index, error as Error)
      }
    }
  }

  #keep(call: SendCall, index: number, record: ProducerRecord, topic: TopicQueue): boolean {
    const { memory } = this.#context
    const heldBytes = estimatedBytes(record)
    if (heldBytes > memory.freeBytes && memory.usedBytes > 0) return false
    memory.take(heldBytes)
    topic.pending.push({ call, index, heldBytes, sinceMs: this.#context.clock.elapsedMs() })
    if (topic.isReady) this.#context.awaitsPartition()
    return true
  }

  #append(
    call: SendCall,
    index: number,
    record: ProducerRecord,
    topic: TopicQueue,
    granted?: 'granted',
  ): boolean {
    const isPacked = record instanceof PackedRecord
    const key = isPacked || record.key === undefined ? null : fieldOf('key', record.key)
    const value = isPacked ? null : fieldOf('value', record.value)
    const headers = isPacked || record.headers === undefined ? noHeaders : headersOf(record.headers)
    const timestamp = record.timestamp ?? call.context.timestamp
    const partition = this.#partitionOf(record, key, topic)
    const queue = topic.partitions[partition < 0 ? topic.stickyPartition : partition]
    if (queue === undefined) throw noSuchPartition(topic, partition)
    const freeBytes = granted === undefined ? this.#context.memory.freeBytes : Infinity
    const { open } = queue
    if (open !== undefined) {
      const sizeMax = Math.min(topic.batchBytesMax, open.heldBytes + freeBytes)
      const isAdded = isPacked
        ? open.tryAppendContent(record.content, timestamp, sizeMax)
        : open.tryAppend(key, value, timestamp, headers, sizeMax)
      if (isAdded) {
        this.#placed(call, index, open, timestamp)
        return true
      }
      this.#close(topic, queue, open)
      if (partition < 0) return this.#append(call, index, record, topic, granted)
    }
    const batch = this.#begin(call, topic, queue, freeBytes)
    const sizeMax = Math.min(this.#recordBytesMax, freeBytes)
    const isAdded = isPacked
      ? batch.tryAppendContent(record.content, timestamp, sizeMax)
      : batch.tryAppend(key, value, timestamp, headers, sizeMax)
    if (!isAdded) {
      const bytes = batchBytesWith(record, timestamp)
      if (bytes > this.#recordBytesMax) throw tooLarge(bytes, this.#recordBytesMax)
      return false
    }
    queue.push(batch)
    this.#context.began(queue, batch)
    this.#placed(call, index, batch, timestamp)
    return true
  }

  /** The partition of a record; -1 leaves the choice to the topic. */
  #partitionOf(record: ProducerRecord, key: RecordBytes, topic: TopicQueue): number {
    const { partitions } = topic
    if (record.partition !== undefined) return checkedPartition(record.partition, topic)
    const { partitioner } = this.#context.options
    if (partitioner !== undefined) {
      const chosen = partitioner(record, partitions.length)
      if (chosen !== undefined) return checkedPartition(chosen, topic)
    }
    if (record instanceof PackedRecord) {
      return record.keyHash < 0 ? -1 : record.keyHash % partitions.length
    }
    return key === null ? -1 : partitionOfKey(key, partitions.length)
  }

  #begin(
    call: SendCall,
    topic: TopicQueue,
    queue: PartitionQueue,
    freeBytes: number,
  ): ProducerBatch {
    const { clock, options } = this.#context
    const createdMs = clock.elapsedMs()
    // A call that had to wait has less time left than one that comes now.
    const deadlineMs = Math.min(call.context.deadlineMs, createdMs + options.deliveryTimeoutMs)
    const expected = Math.max(
      batchBytesMin,
      Math.min(topic.expectedBatchBytes, topic.batchBytesMax),
    )
    const builder = new RecordBatchBuilder(this.#pool.take(expected, freeBytes))
    const { partition } = queue
    const origin = { topic: topic.name, partition, createdMs, deadlineMs }
    // Without an answer nobody knows when the bytes have left.
    return new ProducerBatch(origin, builder, options.acks === 'none' ? undefined : this.#pool)
  }

  #placed(call: SendCall, index: number, batch: ProducerBatch, timestamp: number): void {
    const { capacity } = batch
    if (capacity !== batch.heldBytes) {
      this.#context.memory.take(capacity - batch.heldBytes)
      batch.heldBytes = capacity
    }
    if (call.context.deadlineMs < batch.deadlineMs) batch.deadlineMs = call.context.deadlineMs
    call.recordPlaced(index, batch, timestamp)
  }

  #close(topic: TopicQueue, queue: PartitionQueue, batch: ProducerBatch): void {
    batch.state = 'closed'
    topic.expectedBatchBytes = batch.sizeInBytes
    topic.batchClosed(queue.partition)
  }

  #refuse(call: SendCall, index: number, cause: Error): void {
    const { topic, partition = -1 } = call.record(index)
    const name = call.recordCount > 1 ? `records[${index}].` : ''
    const what = { topic, partition, definitelyNotWritten: true, reason: `${name}${cause.message}` }
    call.recordFailed(index, new DeliveryError(what, { cause, retriable: false }))
  }
}

/** The size of a batch with only this record. */
function batchBytesWith({ key = null, value, headers }: ProducerRecord, timestamp: number): number {
  const fields = { key, value, timestamp, headers: headersOf(headers) }
  return new RecordBatchBuilder(0).sizeWith(fields)
}

/** About the memory that a record takes. */
export function estimatedBytes(record: ProducerRecord): number {
  if (record instanceof PackedRecord) return recordOverheadBytes + record.content.length
  const { key, value, headers } = record
  let bytes = recordOverheadBytes + lengthOf(key) + lengthOf(value)
  if (headers === undefined) return bytes
  for (const header of headersOf(headers)) bytes += header.key.length + lengthOf(header.value)
  return bytes
}

function lengthOf(field: RecordBytes | undefined): number {
  return field === undefined || field === null ? 0 : field.length
}

function fieldOf(name: string, field: RecordBytes): RecordBytes {
  return typeof field === 'string' || field === null || field instanceof Uint8Array
    ? field
    : checkedBytes(name, field)
}

/** Whether the partition could be one that was added to the topic since its metadata came. */
function isMissing(partition: number | undefined, { partitions }: TopicQueue): boolean {
  return (
    partition !== undefined && Number.isSafeInteger(partition) && partition >= partitions.length
  )
}

function checkedPartition(partition: number, topic: TopicQueue): number {
  if (topic.partitions[partition] === undefined) throw noSuchPartition(topic, partition)
  return partition
}

function tooLarge(bytes: number, bytesMax: number): Error {
  return new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `record (${bytes} bytes with its batch) must not exceed ${bytesMax} bytes, ` +
      'the smaller of requestBytesMax and bufferBytesMax',
  )
}

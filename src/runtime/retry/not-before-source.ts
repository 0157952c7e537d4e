import { partitionKey } from '../../client/index.ts'
import type { CloseOptions, PollOptions, SeekTarget, TopicPartition } from '../../client/index.ts'
import type { RecordSource, SourceBatch, SourceOptions, SourceRecord } from '../../driver/index.ts'
import { ForwardingSource } from '../forwarding-source.ts'
import type { Clock, Timer } from '../../platform/index.ts'
import { partOfBatch } from '../part-of-batch.ts'
import { notBeforeHeader } from './retry-copy.ts'
import type { RetryTopics } from './retry-topics.ts'

type Callbacks = Required<Pick<SourceOptions, 'onAssigned' | 'onRevoked' | 'onLost'>>

export interface NotBeforeParts {
  readonly clock: Clock
  readonly topics: RetryTopics
  readonly callbacks: Callbacks
  /** Makes the source that is read; what it tells of partitions goes through here. */
  readonly source: (callbacks: Callbacks) => RecordSource
}

/** A partition of a retry topic. */
interface Gate {
  /** Whether whoever reads has paused it. */
  isPaused: boolean
  /** Set while it waits for the time of its next record. */
  timer: Timer | undefined
  /** The record whose time has come: however its header is read, it waits once. */
  released: number
}

/** Records whose times are close to each other are read together. */
const waitMsMin = 100

/**
 * Reads partitions, and hands out nothing of a retry topic before its time. Copies of one retry topic wait equally long, so
 * that its partitions are in the order of their times: the first record that has to wait is where its partition is
 * paused, read again from there when the time has come, and held nowhere meanwhile. No record waits longer than its topic's
 * delay from when it is seen first, whatever its header says.
 *
 * - A partition is **open** → **waiting** (paused here, with a timer) → open. A seek, and being given up, end the wait.
 */
export class NotBeforeSource extends ForwardingSource {
  readonly #clock: Clock
  readonly #topics: RetryTopics
  readonly #gates = new Map<string, Gate>()

  constructor({ clock, topics, callbacks, source }: NotBeforeParts) {
    const { onAssigned, onRevoked, onLost } = callbacks
    const made = source({
      onAssigned: (partitions) => {
        this.#forget(partitions)
        return onAssigned(partitions)
      },
      onRevoked: (partitions, call) => {
        this.#forget(partitions)
        return onRevoked(partitions, call)
      },
      onLost: (partitions) => {
        this.#forget(partitions)
        return onLost(partitions)
      },
    })
    super(made)
    this.#clock = clock
    this.#topics = topics
  }

  override async poll(options?: PollOptions): Promise<SourceBatch[]> {
    const batches = await this.source.poll(options)
    return batches.flatMap((batch) => {
      const topic = this.#topics.get(batch.topic)
      return topic === undefined ? batch : (this.#due(batch, topic.delayMs) ?? [])
    })
  }

  override pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#set(partition, true)
    this.source.pause(partitions)
  }

  override resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#set(partition, false)
    this.source.resume(partitions.filter((each) => this.#gate(each)?.timer === undefined))
  }

  override seek(partition: TopicPartition, target: SeekTarget): void {
    this.source.seek(partition, target)
    const gate = this.#gate(partition)
    if (gate === undefined) return
    const wasWaiting = gate.timer !== undefined
    gate.timer?.cancel()
    gate.timer = undefined
    gate.released = -1
    if (wasWaiting && !gate.isPaused) this.source.resume([partition])
  }

  override async close(options?: CloseOptions): Promise<void> {
    await this.source.close(options)
    for (const { timer } of this.#gates.values()) timer?.cancel()
    this.#gates.clear()
  }

  /** What of a batch is due, and the end of it where the partition has to wait. */
  #due(batch: SourceBatch, delayMs: number): SourceBatch | undefined {
    const gate = this.#gate(batch) ?? this.#newGate(batch)
    // It lies behind the record that is waited for, and is read again after it.
    if (gate.timer !== undefined) return undefined
    const due: SourceRecord[] = []
    try {
      for (const record of batch) {
        const waitMs = record.offset === gate.released ? 0 : this.#waitMs(record, delayMs)
        if (waitMs > 0) {
          this.#wait(batch, gate, record.offset, waitMs)
          return partOfBatch(batch, due, record.offset)
        }
        due.push(record)
      }
    } catch {
      // What cannot be read is told to whoever reads it.
    }
    return batch
  }

  #waitMs(record: SourceRecord, delayMs: number): number {
    const text = record.header(notBeforeHeader)?.toString('latin1') ?? ''
    const leftMs = /^\d{1,15}$/.test(text) ? Number(text) - this.#clock.now() : 0
    return leftMs <= 0 ? 0 : Math.max(Math.min(leftMs, delayMs), waitMsMin)
  }

  #wait({ topic, partition }: TopicPartition, gate: Gate, offset: number, waitMs: number): void {
    const place = { topic, partition }
    this.source.pause([place])
    this.source.seek(place, offset)
    gate.timer = this.#clock.setTimer(waitMs, () => {
      gate.timer = undefined
      gate.released = offset
      if (!gate.isPaused) this.source.resume([place])
    })
  }

  #gate(partition: TopicPartition): Gate | undefined {
    return this.#gates.get(partitionKey(partition))
  }

  #newGate(partition: TopicPartition): Gate {
    const gate: Gate = { isPaused: false, timer: undefined, released: -1 }
    this.#gates.set(partitionKey(partition), gate)
    return gate
  }

  #set(partition: TopicPartition, isPaused: boolean): void {
    if (this.#topics.get(partition.topic) === undefined) return
    const gate = this.#gate(partition) ?? this.#newGate(partition)
    gate.isPaused = isPaused
  }

  #forget(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      this.#gate(partition)?.timer?.cancel()
      this.#gates.delete(partitionKey(partition))
    }
  }
}

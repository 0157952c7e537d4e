import { partitionKey, PartitionError } from '../../client/index.ts'
import type { CommittedOffset, OffsetReset, TopicPartition } from '../../client/index.ts'
import type { Clock } from '../../platform/index.ts'
import type { KafkaJsOffsets } from './kafkajs-offsets.ts'
import type { PlaceInLog, ReadingTarget } from './partition-reading.ts'

export interface PlaceFinderParts {
  readonly clock: Clock
  readonly groupId: string
  readonly offsetReset: OffsetReset
  readonly offsets: KafkaJsOffsets
  /** An offset was found that the group has committed. */
  readonly isCommitted: (offset: CommittedOffset) => void
}

/**
 * Finds out where a partition goes on. kafkajs is only ever sent to offsets that are there: at one that is not it would
 * commit another by itself.
 */
export class PlaceFinder {
  readonly #parts: PlaceFinderParts

  constructor(parts: PlaceFinderParts) {
    this.#parts = parts
  }

  /** Throws a `PartitionError` where there is no such place and `offsetReset` gives no other. */
  async find(partition: TopicPartition, target: ReadingTarget): Promise<PlaceInLog> {
    const { groupId, offsets, clock, isCommitted } = this.#parts
    switch (target.kind) {
      case 'committed': {
        const [committed] = await offsets.committed(groupId, [partition], {})
        if (committed === undefined) return this.#reset(partition, 'nothing is committed', -1)
        isCommitted(committed)
        return this.#at(partition, committed.offset)
      }
      case 'offset':
        return this.#at(partition, target.offset)
      case 'timestamp':
        return this.#since(partition, target.timestamp)
      case 'ago':
        return this.#since(partition, clock.now() - target.agoMs)
      case 'beginning':
      case 'end': {
        const { low, high } = await offsets.range(partition)
        return { offset: target.kind === 'end' ? high : low, highWatermark: high }
      }
    }
  }

  async #at(partition: TopicPartition, offset: number): Promise<PlaceInLog> {
    const { low, high } = await this.#parts.offsets.range(partition)
    if (offset >= low && offset <= high) return { offset, highWatermark: high }
    const problem = `offset ${offset} is not there, it has ${low} to ${high}`
    return this.#reset(partition, problem, offset)
  }

  async #since(partition: TopicPartition, timestamp: number): Promise<PlaceInLog> {
    const { offsets } = this.#parts
    const [found] = await offsets.forTimes([{ ...partition, timestamp }])
    const { high } = await offsets.range(partition)
    return { offset: found?.offset ?? high, highWatermark: high }
  }

  #reset(partition: TopicPartition, problem: string, offset: number): Promise<PlaceInLog> {
    const { offsetReset } = this.#parts
    const { topic, partition: number } = partition
    const place = { topic, partition: number }
    if (offsetReset === 'earliest') return this.find(place, { kind: 'beginning' })
    if (offsetReset === 'latest') return this.find(place, { kind: 'end' })
    if (offsetReset !== 'none') return this.find(place, { kind: 'ago', agoMs: offsetReset.agoMs })
    const advice = `${problem}, and offsetReset is 'none': seek to where to go on`
    throw new PartitionError('MILLRACE_CLIENT_OFFSET_LOST', place, advice, { offset })
  }
}

/** The partition's error for whatever went wrong with it. */
export function asPartitionError(
  partition: TopicPartition,
  error: unknown,
  offset: number,
): PartitionError {
  if (error instanceof PartitionError) return error
  const { topic, partition: number } = partition
  const problem = `${partitionKey(partition)} cannot be read on: ${(error as Error).message}`
  const options = { offset, cause: error }
  return new PartitionError(
    'MILLRACE_CLIENT_STATE_INVALID',
    { topic, partition: number },
    problem,
    options,
  )
}
